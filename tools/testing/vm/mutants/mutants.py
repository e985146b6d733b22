# SPDX-License-Identifier: GPL-2.0
"""The lists of injected bugs, and how each becomes an edit of the kernel's source.

A list has a paragraph for each mutant:

  mutant NAME
  breaks WHAT         the rule or the ordering that it breaks
  test TEST           which test is to notice it: PROGRAM, PROGRAM.CASE of a
                      selftest, or SUITE or SUITE.CASE of KUnit
  on MACHINE          where it shows, if not on the default machine
  alone REASON        why it needs a machine of its own: what it does lasts
  equivalent REASON   why no test can notice it, instead of "test"
  in FILE [FUNCTION]  where the lines below are; may be given more than once
  times N             how often they must be there, if not once
  -OLD
  +NEW

White space in OLD stands for any white space.  What is to be there only while
the mutant is active is made of NEW, by what OLD looks like:

  - NEW has the word MUTANT: NEW, with MUTANT as a condition that is true while
    the mutant is active, and ORIGINAL for OLD
  - OLD ends with ";" or "}": if (MUTANT) { NEW } else { OLD }
  - otherwise: (MUTANT ? (NEW) : (OLD))

"#" starts a comment line.  Mutants are numbered from 1 in the order of the list.
"""

import collections
import dataclasses
import re

KEYS = ("mutant", "breaks", "test", "on", "alone", "equivalent", "in", "times")


class Misfits(Exception):
    """All that is wrong with a list; the arguments are lines of text."""


@dataclasses.dataclass
class Edit:
    path: str
    function: str = ""
    times: int = 1
    old: str = ""
    new: str = ""

    def drops_original(self):
        """True if what was there, and other mutants of it, are not in the replacement."""
        return bool(re.search(r"\bMUTANT\b", self.new)
                    and not re.search(r"\bORIGINAL\b", self.new))

    def replacement(self, number, original):
        active = f"(kvm_mutant == {number})"
        if re.search(r"\bMUTANT\b", self.new):
            text = re.sub(r"\bMUTANT\b", active, self.new)
            return re.sub(r"\bORIGINAL\b", lambda _: original, text)
        if self.old.endswith((";", "}")):
            return f"{{ if ({active}) {{ {self.new} }} else {{ {original} }} }}"
        return f"({active} ? ({self.new}) : ({original}))"


@dataclasses.dataclass
class Mutant:
    name: str
    number: int
    breaks: str = ""
    test: str = ""
    machine: str = ""
    alone: str = ""
    equivalent: str = ""
    edits: list = dataclasses.field(default_factory=list)

    def text(self):
        """All that the mutant is, but for its number."""
        return repr((self.name, self.test, self.machine, self.edits))


class Lines:
    """Reads the lines of a list one by one."""

    def __init__(self):
        self.mutants, self.wrong = [], []

    def key(self, key, value):
        if key == "mutant":
            if any(mutant.name == value for mutant in self.mutants):
                return "is there twice"
            self.mutants.append(Mutant(value, len(self.mutants) + 1))
            return None
        if not self.mutants:
            return "belongs to no mutant"
        mutant = self.mutants[-1]
        if key == "in":
            mutant.edits.append(Edit(*value.split()))
        elif key == "times" and mutant.edits:
            mutant.edits[-1].times = int(value)
        elif key in ("breaks", "test", "alone", "equivalent"):
            setattr(mutant, key, value)
        elif key == "on":
            mutant.machine = value
        else:
            return "belongs to no file"
        return None

    def code(self, sign, text):
        if not self.mutants or not self.mutants[-1].edits:
            return "belongs to no file"
        edit = self.mutants[-1].edits[-1]
        if sign == "-":
            edit.old = f"{edit.old}\n{text}".strip()
        else:
            edit.new = f"{edit.new}\n{text}".strip()
        return None

    def line(self, line):
        if line[0] in "-+":
            return self.code(line[0], line[1:])
        key, _, value = line.partition(" ")
        if key not in KEYS or not value.strip():
            return "cannot be read"
        return self.key(key, value.strip())


def read(path):
    """The mutants of a list, in its order."""
    lines = Lines()
    with open(path, encoding="utf-8") as file:
        for nr, line in enumerate(file, 1):
            if line.strip() and not line.startswith("#"):
                if wrong := lines.line(line.rstrip("\n")):
                    lines.wrong.append(f"{path}:{nr}: {wrong}: {line.strip()}")
    for mutant in lines.mutants:
        if not mutant.breaks or bool(mutant.test) == bool(mutant.equivalent):
            lines.wrong.append(f"{path}: {mutant.name}: wants \"breaks\", and one of \"test\" "
                               "and \"equivalent\"")
        if not mutant.edits or not all(edit.old for edit in mutant.edits):
            lines.wrong.append(f"{path}: {mutant.name}: changes nothing")
    if lines.wrong:
        raise Misfits(*lines.wrong)
    return lines.mutants


# From the first line of a definition to the brace that ends it.
FUNCTION = r"(?ms)^[A-Za-z_][^\n;{{}}]*(?:\n[^\n;{{}}]+)?\b{0}\([^;{{}}]*\)\n\{{.*?^\}}"


def places(source, edit):
    """Where the edit's lines are: [(start, end)...]; raises ValueError if not as they must be."""
    begin, end = 0, len(source)
    if edit.function:
        found = list(re.finditer(FUNCTION.format(re.escape(edit.function)), source))
        if len(found) != 1:
            raise ValueError(f"{len(found)} functions {edit.function}() in {edit.path}")
        begin, end = found[0].span()
    pattern = re.compile(r"\s+".join(map(re.escape, edit.old.split())))
    spans = [match.span() for match in pattern.finditer(source, begin, end)]
    if len(spans) != edit.times:
        where = f"{edit.function}() of {edit.path}" if edit.function else edit.path
        raise ValueError(f"{len(spans)} times, not {edit.times}, in {where}: "
                         f"{' '.join(edit.old.split())}")
    return spans


def mutate(source, spans):
    """The source with the edits at [(start, end, number, edit)...], which may be nested."""
    order = sorted(spans, key=lambda span: (span[0], -span[1]))

    def render(begin, end, inner):
        text, at = "", begin
        while inner:
            start, stop, number, edit = inner.pop(0)
            if stop > end:
                raise ValueError(f"crosses the lines of another mutant: {edit.old}")
            within = []
            while inner and inner[0][0] < stop:
                within.append(inner.pop(0))
            if within and edit.drops_original():
                raise ValueError(f"leaves out the lines of another mutant: {edit.new}")
            text += source[at:start] + edit.replacement(number, render(start, stop, within))
            at = stop
        return text + source[at:end]

    return render(0, len(source), order)


def mutate_files(mutants, load):
    """{path: text} of the files that the mutants change; load(path) reads one."""
    spans, wrong, texts = collections.defaultdict(list), [], {}
    for mutant in mutants:
        for edit in mutant.edits:
            try:
                texts.setdefault(edit.path, load(edit.path))
                spans[edit.path] += [(*place, mutant.number, edit)
                                     for place in places(texts[edit.path], edit)]
            except (ValueError, OSError) as why:
                wrong.append(f"{mutant.name}: {why}")
    for path, found in spans.items():
        try:
            texts[path] = mutate(texts[path], found)
        except ValueError as why:
            wrong.append(f"{path}: {why}")
    if wrong:
        raise Misfits(*wrong)
    return texts
