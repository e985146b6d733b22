#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Sums up KTAP reports, read by the kernel's own parser.

Failures are shown with their diagnostics, skips with their reasons. The last
line is "N passed, N failed, N skipped", counted in test cases: a program
without subtests is one. Status: 0 if there were passes and no failure.

It is a failure if all programs were skipped on all machines, with --subjects also if
all of a subject were, whose names begin with the same word, and in a report that is
--complete, if one was. What the laboratory itself does on each machine, such as
to look for leaks, does not count as a program.
"""

import argparse
import collections
import functools
import inspect
import io
import os
import re
import sys

RESULT = re.compile(r"^\s*(?:not )?ok \d+ (?:- )?(?P<name>[^#]*?)(?: # (?P<why>.*))?$")
SKIP = re.compile(r"SKIP:? ?(.*)")
# Lines of kselftest.h that the parser does not take for results: a directive without a name.
NAMELESS = re.compile(r"^(\s*(?:not )?ok \d+) # (SKIP|XFAIL) (.*)$")

MISSING = "(missing)"
# Of the laboratory, by whatever COUNT.
CHORE = re.compile(r"(?:kmemleak|(?:un)?load-\S+)(?:/\d+)?")
OURS = re.compile(r"^# (?:start \S+|\S+ took [\d.]+ s)$")
# Where an assertion stands; the best single line to identify a failure by.
PLACE = re.compile(r"\S+\.[ch]:\d+")

Case = collections.namedtuple("Case", "report verdict name why log")


def parser_from(directory):
    sys.path.insert(0, directory)
    sys.dont_write_bytecode = True
    import kunit_parser         # pylint: disable=import-error,import-outside-toplevel
    import kunit_printer        # pylint: disable=import-error,import-outside-toplevel
    kunit_parser.stdout = printer = kunit_printer.Printer(output=io.StringIO())
    # Newer ones have no printer of their own.
    if "printer" in inspect.signature(kunit_parser.parse_run_tests).parameters:
        kunit_parser.parse_run_tests = functools.partial(kunit_parser.parse_run_tests, printer=printer)
    return kunit_parser


def reasons(lines):
    """Why, by test name in the order of appearance: the parser drops it."""
    found = collections.defaultdict(collections.deque)
    for line in lines:
        if result := RESULT.match(line):
            found[result["name"]].append(result["why"] or "")
    return found


def said(log):
    """The diagnostics of a test, without what the laboratory's init adds."""
    return [line.strip() for line in log if not OURS.match(line)]


def named(path):
    """Architecture and machine, less the suffix, after the base if that is not the default."""
    parts = os.path.abspath(path).removesuffix(".ktap").split("/")
    base = parts[-4:-3] if parts[-3:-2] == ["results"] and parts[-4] != "build" else []
    return "/".join(base + parts[-2:])


