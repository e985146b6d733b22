# SPDX-License-Identifier: GPL-2.0-only
"""What series/bases/VERSION says about a base kernel.

The series is written for the newest base.  All that another one needs is in its
folder, and goes with it:

  base           the package it comes from
  replaced       fingerprints of what the series takes away from it: losses.py
  names          what it calls otherwise: a name of this repository, a tab, the
                 base's name; it applies to paths, and to the "lines" of patches
  prerequisites  patches that are composed before the series, in the manner of
                 what newer kernels have
  patches        NN-name/FILE, which replaces that FILE of series/patches/*
  without        patches of the series that it has no use for, and why
  configs-without  of series/configs, what it cannot be configured as, and why
  cover          what the cover letters say of it where they have ${NAME}: [NAME], then
                 the text, which may be empty
  lacks          UAPI names that newer kernels have.  The definitions, parts and
                 lines under #ifdef of one are left out; for other bases only
                 the directives are.  The same holds for files in patches, not
                 for the work tree, where they are links
"""

import pathlib
import re
import subprocess

import losses

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PATCHES = ROOT / "series/patches"
BASES = ROOT / "series/bases"

# Files that do not stand at their kernel path here.
ELSEWHERE = {"virt/kvm/Kconfig.vcpu_time": "Kconfig"}


class Unknown(Exception):
    """There is no such base, or its folder is wrong."""


def version(tree):
    """VERSION.PATCHLEVEL of a kernel tree."""
    makefile = (tree / "Makefile").read_text()
    return ".".join(re.search(rf"^{part} = (\S+)", makefile, re.M)[1]
                    for part in ("VERSION", "PATCHLEVEL"))


def rows(path):
    """The fields, separated by tabs, of the lines that are no comments."""
    return [re.split("\t+", line) for line in (path.read_text().splitlines() if path.exists() else [])
            if line and not line.startswith("#")]


def folders(path):
    return sorted(f for f in path.iterdir() if (f / "message").exists()) if path.exists() else []


def patches():
    """The folders of the series, in order: series/patches/N-set/NN-name."""
    return [folder for path in sorted(PATCHES.iterdir()) for folder in folders(path)]


def set_name(folder):
    """The set that a patch is in, "fixes" of 1-fixes/01-name; none of a prerequisite."""
    return folder.parent.name.partition("-")[2]


def sets():
    """The names of the sets, in order."""
    return list(dict.fromkeys(map(set_name, patches())))


def newer_names():
    """Those that any base lacks."""
    return sorted({row[0] for path in BASES.glob("*/lacks") for row in rows(path)})


def names():
    return sorted((path.parent.name for path in BASES.glob("*/base")),
                  key=lambda name: [int(part) for part in name.split(".")])


class Base:
    def __init__(self, name):
        self.name, self.folder = name, BASES / name
        if not (self.folder / "base").is_file():
            raise Unknown(f"there is no base {name}, series/bases/ has: {', '.join(names())}; "
                          "BASE= names the one whose rules apply")
        self.names = rows(self.folder / "names")
        self.defines = [f"-{'U' if name in self.lacks() else 'D'}{name}" for name in newer_names()]
        self.without = {row[0] for row in rows(self.folder / "without")}
        self.record = losses.Record(self.folder / "replaced")
        for path in self.inputs():
            if path.is_relative_to(self.folder / "patches") and \
                    not list(PATCHES.glob(f"*/{path.relative_to(self.folder / 'patches')}")):
                raise Unknown(f"{path} replaces no file of series/patches")
        for name in self.without:
            if not list(PATCHES.glob(f"*/{name}")):
                raise Unknown(f"{self.folder}/without: there is no series/patches/*/{name}")

    @classmethod
    def of(cls, tree):
        """The base that a kernel tree is of."""
        return cls(version(tree))

    def has_config(self, name):
        return name not in {row[0] for row in rows(self.folder / "configs-without")}

    def texts(self):
        """{name: text} of the cover letters."""
        _, *parts = re.split(r"(?m)^\[(\w+)\]\n", (self.folder / "cover").read_text())
        return {name: text.strip("\n") for name, text in zip(parts[::2], parts[1::2])}

    def lacks(self):
        return {row[0] for row in rows(self.folder / "lacks")}

    def prerequisites(self):
        return folders(self.folder / "prerequisites")

    def patches(self):
        return [folder for folder in patches() if folder.name not in self.without]

    def inputs(self):
        return sorted(path for path in self.folder.rglob("*") if path.is_file())

    def strip(self, text):
        """Without what the base lacks, and without #ifdef of it."""
        if "\n#ifdef KVM_" not in text:
            return text
        done = subprocess.run(["unifdef", "-t", *self.defines], input=text, text=True, check=False,
                              stdout=subprocess.PIPE)
        if done.returncode > 1:
            raise Unknown("unifdef failed")
        return done.stdout

    def spell(self, text):
        """A path or lines of this repository as the base has them."""
        for ours, theirs in self.names:
            text = text.replace(ours, theirs)
        return text

    def home(self, path):
        """Where a file of the composed tree comes from."""
        for ours, theirs in self.names:
            path = path.replace(theirs, ours)
        return ROOT / ELSEWHERE.get(path, path)

    def of_patch(self, folder, name):
        """A file of a patch's folder, or the one that replaces it for this base."""
        own = self.folder / "patches" / folder.name / name
        return own if own.exists() else folder / name
