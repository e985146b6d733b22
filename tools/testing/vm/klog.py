# SPDX-License-Identifier: GPL-2.0
"""What a kernel log contains: splats, and the KUnit results of boot."""

import re

STAMP = re.compile(r"^(?:<\d+>)?\[ *\d+\.\d+\](?:\[ *[TC]\d+\])? ?")

# One is enough for a run to have failed.
SPLATS = re.compile("|".join((
    r"\bWARNING: ",
    r"\bBUG: ",
    r"\bBUG at ",
    r"\bturning off the locking correctness validator\b",
    r"\bOops\b",
    r"\bKASAN: ",
    r"\bUBSAN: ",
    r"\bINFO: possible (?:circular|recursive|irq)",
    r"\bpossible (?:circular|recursive) locking",
    r"\bINFO: inconsistent lock state",
    r"\bINFO: .*lock.* dependency",
    r"\bsuspicious RCU usage",
    r"\bblocked for more than \d+ seconds",
    r"\bdetected (?:expedited )?stalls?\b",
    r"\bself-detected stall\b",
    r"\bgeneral protection fault\b",
    r"\bunable to handle\b",
    r"\bOut of memory: Killed\b",
    r"\bkernel BUG\b",
    r"\bKernel panic\b",
    r"\bCall [Tt]race:",
)))

# By which lockdep gives up when a thread holds more locks than it can follow.
TOO_DEEP = "BUG: MAX_LOCK_DEPTH too low!"

QUOTED = 40     # lines of a splat
FRAME = "=" * 60    # before and after a sanitizer's report, which is quoted whole

# What KCSAN says of an access; the line after it has the place.
ACCESS = re.compile(r"\b(?:read|write|assert no .*)\b.* to 0x[0-9a-f]+ of \d+ bytes by ")


def lines(path):
    """The log's lines without line ends."""
    with open(path, encoding="utf-8", errors="replace", newline="\n") as log:
        return [line.rstrip("\r\n") for line in log]


def splats(log):
    """Each splat as a list of lines; one that follows in its quotation is part of it."""
    found, end = [], 0
    for i, line in enumerate(log):
        if i >= end and SPLATS.search(line):
            framed = i and log[i - 1].endswith(FRAME)
            end = len(log) if framed else i + QUOTED
            ends = (FRAME,) if framed else ("end trace", "end Kernel panic")
            end = next((j + 1 for j in range(i, min(end, len(log)))
                        if any(text in log[j] for text in ends)), end)
            found.append(log[i:end])
    return found


def without_depth(log):
    """The log without the report that there are too many locks, which ends with a trace."""
    begin = next((i for i, line in enumerate(log) if TOO_DEEP in line), None)
    if begin is None:
        return log
    trace = next((i for i, line in enumerate(log) if i > begin and "Call trace:" in line), begin)
    end = next((i for i, line in enumerate(log)
                if i > trace and not STAMP.sub("", line, count=1).startswith(" ")), len(log))
    return log[:begin] + log[end:]


def is_race(splat):
    """Is it a report by KCSAN?"""
    return "BUG: KCSAN: " in splat[0]


def races_in(files, races, decode):
    """Those of the races with an access in one of the files; decode() adds lines' places."""
    decoded = splats(decode([FRAME] + [line for race in races for line in race]))
    return [race for race in decoded
            if any(ACCESS.search(access) and any(f"{file}:" in place for file in files)
                   for access, place in zip(race, race[1:]))]


def kunit(log):
    """KUnit's report: that at boot, or of the first module with suites, if there is one."""
    report, planned = [], None
    for line in (STAMP.sub("", line, count=1) for line in log):
        if not report and line != "KTAP version 1":
            continue
        if line.startswith("Run /init") or planned == 0:
            break
        report.append(line)
        if planned is None and (plan := re.match(r"1\.\.(\d+)", line)):
            planned = int(plan[1])
            if not planned:
                report, planned = [], None
        elif planned and re.match(r"(not )?ok \d+ ", line):
            planned -= 1
    return report
