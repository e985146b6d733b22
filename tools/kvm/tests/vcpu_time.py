# SPDX-License-Identifier: GPL-2.0-only
"""Tests of kvm_vcpu_time against copies of /proc and debugfs that are made up here."""

import contextlib
import fcntl
import json
import os
import pty
import random
import re
import shutil
import struct
import subprocess
import tempfile
import termios
import xml.etree.ElementTree

S = 10 ** 9
TICKS = os.sysconf("SC_CLK_TCK")
NOBODY = 65534
STATES = ["running", "steal", "halted", "blocked", "offline"]
XEN = ["running", "runnable", "blocked", "offline"]
LABEL = r'[a-z]+="(?:[^"\\]|\\.)*"'
SAMPLE = re.compile(rf"[a-z_]+\{{{LABEL}(?:,{LABEL})*\}} [0-9]+(?:\.[0-9]+)?")
ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Thread:
    """ran, waited: in ns; born: in s after the host was booted."""

    def __init__(self, tid, ran=0, waited=0, born=0, state="S", comm=None):
        self.tid, self.ran, self.waited, self.born = tid, ran, waited, born
        self.state, self.comm = state, comm


class Vm:
    """vcpus: a Thread for each ID, or None; stats: of the VM; each: of vCPUs, by ID."""

    def __init__(self, pid, vcpus, *, fd=9, args=(), stats=(), each=(), born=0):
        self.pid, self.vcpus, self.fd, self.args, self.born = pid, vcpus, fd, args, born
        self.stats, self.each = dict(stats), dict(each)


