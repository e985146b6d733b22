// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * Runs a Linux guest under QEMU, and compares the steal that the guest shows in its
 * /proc/stat with what the threads of its vCPUs have waited by the schedstat of this
 * kernel, the host.
 *
 * usage: vmm FILE STEP...
 *
 * FILE has QEMU's command line, a word in each line. After "--" come the number of
 * vCPUs, and what the guest's kernel log has if the guest reads steal. agent.c is the
 * guest's first process.
 *
 * Lines of the report for others to read:
 *	# figure STEP STEAL WAITED		what is compared, in seconds
 *	# sample SECONDS STEAL WAITED HOG STEP	over time, since the first boot; HOG is 1 beside a hog
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/compiler.h>
#include <linux/kernel.h>

#include "kselftest.h"

#define MAX_VCPUS	8
#define MAX_WORDS	64
#define LINE_SIZE	4096

/* Seconds: what steal may differ by, and the least wait that lets it differ. */
#define TOLERANCE	0.5
#define ENOUGH		2.0

/* Seconds that an answer or a boot may take, on a busy build machine as well. */
#define ANSWER_LIMIT	120
#define BOOT_LIMIT	180

#define AGENT		"/tmp/agent"
#define CONSOLE		"/tmp/console"
#define STATE		"/tmp/state"
#define DISK		"/tmp/disk"

/* Lines that come from a file descriptor. */
struct lines {
	int fd;
	size_t len;
	char text[LINE_SIZE];
};

/* Of all vCPUs together, in seconds. */
struct account {
	double steal;
	double waited;
};

static char *qemu_words[MAX_WORDS];
static unsigned int nr_words, nr_vcpus;
static const char *expected_log;

static pid_t qemu, hog, vcpu_tids[MAX_VCPUS];
static int qmp_fd = -1, agent_fd = -1;
static struct lines qmp = { .fd = -1 }, agent = { .fd = -1 };
/* QMP's events since wait_event() was last prepared. */
static char events[4 * LINE_SIZE];

static double start_time;
static const char *step_name = "start";

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void show_console(void)
{
	static char text[3000];
	char *line, *rest = text;
	int fd = open(CONSOLE, O_RDONLY);

	if (fd < 0)
		return;
	if (lseek(fd, -(off_t)(sizeof(text) - 1), SEEK_END) < 0)
		lseek(fd, 0, SEEK_SET);
	if (read(fd, text, sizeof(text) - 1) > 0) {
		ksft_print_msg("the end of the guest's kernel log:\n");
		while ((line = strsep(&rest, "\r\n")))
			if (*line)
				ksft_print_msg("| %s\n", line);
	}
	close(fd);
}

