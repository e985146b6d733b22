// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * The first process of the laboratory's machine.
 *
 * It mounts what the programs need, runs those of /commands, and powers off.
 * What it has to say goes to /dev/hvc0, where no kernel message can garble it, or
 * to the device that REPORT=... on the kernel's command line names.
 * Its last line is "# done STATUS"; without one the machine died.
 *
 * /commands has a line for each program: LIMIT NAME PATH [ARGUMENT...], where
 * LIMIT is in seconds. The word VM=... on the kernel's command line says how
 * they are run, see modes[].
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <linux/compiler.h>
#include <linux/kernel.h>

#include "kselftest.h"

#define BLANKS		"\t\n "
#define MAX_COMMANDS	10000
#define MAX_ARGS	16
#define LINE_SIZE	4096

/* How long a killed program may take to die before it is given up, seconds. */
#define KILL_LIMIT	20

struct command {
	unsigned int limit;
	char *name;
	char *argv[MAX_ARGS + 1];
};

/* The outcome of a program. */
struct outcome {
	int status;
	bool timed_out;
	bool unkillable;
	double seconds;
};

/* A program's output on its way to the report, and what was learnt from it. */
struct relay {
	const char *name;
	char line[LINE_SIZE];
	size_t len;
	bool is_tap;
	long planned;
	long seen;
	long failed;
	char skip_reason[256];
};

static const struct {
	const char *type;
	const char *where;
} mounts[] = {
	{ "proc",	"/proc" },
	{ "sysfs",	"/sys" },
	{ "devtmpfs",	"/dev" },
	{ "devpts",	"/dev/pts" },
	{ "debugfs",	"/sys/kernel/debug" },
	{ "tracefs",	"/sys/kernel/tracing" },
	{ "tmpfs",	"/dev/shm" },
	{ "tmpfs",	"/tmp" },
};

static struct command commands[MAX_COMMANDS];
static unsigned int nr_commands;
static int report_fd = STDERR_FILENO;
static int data_fd = -1;

static void __printf(1, 2) report(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vdprintf(report_fd, fmt, args);
	va_end(args);
}

static void __noreturn power_off(int status)
{
	report("# done %d\n", status);
	tcdrain(report_fd);
	tcdrain(data_fd);
	sync();
	reboot(RB_POWER_OFF);
	/* Not reached. If it is, the kernel panics over a lost init. */
	_exit(status);
}

static void __noreturn die(const char *what)
{
	report("Bail out! init: %s: %s\n", what, strerror(errno));
	power_off(1);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void mount_all(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mounts); i++) {
		mkdir(mounts[i].where, 0755);
		/* Some kernels have no tracefs, and no place for it. */
		if (mount(mounts[i].type, mounts[i].where, mounts[i].type, 0, NULL) &&
		    errno != ENOENT)
			die(mounts[i].where);
	}
}

/* A terminal would turn "\n" into "\r\n", and echo. */
static int open_raw(const char *device)
{
	struct termios raw;
	int fd;

	fd = open(device, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return fd;
	if (tcgetattr(fd, &raw))
		die("tcgetattr");
	cfmakeraw(&raw);
	cfsetspeed(&raw, B115200);
	if (tcsetattr(fd, TCSANOW, &raw))
		die("tcsetattr");
	return fd;
}

/* Programs may write data to /dev/hvc1, which stays raw while it is open. */
static void open_channels(void)
{
	const char *device = getenv("REPORT") ?: "/dev/hvc0";
	int fd = open_raw(device);

	if (fd < 0)
		die(device);
	report_fd = fd;
	data_fd = open_raw("/dev/hvc1");
}

static bool parse_command(char *line, struct command *cmd)
{
	char *word, *rest = line;
	unsigned int argc = 0;

	word = strtok_r(rest, BLANKS, &rest);
	if (!word)
		return false;
	cmd->limit = strtoul(word, NULL, 10);
	cmd->name = strtok_r(rest, BLANKS, &rest);
	while (argc < MAX_ARGS && (word = strtok_r(rest, BLANKS, &rest)))
		cmd->argv[argc++] = word;
	return cmd->limit && argc;
}

static void read_commands(void)
{
	char *line = NULL;
	size_t size = 0;
	FILE *file;

	file = fopen("/commands", "re");
	if (!file)
		die("/commands");
	while (getline(&line, &size, file) > 0) {
		errno = EINVAL;
		if (nr_commands == MAX_COMMANDS ||
		    !parse_command(strdup(line), &commands[nr_commands]))
			die("/commands");
		nr_commands++;
	}
	fclose(file);
	free(line);
}

static pid_t start(const struct command *cmd, int out)
{
	pid_t pid = fork();

	if (pid)
		return pid;

	setpgid(0, 0);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	execv(cmd->argv[0], cmd->argv);
	dprintf(STDERR_FILENO, "%s: %s\n", cmd->argv[0], strerror(errno));
	_exit(127);
}

/* Each of "ok", "not ok", "1..N" and so on may start a line of a TAP report. */
static bool is_tap_line(const char *line)
{
	static const char * const starts[] = {
		"ok ", "not ok ", "1..", "#", "KTAP version ", "TAP version ",
	};
	unsigned int i;

	line += strspn(line, " ");
	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		if (!strncmp(line, starts[i], strlen(starts[i])))
			return true;
	}
	return false;
}

