# SPDX-License-Identifier: GPL-2.0
"""A kernel tree that is switched from commit to commit of the series."""

import shutil
import subprocess

from repository import Git


class Checkout:
    """A copy of the base, and in it the files of one commit after the other.

    Files that stay keep their timestamps, so that the builds are incremental.
    """

    def __init__(self, base, history, path):
        self.base, self.path = base, path
        self.index = path.with_name(path.name + ".index")
        self.git = Git(history)
        self.git.env |= {"GIT_INDEX_FILE": str(self.index), "GIT_WORK_TREE": str(path),
                         "GIT_DIR": str(history)}
        self.ready = False

    def copy_base(self):
        fresh = self.path.with_name(self.path.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        subprocess.run(["cp", "-a", "--reflink=auto", f"{self.base}/.", fresh], check=True)
        fresh.rename(self.path)

    def undo(self):
        """Put back what the last history had touched, of which only the index is left."""
        for name in self.git("ls-files").splitlines():
            (self.path / name).unlink(missing_ok=True)
            if (self.base / name).exists():
                (self.path / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.base / name, self.path / name)
        self.index.unlink()

    def switch(self, commit):
        if not self.path.exists():
            self.copy_base()
        elif self.index.exists() and not self.ready:
            self.undo()
        self.ready = True
        self.git("read-tree", "--reset", "-u", commit)


def copy_history(tree, path):
    """The series as it is now: compose may make it again while it is built here."""
    shutil.rmtree(path, ignore_errors=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    Git(tree)("clone", "-q", "--bare", tree, path)
    return path