/* What the rest cannot go on without. */
static void __noreturn __printf(1, 2) die(const char *fmt, ...)
{
	char why[LINE_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	ksft_print_msg("%s: %s\n", step_name, why);
	show_console();
	ksft_test_result_fail("%s\n", step_name);
	ksft_finished();
}

/* The next line without its end; NULL at the deadline. */
static char *next_line(struct lines *from, double deadline)
{
	static char line[LINE_SIZE];
	struct pollfd ready = { .fd = from->fd, .events = POLLIN };
	double left;
	ssize_t n;
	char *end;

	while (!(end = memchr(from->text, '\n', from->len))) {
		left = deadline - now();
		if (left <= 0)
			return NULL;
		if (poll(&ready, 1, left * 1000 + 1) <= 0)
			continue;
		n = read(from->fd, from->text + from->len, sizeof(from->text) - from->len);
		if (n <= 0)
			die("%s is gone", from == &qmp ? "QEMU" : "the guest");
		from->len += n;
		/* A line that is too long has nothing that is looked for. */
		if (from->len == sizeof(from->text) && !memchr(from->text, '\n', from->len))
			from->len = 0;
	}
	n = end - from->text;
	memcpy(line, from->text, n);
	line[n] = '\0';
	line[strcspn(line, "\r")] = '\0';
	from->len -= n + 1;
	memmove(from->text, end + 1, from->len);
	return line;
}

static void write_line(int fd, const char *text)
{
	if (dprintf(fd, "%s\n", text) < 0)
		die("%s: %s", text, strerror(errno));
}

static void note_event(const char *line)
{
	size_t len = strlen(events);

	if (strstr(line, "\"event\""))
		snprintf(events + len, sizeof(events) - len, "%s\n", line);
}

/* Runs a command of QMP that has to succeed, and returns its answer. */
static const char *__printf(1, 2) qmp_run(const char *fmt, ...)
{
	double deadline = now() + ANSWER_LIMIT;
	char command[LINE_SIZE];
	va_list args;
	char *line;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	write_line(qmp_fd, command);
	while ((line = next_line(&qmp, deadline))) {
		note_event(line);
		if (strstr(line, "\"error\""))
			die("%s: %s", command, line);
		if (!strncmp(line, "{\"return\"", 9))
			return line;
	}
	die("%s: no answer", command);
}

/* The same for one that only its old monitor has: without complaint it is silent. */
static void monitor_run(const char *command)
{
	double deadline = now() + ANSWER_LIMIT;
	char *line;

	dprintf(qmp_fd, "{\"execute\":\"human-monitor-command\",\"arguments\":"
		"{\"command-line\":\"%s\"}}\n", command);
	while ((line = next_line(&qmp, deadline))) {
		note_event(line);
		if (!strncmp(line, "{\"return\": \"\"}", 14))
			return;
		if (strstr(line, "\"error\"") || strstr(line, "\"return\""))
			die("%s: %s", command, line);
	}
	die("%s: no answer", command);
}

/* Is there an event with both words? */
static bool had_event(const char *name, const char *word)
{
	char all[sizeof(events)], *event, *rest = all;

	strcpy(all, events);
	while ((event = strsep(&rest, "\n")))
		if (strstr(event, name) && strstr(event, word))
			return true;
	return false;
}

/* Events are to be cleared before what causes this one. */
static void wait_event(const char *name, const char *word)
{
	double deadline = now() + ANSWER_LIMIT;
	char *line;

	while (!had_event(name, word)) {
		line = next_line(&qmp, deadline);
		if (!line)
			die("no event %s with %s", name, word);
		note_event(line);
	}
}

static void block_job(const char *options)
{
	events[0] = '\0';
	qmp_run("{\"execute\":\"blockdev-create\",\"arguments\":{\"job-id\":\"make\",\"options\":%s}}",
		options);
	wait_event("JOB_STATUS_CHANGE", "concluded");
	qmp_run("{\"execute\":\"job-dismiss\",\"arguments\":{\"id\":\"make\"}}");
}

/* A disk for snapshots, which the guest does not see. */
static void add_disk(void)
{
	block_job("{\"driver\":\"file\",\"filename\":\"" DISK "\",\"size\":0}");
	qmp_run("{\"execute\":\"blockdev-add\",\"arguments\":"
		"{\"driver\":\"file\",\"node-name\":\"file\",\"filename\":\"" DISK "\"}}");
	block_job("{\"driver\":\"qcow2\",\"file\":\"file\",\"size\":1048576}");
	qmp_run("{\"execute\":\"blockdev-add\",\"arguments\":"
		"{\"driver\":\"qcow2\",\"node-name\":\"disk\",\"file\":\"file\"}}");
}

/* Returns the agent's answer, after its "ok". */
static const char *__printf(1, 2) ask(const char *fmt, ...)
{
	char question[LINE_SIZE];
	va_list args;
	char *line;

	va_start(args, fmt);
	vsnprintf(question, sizeof(question), fmt, args);
	va_end(args);
	write_line(agent_fd, question);
	line = next_line(&agent, now() + ANSWER_LIMIT);
	if (!line)
		die("the guest does not answer \"%s\"", question);
	if (strncmp(line, "ok", 2))
		die("the guest answers \"%s\" by: %s", question, line);
	return line + 2;
}

static void wait_hello(void)
{
	char *line = next_line(&agent, now() + BOOT_LIMIT);

	if (!line)
		die("the guest has not booted within %d s", BOOT_LIMIT);
	if (strcmp(line, "hello"))
		die("the guest says \"%s\" instead of hello", line);
}

static void pin(pid_t tid, unsigned int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (sched_setaffinity(tid, sizeof(cpus), &cpus))
		die("sched_setaffinity: %s", strerror(errno));
}

static unsigned int nr_cpus(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN);
}

/* That of the hog and of all vCPUs beside it. If it is not the only one, QEMU has another. */
static unsigned int shared_cpu(void)
{
	return nr_cpus() - 1;
}

static void gather_vcpus(void)
{
	unsigned int i;

	for (i = 0; i < nr_vcpus; i++)
		pin(vcpu_tids[i], shared_cpu());
}

