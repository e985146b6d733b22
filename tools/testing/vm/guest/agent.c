// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * The first process of the guest that vmm.c runs. It obeys lines of the device that
 * AGENT= on the kernel's command line names, and answers each with a line, "ok ..." or
 * "error ...". Whenever a kernel has booted it says "hello" first.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/perf_event.h>

#define MAX_CPUS	8

/* So many cycles of a guest's CPU cause an interrupt of its PMU. */
#define PMU_PERIOD	20000000
#define PMU_SECONDS	1

static pid_t loads[MAX_CPUS];
static volatile sig_atomic_t overflows;
static FILE *in, *out;

static void __printf(1, 2) say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(out, fmt, args);
	va_end(args);
	fputc('\n', out);
	fflush(out);
}

static void failed(const char *what)
{
	say("error %s: %s", what, strerror(errno));
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* The line of /proc/stat of a CPU: user, nice, system, idle, iowait, irq, softirq, steal. */
static bool read_steal(unsigned int cpu, double *seconds)
{
	unsigned long long steal;
	char line[512], name[16];
	bool found = false;
	FILE *file;

	snprintf(name, sizeof(name), "cpu%u ", cpu);
	file = fopen("/proc/stat", "re");
	while (file && !found && fgets(line, sizeof(line), file))
		found = !strncmp(line, name, strlen(name)) &&
			sscanf(line, "%*s %*u %*u %*u %*u %*u %*u %*u %llu", &steal) == 1;
	if (file)
		fclose(file);
	*seconds = found ? (double)steal / sysconf(_SC_CLK_TCK) : 0;
	return found;
}

/* "ok STEAL...": of each CPU, in seconds; 0 of one that is off. */
static void do_steal(const char *arg)
{
	char answer[MAX_CPUS * 16] = "ok";
	unsigned int cpu, len = 2;
	double seconds;

	for (cpu = 0; cpu < strtoul(arg, NULL, 10) && cpu < MAX_CPUS; cpu++) {
		read_steal(cpu, &seconds);
		len += snprintf(answer + len, sizeof(answer) - len, " %.2f", seconds);
	}
	say("%s", answer);
}

/* A process for each of the first so many CPUs that leaves it no idle time; 0 ends them. */
static void do_load(const char *arg)
{
	unsigned int cpu, nr = strtoul(arg, NULL, 10);
	cpu_set_t cpus;

	for (cpu = 0; cpu < MAX_CPUS; cpu++) {
		if (loads[cpu] && cpu >= nr) {
			kill(loads[cpu], SIGKILL);
			waitpid(loads[cpu], NULL, 0);
			loads[cpu] = 0;
		} else if (!loads[cpu] && cpu < nr) {
			loads[cpu] = fork();
			if (loads[cpu])
				continue;
			CPU_ZERO(&cpus);
			CPU_SET(cpu, &cpus);
			if (sched_setaffinity(0, sizeof(cpus), &cpus))
				_exit(1);
			setpriority(PRIO_PROCESS, 0, 10);
			for (;;)
				;
		}
	}
	say("ok");
}

static void overflow(int sig __maybe_unused)
{
	overflows++;
}

/* "ok CYCLES PERIOD OVERFLOWS": counted for a while, with an interrupt each PERIOD. */
static void do_pmu(const char *arg __maybe_unused)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_HW_CPU_CYCLES,
		.sample_period = PMU_PERIOD,
		.wakeup_events = 1,
	};
	unsigned long long cycles = 0;
	double end;
	int fd;

	overflows = 0;
	signal(SIGIO, overflow);
	fd = syscall(__NR_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0) {
		failed("perf_event_open");
		return;
	}
	if (fcntl(fd, F_SETFL, O_ASYNC) || fcntl(fd, F_SETOWN, getpid()) ||
	    ioctl(fd, PERF_EVENT_IOC_REFRESH, 1000000)) {
		failed("PERF_EVENT_IOC_REFRESH");
		close(fd);
		return;
	}
	end = now() + PMU_SECONDS;
	while (now() < end)
		;
	if (read(fd, &cycles, sizeof(cycles)) != sizeof(cycles))
		failed("perf event");
	else
		say("ok %llu %u %d", cycles, PMU_PERIOD, (int)overflows);
	close(fd);
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done;

	if (fd < 0)
		return false;
	done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return done;
}

/* The last CPU goes off and comes back. */
static void do_hotplug(const char *arg)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%lu/online",
		 strtoul(arg, NULL, 10));
	if (!write_file(path, "0") || !write_file(path, "1"))
		failed(path);
	else
		say("ok");
}

/* The same kernel and files once more, without the help of the VMM. */
static void do_kexec(const char *arg __maybe_unused)
{
	int kernel = open("/kernel", O_RDONLY), initrd = open("/initrd", O_RDONLY), fd;
	char cmdline[512] = "";
	ssize_t len;

	fd = open("/proc/cmdline", O_RDONLY);
	len = read(fd, cmdline, sizeof(cmdline) - 1);
	cmdline[strcspn(cmdline, "\n")] = '\0';
	if (len < 0 || kernel < 0 || initrd < 0 ||
	    syscall(__NR_kexec_file_load, kernel, initrd, strlen(cmdline) + 1, cmdline, 0)) {
		failed("kexec_file_load");
		return;
	}
	say("ok");
	tcdrain(fileno(out));
	reboot(RB_KEXEC);
	failed("reboot");
}

static void do_reboot(const char *arg __maybe_unused)
{
	say("ok");
	tcdrain(fileno(out));
	reboot(RB_AUTOBOOT);
}

/* "ok yes" or "ok no": has the kernel logged it? */
static void do_log(const char *text)
{
	static char log[1 << 20];

	/* Action 3 is to read all of it. */
	if (klogctl(3, log, sizeof(log) - 1) < 0)
		failed("klogctl");
	else
		say("ok %s", strstr(log, text) ? "yes" : "no");
}

static const struct {
	const char *name;
	void (*run)(const char *arg);
} commands[] = {
	{ "steal",	do_steal },
	{ "load",	do_load },
	{ "pmu",	do_pmu },
	{ "hotplug",	do_hotplug },
	{ "kexec",	do_kexec },
	{ "reboot",	do_reboot },
	{ "log",	do_log },
};

static void obey(char *line)
{
	char *rest = line, *name;
	unsigned int i;

	line[strcspn(line, "\n")] = '\0';
	name = strsep(&rest, " ");
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(commands[i].name, name)) {
			commands[i].run(rest ?: "");
			return;
		}
	}
	say("error no such command: %s", name);
}

static void die(const char *what)
{
	perror(what);
	reboot(RB_POWER_OFF);
	_exit(1);
}

static void open_console(void)
{
	const char *console = getenv("AGENT") ?: "/dev/hvc0";
	struct termios raw;
	int fd;

	fd = open(console, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || tcgetattr(fd, &raw))
		die(console);
	cfmakeraw(&raw);
	if (tcsetattr(fd, TCSANOW, &raw))
		die("tcsetattr");
	in = fdopen(fd, "r");
	out = fdopen(dup(fd), "w");
	if (!in || !out)
		die("fdopen");
}

int main(void)
{
	char line[256];

	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	if (mount("proc", "/proc", "proc", 0, NULL) || mount("sysfs", "/sys", "sysfs", 0, NULL) ||
	    (mount("devtmpfs", "/dev", "devtmpfs", 0, NULL) && errno != EBUSY))
		die("mount");
	setpriority(PRIO_PROCESS, 0, -20);
	open_console();

	say("hello");
	while (fgets(line, sizeof(line), in))
		obey(line);
	die("the console");
}
