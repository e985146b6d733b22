# SPDX-License-Identifier: GPL-2.0
"""What compilers and checkers say of a tree, without what they said of another."""

import collections
import re

# objtool gives no line, but the place in a function.
LINE = re.compile(r"^(\S+?):(?:(\d+):(?:\d+:)?)? *((?:warning|error): .*)$", re.M)
OFFSET = re.compile(r"\+0x[0-9a-f]+")


def of(text, root):
    """Each complaint without the number of its line, and of how many lines it is made.

    A header is read by many files, but its lines count once.
    """
    places = {(path.removeprefix(f"{root}/"), line, OFFSET.sub("", said))
              for path, line, said in LINE.findall(text)}
    return collections.Counter(f"{path}: {said}" for path, _, said in places)


def new(before, now):
    return sorted((now - before).elements())
