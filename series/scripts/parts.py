# SPDX-License-Identifier: GPL-2.0-only
"""Files as a sequence of definitions, and merging some into another file.

A file of this repository that the base kernel has as well is a part: it holds
only the definitions that the series adds or replaces.  In a page these are its
sections, each up to the next heading and named by the last word of its own.
"""

import functools
import json
import pathlib
import re
import subprocess
import tempfile

KINDS = "dfgpstuvx"     # macro, function, enum, prototype, struct, typedef, union, variable, extern
# Tests are functions to kselftest_harness.h.
TESTS = [option for macro in ("TEST(n)", "TEST_F(f,n)", "TEST_F_TIMEOUT(f,n,t)",
                              "KVM_ONE_VCPU_TEST(f,n,g)")
         for option in ("-D", f"{macro}=void n(void)")]
INCLUDE = re.compile(r"#include (\S+)")
EVENT = re.compile(r"TRACE_EVENT\((\w+),")         # ctags sees none
ENDS = re.compile(r";\s*(/\*.*\*/)?$")       # a declaration, and a comment behind it


class Misfit(Exception):
    """A definition is missing, or there are several of the name."""


class Definition:
    """Lines first to last (exclusive), with the comment above."""

    def __init__(self, name, kind, first, last):
        self.name, self.kind, self.first, self.last = name, kind, first, last


@functools.cache
def ctags(text):
    """What ctags prints; a part is read again for each patch that brings some of it."""
    with tempfile.NamedTemporaryFile("w", suffix=".c") as file:
        file.write(text)
        file.flush()
        return subprocess.run(["ctags", "--quiet", "--options=NONE", "--language-force=C",
                               "-I", "__read_mostly,__ro_after_init", *TESTS,
                               f"--kinds-C={KINDS}", "--fields=+neSs", "--output-format=json",
                               "-o", "-", file.name], text=True, check=True,
                               stdout=subprocess.PIPE).stdout


def tags(text):
    for tag in map(json.loads, ctags(text).splitlines()):
        if "scope" in tag or "static_assert(" in tag["pattern"]:
            continue
        name = tag["name"]
        # static DEFINE_MUTEX(lock); defines lock.
        if tag["kind"] == "prototype" and name.isupper():
            name = tag.get("signature", "()").strip("()").split(",")[-1].strip()
        yield name, tag["kind"], tag["line"] - 1, tag.get("end", tag["line"])


def starts_at(lines, at, floor):
    """Where the definition starts whose name is in line `at`: its comment belongs to it."""
    while at > floor:
        above = lines[at - 1]
        comment = above.lstrip().startswith(("/*", "*", "//"))
        if not above or not (comment or above.startswith(("static_assert(", "#undef "))) and (
                above.startswith(("#", "}")) or above.endswith((";", "\\"))):
            break
        at -= 1
    return at


def parse(text):
    """The definitions of a file, in order; an #include is one, named by its file."""
    lines = text.split("\n")
    found = [(match[1], "include", nr, nr + 1) for nr, line in enumerate(lines)
             if (match := INCLUDE.match(line))]
    found += [(match[1], "event", nr, lines.index(");", nr) + 1) for nr, line in enumerate(lines)
              if (match := EVENT.match(line))]
    result, floor = [], 0
    for name, kind, first, last in sorted([*found, *tags(text)], key=lambda tag: (tag[2], -tag[3])):
        if last <= floor:
            continue        # e.g. a macro inside of a function
        first = first if kind == "include" else starts_at(lines, first, floor)
        if kind == "variable" or kind == "typedef":
            while not ENDS.search(lines[last - 1]):
                last += 1
        # EXPORT_SYMBOL() and the like stand right below.
        while kind == "function" and re.match(r"[A-Z_]+\(\w+\);", lines[last]):
            last += 1
        result.append(Definition(name, kind, first, last))
        floor = last
    return result


def parse_page(text):
    """The sections of a page, without the blank lines behind them."""
    lines = text.split("\n")
    heads = [nr for nr, line in enumerate(lines[1:])
             if re.fullmatch(r"([=~-])\1+", line) and lines[nr] and len(lines[nr]) == len(line) and
             lines[nr + 2:nr + 3] == [""]]
    result = []
    for first, last in zip(heads, [*heads[1:], len(lines)]):
        if last < len(lines) and lines[last - 1] == lines[last + 1]:
            last -= 1       # a line above the heading, too
        while not lines[last - 1] or lines[last - 1].startswith(".. _"):
            last -= 1
        result.append(Definition(lines[first].split()[-1], "section", first, last))
    return result


