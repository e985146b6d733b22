# SPDX-License-Identifier: GPL-2.0-only
"""What a patch takes away from a base, by fingerprint.

A base that has changed what the series replaces must not lose that change in
silence.  For each definition, range or file that goes, the record of a base has
a hash of each line, so that it holds no code, and yet shows which line is new.
"""

import hashlib
import re


def hashes(lines):
    """Blank lines and indentation do not matter."""
    return [hashlib.sha256(" ".join(line.split()).encode()).hexdigest()[:8]
            for line in lines if line.strip()]


class Record:
    """{(patch, path, what): [hash of a line...]}, in a file of sections."""

    def __init__(self, path):
        self.path = path
        self.known = {}
        text = path.read_text() if path.exists() else ""
        for head, body in re.findall(r"^\[(.*)\]\n((?:(?!\[).*\n)*)", text, re.M):
            self.known[tuple(head.split(" ", 2))] = body.split()
        self.found = {}

    def note(self, patch, path, what, lines):
        """Some lines go; what the record lacks is returned as text, or None."""
        key = (patch, path, what)
        now = hashes(lines)
        self.found[key] = now
        before = self.known.get(key, [])
        if now == before:
            return None
        known = set(before)
        shown = [f"{' ' if known.issuperset(hashes([line])) else '+'} {line}" for line in lines]
        missing = len(set(before) - set(now))
        return "\n".join([f"{patch} takes away other lines of {path} "
                          f"({what}) than it was made for; new (+){f', and {missing} fewer' if missing else ''}:",
                          *shown])

    def forgotten(self):
        """Sections about what is no longer taken away."""
        return sorted(set(self.known) - set(self.found))

    def write(self):
        with open(self.path, "w", encoding="utf-8") as file:
            file.write("# What goes, line by line: series/scripts/losses.py.  Written by \"make accept\".\n")
            for key, now in sorted(self.found.items()):
                file.write(f"[{' '.join(key)}]\n")
                for at in range(0, len(now), 10):
                    file.write(" ".join(now[at:at + 10]) + "\n")
