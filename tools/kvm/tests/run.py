#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests the programs without KVM, and their man pages; prints KTAP."""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys

import vcpu_time

XEN = "KVM_XEN_VCPU_ATTR_TYPE_"
XEN_NAMES = ["VCPU_INFO", "VCPU_TIME_INFO", "RUNSTATE_ADDR", "RUNSTATE_CURRENT", "RUNSTATE_DATA",
             "RUNSTATE_ADJUST", "VCPU_ID", "TIMER", "UPCALL_VECTOR", "VCPU_INFO_HVA"]
ADJUST = XEN_NAMES.index("RUNSTATE_ADJUST")
TIMES = ["state_entry_time", "time_running", "time_runnable", "time_blocked", "time_offline"]
LONG_OPTION = re.compile(r"--[a-z]+")


def row(setup, name, group, attr, has, get, value, error=None):
    return {"setup": setup, "name": name, "group": group, "attr": attr, "setup_error": error,
            "has": has, "get": get, "value": value}


def rows(offset, scale, xen):
    """What vcpu_attrs should print, given twice (has, get, value) and a list of (get, value)."""
    return [row("plain", "KVM_VCPU_TSC_OFFSET", 0, 0, *offset),
            row("plain", "KVM_VCPU_TSC_SCALE", 0, 1, *scale)] + \
           [row("xen", XEN + name, None, attr, None, *result)
            for attr, (name, result) in enumerate(zip(XEN_NAMES, xen))]


def all_ok(values):
    return [("EINVAL", None) if attr == ADJUST else ("ok", value)
            for attr, value in enumerate(values)]


SCALED = ("ok", "ok", {"tsc_ratio": (1 << 64) - 1, "tsc_frac_bits": 48})
UNSCALED = ("ok", "ok", {"tsc_ratio": 1 << 32, "tsc_frac_bits": 32})

# By the names of the hosts in fake_kvm.c.
EXPECTED = {
    "set": rows(("ok", "ok", -1 << 63), SCALED, all_ok([
        0x4100, 0x4100, 0x4100, 2,
        {"state": 2, **dict(zip(TIMES, [(1 << 64) - 1, 1, 20, 300, 4000]))},
        None, 7, {"port": 5, "priority": 2, "expires_ns": 1000000007}, 0xf3, 0x7f0000004100])),
    "unset": rows(("ok", "ok", 0), UNSCALED, all_ok([
        None, None, None, 3, {"state": 3, **dict.fromkeys(TIMES, 0)},
        None, None, None, None, None])),
    "no-xen": rows(("ok", "ok", 0), UNSCALED,
                   [(None, None, {"step": "KVM_CAP_XEN_HVM", "errno": None})] * len(XEN_NAMES)),
    "errors": rows(("ENXIO", 524, None), ("ENXIO", "EINVAL", None),
                   [("EINVAL" if attr % 2 else 524, None) for attr in range(len(XEN_NAMES))]),
}


def output_of(command, **environment):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          check=True, env={**os.environ, **environment}).stdout


def json_problems(program, host):
    found = json.loads(output_of([program, "--json"], FAKE_KVM=host))
    if len(found) != len(EXPECTED[host]):
        yield f"{len(EXPECTED[host])} attributes expected, {len(found)} found"
    for have, want in zip(found, EXPECTED[host]):
        if have != want or list(have) != list(want):
            yield f"expected {want}, found {have}"


def option_problems(program, page):
    with open(page, encoding="utf-8") as file:
        described = set(LONG_OPTION.findall(file.read().replace("\\", "")))
    printed = set(LONG_OPTION.findall(output_of([program, "--help"])))
    yield from (f"{option} is not in both" for option in sorted(described ^ printed))


def page_problems(page):
    shown = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", page], check=False,
                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                           env={**os.environ, "MANWIDTH": "80"})
    yield from shown.stderr.splitlines()
    if shown.returncode:
        yield f"man: status {shown.returncode}"


def cases(given):
    """(name, reason to skip it or None, function that yields problems)"""
    if given.fake:
        for host in EXPECTED:
            yield f"json_{host}", None, lambda host=host: json_problems(given.fake, host)
    if given.binary_stats:
        yield ("kvm_vcpu_time_binary_stats", None,
               lambda: output_of([given.binary_stats]).splitlines())
    pages = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for program in given.programs:
        name = os.path.basename(program)
        page = os.path.join(pages, name, f"{name}.1")
        yield (f"{name}_options", None,
               lambda program=program, page=page: option_problems(program, page))
        yield (f"{name}_page", None if shutil.which("man") else "man is not installed",
               lambda page=page: page_problems(page))
        if name == "kvm_vcpu_time":
            yield from vcpu_time.cases(program)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--fake", help="vcpu_attrs with fake_kvm.c linked in")
    options.add_argument("--binary-stats", help="binary_stats.c, which prints problems")
    options.add_argument("programs", nargs="+")
    given = options.parse_args()

    todo, failed = list(cases(given)), 0
    print(f"KTAP version 1\n1..{len(todo)}")
    for number, (name, skip, check) in enumerate(todo, 1):
        if skip:
            print(f"ok {number} - {name} # SKIP {skip}")
            continue
        try:
            problems = list(check())
        except (OSError, ValueError, subprocess.CalledProcessError) as error:
            problems = [str(error)]
        for problem in problems:
            print(f"# {problem}")
        print(f"{'not ok' if problems else 'ok'} {number} - {name}")
        failed += bool(problems)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
