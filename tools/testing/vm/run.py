#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Boots a machine of the laboratory, and collects what its programs report.

  --mode test   run the programs of --commands, write their KTAP report
  --mode show   run the first one, its output goes to stdout; run.py ends with its status
  --mode shell  a shell on the terminal

Results: NAME.ktap, NAME.console.log (the kernel's), and, where there is such,
NAME.kunit.ktap (KUnit at boot) and NAME.splat.ktap (a splat as a failed test).
What a test found is in the results alone: its status is 0 once they are written.
"""

import argparse
import os
import re
import selectors
import shlex
import signal
import subprocess
import sys
import time

import klog

# The kernel's parameters: lockdep gives up with messages for debugging.
MODES = {"test": "loglevel=8", "show": "", "shell": "quiet"}
BOOT_LIMIT = 600    # seconds until the first program starts
GRACE = 90          # what init has to end a program, and the machine itself
HEARTBEAT = 20
DONE = re.compile(r"^# done (\d+)$")
START = re.compile(r"^# start (\S+)$")
VERDICT = re.compile(r"^(ok|not ok) (\d+) - (\S+)(?: # (.*))?$")
FAILURE = re.compile(r"^\s*not ok ")

# What the kernel does with a splat. A hang takes longer to be one under TCG.
PANIC = {
    "never": "panic=-1",
    "splat": "panic=-1 panic_on_warn=1 oops=panic "
             "sysctl.kernel.hung_task_timeout_secs=240 sysctl.kernel.hung_task_panic=1",
}


# KUnit at boot: may report, must, or is kept from running.
KUNIT = {"may": "", "must": "", "off": "kunit.enable=0"}


def interrupted(signum, _frame):
    raise SystemExit(128 + signum)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mode", choices=MODES, default="test")
    parser.add_argument("--qemu", required=True, help="command line of the machine")
    parser.add_argument("--append", default="", help="kernel command line")
    parser.add_argument("--panic", choices=PANIC, default="never",
                        help="what makes the kernel panic")
    parser.add_argument("--kunit", choices=KUNIT, default="may", help="at boot")
    parser.add_argument("--many-locks", action="store_true",
                        help="it is no splat that threads hold more locks than lockdep follows")
    parser.add_argument("--first-failure", action="store_true",
                        help="--mode test: end with the first one, of KUnit or of a program")
    parser.add_argument("--ours", metavar="FILES", type=str.split,
                        help="where a data race is a splat; elsewhere it is only in the log")
    parser.add_argument("--decode", metavar="COMMAND", type=shlex.split,
                        help="adds files and lines to a log, as --ours needs")
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--initrd", required=True)
    parser.add_argument("--commands", required=True, help="the initrd's list of programs")
    parser.add_argument("--results", required=True, help="directory")
    parser.add_argument("--name", required=True, help="of the results' files")
    return parser.parse_args()


class Machine:
    """QEMU in a process group of its own; its stdout is the report channel."""

    def __init__(self, args, console):
        command = shlex.split(args.qemu) + [
            "-nodefaults", "-display", "none", "-no-reboot",
            "-kernel", args.kernel, "-initrd", args.initrd,
            "-append", " ".join((args.append, PANIC[args.panic], KUNIT[args.kunit],
                                 MODES[args.mode], f"VM={args.mode}")),
            "-device", "virtconsole,chardev=report"]
        if args.mode == "shell":
            command += ["-serial", "mon:stdio", "-chardev", "null,id=report"]
            self.qemu = subprocess.Popen(command)
            return
        command += ["-serial", f"file:{console}", "-chardev", "stdio,id=report,signal=off"]
        self.qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0,
                                     stdout=subprocess.PIPE)

    def chunks(self, beat):
        """What arrives, and b"" whenever nothing did for `beat` seconds."""
        with selectors.DefaultSelector() as ready:
            ready.register(self.qemu.stdout, selectors.EVENT_READ)
            while True:
                if not ready.select(beat):
                    yield b""
                elif chunk := os.read(self.qemu.stdout.fileno(), 65536):
                    yield chunk
                else:
                    return

    def stop(self):
        if self.qemu.poll() is None:
            self.qemu.kill()
        return self.qemu.wait()


class Progress:
    """Shows on the terminal how far the programs are."""

    def __init__(self):
        self.begin, self.running = time.monotonic(), None
        self.since = self.spoke = self.begin

    def say(self, text):
        self.spoke = time.monotonic()
        print(text, flush=True)

    def took(self):
        return f"{time.monotonic() - self.since:6.1f} s"

    def line(self, line):
        if start := START.match(line):
            if self.running is None:
                self.say(f"   booted in {time.monotonic() - self.begin:.0f} s")
            self.running, self.since = start[1], time.monotonic()
        elif verdict := VERDICT.match(line):
            why = f"  {verdict[4]}" if verdict[4] else ""
            self.say(f"   {self.took()}  {verdict[1]:6}  {verdict[3]}{why}")
        self.beat()

    def beat(self):
        if time.monotonic() - self.spoke >= HEARTBEAT:
            self.say(f"   {self.took()}  ...     {self.running or 'booting'}")


def complete(report, commands, why):
    """What the dead machine owes: a verdict for each program. The last one's is taken back."""
    given = sum(1 for line in report if VERDICT.match(line))
    if commands and given == len(commands):
        given -= 1
        del report[max(i for i, line in enumerate(report) if VERDICT.match(line))]
    started = sum(1 for line in report if START.match(line))
    if not any(line.startswith("1..") for line in report):
        report += ["KTAP version 1", f"1..{len(commands)}"]
    for number, name in list(enumerate(commands, 1))[given:]:
        report.append(f"not ok {number} - {name} # {'' if number <= started else 'not run: '}{why}")


def write(path, lines):
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)


