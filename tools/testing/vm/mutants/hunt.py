#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Boots machines with the mutants of a list, until something notices each.

At first as many mutants as possible share a machine: each is active while its
own test runs.  A mutant that this test does not notice gets a machine of its
own, which boots with it and runs all tests, those with random calls after the
rest, until one fails.  KUnit at boot and a splat notice any mutant.  The control,
without a mutant, must pass all tests.

Results are kept in NAME.json for each mutant, and used again by a run with the
same code and tests; a mutant that nobody noticed is tried again.  Status: 0 if
all were noticed but those that the list calls equivalent.

From the environment: KERNEL_ARCH.
"""

import argparse
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import time

import mutants

CONTROL = "control"
LAST = ("_fuzz_test", "kmemleak")     # unless the list asks for them
ATTEMPTS = 2                          # to boot a machine, which may be slow
KUNIT_LIMIT = 300                     # seconds for a suite

FAILED = re.compile(r"^(\s*)not ok \d+ (?:- )?([^#]*?)(?:\s*# (.*))?$")
SUBTEST = re.compile(r"^\s+# Subtest: (\S+)$")
START = re.compile(r"^# start (\S+)$")
TOOK = re.compile(r"^# \S+ took ([\d.]+) s$")
VERDICT = re.compile(r"^ +\S+ +[\d.]+ s  (?:not )?ok +(\S+)")
SPLAT = re.compile("WARNING|BUG|KASAN|UBSAN|Oops|INFO|panic")


@dataclasses.dataclass
class Machine:
    """What it is and runs."""

    name: str
    tests: list         # (limit, program, path) in the order of the series


def arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", required=True, help="of mutants")
    parser.add_argument("--only", type=str.split, metavar="NAMES", help="of mutants to try")
    parser.add_argument("--machine", nargs=2, action="append", required=True,
                        metavar=("NAME", "TESTS"), help="the first is the default")
    parser.add_argument("--boot", type=shlex.split, required=True, metavar="COMMAND",
                        help="boots the kernel with the mutants")
    parser.add_argument("--arch", required=True)
    parser.add_argument("--programs", type=str.split, required=True)
    parser.add_argument("--results", type=pathlib.Path, required=True, help="directory")
    parser.add_argument("--state", required=True, help="by which code and tests are known")
    parser.add_argument("--keep", action="store_true",
                        help="use results of other code and tests as well")
    parser.add_argument("--quick", action="store_true",
                        help="only let each mutant's own test look for it")
    parser.add_argument("--jobs", type=int, default=1, help="machines at a time")
    return parser.parse_args()


def read_tests(path):
    with open(path, encoding="utf-8") as file:
        return [line.split()[:2] + [f"/bin/{line.split()[1]}"] for line in file]


def suites():
    """{name: source} of all KUnit suites of the series."""
    found = {}
    for path in pathlib.Path().glob("*/**/kvm/*_kunit.c"):
        if path.parts[0] != "build":
            source = path.read_text()
            found |= {name: source for name in re.findall(r'\.name\s*= "(\w+)"', source)}
    return found


def source_of(program):
    path = pathlib.Path("tools/testing/selftests/kvm", os.environ["KERNEL_ARCH"], f"{program}.c")
    return path.read_text() if path.exists() else ""


def check_tests(listed, machines):
    """Each mutant's test and machine must be there."""
    default, kunit = next(iter(machines)), suites()
    for mutant in listed:
        name, _, case = mutant.test.partition(".")
        if (mutant.machine or default) not in machines:
            yield f"{mutant.name}: there is no machine {mutant.machine}"
            continue
        programs = [test[1] for test in machines[mutant.machine or default].tests]
        if mutant.test and name not in kunit and name not in programs:
            yield f"{mutant.name}: there is no test {name}"
        elif case and not re.search(rf"\b{case}\b", kunit.get(name) or source_of(name)):
            yield f"{mutant.name}: {name} has no case {case}"


def commands(machine, test):
    """What is run: the mutant's own test first, or its case alone before all else."""
    name, _, case = test.partition(".")
    ordered = sorted(machine.tests, key=lambda entry: (
        entry[1] != name, entry[1].endswith(LAST), machine.tests.index(entry)))
    lines = [" ".join(entry) for entry in ordered]
    if case and (first := [entry for entry in machine.tests if entry[1] == name]):
        limit, _, path = first[0]
        lines.insert(0, f"{limit} {test} {path} -t {case}")
    return lines