static bool is_version(const char *line)
{
	return !strncmp(line, "TAP version ", 12) || !strncmp(line, "KTAP version ", 13);
}

static void note_skip_reason(struct relay *relay, const char *line)
{
	const char *skip = strstr(line, "# SKIP");

	if (!skip)
		return;
	skip += strlen("# SKIP");
	skip += strspn(skip, " -");
	snprintf(relay->skip_reason, sizeof(relay->skip_reason), "%s", skip);
}

/* Keeps account of the outermost level of the program's own report. */
static void note_result(struct relay *relay, const char *line)
{
	if (sscanf(line, "1..%ld", &relay->planned) == 1)
		return;
	if (!strncmp(line, "ok ", 3)) {
		relay->seen++;
	} else if (!strncmp(line, "not ok ", 7)) {
		relay->seen++;
		relay->failed++;
	}
}

/*
 * A program that speaks TAP becomes a subtest, from its version line on. All
 * else that programs print is a diagnostic.
 */
static void relay_line(struct relay *relay, char *line)
{
	line[strcspn(line, "\r")] = '\0';
	note_skip_reason(relay, line);

	if (!relay->is_tap && is_version(line)) {
		relay->is_tap = true;
		report("    KTAP version 1\n    # Subtest: %s\n", relay->name);
		return;
	}

	if (relay->is_tap && is_tap_line(line)) {
		note_result(relay, line);
		report("    %s\n", line);
	} else {
		report("%s# %s\n", relay->is_tap ? "    " : "", line);
	}
}

/* Returns false at the end of the output. */
static bool relay_output(struct relay *relay, int fd)
{
	char *line = relay->line, *end;
	ssize_t n;

	n = read(fd, line + relay->len, sizeof(relay->line) - 1 - relay->len);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	relay->len += n;
	line[relay->len] = '\0';

	while ((end = memchr(line, '\n', relay->line + relay->len - line))) {
		*end = '\0';
		relay_line(relay, line);
		line = end + 1;
	}
	relay->len -= line - relay->line;
	memmove(relay->line, line, relay->len + 1);

	/* The last line may lack its end, and one may be too long. */
	if (relay->len && (!n || relay->len == sizeof(relay->line) - 1)) {
		relay_line(relay, relay->line);
		relay->len = 0;
	}
	return n > 0;
}

/* Orphans are init's children: other processes that end are reaped as well. */
static bool reaped(pid_t pid, int *status)
{
	pid_t dead;
	int st;

	while ((dead = waitpid(-1, &st, WNOHANG)) > 0) {
		if (dead == pid) {
			*status = st;
			return true;
		}
	}
	return false;
}