class Tally:
    """The test cases of all reports."""

    def __init__(self, parser, complete=()):
        self.parser, self.cases = parser, []
        self.complete, self.idle = complete, {}
        self.subjects = collections.defaultdict(set)
        self.report, self.reasons = "", {}

    def add_file(self, path):
        lines = []
        if os.path.exists(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                lines = [NAMELESS.sub(r"\1 - \3 # \2 \3", line.rstrip("\r\n")) for line in file]
        top = self.parser.parse_run_tests(lines)
        before = len(self.cases)
        self.report, self.reasons = named(path), reasons(lines)
        for test in top.subtests:
            self.walk(test, "")
        self.note_skips(before)
        if len(self.cases) == before:
            self.add("failed", "no test", "in this report" if lines else "the report is missing")
        elif top.counts.errors and not self.failed(before):
            errors = self.parser.stdout._output.getvalue()   # pylint: disable=protected-access
            self.add("failed", "malformed report", "", re.findall(r"\[ERROR\] (.*)", errors))

    def add(self, verdict, name, why="", log=()):
        self.cases.append(Case(self.report, verdict, name, why, list(log)))

    def note_skips(self, since):
        """Which programs of a machine's report were skipped as a whole?"""
        verdicts = collections.defaultdict(set)
        for case in self.cases[since:]:
            verdicts[case.name.split(".")[0]].add(case.verdict)
        programs = [name for name in verdicts if not CHORE.fullmatch(name)]
        skipped = [name for name in programs if verdicts[name] == {"skipped"}]
        if len(programs) < len(verdicts):
            self.idle[self.report] = programs == skipped
            for name in programs:
                self.subjects[name.split("_")[0]] |= verdicts[name]
        if self.report in self.complete:
            for name in skipped:
                self.add("failed", name, "was skipped as a whole")

    def judge_skips(self, by_subject):
        """When all reports are there: did no machine run anything, of one or all subjects?"""
        if self.idle and all(self.idle.values()):
            self.report = next(iter(self.idle))
            self.add("failed", "every program", "was skipped")
            return
        for subject, verdicts in self.subjects.items() if by_subject else ():
            if verdicts == {"skipped"}:
                self.report = next(iter(self.idle))
                self.add("failed", f"every program of {subject}", "was skipped")

    def failed(self, since):
        return any(case.verdict == "failed" for case in self.cases[since:])

    def walk(self, test, parent):
        """Leaves are counted; a test also when it failed though its subtests did not."""
        status = self.parser.TestStatus
        name = ".".join(filter(None, (parent, test.name or MISSING)))
        before = len(self.cases)
        for sub in test.subtests:
            self.walk(sub, name)
        why = self.reasons[test.name].popleft() if self.reasons[test.name] else ""
        # What a program failed to report has its reason one level up.
        self.cases[before:] = [case._replace(why=why, log=case.log + said(test.log))
                               if case.name == f"{name}.{MISSING}" and why else case
                               for case in self.cases[before:]]

        if not test.ok_status():
            if not self.failed(before):
                self.add("failed", name, why, said(test.log))
        elif not test.subtests:
            skip = SKIP.match(why)
            if test.status == status.SKIPPED:
                self.add("skipped", name, skip[1] if skip else why)
            else:
                self.add("passed", name)

    def counts(self, report=None):
        """ "N passed, N failed, N skipped" as a dictionary, of one report or of all."""
        seen = collections.Counter(case.verdict for case in self.cases
                                   if report in (None, case.report))
        return {verdict: seen[verdict] for verdict in ("passed", "failed", "skipped")}


def list_failures(tally):
    for case in tally.cases:
        if case.verdict == "failed":
            places = [line for line in case.log if PLACE.search(line)]
            told = [case.why] + [line.strip("# ") for line in (places or case.log)[:1]]
            print(": ".join(filter(None, [f"{case.report}  {case.name}"] + told)))
    failed = tally.counts()["failed"]
    print(f"{failed} of {len(tally.cases)} fail")
    return 0 if failed else 1


def counted(counts):
    return ", ".join(f"{n} {verdict}" for verdict, n in counts.items())


def summary(tally):
    for case in tally.cases:
        if case.verdict == "failed":
            print(": ".join(filter(None, (f"FAILED  {case.report}  {case.name}", case.why))))
            print("".join(f"    {text}\n" for text in case.log), end="")
    for case in tally.cases:
        if case.verdict == "skipped":
            print(f"SKIPPED {case.report}  {case.name}: {case.why or 'no reason given'}")
    for report in dict.fromkeys(case.report for case in tally.cases):
        print(f"   {report}: {counted(tally.counts(report))}")
    counts = tally.counts()
    print(counted(counts), flush=True)
    return 0 if counts["passed"] and not counts["failed"] else 1


def main():
    options = argparse.ArgumentParser(description=__doc__,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--failures", action="store_true",
                         help="only list what failed, a line each; status 0 if anything did")
    options.add_argument("--complete", metavar="REPORT", default=[], action="append",
                         help="one of the reports: no program may be skipped as a whole")
    options.add_argument("--subjects", action="store_true",
                         help="none may be skipped as a whole")
    options.add_argument("parser", help="a kernel tree's tools/testing/kunit")
    options.add_argument("report", nargs="+", help="KTAP file")
    given = options.parse_args()
    tally = Tally(parser_from(given.parser), [named(path) for path in given.complete])
    for path in given.report:
        tally.add_file(path)
    tally.judge_skips(given.subjects)
    return (list_failures if given.failures else summary)(tally)


if __name__ == "__main__":
    sys.exit(main())
