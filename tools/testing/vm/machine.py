# SPDX-License-Identifier: GPL-2.0
"""Starts the machines that ARCH.machines describes.

A section is a machine, [DEFAULT] has what they share. Its keys:

  qemu        QEMU's command line
  append      the kernel's command line
  tsc_khz     the frequency of the TSC that the kernel is given, "host": of the
              build machine's, if it has one
  devicetree  a file with what is added to QEMU's own device tree

Others are for use by ${name} in the values.
"""

import configparser
import os
import pathlib
import shlex
import shutil
import subprocess
import sys

LAB = pathlib.Path(__file__).resolve().parent


def fail(text):
    sys.exit(f"boot: {text}")


def describe(arch, name, changes):
    """The machine's keys; changes are KEY=VALUE, and have the last word."""
    path = LAB / f"{arch}.machines"
    parser = configparser.ConfigParser(interpolation=configparser.ExtendedInterpolation())
    if not parser.read(path):
        fail(f"there is no {path}")
    if name not in parser:
        fail(f"{path} has no machine {name}; it has: {' '.join(parser.sections())}")
    parser[name].update(change.split("=", 1) for change in changes)
    return parser[name]


def need(*paths):
    for path in paths:
        if not (os.path.exists(path) if "/" in path else shutil.which(path)):
            fail(f"there is no {path} here; ./bootstrap test MACHINE=... installs what a machine needs")


class Machine:
    """A VMM in a process group of its own. What init reports arrives by chunks()."""

    def __init__(self, keys, objects, image, scratch):
        self.keys, self.objects, self.scratch = keys, objects, scratch
        self.kernel = os.path.join(objects, image)
        self.initrd = f"{scratch}.cpio"
        self.process = self.report = None

    def pack(self, init, commands, programs):
        """Makes the initrd."""
        subprocess.run([LAB / "initramfs", os.path.join(self.objects, "usr/gen_init_cpio"),
                        self.initrd, init, commands, *programs], check=True)

    def append(self, words):
        """The kernel's command line."""
        khz = self.keys.get("tsc_khz")
        if khz == "host":
            khz = subprocess.run([LAB / "tsc_khz"], stdout=subprocess.PIPE, check=True,
                                 text=True).stdout.strip()
        return " ".join(self.keys["append"].split() + ([f"tsc_early_khz={khz}"] if khz else []) +
                        list(filter(None, words)))

    def wait(self):
        return self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Qemu(Machine):
    """Its stdout is the report channel."""

    def command(self):
        qemu = shlex.split(self.keys["qemu"])
        need(qemu[0])
        if added := self.keys.get("devicetree"):
            blob = f"{self.scratch}.dtb"
            subprocess.run([LAB / "devicetree", os.path.join(self.objects, "scripts/dtc/dtc"),
                            blob, LAB / added, *qemu], check=True)
            qemu += ["-dtb", blob]
        return qemu + ["-nodefaults", "-display", "none", "-no-reboot", "-kernel", self.kernel,
                       "-initrd", self.initrd, "-device", "virtconsole,chardev=report"]

    def start(self, words, console):
        self.process = subprocess.Popen(
            self.command() + ["-append", self.append(words), "-serial", f"file:{console}",
                              "-chardev", "stdio,id=report,signal=off"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, process_group=0)
        self.report = self.process.stdout

    def start_shell(self, words):
        self.process = subprocess.Popen(
            self.command() + ["-append", self.append(words), "-serial", "mon:stdio",
                              "-chardev", "null,id=report"])


def machine(keys, *args):
    return Qemu(keys, *args)