static void run_command(const struct command *cmd, struct relay *relay, struct outcome *outcome)
{
	double begin = now(), deadline = begin + cmd->limit;
	bool open = true, dead = false;
	struct pollfd out;
	int pipe_fd[2];
	pid_t pid;

	if (pipe2(pipe_fd, O_CLOEXEC))
		die("pipe2");
	pid = start(cmd, pipe_fd[1]);
	if (pid < 0)
		die("fork");
	close(pipe_fd[1]);
	fcntl(pipe_fd[0], F_SETFL, O_NONBLOCK);
	out = (struct pollfd){ .fd = pipe_fd[0], .events = POLLIN };

	while (!dead && !outcome->unkillable) {
		/* A closed pipe means that the end is near. */
		poll(&out, open, open ? 100 : 1);
		if (open && out.revents)
			open = relay_output(relay, pipe_fd[0]);
		dead = reaped(pid, &outcome->status);
		if (dead || now() < deadline)
			continue;
		/* Everything but init: some programs leave their group. */
		kill(-1, SIGKILL);
		outcome->unkillable = outcome->timed_out;
		outcome->timed_out = true;
		deadline = now() + KILL_LIMIT;
	}

	/* Nothing that a program started outlives it. */
	kill(-1, SIGKILL);
	outcome->seconds = now() - begin;
	fcntl(pipe_fd[0], F_SETFL, 0);
	while (open && !outcome->unkillable)
		open = relay_output(relay, pipe_fd[0]);
	close(pipe_fd[0]);
}

static void report_verdict(unsigned int nr, const struct command *cmd,
			   const struct relay *relay, const struct outcome *outcome)
{
	int status = outcome->status;

	if (outcome->unkillable)
		report("not ok %u - %s # cannot be killed\n", nr, cmd->name);
	else if (outcome->timed_out)
		report("not ok %u - %s # timeout after %us\n", nr, cmd->name, cmd->limit);
	else if (WIFSIGNALED(status))
		report("not ok %u - %s # killed by signal %d\n", nr, cmd->name, WTERMSIG(status));
	else if (WEXITSTATUS(status) == KSFT_SKIP)
		report("ok %u - %s # SKIP %s\n", nr, cmd->name,
		       relay->skip_reason[0] ? relay->skip_reason : "no reason given");
	else if (status)
		report("not ok %u - %s # exit status %d\n", nr, cmd->name, WEXITSTATUS(status));
	else if (relay->is_tap && relay->seen != relay->planned)
		report("not ok %u - %s # %ld results, %ld planned\n", nr, cmd->name,
		       relay->seen, relay->planned);
	else if (relay->failed)
		report("not ok %u - %s # exit status 0 despite failures\n", nr, cmd->name);
	else
		report("ok %u - %s\n", nr, cmd->name);
}

/* Runs all commands and reports them in KTAP. */
static int run_tests(void)
{
	unsigned int i;

	report("KTAP version 1\n1..%u\n", nr_commands);
	for (i = 0; i < nr_commands; i++) {
		struct relay relay = { .name = commands[i].name };
		struct outcome outcome = {};

		report("# start %s\n", commands[i].name);
		run_command(&commands[i], &relay, &outcome);
		report("# %s took %.1f s\n", commands[i].name, outcome.seconds);
		report_verdict(i + 1, &commands[i], &relay, &outcome);
	}
	return 0;
}

/* Runs the first command with the report channel as its terminal. */
static int run_show(void)
{
	double deadline = now() + commands[0].limit;
	int status;
	pid_t pid;

	pid = start(&commands[0], report_fd);
	while (!reaped(pid, &status)) {
		usleep(20000);
		if (now() > deadline)
			kill(-1, SIGKILL);
	}
	/* The output may lack its last line's end. */
	report("\n");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Gives a shell on the console, where KVM's selftests find their own file. */
static int run_shell(void)
{
	static char * const shell[] = {
		"sh", "-c", "cd /bin; ./busybox --install -s .; exec sh -l", NULL
	};
	int status;
	pid_t pid;

	pid = fork();
	if (!pid) {
		setsid();
		/* The console's descriptors were inherited; this makes it the terminal. */
		ioctl(STDIN_FILENO, TIOCSCTTY, 1);
		execv("/bin/busybox", shell);
		_exit(127);
	}
	while (waitpid(-1, &status, 0) != pid)
		;
	return WEXITSTATUS(status);
}

static const struct {
	const char *name;
	int (*run)(void);
} modes[] = {
	{ "test",	run_tests },
	{ "show",	run_show },
	{ "shell",	run_shell },
};

int main(void)
{
	const char *mode = getenv("VM") ?: "";
	unsigned int i;

	/* The kernel gives none. */
	setenv("PATH", "/bin", true);
	mount_all();
	open_channels();
	read_commands();
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		if (!strcmp(mode, modes[i].name))
			power_off(modes[i].run());
	}
	errno = EINVAL;
	die("VM=");
}
