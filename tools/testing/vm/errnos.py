#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Holds the errors of vCPU attributes that pages document against those that tests reached.

Prints KTAP, a test case for each attribute.  It passes if the tests reached each
error that the pages' tables have a row for, and no other.  Tests report what
they reached in lines like "# reached SET KVM_VCPU_TSC_OFFSET EFAULT".
"""

import argparse
import collections
import re
import sys

# Rows that no test can reach, and why.
NOT_REACHED = {
    ("unknown", "EINTR"): "the caller is about to be killed",
    ("KVM_XEN_VCPU_ATTR_TYPE_*", "EINTR"): "the caller is about to be killed",
}

# Rows that only some machines reach: with MACHINE=vmx the TSC can be scaled.
SELDOM_REACHED = {("KVM_VCPU_TSC_SCALE", "EFAULT")}

# Tables that precede all attributes are about calls of any of them, even unknown ones.
ANY = "unknown"

ARCHITECTURE = re.compile(r"^:Architectures: (\w+)$")
ATTRIBUTE = re.compile(r"^(?:[\d.]+ )?ATTRIBUTES?: ([\w*]+?)(?:\{([\w,]+)\})?$")
ROW = re.compile(r"^\s+-(E\w+)\s+((?:HAS|GET|SET)(?:, (?:HAS|GET|SET))*)\s")
REACHED = re.compile(r"^\s*# reached (HAS|GET|SET) ([\w*]+) (\w+)$")


def rows(page):
    """The lines of a page, with those of a row that are continued in one."""
    row = ""
    for line in page:
        if row and line.startswith(" " * 20):
            row += line
            continue
        if row:
            yield row
        row = line if ROW.match(line) else ""
        if not row:
            yield line
    yield row


def documented(pages, architecture, lacking):
    """{attribute: {(call, errno)...}} of the pages' tables, without what the kernel lacks."""
    errors = collections.defaultdict(set)
    for page in pages:
        names, ours = [ANY], True
        for line in rows(page):
            if found := ARCHITECTURE.match(line):
                ours = found[1] == architecture
            elif found := ATTRIBUTE.match(line):
                names = [found[1] + end for end in (found[2] or "").split(",")]
            elif ours and (found := ROW.match(line)) and not any(name in line for name in lacking):
                for name in set(names) - lacking:
                    errors[name] |= {(call, found[1]) for call in found[2].split(", ")}
    return errors


def reached(reports):
    """The same of what tests reached."""
    errors = collections.defaultdict(set)
    for report in reports:
        for line in report:
            if found := REACHED.match(line):
                errors[found[2]].add((found[1], found[3]))
    return errors


def complaints(name, page, tests):
    excuses = {errno: why for (whose, errno), why in NOT_REACHED.items() if whose == name}
    page = page - {(call, errno) for call, errno in page - tests
                   if (name, errno) in SELDOM_REACHED}
    for errno in sorted(excuses.keys() - {errno for _, errno in page}):
        yield f"{errno} is listed as out of reach, but has no row"
    for call, errno in sorted(page | tests):
        if (call, errno) not in page:
            yield f"{call} {errno} was reached, but has no row"
        elif (call, errno) not in tests and errno not in excuses:
            yield f"{call} {errno} has a row, but no test reached it"
        elif (call, errno) in tests and errno in excuses:
            yield f"{call} {errno} was reached, although {excuses[errno]}"


def main():
    options = argparse.ArgumentParser(description=__doc__,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--page", type=argparse.FileType(), action="append", required=True,
                         help="reStructuredText; may be given more than once")
    options.add_argument("--lacking", type=argparse.FileType(), action="append", default=[],
                         help="names of UAPI headers: attributes, and rows that mention one, "
                              "that are not in this kernel")
    options.add_argument("architecture", help="as the pages call it")
    options.add_argument("report", type=argparse.FileType(errors="replace"), nargs="+",
                         help="KTAP file")
    given = options.parse_args()
    lacking = {name for file in given.lacking for name in file.read().splitlines()
               if name and not name.startswith("#")}
    page = documented(given.page, given.architecture, lacking)
    tests = reached(given.report)
    if len(page) < 2:
        sys.exit(f"errnos: there are no attributes of {given.architecture} on the pages")

    names = sorted(page | tests)
    print(f"KTAP version 1\n1..{len(names)}")
    for number, name in enumerate(names, 1):
        wrong = list(complaints(name, page[name], tests[name]))
        for text in wrong:
            print(f"# {name}: {text}")
        print(f"{'not ok' if wrong else 'ok'} {number} - errors of {name}")


if __name__ == "__main__":
    main()