def put(root, path, text):
    path = os.path.join(root, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def put_task(root, tid, pid, comm, born, state="S"):
    put(root, f"proc/{tid}/status", f"Name:\t{comm}\nTgid:\t{pid}\n")
    put(root, f"proc/{tid}/stat",
        f"{tid} ({comm}) {state} " + "0 " * 18 + f"{born * TICKS:.0f} 0\n")
    put(root, f"proc/{tid}/comm", comm + "\n")


def put_vm(root, vm, debugfs):
    put_task(root, vm.pid, vm.pid, "qemu (kvm) x", vm.born)
    put(root, f"proc/{vm.pid}/cmdline", "".join(arg + "\0" for arg in ("qemu", *vm.args)))
    links = {vm.fd: "anon_inode:kvm-vm", 3: "/dev/kvm"}
    kvm = f"sys/kernel/debug/kvm/{vm.pid}-{vm.fd}"
    for vcpu, thread in vm.vcpus.items():
        links[vm.fd + 1 + vcpu] = f"anon_inode:kvm-vcpu:{vcpu}"
        if debugfs:
            put(root, f"{kvm}/vcpu{vcpu}/pid", f"{thread.tid if thread else 0}\n")
            for name, value in vm.each.get(vcpu, {}).items():
                put(root, f"{kvm}/vcpu{vcpu}/{name}", f"{value}\n")
        if thread:
            comm = thread.comm or f"CPU {vcpu}/KVM"
            put_task(root, thread.tid, vm.pid, comm, thread.born, thread.state)
            put(root, f"proc/{thread.tid}/schedstat", f"{thread.ran} {thread.waited} 7\n")
            put(root, f"proc/{vm.pid}/task/{thread.tid}/comm", comm + "\n")
    for fd, link in links.items():
        os.makedirs(f"{root}/proc/{vm.pid}/fd", exist_ok=True)
        os.symlink(link, f"{root}/proc/{vm.pid}/fd/{fd}")
    if debugfs:
        for name, value in vm.stats.items():
            put(root, f"{kvm}/{name}", f"{value}\n")
        os.makedirs(f"{root}/{kvm}", exist_ok=True)


class Looks:
    """Roots for --root, one for each look."""

    def __init__(self, program):
        self.program, self.directory, self.roots = program, tempfile.mkdtemp(), []
        os.chmod(self.directory, 0o755)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for folder, _, _ in os.walk(self.directory):
            os.chmod(folder, 0o755)
        shutil.rmtree(self.directory)

    def add(self, uptime, *vms, debugfs=True):
        root = f"{self.directory}/{len(self.roots)}"
        put(root, "proc/uptime", f"{uptime:.9f} 0.00\n")
        if debugfs:
            os.makedirs(f"{root}/sys/kernel/debug/kvm")
        for vm in vms:
            put_vm(root, vm, debugfs)
        self.roots.append(root)
        return root

    def path(self, name):
        return f"{self.directory}/{name}"

    def command(self, *options):
        return [self.program, *options] + [f"--root={root}" for root in self.roots]

    def run(self, *options, **kwargs):
        done = subprocess.run(self.command(*options), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False, **kwargs)
        if done.returncode or done.stderr:
            raise ValueError(f"status {done.returncode}: {done.stderr}")
        return done.stdout

    def json(self, *options, **kwargs):
        return [json.loads(line) for line in self.run("--json", *options, **kwargs).splitlines()]

    def vcpus(self, vcpu=0, key="interval_ns"):
        """Of the first VM, for each interval."""
        return [only(v for v in look["vms"][0]["vcpus"] if v["vcpu"] == vcpu)[key]
                for look in self.json()]


def only(things):
    thing, = things
    return thing


def times(**given):
    """In ms, of what is given in ms; halted is unknown unless given."""
    return {state: given.get(state, None if state == "halted" else 0) for state in STATES}


def in_ms(found):
    return {state: value if value is None else value / 10 ** 6 for state, value in found.items()}


def differences(what, expected, found):
    if expected != found:
        yield f"{what}: expected {expected}, found {found}"


def xen(**ms):
    return {f"xen_runstate_{state}_ns": ms.get(state, 0) * 10 ** 6 for state in XEN}


def ms(value):
    return value * 10 ** 6


def thread_is_split(program):
    with Looks(program) as looks:
        looks.add(10, Vm(100, {0: Thread(101, ms(5000), ms(1000))}))
        looks.add(11, Vm(100, {0: Thread(101, ms(5600), ms(1300))}))
        yield from differences("stock", times(running=600, steal=300, blocked=100),
                               in_ms(only(looks.vcpus())))
        found = only(looks.vcpus(key="total_ns"))
        yield from differences("total", times(running=5600, steal=1300, blocked=4100), in_ms(found))
        yield from differences("missing", ["halts", "steal"], looks.json()[0]["missing"])


def kernels_steal_is_preferred(program):
    with Looks(program) as looks:
        for at, steal in ((10, 400), (11, 600)):
            looks.add(at, Vm(100, {0: Thread(101, ms(100 * at), ms(1000 * at))},
                             each={0: {"steal_time_ns": ms(steal), "halt_wait_ns": 0}}))
        yield from differences("steal", times(running=100, steal=200, blocked=700, halted=0),
                               in_ms(only(looks.vcpus())))
        yield from differences("missing", [], looks.json()[0]["missing"])


def xen_runstates_are_shown(program):
    """In the first second 100 ms are not counted yet, and the thread sleeps."""
    with Looks(program) as looks:
        halts = {"halt_wait_ns": 0, "halt_poll_success_ns": 0, "halt_poll_fail_ns": 0}
        since = {"runnable": 200, "offline": 50}
        for at, ran, state in ((10, 1000, xen(running=1000)),
                               (11, 1300, xen(running=1300, blocked=350, **since)),
                               (12, 1300, xen(running=1300, blocked=1450, **since)),
                               (13, 1800, xen(running=2350, blocked=1450, **since))):
            halts["halt_wait_ns"] = ms(400 if at == 13 else 0)
            looks.add(at, Vm(100, {0: Thread(101, ms(ran), 0)}, each={0: {**state, **halts}}))
        found = [in_ms(found) for found in looks.vcpus()]
        yield from differences("looks", [
            times(running=300, steal=200, blocked=450, offline=50, halted=0),
            times(blocked=1000, halted=0),
            times(running=600, halted=400)], found)


def xen_guess_is_not_kept(program):
    """The thread slept in the state running; what was shown as blocked is not owed."""
    with Looks(program) as looks:
        for at, state, runs in ((10, xen(running=1000), "S"), (11, xen(running=1300), "S"),
                                (12, xen(running=3000), "S"),
                                (13, xen(running=3000, blocked=1000), "R")):
            looks.add(at, Vm(100, {0: Thread(101, ms(1), 0, state=runs)}, each={0: state}))
        yield from differences("looks", [times(running=300, blocked=700), times(running=1000),
                                         times(blocked=1000)],
                               [in_ms(found) for found in looks.vcpus()])


def polling_is_halted(program):
    """It keeps the CPU busy, but the guest has halted."""
    with Looks(program) as looks:
        for at, halts in ((10, 0), (11, 60)):
            names = ("halt_wait_ns", "halt_poll_success_ns", "halt_poll_fail_ns")
            looks.add(at, Vm(100, {0: Thread(101, ms(200 * at), 0)},
                             each={0: {name: ms(halts) for name in names}}))
        yield from differences("look", times(running=80, halted=180, blocked=740),
                               in_ms(only(looks.vcpus())))


def starved_thread_is_stolen_once(program):
    """It waits for all of two seconds, which the scheduler counts at the end of them."""
    with Looks(program) as looks:
        for at, ran, waited in ((10, 500, 0), (11, 500, 0), (12, 500, 0), (13, 900, 2600)):
            looks.add(at, Vm(100, {0: Thread(101, ms(ran), ms(waited), state="R")}))
        yield from differences("looks", [times(steal=1000), times(steal=1000),
                                         times(running=400, steal=600)],
                               [in_ms(found) for found in looks.vcpus()])


def halts_of_the_vm_are_split(program):
    stats = ({"halt_wait_ns": ms(1000)}, {"halt_wait_ns": ms(1600)})
    with Looks(program) as looks:
        for at, halts in zip((10, 11), stats):
            looks.add(at, Vm(100, {n: Thread(101 + n, ms(20 * at), 0) for n in range(2)},
                             stats=halts))
        vm = looks.json()[0]["vms"][0]
        yield from differences("VM", times(running=40, halted=600, blocked=1360),
                               in_ms(vm["interval_ns"]))
        yield from differences("vCPU", times(running=20, blocked=980), in_ms(looks.vcpus(1)[0]))
        yield from differences("missing", ["halts_by_vcpu", "steal"], looks.json()[0]["missing"])
    with Looks(program) as looks:
        for at, halts in zip((10, 11), stats):
            looks.add(at, Vm(100, {0: Thread(101, ms(20 * at), 0)}, stats=halts))
        yield from differences("only vCPU", times(running=20, halted=600, blocked=380),
                               in_ms(only(looks.vcpus())))


def vcpu_changes_its_thread(program):
    """To one that is old, then to a new one, then to none."""
    with Looks(program) as looks:
        for at, thread in ((10, Thread(101, ms(900), ms(100))),
                           (11, Thread(102, ms(7000), ms(3000))),
                           (12, Thread(102, ms(7300), ms(3500))),
                           (13, Thread(103, ms(200), ms(300), born=12.25)),
                           (14, None), (15, Thread(104, born=14.5))):
            looks.add(at, Vm(100, {0: thread}))
        yield from differences("looks", [times(blocked=1000),
                                         times(running=300, steal=500, blocked=200),
                                         times(running=200, steal=300, blocked=500),
                                         times(offline=1000), times(blocked=1000)],
                               [in_ms(found) for found in looks.vcpus()])
        totals = [in_ms(found) for found in looks.vcpus(key="total_ns")]
        yield from differences("steal", [100, 600, 900, 900, 900], [total["steal"] for total in totals])
        yield from differences("moves", [1, 1, 2, 2, 3], looks.vcpus(key="moves"))


def counters_are_reset(program):
    with Looks(program) as looks:
        for at, steal in ((10, 90000), (11, 90100), (12, 250), (13, 300)):
            looks.add(at, Vm(100, {0: Thread(101, ms(100 * at), 0)},
                             each={0: {"steal_time_ns": ms(steal), "halt_wait_ns": ms(steal)}}))
        yield from differences("steal", [100, 250, 50],
                               [in_ms(found)["steal"] for found in looks.vcpus()])
        yield from differences("halted", [100, 250, 50],
                               [in_ms(found)["halted"] for found in looks.vcpus()])


def clock_is_set_back(program):
    with Looks(program) as looks:
        for at, ran in ((100, 1000), (101, 1500), (50, 2000), (51, 2250)):
            looks.add(at, Vm(100, {0: Thread(101, ms(ran), ms(100))}))
        yield from differences("looks", [times(running=500, blocked=500), times(),
                                         times(running=250, blocked=750)],
                               [in_ms(found) for found in looks.vcpus()])
        found = [look["interval_ns"] for look in looks.json()]
        yield from differences("intervals", [S, None, S], found)
        if "nan" in looks.run() or "inf" in looks.run():
            yield "the table has a number that is none"


def vms_appear_and_vanish(program):
    first, second = Vm(100, {0: Thread(101)}), Vm(200, {0: Thread(201)})
    with Looks(program) as looks:
        looks.add(10, first)
        looks.add(11, first, second)
        looks.add(12, second)
        # Another process has its number.
        looks.add(13, Vm(200, {0: Thread(201, ms(300), born=12.5)}, born=12.5))
        looks.add(14)
        yield from differences("VMs", [{100, 200}, {200}, {200}, set()],
                               [{vm["pid"] for vm in look["vms"]} for look in looks.json()])
        yield from differences("new life", times(running=300, blocked=200),
                               in_ms(looks.json()[2]["vms"][0]["total_ns"]))


def files_vanish_during_a_look(program):
    """Any file that is read may be gone, and any may be empty."""
    vm = Vm(100, {0: Thread(101, ms(1), ms(1)), 1: Thread(102, ms(1), ms(1))},
            each={0: {"steal_time_ns": 5, **xen(running=3)}}, stats={"halt_wait_ns": 3})
    with Looks(program) as looks:
        root = looks.add(10, vm)
        paths = [os.path.join(folder, name)
                 for folder, _, names in os.walk(root) for name in names if name != "uptime"]
    for path in paths:
        for empty in (False, True):
            with Looks(program) as looks:
                looks.add(9, vm)
                gone = os.path.join(looks.add(10, vm), os.path.relpath(path, root))
                os.remove(gone)
                if empty:
                    put("/", gone, "")
                looks.add(11, vm)
                for look in looks.json():
                    for one in (vcpu for vm in look["vms"] for vcpu in vm["vcpus"]):
                        if sum(filter(None, one["interval_ns"].values())) > S:
                            yield f"{gone}, {empty}: {one}"


def real_processes_appear_and_vanish(program):
    """Not copies: threads that are named as QEMU's, and live for some ms."""
    spawner = ("import ctypes, os, threading, time\n"
               "libc = ctypes.CDLL(None)\n"
               "def run(n):\n"
               "    libc.prctl(15, b'CPU %d/KVM' % n, 0, 0, 0); time.sleep(.02)\n"
               "while True:\n"
               "    if os.fork():\n"
               "        os.wait(); continue\n"
               "    libc.prctl(4, 0, 0, 0, 0)\n"           # nobody may see its open files
               "    threads = [threading.Thread(target=run, args=(n,)) for n in range(3)]\n"
               "    for thread in threads: thread.start()\n"
               "    for thread in threads: thread.join()\n"
               "    os._exit(0)\n")
    with Looks(program) as looks, as_nobody(program, looks) as (mine, identity):
        with subprocess.Popen(["python3", "-c", spawner]) as processes:
            try:
                done = subprocess.run([mine, "--json", "--interval=0.01", "--count=100"],
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                      check=False, **identity)
            finally:
                processes.kill()
    yield from differences("status", (0, ""), (done.returncode, done.stderr))
    found = [json.loads(line) for line in done.stdout.splitlines()]
    yield from differences("intervals", 100, len(found))
    if len({vm["pid"] for look in found for vm in look["vms"]}) < 3:
        yield f"few of them were seen: {found[-1]}"


def many_vcpus(program):
    with Looks(program) as looks:
        for at in (10, 11):
            looks.add(at, Vm(100, {n: Thread(101 + n, ms(10 * at), ms(n * at)) for n in range(64)}),
                      Vm(500, {0: Thread(501, 0, ms(90 * at))}))
        lines = looks.run().splitlines()[2:]
        order = [(line.split()[0], line.split()[1]) for line in lines if line[:7].strip().isdigit()]
        yield from differences("rows", [("500", "all"), ("500", "0"), ("100", "all")] +
                               [("100", str(n)) for n in reversed(range(64))], order)


def random_times_add_up(program):
    """Whatever the counters, no time is lost or shown twice, and no total decreases."""
    rng = random.Random(16)
    names = ["steal_time_ns", "halt_wait_ns", "halt_poll_success_ns", *xen()]
    for is_xen in (False, True):
        with Looks(program) as looks:
            now, thread, stats = 100.0, Thread(101, 0, 0), dict.fromkeys(names, 0)
            if not is_xen:
                stats = {name: 0 for name in names if "xen" not in name}
            for _ in range(40):
                looks.add(now, Vm(100, {0: Thread(thread.tid, thread.ran, thread.waited,
                                                  state=rng.choice("RS"))}, each={0: dict(stats)}))
                now += 1
                thread.ran += rng.choice((0, rng.randrange(S), 3 * S))
                thread.waited += rng.choice((0, rng.randrange(S), 3 * S))
                for name in stats:
                    stats[name] += rng.choice((0, rng.randrange(S), 3 * S))
            before = dict.fromkeys(STATES, 0)
            for found, total in zip(looks.vcpus(), looks.vcpus(key="total_ns")):
                yield from differences("sum", S, sum(found.values()))
                if any(total[state] < before[state] for state in STATES):
                    yield f"{total} follows {before}"
                before = total


@contextlib.contextmanager
def as_nobody(program, looks):
    """The program where anyone can run it, and options of subprocess.run() for a user."""
    mine = shutil.copy(program, looks.path("program"))
    os.chmod(mine, 0o755)
    root = os.geteuid() == 0
    yield mine, {"user": NOBODY, "group": NOBODY, "extra_groups": []} if root else {}


def not_root(program):
    """debugfs and open files are unreadable; names of threads show the rest."""
    with Looks(program) as looks, as_nobody(program, looks) as (mine, identity):
        for at in (10, 11):
            root = looks.add(at, Vm(100, {0: Thread(101, ms(300 * at), ms(400 * at)),
                                          1: Thread(102, 0, 0, comm="fc_vcpu 1")},
                                    args=["-name", "guest=win10,debug-threads=on"]))
            for folder in ("sys/kernel/debug", "proc/100/fd"):
                os.chmod(f"{root}/{folder}", 0)
        looks.program = mine
        look = only(looks.json(**identity))
        vm = only(look["vms"])
        yield from differences("VM", ("win10", 100, None), (vm["name"], vm["pid"], vm["fd"]))
        yield from differences("vCPU", times(running=300, steal=400, blocked=300),
                               in_ms(only(v for v in vm["vcpus"] if v["vcpu"] == 0)["interval_ns"]))
        yield from differences("missing", ["debugfs", "fds", "halts", "steal"], look["missing"])
        table = looks.run(**identity)
        if table.count("missing: ") != 4:
            yield f"the table does not list what is missing: {table}"


def no_debugfs(program):
    """Open files show the VMs and vCPUs, and names of threads which one they run."""
    with Looks(program) as looks:
        for at in (10, 11):
            looks.add(at, Vm(100, {0: Thread(101, ms(10 * at)), 1: Thread(102)}),
                      Vm(200, {0: Thread(201, comm="worker")}), debugfs=False)
        look = only(looks.json())
        found = {(vm["pid"], vm["fd"], v["vcpu"], v["thread"]) for vm in look["vms"]
                 for v in vm["vcpus"]}
        yield from differences("vCPUs", {(100, 9, 0, 101), (100, 9, 1, 102), (200, 9, 0, None)},
                               found)
        yield from differences("missing", ["debugfs", "threads", "halts", "steal"],
                               look["missing"])
        row = only(line for line in looks.run().splitlines() if re.match(r" *200 +0 ", line))
        yield from differences("row", ["-"] * 5, row.split()[2:7])


def on_terminal(command, columns, lines):
    """What the program writes to a terminal of that size."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    with subprocess.Popen(command, stdout=slave, stderr=slave, stdin=slave,
                          env={**os.environ, "TERM": "xterm"}) as program:
        os.close(slave)
        output = b""
        with contextlib.suppress(OSError):      # EIO: all of it was read
            while chunk := os.read(master, 65536):
                output += chunk
    os.close(master)
    if program.returncode:
        raise ValueError(f"status {program.returncode}: {output}")
    return output.decode()


def terminal(program):
    with Looks(program) as looks:
        for at in (10, 11, 12):
            looks.add(at, Vm(100, {n: Thread(101 + n, 0, ms((50 + n) * at)) for n in range(64)},
                             args=["-name", "a-name-that-is-longer-than-the-line-of-a-terminal"]))
        for columns, lines in ((40, 24), (12, 24), (200, 100), (80, 2), (1, 1)):
            output = on_terminal(looks.command(), columns, lines)
            screens = [ESCAPE.sub("", part).split("\r\n") for part in output.split("\x1b[H")[2:]]
            yield from differences("screens", 3, len(screens))
            longest = max(len(line) for screen in screens for line in screen)
            if longest > max(columns, 5):
                yield f"{columns} columns: a line of {longest}"
            tallest = max(len(screen) for screen in screens)
            if tallest > max(lines, 1):
                yield f"{lines} lines: {tallest} are written"
            if columns == 40:
                head = screens[-1][1].split()
                yield from differences("head", ["vCPU", "%running", "%steal", "%halted", "VM"],
                                       head)
                yield from differences("worst", ["63", "0.0", "11.3", "-"],
                                       screens[-1][3].split()[:4])
        if "\x1b" in looks.run():
            yield "escapes in a pipe"


def names_are_harmless(program):
    names = {"a\x1b[2Jb": "a?[2Jb", 'q"\\': 'q"\\', "é": "??", "guest=x,y": "x", "": ""}
    for name, shown in names.items():
        with Looks(program) as looks:
            for at in (10, 11):
                looks.add(at, Vm(100, {0: Thread(101)}, args=["-name", name]))
            yield from differences("JSON", shown, looks.json()[0]["vms"][0]["name"])
            yield from page_problems(looks.run("--prometheus"))


def page_problems(page):
    for line in page.splitlines():
        if not line.startswith(("# HELP ", "# TYPE ")) and not SAMPLE.fullmatch(line):
            yield f"not in the text format: {line}"


def prometheus_page(program):
    with Looks(program) as looks:
        looks.add(10, Vm(100, {0: Thread(101, ms(1), ms(2500)), 1: None}, args=["--id", "vm-1"]))
        page = looks.run("--prometheus")
        yield from page_problems(page)
        vm = 'vm="vm-1",pid="100",fd="9"'
        for line in (f'kvm_vcpu_time_seconds_total{{{vm},vcpu="0",state="steal"}} 2.500000000',
                     f'kvm_vm_time_seconds_total{{{vm},state="running"}} 0.001000000',
                     'kvm_vcpu_time_missing{what="steal"} 1'):
            if line not in page.splitlines():
                yield f"not there: {line}"
        samples = [line.rsplit(" ", 1)[0] for line in page.splitlines() if line[0] != "#"]
        yield from differences("twice", len(set(samples)), len(samples))
        out = looks.path("page.prom")
        looks.run("--prometheus", "--interval=1", f"--output={out}")
        with open(out, encoding="utf-8") as file:
            yield from differences("file", page, file.read())


def promtool_accepts_it(program):
    with Looks(program) as looks:
        looks.add(10, Vm(100, {0: Thread(101, 1, 2)}, args=["-name", 'q"\\']))
        checked = subprocess.run(["promtool", "check", "metrics"], text=True, check=False,
                                 input=looks.run("--prometheus"), stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT)
        yield from differences("promtool", (0, ""), (checked.returncode, checked.stdout))


def record_of(looks):
    """Two vCPUs for two seconds, the second one from the second second on."""
    for at in (10, 11, 12):
        vcpus = {0: Thread(101, ms(500 * at), ms(250 * at))}
        if at > 10:
            vcpus[1] = Thread(102, ms(400), 0, born=10.5)
        looks.add(at, Vm(100, vcpus, args=["-name", "100%'d"]))
    path = looks.path("out.rec")
    looks.run("record", f"--output={path}")
    return path


def partly_without(path):
    """Eleven times the recording on a kernel that counts steal and halts, then as it is."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    begin = text.index("# missing")
    whole = text[begin:].replace(" halts steal\n", "\n").replace(" - ", " 0 ")
    with open(f"{path}.partly", "w", encoding="utf-8") as file:
        file.write(text[:begin] + 11 * whole + text[begin:])
    return file.name


def record_and_report(program):
    with Looks(program) as looks:
        path = record_of(looks)
        report = json.loads(subprocess.run([program, "report", "--json", path], check=True,
                                           stdout=subprocess.PIPE).stdout)
        vm = only(report["vms"])
        yield from differences("interval", 2 * S, report["interval_ns"])
        yield from differences("name", "100%'d", vm["name"])
        yield from differences("missing", ["halts", "steal"], report["missing"])
        found = {vcpu["vcpu"]: in_ms(vcpu["total_ns"]) for vcpu in vm["vcpus"]}
        yield from differences("vCPUs", {0: times(running=1000, steal=500, blocked=500),
                                         1: times(running=400, blocked=1100)}, found)
        report = json.loads(subprocess.run([program, "report", "--json", partly_without(path)],
                                           check=True, stdout=subprocess.PIPE).stdout)
        yield from differences("missing for a twelfth", [], report["missing"])
        yield from differences("halts", [0, 0], [vcpu["total_ns"]["halted"]
                                                 for vcpu in only(report["vms"])["vcpus"]])
        with open(path, "rb+") as file:     # as if the host had died
            file.truncate(os.path.getsize(path) - 9)
        subprocess.run([program, "report", path], check=True, stdout=subprocess.DEVNULL)
        with open(path, "a", encoding="utf-8") as file:
            file.write("\nnonsense\n")
        done = subprocess.run([program, "report", path], check=False, stderr=subprocess.PIPE)
        yield from differences("damaged", 2, done.returncode)


def plot_is_svg(program):
    with Looks(program) as looks:
        path, svg = record_of(looks), looks.path("it's.svg")
        subprocess.run([program, "plot", f"--output={svg}", path], check=True)
        root = xml.etree.ElementTree.parse(svg).getroot()
        text = {"".join(element.itertext()).strip() for element in root.iter()
                if element.tag.endswith("text")}
        for label in ("100%'d vCPU 0", "100%'d vCPU 1", "25.0 %", "0.0 %", *STATES):
            if label not in text:
                yield f"not in the plot: {label}"


def recorded_command(program):
    with Looks(program) as looks:
        path = looks.path("out.rec")
        for script, status in (("exit 7", 7), ("kill -9 $$", 137), ("exit 0", 0)):
            done = subprocess.run([program, "record", f"--output={path}", "sh", "-c", script],
                                  check=False)
            yield from differences(script, status, done.returncode)
        done = subprocess.run([program, "record", f"--output={path}", "/nonexistent"],
                              check=False, stderr=subprocess.PIPE)
        yield from differences("no such command", 2, done.returncode)


def bad_options(program):
    for options in (["--interval=0"], ["--interval=nan"], ["--interval=1x"], ["--count=0"],
                    ["--pid=x"], ["more"], ["plot"], ["report", "/nonexistent"],
                    ["--prometheus", "--interval=1"], ["--output=/nonexistent/x"]):
        done = subprocess.run([program, *options], check=False, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE)
        if done.returncode != 2 or not done.stderr:
            yield f"{options}: status {done.returncode}"


TESTS = [
    (thread_is_split, None), (kernels_steal_is_preferred, None), (xen_runstates_are_shown, None),
    (xen_guess_is_not_kept, None), (polling_is_halted, None),
    (starved_thread_is_stolen_once, None), (halts_of_the_vm_are_split, None),
    (vcpu_changes_its_thread, None), (counters_are_reset, None), (clock_is_set_back, None),
    (vms_appear_and_vanish, None), (files_vanish_during_a_look, None),
    (real_processes_appear_and_vanish, None), (many_vcpus, None), (random_times_add_up, None),
    (not_root, None), (no_debugfs, None), (terminal, None), (names_are_harmless, None),
    (prometheus_page, None), (promtool_accepts_it, "promtool"), (record_and_report, None),
    (plot_is_svg, "gnuplot"), (recorded_command, None), (bad_options, None),
]


def cases(program):
    """(name, reason to skip it or None, function that yields problems)"""
    for test, needs in TESTS:
        skip = f"{needs} is not installed" if needs and not shutil.which(needs) else None
        yield f"kvm_vcpu_time_{test.__name__}", skip, lambda test=test: test(program)
