# SPDX-License-Identifier: GPL-2.0
"""git in one repository, without the configuration of the caller."""

import os
import subprocess

from bases import PATCHES, sets


def cover(name=None):
    """The cover letter of a set, or of all."""
    folder, = [path for path in PATCHES.iterdir() if path.name.partition("-")[2] == name] or [
        PATCHES.parent]
    return folder / "cover"


class Git:
    """Call it with git's arguments for what git prints, but for the last newlines."""

    def __init__(self, where):
        self.where = where
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        self.env |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}

    def __call__(self, *args, **kwargs):
        done = subprocess.run(["git", "-C", self.where, *args], env=self.env, check=True,
                              text=True, stdout=subprocess.PIPE, **kwargs)
        return done.stdout.rstrip("\n")

    def range_of(self, name):
        """Where a set starts and ends; of the whole series without a name."""
        if not name:
            return "base", "series"
        before = sets()[:sets().index(name)]
        return f"set/{before[-1]}" if before else "base", f"set/{name}"

    def patches(self, name=None):
        """The commits that compose made, one for each patch of the series or a set."""
        start, end = self.range_of(name)
        return self("rev-list", "--reverse", f"{start}..{end}").split()