class File:
    """A text and its definitions."""

    def __init__(self, text, parser=parse):
        self.lines = text.split("\n")
        self.definitions = parser(text)

    def text(self):
        return "\n".join(self.lines)

    def of(self, definition):
        return self.lines[definition.first:definition.last]

    def find(self, wanted, kind=None):
        """The definition, or None.  "name#2" is the second of that name, a prototype none."""
        name, _, nth = wanted.partition("#")
        same = [d for d in self.definitions if d.name == name and (not kind or d.kind == kind)]
        # A forward declaration beside the definition.
        if not kind and not nth and {d.kind for d in same} == {"prototype", "function"}:
            same = [d for d in same if d.kind == "function"]
        if nth:
            return same[int(nth) - 1] if len(same) >= int(nth) else None
        if len(same) > 1:
            raise Misfit(f"there are {len(same)} of {name}; \"{name}#1\" is the first")
        return same[0] if same else None

    def has(self, wanted):
        return any(d.name == wanted.partition("#")[0] for d in self.definitions)

    def get(self, wanted, kind=None):
        found = self.find(wanted, kind)
        if not found:
            raise Misfit(f"there is no {wanted}")
        return found

    def block(self, definition):
        """Where it starts and ends; with the #if and #endif, if it is the first in there."""
        first, last = definition.first, definition.last
        if first and self.lines[first - 1].startswith("#if"):
            first -= 1
            last += [line[:6] for line in self.lines[last:]].index("#endif") + 1
        return first, last

    def splice(self, first, last, lines, new=()):
        """Put lines, with the definitions `new` in them, in the place of others."""
        gone, grown = self.lines[first:last], len(lines) - (last - first)
        self.lines[first:last] = lines
        kept = [d for d in self.definitions if d.last <= first or d.first >= last]
        for definition in kept:
            if definition.first >= last:
                definition.first += grown
                definition.last += grown
        self.definitions = sorted([*kept, *new], key=lambda d: d.first)
        return gone

    def put(self, first, last, lines, likes, moved):
        """The same, of definitions like another's that stand so many lines further down here."""
        return self.splice(first, last, lines, [
            Definition(d.name, d.kind, d.first + moved, d.last + moved) for d in likes])

    def drop(self, wanted):
        """Remove a definition with the blank line behind it; returns its lines."""
        found = self.get(wanted)
        gone = self.of(found)
        first, last = found.first, found.last
        blank = lambda nr: nr < 0 or nr >= len(self.lines) or not self.lines[nr]
        if blank(last) and blank(first - 1):
            last += 1
        self.splice(first, last, [])
        return gone


def spaced(part, definition):
    """Whether a blank line stands above it."""
    return definition.first == 0 or not part.lines[definition.first - 1]


def merge(target, part, wanted, anchor=None):
    """Bring one definition of a part into the target; returns the lines that it replaces.

    A new one follows the definition that it follows in the part, or stands where
    the anchor ("after NAME", "before NAME") says.  The first one in an #if brings
    all of that.
    """
    new = part.get(wanted)
    old = None if anchor else target.find(wanted, new.kind)
    start, end = (new.first, new.last) if old else part.block(new)
    lines = part.lines[start:end]

    news = [d for d in part.definitions if start <= d.first < end]

    if old:
        gone = target.put(old.first, old.last, lines, news, old.first - start)
        return gone if gone != lines else []

    where, _, name = anchor.partition(" ") if anchor else ("after", "", "")
    above = part.definitions[:part.definitions.index(new)]
    if name:
        there = target.get(name)
    elif not above or not (there := target.find(above[-1].name, above[-1].kind)):
        raise Misfit(f"what {wanted} follows is not there: say \"{wanted} after NAME\"")

    # Lines of one kind stand close together.
    declared = {"prototype", "externvar"}
    alike = new.kind == there.kind or {new.kind, there.kind} == declared
    close = new.kind == "include" or alike and (
        new.kind in declared if name else not spaced(part, new))
    gap = [] if close else [""]
    if where == "after":
        target.put(there.last, there.last, gap + lines, news, there.last + len(gap) - start)
    else:
        target.put(there.first, there.first, lines + gap, news, there.first - start)
    return []


def read(path, strip=str):
    path = pathlib.Path(path)
    return File(strip(path.read_text()), parse_page if path.suffix == ".rst" else parse)