/* So that they need not wait for each other. */
static void spread_vcpus(void)
{
	unsigned int i;

	for (i = 0; i < nr_vcpus; i++)
		pin(vcpu_tids[i], i % nr_cpus());
}

static double thread_waited(pid_t tid)
{
	unsigned long long delay;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", qemu, tid);
	file = fopen(path, "re");
	if (!file || fscanf(file, "%*u %llu", &delay) != 1)
		die("%s: %s", path, strerror(errno));
	fclose(file);
	return delay / 1e9;
}

static double waited(void)
{
	double sum = 0;
	unsigned int i;

	for (i = 0; i < nr_vcpus; i++)
		sum += thread_waited(vcpu_tids[i]);
	return sum;
}

static double steal(void)
{
	const char *answer = ask("steal %u", nr_vcpus);
	double sum = 0;
	char *end;

	for (;; answer = end) {
		sum += strtod(answer, &end);
		if (end == answer)
			return sum;
	}
}

/* What QEMU reads from KVM, of all vCPUs; negative if KVM does not count it. */
static double queried_steal(void)
{
	static const char key[] = "\"steal_time_ns\", \"value\": ";
	const char *at = qmp_run("{\"execute\":\"query-stats\",\"arguments\":{\"target\":\"vcpu\","
				 "\"providers\":[{\"provider\":\"kvm\","
				 "\"names\":[\"steal_time_ns\"]}]}}");
	unsigned int found = 0;
	double sum = 0;

	for (; (at = strstr(at, key)); found++) {
		at += strlen(key);
		sum += strtoull(at, NULL, 10) / 1e9;
	}
	return found == nr_vcpus ? sum : -1;
}

static struct account take(void)
{
	struct account account = { .steal = steal() };

	account.waited = waited();
	printf("# sample %.2f %.2f %.3f %d %s\n", now() - start_time, account.steal,
	       account.waited, hog > 0, step_name);
	fflush(stdout);
	return account;
}

/* By their names, as -name debug-threads=on gives them. */
static void find_vcpus(void)
{
	unsigned int found = 0, nr;
	struct dirent *entry;
	char path[300];
	FILE *file;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", qemu);
	dir = opendir(path);
	if (!dir)
		die("%s: %s", path, strerror(errno));
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%d/task/%s/comm", qemu, entry->d_name);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fscanf(file, "CPU %u/KVM", &nr) == 1 && nr < nr_vcpus) {
			vcpu_tids[nr] = atoi(entry->d_name);
			found++;
		}
		fclose(file);
	}
	closedir(dir);
	if (found != nr_vcpus)
		die("QEMU has %u threads \"CPU n/KVM\" instead of %u", found, nr_vcpus);
}