def is_kunit(mutant):
    return mutant.test.partition(".")[0] in suites()


def sweep_command(machine, mutant):
    """Runs only the mutant's own test, with the mutant active."""
    name, _, case = mutant.test.partition(".")
    limits = {test[1]: (test[0], test[2]) for test in machine.tests}
    limit, path = limits.get(name, (KUNIT_LIMIT, f"kunit {name}"))
    only = f" -t {case}" if case and name in limits else ""
    return f"{limit} {mutant.name} /bin/with_mutant {mutant.number} {path}{only}"


def sections(report):
    """{program: its lines} of a report."""
    found, name = {}, None
    for line in report:
        if start := START.match(line):
            name = start[1]
        if name:
            found.setdefault(name, []).append(line)
    return found


def failure_in(lines, program=""):
    """(test, why) of the first failure of a KTAP report, or None; in a program's, if given."""
    subtest = running = ""
    for line in lines:
        if found := START.match(line):
            running = program or found[1].partition(".")[0]
        elif found := SUBTEST.match(line):
            subtest = found[1]
        elif found := FAILED.match(line):
            # A case of a selftest has its fixture in front: "fixture.variant.case".
            case = found[2].strip().rpartition(".")[2]
            if running and not found[1]:
                return running, found[3] or "failed"
            return ".".join(filter(None, (running or subtest, case))), found[3] or "failed"
    return None


def read_lines(path):
    if not path.exists():
        return []
    with open(path, encoding="utf-8", errors="replace") as file:
        return [line.rstrip("\r\n") for line in file]


