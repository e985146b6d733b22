#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Lays side by side what "bench" measured on the base and on the series.

RESULTs are what bench has said, in files named MODE-base-N and MODE-series-N.
TABLE has a line for each row: RESULT LESS TARGET TEXT.

  RESULT  CALL:KIND@VCPUS, its median, or the mean with ",mean" at the end;
          dirty:KIND, contend:CALL
  LESS    what is subtracted of it on both kernels, as measured on the base, or "-"
  TARGET  of the series: "<=N" a number, "<=xN" and ">=xN" times the base's; "flat"
          within 3 % of one vCPU's whole cost; "jiffy" no page more than once in
          one; or "-"

Status: 0, unless counts differ between runs, or the table is not of all results.
Missed targets are listed only.
"""

import argparse
import collections
import json
import os
import re
import statistics
import sys

KINDS = ("base", "series")
FLAT = 0.03
NAME = re.compile(r"(?P<mode>\w+)-(?P<kernel>base|series)-(?P<run>\d+)$")

Row = collections.namedtuple("Row", "result less target text")
Dirty = collections.namedtuple("Dirty", "sum most jiffies")


def fail(text):
    sys.exit(f"bench: {text}")


def results(path):
    """What one run has said: a dictionary of numbers, and of Dirty."""
    found = {}
    with open(path, encoding="utf-8") as file:
        for word in map(str.split, file):
            match word:
                case ["count", name, median, mean]:
                    found[name] = float(median)
                    found[f"{name},mean"] = float(mean)
                case ["dirty", kind, *numbers]:
                    found[f"dirty:{kind}"] = Dirty(*map(int, numbers))
                case ["contend", call, rate]:
                    found[f"contend:{call}"] = float(rate)
    return found


def is_timed(row):
    return row.result.startswith("contend:")


def read_table(path):
    with open(path, encoding="utf-8") as file:
        lines = [line.rstrip("\n") for line in file if line.strip() and line[0] != "#"]
    return [Row(*re.split(r"\t+", line, maxsplit=3)) for line in lines]


class Measured:
    """All runs of both kernels: a list of values, one a run, for each result."""

    def __init__(self, paths):
        self.runs = {kernel: collections.defaultdict(list) for kernel in KINDS}
        for path in paths:
            name = NAME.match(os.path.basename(path)) or fail(f"{path} is not a result's name")
            for result, value in results(path).items():
                self.runs[name["kernel"]][result].append(value)
        if set(self.runs["base"]) != set(self.runs["series"]):
            fail("base and series were not measured alike")

    def names(self):
        return set(self.runs["base"])

    def of(self, kernel, result):
        return self.runs[kernel].get(result) or fail(f"nothing measured {result}")

    def unrepeatable(self):
        """Counts that are not the same in all runs; means are not expected to be."""
        return [(kernel, result, values)
                for kernel, found in self.runs.items() for result, values in found.items()
                if "@" in result and "," not in result and len(set(values)) > 1]

    def number(self, kernel, row):
        value = self.of(kernel, row.result)
        if isinstance(value[0], Dirty):
            return statistics.median(dirty.sum for dirty in value)
        less = 0 if row.less == "-" else statistics.median(self.of("base", row.less))
        return statistics.median(value) - less

    def pairs(self, row):
        """The ratio of each run on the series to the one on the base before it."""
        return [series / base for base, series in zip(self.of("base", row.result),
                                                      self.of("series", row.result))]

    def ratio(self, row):
        """Of what is timed, the median of pairs; and one of nothing is none."""
        if is_timed(row):
            return statistics.median(self.pairs(row))
        base = self.number("base", row)
        return self.number("series", row) / base if base else None

    def met(self, row):
        if row.target == "-":
            return None
        if row.target == "jiffy":
            return all(dirty.most <= dirty.jiffies for dirty in self.of("series", row.result))
        if row.target == "flat":
            return abs(self.growth("series", row)) <= FLAT
        sign, times, limit = re.match(r"([<>]=)(x?)([\d.]+)$", row.target).groups()
        value = self.ratio(row) if times else self.number("series", row)
        return value <= float(limit) if sign == "<=" else value >= float(limit)

    def growth(self, kernel, row):
        """From one vCPU on, as part of what the whole call costs there."""
        one = row._replace(result=re.sub(r"@\d+", "@1", row.result),
                           less=re.sub(r"@\d+", "@1", row.less))
        return ((self.number(kernel, row) - self.number(kernel, one)) /
                self.number(kernel, one._replace(less="-")))


def complete(table, measured):
    """Is every result in the table?"""
    told = {name.removesuffix(",mean") for row in table for name in (row.result, row.less)}
    untold = {name.removesuffix(",mean") for name in measured.names()} - told
    if untold:
        fail(f"the table lacks {', '.join(sorted(untold))}")


def as_dict(row, measured):
    found = {"result": row.result, "less": row.less.strip("-") or None,
             "base": measured.number("base", row), "series": measured.number("series", row),
             "ratio": measured.ratio(row), "target": row.target.strip("-") or None,
             "met": measured.met(row)}
    if is_timed(row):
        found["pairs"] = measured.pairs(row)
    return found


def shown(number):
    return f"{number:10.0f}" if number == int(number) or number > 10000 else f"{number:10.1f}"


def line(row, found):
    ratio = "" if found["ratio"] is None else f"{found['ratio']:.2f}"
    met = {None: "", True: "met", False: "MISSED"}[found["met"]]
    return (f"{row.text:<50}{shown(found['base'])}{shown(found['series'])}"
            f"{ratio:>7}  {found['target'] or '':<7} {met}").rstrip()


def main():
    options = argparse.ArgumentParser(description=__doc__,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", required=True, help="file to write")
    options.add_argument("--code", required=True, help="what the series' code is known by")
    options.add_argument("table", metavar="TABLE")
    options.add_argument("result", metavar="RESULT", nargs="+")
    given = options.parse_args()

    measured, table = Measured(given.result), read_table(given.table)
    complete(table, measured)
    rows = [as_dict(row, measured) for row in table]

    print(f"{'':<50}{'base':>10}{'series':>10}{'ratio':>7}  target")
    for row, found in zip(table, rows):
        print(line(row, found))
    targets = [found["met"] for found in rows if found["met"] is not None]
    print(f"{sum(targets)} of {len(targets)} targets met")

    differing = measured.unrepeatable()
    for kernel, result, values in differing:
        print(f"not repeatable: {result} on {kernel}: {values}")
    runs = len(measured.of("base", table[0].result))
    if not differing:
        print(f"{runs} runs of each kernel counted the same, to the instruction")
    for row in filter(is_timed, table):
        pairs = ", ".join(f"{ratio:.2f}" for ratio in sorted(measured.pairs(row)))
        print(f"{row.result}: pairs of runs differ by {pairs}, on {os.cpu_count()} CPUs")

    with open(given.json, "w", encoding="utf-8") as file:
        json.dump({"code": given.code, "runs": runs, "repeatable": not differing,
                   "cpus": os.cpu_count(), "operations": rows}, file, indent=1)
        file.write("\n")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