/* Does not block, even before the other end is open. */
static int make_fifo(const char *path)
{
	int fd;

	unlink(path);
	if (mkfifo(path, 0600))
		die("%s: %s", path, strerror(errno));
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

static void start_qemu(const char *incoming)
{
	int to[2], from[2];

	if (agent_fd >= 0)
		close(agent_fd);
	if (agent.fd >= 0)
		close(agent.fd);
	agent_fd = make_fifo(AGENT ".in");
	agent = (struct lines){ .fd = make_fifo(AGENT ".out") };
	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
		die("pipe2: %s", strerror(errno));

	if (incoming) {
		qemu_words[nr_words] = "-incoming";
		qemu_words[nr_words + 1] = (char *)incoming;
		qemu_words[nr_words + 2] = NULL;
	}
	qemu = fork();
	if (!qemu) {
		dup2(to[0], STDIN_FILENO);
		dup2(from[1], STDOUT_FILENO);
		execv(qemu_words[0], qemu_words);
		perror(qemu_words[0]);
		_exit(127);
	}
	qemu_words[nr_words] = NULL;
	close(to[0]);
	close(from[1]);
	qmp_fd = to[1];
	qmp = (struct lines){ .fd = from[0] };

	events[0] = '\0';
	qmp_run("{\"execute\":\"qmp_capabilities\"}");
	find_vcpus();
	spread_vcpus();
}

static void end_qemu(void)
{
	kill(qemu, SIGKILL);
	waitpid(qemu, NULL, 0);
	close(qmp_fd);
	close(qmp.fd);
}

static void start_hog(void)
{
	gather_vcpus();
	hog = fork();
	if (hog)
		return;
	pin(0, shared_cpu());
	for (;;)
		;
}

static void end_hog(void)
{
	kill(hog, SIGKILL);
	waitpid(hog, NULL, 0);
	hog = 0;
	spread_vcpus();
}

/* Until the vCPUs have waited so long beside the hog. */
static struct account wait_beside_hog(double seconds)
{
	struct account begin = take(), at = begin;
	double deadline = now() + ANSWER_LIMIT;

	start_hog();
	while (at.waited - begin.waited < seconds) {
		if (now() > deadline)
			die("the vCPUs waited %.1f s instead of %.1f s",
			    at.waited - begin.waited, seconds);
		usleep(100000);
		at = take();
	}
	end_hog();
	return at;
}

/* Without a hog the vCPUs have hardly anything to wait for. */
static void pass(double seconds)
{
	double end = now() + seconds;

	do {
		usleep(100000);
		take();
	} while (now() < end);
}

/* Is it right how steal grew, from one point to another, and waiting, likewise? */
static bool judge(const char *what, double stolen, double truth, double least)
{
	printf("# figure %s %.2f %.3f\n", what, stolen, truth);
	if (truth < least)
		ksft_print_msg("%s: the vCPUs waited %.3f s, at least %.1f s are needed\n",
			       what, truth, least);
	else if (fabs(stolen - truth) >= TOLERANCE)
		ksft_print_msg("%s: %.2f s of steal are shown, the vCPUs waited %.3f s\n",
			       what, stolen, truth);
	else
		return true;
	return false;
}

static bool step_boot(void)
{
	start_qemu(NULL);
	wait_hello();
	start_time = now();
	if (!strcmp(ask("log %s", expected_log), " yes"))
		return true;
	ksft_print_msg("the guest's kernel log lacks: %s\n", expected_log);
	return false;
}

static bool step_steal(void)
{
	struct account begin = take(), end;

	ask("load %u", nr_vcpus);
	pass(1);
	end = wait_beside_hog(2 * ENOUGH);
	pass(1);
	return judge("steal", end.steal - begin.steal, end.waited - begin.waited, ENOUGH);
}

/* Without help of the guest. */
static bool step_query(void)
{
	struct account begin = take(), end;
	double before = queried_steal(), after;

	ask("load %u", nr_vcpus);
	end = wait_beside_hog(ENOUGH);
	after = queried_steal();
	if (before < 0 || after < 0) {
		ksft_print_msg("query-stats has no steal_time_ns of each vCPU\n");
		return false;
	}
	return judge("query", after - before, end.waited - begin.waited, ENOUGH);
}

/* While a VM is stopped, its vCPUs do not wait. */
static bool step_stop(void)
{
	struct account begin = take(), end;

	ask("load %u", nr_vcpus);
	start_hog();
	qmp_run("{\"execute\":\"stop\"}");
	sleep(2);
	qmp_run("{\"execute\":\"cont\"}");
	end_hog();
	take();
	end = wait_beside_hog(ENOUGH);
	return judge("stop", end.steal - begin.steal, end.waited - begin.waited, ENOUGH);
}

static bool step_pmu(void)
{
	unsigned long long cycles, period, overflows;

	ask("load 0");
	if (sscanf(ask("pmu"), "%llu %llu %llu", &cycles, &period, &overflows) != 3)
		die("the guest's answer to pmu cannot be read");
	ksft_print_msg("%llu cycles, %llu overflow interrupts\n", cycles, overflows);
	/* TCG counts by its own clock: on a busy machine a signal may stand for several. */
	return overflows >= 5 && overflows <= cycles / period + 1;
}

/* A CPU that comes back asks the host for its stolen time again. */
static bool step_hotplug(void)
{
	struct account begin = take(), end;

	ask("load 0");
	ask("hotplug %u", nr_vcpus - 1);
	ask("load %u", nr_vcpus);
	pass(3);
	end = wait_beside_hog(ENOUGH);
	return judge("hotplug", end.steal - begin.steal, end.waited - begin.waited, ENOUGH);
}

/*
 * What was after the snapshot has not been, for the guest. That includes what vCPUs wait
 * once savevm lets them go on; what they wait while loadvm runs, KVM adds afterwards.
 */
static bool step_snapshot(void)
{
	struct account saved, end;
	double before;

	add_disk();
	ask("load %u", nr_vcpus);
	saved = take();
	monitor_run("savevm one");
	wait_beside_hog(ENOUGH);
	before = waited();
	monitor_run("loadvm one");
	end = wait_beside_hog(ENOUGH);
	return judge("snapshot", end.steal - saved.steal, end.waited - before, ENOUGH);
}

/* Another process goes on with the VM, whose threads have waited for nothing so far. */
static bool step_migrate(void)
{
	struct account begin, end;
	double before;

	ask("load %u", nr_vcpus);
	begin = take();
	events[0] = '\0';
	qmp_run("{\"execute\":\"migrate-set-capabilities\",\"arguments\":{\"capabilities\":"
		"[{\"capability\":\"events\",\"state\":true}]}}");
	qmp_run("{\"execute\":\"migrate\",\"arguments\":{\"uri\":\"exec:cat >" STATE "\"}}");
	wait_event("\"MIGRATION\"", "completed");
	before = waited() - begin.waited;
	end_qemu();
	start_qemu("exec:cat <" STATE);
	wait_event("\"RESUME\"", "");
	end = wait_beside_hog(ENOUGH);
	return judge("migrate", end.steal - begin.steal, before + end.waited, ENOUGH);
}

/*
 * A kernel that boots does not show what was before: its predecessor's steal, and what
 * vCPUs waited until it began to count. From the end of its boot on both are the same.
 */
static bool boot_again(const char *how)
{
	struct account begin, end;
	double before;

	ask("load 0");
	before = waited();
	ask("%s", how);
	wait_hello();
	begin = take();
	if (begin.steal > begin.waited - before + TOLERANCE) {
		ksft_print_msg("%s: the new kernel shows %.2f s of steal, its vCPUs waited %.3f s\n",
			       how, begin.steal, begin.waited - before);
		return false;
	}
	ask("load %u", nr_vcpus);
	end = wait_beside_hog(ENOUGH);
	return judge(how, end.steal - begin.steal, end.waited - begin.waited, ENOUGH);
}

static bool step_reboot(void)
{
	return boot_again("reboot");
}

static bool step_kexec(void)
{
	return boot_again("kexec");
}

static const struct {
	const char *name;
	bool (*run)(void);
	const char *title;
} steps[] = {
	{ "boot",	step_boot,	"the guest boots, and reads steal" },
	{ "steal",	step_steal,	"steal is what vCPUs wait beside a hog" },
	{ "query",	step_query,	"QEMU's query-stats shows the same" },
	{ "stop",	step_stop,	"a stopped VM is not robbed" },
	{ "hotplug",	step_hotplug,	"a CPU goes off and on" },
	{ "pmu",	step_pmu,	"the PMU counts, and interrupts" },
	{ "snapshot",	step_snapshot,	"savevm and loadvm" },
	{ "migrate",	step_migrate,	"migration to a file, and from there" },
	{ "reboot",	step_reboot,	"the guest reboots" },
	{ "kexec",	step_kexec,	"the guest starts a kernel by kexec" },
};

static void run_step(const char *name)
{
	unsigned int i;

	step_name = name;
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		if (!strcmp(steps[i].name, name)) {
			ksft_test_result(steps[i].run(), "%s: %s\n", name, steps[i].title);
			return;
		}
	}
	die("there is no such step");
}