class Hunt:
    """One run over the list."""

    def __init__(self, args, machines):
        self.args, self.machines = args, machines
        self.default = next(iter(machines))
        self.children, self.over, self.results = set(), False, {}

    def path(self, name, suffix):
        return self.args.results / f"{name}.{suffix}"

    def machine_of(self, mutant):
        return self.machines[mutant.machine or self.default]

    def boot(self, name, machine, number, lines, seen=lambda program: None, first_failure=False):
        """Runs the lines' programs; seen() is called with the name of each that is done."""
        list_path = self.path(name, "commands")
        list_path.write_text("\n".join(lines) + "\n")
        command = [*self.args.boot, "--commands", list_path, "--results", self.args.results / name,
                   "--append", f"kvm_mutant={number}", "--panic", "splat", "--kunit", "may",
                   *["--first-failure"] * first_failure,
                   self.args.arch, machine.name, *self.args.programs]
        child = subprocess.Popen(command,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 text=True, errors="replace")
        self.children.add(child)
        if self.over:
            child.terminate()
        with open(self.path(name, "log"), "w", encoding="utf-8") as log:
            for line in child.stdout:
                log.write(line)
                if done := VERDICT.match(line):
                    seen(done[1])
        child.wait()
        self.children.discard(child)
        for path in self.args.results.glob(f"{name}.commands*"):
            path.unlink()

    def done(self, mutant, by, how, seconds):
        if self.over:
            return
        result = {"name": mutant.name, "mutant": mutant.text(), "state": self.args.state,
                  "by": by, "how": how, "seconds": seconds, "date": time.strftime("%Y-%m-%d")}
        self.path(mutant.name, "json").write_text(json.dumps(result, indent=1) + "\n")
        self.results[mutant.name] = result
        say(mutant, result, f"{seconds} s")

    def splat(self, name):
        """What the kernel said when it splatted, or None."""
        lines = read_lines(self.path(name, "splat.ktap"))[2:]
        what = next((line for line in lines if SPLAT.search(line)), lines[0] if lines else "")
        return "splat: " + re.sub(r"^# (?:\[[^]]*\]\s*)*", "", what) if what else None

    def try_alone(self, mutant):
        """Boots with the mutant, and runs all tests until one fails."""
        name, began = mutant.name, time.monotonic()
        for _ in range(ATTEMPTS):
            self.boot(name, self.machine_of(mutant), mutant.number,
                      commands(self.machine_of(mutant), mutant.test),
                      first_failure=mutant.number > 0)
            report = read_lines(self.path(name, "ktap"))
            if any(map(START.match, report)) or self.path(name, "splat.ktap").exists():
                break
        running = [START.match(line)[1] for line in report if START.match(line)]
        kunit = failure_in(read_lines(self.path(name, "kunit.ktap")))
        splat = self.splat(name)
        by, how = failure_in(report) or ("", "")
        if kunit:
            by, how = kunit[0], "KUnit"
        elif splat and (not running or by in ("", running[-1])):
            by, how = (running or ["boot"])[-1], splat
        elif not running:
            note(mutant, "the machine did not boot in time")
            return
        self.done(mutant, by, how, round(time.monotonic() - began))

    def sweep(self, name, mutants_of_sweep):
        """Activates one mutant after the other in a machine, each for its own test.

        Returns those that their tests did not notice.
        """
        waiting = {mutant.name: mutant for mutant in mutants_of_sweep}
        survivors = []

        def seen(program):
            """A test is done, or the machine died over it or before."""
            section = sections(read_lines(self.path(name, "ktap"))).get(program)
            if not section or not (mutant := waiting.pop(program, None)):
                return
            by, how = failure_in(section, mutant.test.partition(".")[0]) or ("", "")
            took = next((float(found[1]) for found in map(TOOK.match, section) if found), 0)
            if by:
                self.done(mutant, by, "KUnit" if is_kunit(mutant) else how, round(took))
            else:
                survivors.append(mutant)

        attempts = ATTEMPTS
        while waiting and attempts and not self.over:
            before = len(waiting)
            machine = self.machine_of(next(iter(waiting.values())))
            self.boot(name, machine, 0,
                      [sweep_command(machine, mutant) for mutant in waiting.values()], seen)
            started = list(sections(read_lines(self.path(name, "ktap"))))
            if started and (mutant := waiting.pop(started[-1], None)):
                if splat := self.splat(name):
                    self.done(mutant, mutant.test, splat, 0)
                else:
                    survivors.append(mutant)
            attempts -= len(waiting) == before
        return survivors + list(waiting.values())

    def kept(self, mutant):
        """The result of an earlier run, if it holds."""
        path = self.path(mutant.name, "json")
        result = json.loads(path.read_text()) if path.exists() else {}
        same = result.get("mutant") == mutant.text() and (
            self.args.keep or result.get("state") == self.args.state)
        good = bool(result.get("by")) == (mutant.number > 0 and not mutant.equivalent)
        return result if same and good else None

    def stop(self, *_):
        self.over = True
        for child in list(self.children):
            child.terminate()

    def run(self, listed):
        """Fills self.results."""
        todo = []
        for mutant in listed:
            if result := self.kept(mutant):
                self.results[mutant.name] = result
                say(mutant, result, "kept")
            else:
                todo.append(mutant)
        alone = [mutant for mutant in todo if mutant.alone or not mutant.test]
        if self.args.quick:
            todo, alone = [mutant for mutant in todo if mutant not in alone], []
        sweeps = {}
        for nr, mutant in enumerate(mutant for mutant in todo if mutant not in alone):
            part = nr % self.args.jobs if not mutant.machine else mutant.machine
            sweeps.setdefault(f"sweep-{part}", []).append(mutant)
        with concurrent.futures.ThreadPoolExecutor(self.args.jobs) as pool:
            waiting = [pool.submit(self.sweep, *entry) for entry in sweeps.items()]
            later = [pool.submit(self.try_alone, mutant) for mutant in alone]
            for done in concurrent.futures.as_completed(waiting):
                if self.args.quick and not self.over:
                    for mutant in done.result():
                        note(mutant, f"not noticed by {mutant.test}, or not tried")
                else:
                    later += [pool.submit(self.try_alone, mutant) for mutant in done.result()
                              if not self.over]
            for done in later:
                done.result()


