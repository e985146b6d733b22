#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Makes a kernel tree with all mutants of a list in it, none of them active.

usage: plant.py LIST TREE OUT

OUT is TREE, which stays as it is, made of links to its files.  Only the files
that the mutants change are files of their own, and keep their timestamps if
nothing changes.  All mutants that do not fit are listed.
"""

import os
import pathlib
import sys

import mutants

HERE = pathlib.Path(__file__).resolve().parent
NOT_LINKED = (".git", ".composed")
# Where the number of the active mutant is known.
ADDED = {"include/kvm/mutant.h": HERE / "mutant.h", "virt/kvm/mutant.c": HERE / "mutant.c"}
MAKEFILE = "virt/kvm/Makefile.kvm"


def planted(mutants_of_list, tree):
    """{path: text} of all that is to differ from the tree."""
    texts = mutants.mutate_files(mutants_of_list, lambda path: (tree / path).read_text())
    texts = {path: f"#include <kvm/mutant.h>\n#line 1\n{text}" for path, text in texts.items()}
    texts |= {path: source.read_text() for path, source in ADDED.items()}
    texts[MAKEFILE] = (tree / MAKEFILE).read_text() + "kvm-y += $(KVM)/mutant.o\n"
    return texts


def link(source, target):
    if not target.is_symlink() or os.readlink(target) != str(source):
        target.unlink(missing_ok=True)
        target.symlink_to(source)


def put(text, target):
    if target.is_symlink() or not target.exists() or target.read_text() != text:
        target.unlink(missing_ok=True)
        target.write_text(text)


def make(tree, out, texts):
    """Brings OUT up to date, and removes what no longer has its like in TREE."""
    for folder, folders, files in os.walk(tree):
        folders[:] = [name for name in folders if name not in NOT_LINKED]
        inside = pathlib.Path(folder).relative_to(tree)
        (out / inside).mkdir(parents=True, exist_ok=True)
        wanted = {name for name in files if not name.startswith(NOT_LINKED)}
        own = {path.name for path in map(pathlib.Path, texts) if path.parent == inside}
        for entry in os.scandir(out / inside):
            if entry.name not in wanted | own and not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.path)
        for name in wanted - own:
            link(pathlib.Path(folder) / name, out / inside / name)
        for name in own:
            put(texts[str(inside / name)], out / inside / name)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    tree, out = pathlib.Path(sys.argv[2]).resolve(), pathlib.Path(sys.argv[3]).absolute()
    try:
        listed = mutants.read(sys.argv[1])
        make(tree, out, planted(listed, tree))
    except mutants.Misfits as wrong:
        sys.exit("\n".join([*wrong.args, f"{len(wrong.args)} misfits in {sys.argv[1]}"]))
    print(f"{len(listed)} mutants in {out}")


if __name__ == "__main__":
    main()
