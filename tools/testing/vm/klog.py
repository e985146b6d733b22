# SPDX-License-Identifier: GPL-2.0
"""What a kernel log tells: splats, and the KUnit results of boot."""

import re

STAMP = re.compile(r"^(?:<\d+>)?\[ *\d+\.\d+\](?:\[ *[TC]\d+\])? ?")

# One is enough for a run to have failed.
SPLATS = re.compile("|".join((
    r"\bWARNING: ",
    r"\bBUG: ",
    r"\bBUG at ",
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
    r"\bCall Trace:",
)))

QUOTED = 40     # lines of a splat


def lines(path):
    """The log's lines without line ends."""
    with open(path, encoding="utf-8", errors="replace", newline="\n") as log:
        return [line.rstrip("\r\n") for line in log]


def splats(log):
    """Each splat as a list of lines; one that follows in its quotation is part of it."""
    found, end = [], 0
    for i, line in enumerate(log):
        if i >= end and SPLATS.search(line):
            end = i + QUOTED
            end = next((j + 1 for j in range(i, min(end, len(log)))
                        if "end trace" in log[j] or "end Kernel panic" in log[j]), end)
            found.append(log[i:end])
    return found


def kunit(log):
    """The KTAP report that the kernel makes before it starts init, if there is one."""
    report, planned = [], None
    for line in (STAMP.sub("", line, count=1) for line in log):
        if not report and line != "KTAP version 1":
            continue
        if line.startswith("Run /init") or planned == 0:
            break
        report.append(line)
        if planned is None and (plan := re.match(r"1\.\.(\d+)", line)):
            planned = int(plan[1])
        elif planned and re.match(r"(not )?ok \d+ ", line):
            planned -= 1
    return report if planned is None or len(report) > 2 else []
