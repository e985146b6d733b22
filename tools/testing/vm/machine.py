# SPDX-License-Identifier: GPL-2.0
"""Starts the machines that ARCH.machines describes.

A section is a machine, [DEFAULT] has what they share. Its keys:

  qemu        QEMU's command line; or:
  bochs       the CPU model of Bochs, which boots from a CD; with ips, its
              instructions a second
  cpus        how many
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
import string
import subprocess
import sys
import threading
import time
import tty

LAB = pathlib.Path(__file__).resolve().parent
ISOLINUX = {"isolinux.bin": "/usr/lib/ISOLINUX", "ldlinux.c32": "/usr/lib/syslinux/modules/bios"}


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

    def __init__(self, keys, objects, image, scratch, data=None):
        self.keys, self.objects, self.scratch, self.data = keys, objects, scratch, data
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
        if self.data:
            qemu += ["-chardev", f"file,id=data,path={self.data}"]
        return qemu + ["-nodefaults", "-display", "none", "-no-reboot", "-kernel", self.kernel,
                       "-initrd", self.initrd, "-device", "virtconsole,chardev=report",
                       *(["-device", "virtconsole,chardev=data"] if self.data else [])]

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


def terminal_of(pid):
    """The number of the pseudo-terminal that a process has made, or None."""
    for info in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        try:
            lines = info.read_text().splitlines()
        except FileNotFoundError:
            continue    # It has closed that.
        for line in lines:
            if line.startswith("tty-index:"):
                return line.split()[1]
    return None


def drain_terminal(process):
    """Reads what a process writes to its pseudo-terminal, for as long as it lives."""
    try:
        while (number := terminal_of(process.pid)) is None:
            time.sleep(0.1)
        with open(f"/dev/pts/{number}", "rb", buffering=0, opener=lambda path, flags: os.open(
                path, flags | os.O_NOCTTY)) as terminal:
            tty.setraw(terminal)
            while terminal.read(4096):
                pass
    except OSError:
        pass    # It has ended.


class Bochs(Machine):
    """Its second serial port is the report channel. Its status has no meaning: it is
    that of a failure whenever the machine is off."""

    def pack(self, init, commands, programs):
        """Without what is for debuggers, as each sector takes its BIOS time."""
        folder = pathlib.Path(f"{self.scratch}.bin")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for program in programs:
            shutil.copy(program, folder)
        packed = [folder / os.path.basename(program) for program in programs]
        binaries = [path for path in packed if path.read_bytes()[:4] == b"\x7fELF"]
        if binaries:
            subprocess.run(["strip", "--strip-debug", *binaries], check=True)
        super().pack(init, commands, packed)
        shutil.rmtree(folder)

    def disc(self, words):
        """A CD with kernel and initrd."""
        files = [os.path.join(path, name) for name, path in ISOLINUX.items()]
        need("xorriso", *files)
        folder = pathlib.Path(f"{self.scratch}.cd")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for source, name in [(path, os.path.basename(path)) for path in files] + [
                (self.kernel, "bzImage"), (self.initrd, "initrd")]:
            shutil.copyfile(source, folder / name)
        (folder / "isolinux.cfg").write_text(
            f"DEFAULT l\nPROMPT 0\nLABEL l\nKERNEL bzImage\nINITRD initrd\nAPPEND {self.append(words)}\n")
        done = subprocess.run(["xorriso", "-as", "mkisofs", "-quiet", "-o", f"{self.scratch}.iso",
                               "-b", "isolinux.bin", "-c", "boot.cat", "-no-emul-boot",
                               "-boot-load-size", "4", "-boot-info-table", folder],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode:
            fail(f"xorriso made no CD:\n{done.stdout}")
        shutil.rmtree(folder)
        return f"{self.scratch}.iso"

    def start(self, words, console):
        if self.data:
            fail("Bochs has no second channel for --data; take a machine of QEMU's")
        need("bochs-bin", "/usr/share/bochs/BIOS-bochs-latest", "/usr/share/vgabios/vgabios.bin")
        image = self.disc(words)
        # It opens that only when there is something to write.
        pathlib.Path(console).touch()
        receive, send = os.pipe()
        template = string.Template((LAB / "bochsrc").read_text())
        pathlib.Path(f"{self.scratch}.bochsrc").write_text(template.substitute(
            image=image, model=self.keys["bochs"], cpus=self.keys["cpus"], ips=self.keys["ips"],
            console=console, report=f"/dev/fd/{send}", log=f"{self.scratch}.bochs.log"))
        # Debian's has the debugger built in, which waits at a prompt.
        pathlib.Path(f"{self.scratch}.bochscmd").write_text("c\nq\n")
        with open(f"{self.scratch}.bochs.out", "wb") as output:
            self.process = subprocess.Popen(
                ["bochs-bin", "-q", "-f", f"{self.scratch}.bochsrc", "-rc", f"{self.scratch}.bochscmd"],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, process_group=0,
                pass_fds=[send], env=os.environ | {"TERM": "linux"})
        os.close(send)
        # Its display, which nobody reads, would otherwise fill that up and stop it.
        threading.Thread(target=drain_terminal, args=[self.process], daemon=True).start()
        self.report = os.fdopen(receive, "rb", buffering=0)

    def start_shell(self, words):
        fail("Bochs has no terminal for a shell; take a machine of QEMU's")


def machine(keys, *args):
    return (Bochs if "bochs" in keys else Qemu)(keys, *args)