def verdict(mutant, result):
    """What became of it, and whether that is as it must be."""
    by, how = result["by"], result["how"]
    if not mutant.number:
        return (f"FAILS without a mutant: {by}, {how}", False) if by else ("all tests pass", True)
    if not by:
        return ("equivalent", True) if mutant.equivalent else ("SURVIVED", False)
    plain = how in ("failed", "KUnit") or how.startswith("exit status")
    text = by if plain else f"{by} ({how})"
    if mutant.equivalent:
        return f"is called equivalent, but noticed by {text}", False
    return text, True


def as_expected(mutant, result):
    """A test that is named by its case must notice with that one."""
    program, _, case = mutant.test.partition(".")
    return result["by"].startswith(program) and result["by"].endswith(case)


def note(mutant, text):
    print(f"   {mutant.number:3}  {mutant.name:40}          {text}", flush=True)


def say(mutant, result, took):
    text, _ = verdict(mutant, result)
    other = bool(result["by"]) and mutant.test and not as_expected(mutant, result)
    aside = f"  [not by {mutant.test}]" if other else ""
    print(f"   {mutant.number:3}  {mutant.name:40}  {took:>6}  {text}{aside}", flush=True)


def table(listed, results):
    """For a page: who noticed which."""
    yield "| mutant | breaks | noticed by |"
    yield "| --- | --- | --- |"
    for mutant in listed:
        text = verdict(mutant, results[mutant.name])[0] if mutant.name in results else "not tried"
        if mutant.equivalent:
            text = f"equivalent: {mutant.equivalent}"
        yield " | ".join((f"| {mutant.name}", mutant.breaks.replace("|", "\\|"),
                          text.replace("|", "\\|"))) + " |"


def summary(listed, results):
    """One line, and the exit status."""
    tried = [mutant for mutant in listed if mutant.name in results]
    bad = [mutant for mutant in tried if not verdict(mutant, results[mutant.name])[1]]
    mutants_tried = [mutant for mutant in tried if mutant.number]
    noticed = [results[mutant.name]["how"] for mutant in mutants_tried
               if results[mutant.name]["by"]]
    kunit = noticed.count("KUnit")
    splats = sum(how.startswith("splat") for how in noticed)
    line = (f"{len(mutants_tried)} of {sum(mutant.number > 0 for mutant in listed)} mutants: "
            f"{len(noticed)} noticed ({kunit} by KUnit, {len(noticed) - kunit - splats} by "
            f"selftests, {splats} by splats), "
            f"{sum(bool(mutant.equivalent) for mutant in mutants_tried)} equivalent, "
            f"{sum(verdict(mutant, results[mutant.name])[0] == 'SURVIVED' for mutant in tried)} "
            "survived")
    for mutant in bad:
        print(f"   {mutant.name}: {verdict(mutant, results[mutant.name])[0]}\n"
              f"      breaks: {mutant.breaks}")
    return line, 1 if bad or len(tried) < len(listed) else 0


def main():
    args = arguments()
    machines = {name: Machine(name, read_tests(tests)) for name, tests in args.machine}
    listed = mutants.read(args.list)
    wrong = list(check_tests(listed, machines))
    wrong += [f"there is no mutant {name}" for name in args.only or []
              if name != CONTROL and name not in [mutant.name for mutant in listed]]
    if wrong:
        sys.exit("\n".join(wrong))
    used = dict.fromkeys([next(iter(machines))] + [m.machine for m in listed if m.machine])
    controls = [mutants.Mutant(CONTROL if name == next(iter(machines)) else f"{CONTROL}-{name}",
                               0, machine=name) for name in used]
    if args.only:
        listed = [mutant for mutant in listed if mutant.name in args.only]
        controls = [control for control in controls if control.name in args.only]
    # Those that should survive take longest.
    order = controls + sorted(listed, key=lambda mutant: bool(mutant.equivalent))

    args.results.mkdir(parents=True, exist_ok=True)
    hunt = Hunt(args, machines)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, hunt.stop)
    hunt.run(order)
    if hunt.over:
        sys.exit("mutants: stopped; the same command continues from here")
    results = hunt.results
    line, status = summary(order, results)
    if not args.only:
        (args.results / "table.md").write_text("\n".join(table(listed, results)) + "\n")
        print(f"   table for a page: {args.results}/table.md")
    print(f"{line}; code {args.state[:12]}")
    return status


if __name__ == "__main__":
    sys.exit(main())