def splats_in(log, args):
    """Those of the kernel log, but for data races outside of --ours."""
    splats = klog.splats(klog.without_depth(log) if args.many_locks else log)
    if args.ours is None:
        return splats

    def decode(lines):
        done = subprocess.run(args.decode, input="\n".join(lines), stdout=subprocess.PIPE,
                              check=True, text=True)
        return done.stdout.splitlines()

    races = [splat for splat in splats if klog.is_race(splat)]
    found = klog.races_in(args.ours, races, decode)
    print(f"   {len(races)} data races, {len(found)} of them in the series", flush=True)
    return [splat for splat in splats if not klog.is_race(splat)] + found


def failed(line, log):
    """Has a program or one of its cases failed, or KUnit, which is done when they start?"""
    return bool(FAILURE.match(line) or
                START.match(line) and any(map(FAILURE.match, klog.kunit(klog.lines(log)))))


def test(args, machine, result, commands):
    progress = Progress()
    limits = {name: limit for limit, name in commands}
    report, rest, why, verdict = [], b"", None, False
    with open(result("ktap"), "wb", buffering=0) as ktap:
        for chunk in machine.chunks(1):
            ktap.write(chunk)
            *lines, rest = (rest + chunk).split(b"\n")
            for line in (line.decode(errors="replace") for line in lines):
                report.append(line)
                progress.line(line)
                verdict = verdict or bool(DONE.match(line)) or (
                    args.first_failure and failed(line, result("console.log")))
            progress.beat()
            if verdict and args.first_failure:
                break
            limit = GRACE + limits[progress.running] if progress.running else BOOT_LIMIT
            if time.monotonic() > progress.since + limit:
                why = "no end within the time limit" if progress.running else "did not boot in time"
                break
    machine.stop()

    log = klog.lines(result("console.log"))
    splats = splats_in(log, args)
    kunit = klog.kunit(log)
    if kunit or args.kunit == "must":
        write(result("kunit.ktap"), kunit)
    if splats:
        write(result("splat.ktap"), ["KTAP version 1", "1..1"] +
              [f"# {line}" for splat in splats for line in splat] +
              ["not ok 1 - kernel log without a splat"])
        for splat in splats:
            print("\n".join(["   splat in the kernel log:"] + [f"   | {line}" for line in splat]))
    if not verdict:
        why = why or "the machine died"
        print(f"   {args.name}: {why}; the end of {result('console.log')}:")
        print("\n".join(f"   | {line}" for line in log[-15:]))
        if rest:
            report.append("# " + rest.decode(errors="replace"))
        complete(report, [name for _, name in commands], why)
        write(result("ktap"), report)
    return 0


def show(machine, limit):
    """Passes everything on at once, but for the last line, which has the status."""
    held, deadline = b"", time.monotonic() + BOOT_LIMIT + limit
    for chunk in machine.chunks(1):
        held += chunk
        cut = held.rfind(b"\n", 0, -1) + 1
        if not b"# done ".startswith(held[cut:cut + 7]):
            cut = len(held)
        sys.stdout.buffer.write(held[:cut])
        sys.stdout.flush()
        held = held[cut:]
        if time.monotonic() > deadline:
            break
    machine.stop()
    if done := DONE.match(held.decode(errors="replace").strip()):
        return int(done[1])
    print("run: the machine gave no verdict", file=sys.stderr)
    return 2


def main():
    args = arguments()
    os.makedirs(args.results, exist_ok=True)

    def result(suffix):
        return os.path.join(args.results, f"{args.name}.{suffix}")

    for suffix in ("ktap", "kunit.ktap", "splat.ktap", "console.log"):
        if os.path.exists(result(suffix)):
            os.remove(result(suffix))
    with open(args.commands, encoding="utf-8") as file:
        commands = [(int(line.split()[0]), line.split()[1]) for line in file]

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    machine = Machine(args, result("console.log"))
    try:
        if args.mode == "test":
            return test(args, machine, result, commands)
        if args.mode == "show":
            status = show(machine, commands[0][0])
            for splat in klog.splats(klog.lines(result("console.log"))):
                print("\n".join(["splat in the kernel log:"] + splat), file=sys.stderr)
                status = status or 1
            return status
        return machine.qemu.wait()
    finally:
        machine.stop()


if __name__ == "__main__":
    sys.exit(main())