static void read_words(const char *path)
{
	unsigned int nr = 0;
	char *word = NULL;
	size_t size = 0;
	FILE *file;

	file = fopen(path, "re");
	if (!file)
		die("%s: %s", path, strerror(errno));
	while (nr < MAX_WORDS - 2 && getline(&word, &size, file) > 0) {
		word[strcspn(word, "\n")] = '\0';
		if (*word && *word != '#')
			qemu_words[nr++] = strdup(word);
	}
	fclose(file);
	if (nr < 4 || strcmp(qemu_words[nr - 3], "--"))
		die("%s: no \"--\" before the last two of %u words", path, nr);
	nr_vcpus = strtoul(qemu_words[nr - 2], NULL, 10);
	expected_log = qemu_words[nr - 1];
	nr_words = nr - 3;
	qemu_words[nr_words] = NULL;
	if (!nr_vcpus || nr_vcpus > MAX_VCPUS)
		die("%s: %s vCPUs", path, qemu_words[nr - 2]);
}

int main(int argc, char **argv)
{
	int i;

	ksft_print_header();
	ksft_set_plan(argc - 2);
	read_words(argv[1]);
	pin(0, 0);
	signal(SIGPIPE, SIG_IGN);
	for (i = 2; i < argc; i++)
		run_step(argv[i]);
	end_qemu();
	ksft_finished();
}
