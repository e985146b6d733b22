# SPDX-License-Identifier: GPL-2.0
"""git in one repository, without the configuration of the caller."""

import os
import subprocess


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

    def patches(self):
        """The commits that compose made, one for each patch of the series."""
        return self("rev-list", "--reverse", "base..series").split()
