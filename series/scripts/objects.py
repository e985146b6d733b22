# SPDX-License-Identifier: GPL-2.0
"""KVM's objects in one configuration, made by the laboratory's tools."""

import os
import pathlib
import subprocess

import diagnostics

SERIES = pathlib.Path(__file__).resolve().parent.parent
LAB = SERIES.parent / "tools/testing/vm"


class Failed(Exception):
    """A step failed, and has shown the end of its log."""

    def __init__(self, status):
        super().__init__(status)
        self.status = status


class Objects:
    """A directory of objects.

    From the environment: JOBS. What kmake takes from it may be given as `env` instead.
    """

    def __init__(self, name, path, log, env=None):
        self.name, self.path, self.log = name, path, log
        self.env = os.environ | (env or {})

    def step(self, title, *command):
        done = subprocess.run([LAB / "step", self.log, f"{self.name}: {title}", *command],
                              check=False, env=self.env)
        if done.returncode:
            raise Failed(done.returncode)

    def configure(self, source, *fragments):
        self.step("configuring", LAB / "configure", source, self.path, *fragments)

    def make(self, source, title, *arguments):
        self.step(title, LAB / "kmake", source, self.path, f"-j{os.environ['JOBS']}", *arguments)

    def complaints(self, source):
        """What was said of `source` in the last step."""
        return diagnostics.of(self.log.read_text(errors="replace"), source)
