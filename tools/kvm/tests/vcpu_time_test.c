// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * kvm_vcpu_time next to a VM: what it shows must be what the guest reads in its runstate
 * areas, and what the scheduler counted for the threads.
 *
 *	vcpu_time_test KVM_VCPU_TIME
 *
 * The numbers of a look are older than its output, and than what is read then; the intervals
 * that it shows say than which they are newer. Others run it beside that: as nobody, without
 * debugfs, on a narrow terminal, and while a VM of many vCPUs comes and goes. Needs root, and
 * prints KTAP.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "demo.h"
#include "kvm.h"
#include "xen.h"

#define INTERVAL	"0.2"
#define LOOKS		200
#define NR_STATES	5
#define PAST_NS		(300 * NSEC_PER_MSEC)
#define DAY		86400
#define NR_RESULTS	27
#define MANY_VCPUS	64
#define NARROW		40	/* columns */
#define NOBODY		65534

/* Clocks of the scheduler, of KVM and of the program are not read at once. */
#define SLACK_NS	(30 * NSEC_PER_MSEC)

#define EXIT_SKIP	4	/* of kselftest */

enum { RUNNING, STEAL, HALTED, BLOCKED, OFFLINE };

static const char * const state_names[NR_STATES] = {
	"running", "steal", "halted", "blocked", "offline",
};

/* The second one crosses a page. */
static const __u64 areas[NR_VCPUS] = { 0x4100, 0x7fe8 };

/* What the program shows of a vCPU; @halted is 0 if it is unknown. */
struct shown {
	__u64 interval[NR_STATES];
	__u64 total[NR_STATES];
	unsigned int moves;
};

/* What the guest and the scheduler count, read when a look was shown. */
struct truth {
	struct runstate rs;
	__u64 waited;
};

struct look {
	__u64 interval;
	__u64 received;		/* host_now() */
	__u64 read_at;		/* the truth, likewise */
	unsigned int vms;
	bool kernel_counts;	/* steal, for each vCPU */
	struct shown shown[NR_VCPUS];
	struct truth after[NR_VCPUS];
};

struct test {
	struct demo demo;
	char *path;
	char pid[16];
	FILE *from;
	pid_t program;
	__u64 started;
	struct look looks[LOOKS + 1];	/* the first one is the truth before any */
	unsigned int nr_looks;
	unsigned int results;
	unsigned int failed;
};

static void __printf(4, 5) result(struct test *test, bool held, const char *name,
				  const char *fmt, ...)
{
	va_list args;

	if (!held) {
		printf("# ");
		va_start(args, fmt);
		vprintf(fmt, args);
		va_end(args);
		putchar('\n');
		test->failed++;
	}
	printf("%sok %u - %s\n", held ? "" : "not ", ++test->results, name);
}

static bool parse_times(const char *at, const char *key, __u64 time[NR_STATES])
{
	at = strstr(at, key);
	if (!at)
		return false;
	for (int i = 0; i < NR_STATES; i++) {
		char name[32];

		snprintf(name, sizeof(name), "\"%s\": ", state_names[i]);
		at = strstr(at, name);
		if (!at)
			return false;
		at += strlen(name);
		time[i] = strtoull(at, NULL, 10);
	}

	return true;
}

static bool parse_vcpu(const char *line, unsigned int id, struct shown *shown)
{
	const char *at;
	char key[32];

	snprintf(key, sizeof(key), "{\"vcpu\": %u,", id);
	at = strstr(line, key);

	return at && sscanf(strstr(at, "\"moves\": "), "\"moves\": %u", &shown->moves) == 1 &&
	       parse_times(at, "\"interval_ns\"", shown->interval) &&
	       parse_times(at, "\"total_ns\"", shown->total);
}

static void read_truth(struct demo *demo, struct truth truth[NR_VCPUS])
{
	for (int i = 0; i < NR_VCPUS; i++) {
		struct vcpu *vcpu = &demo->vcpu[i];
		struct runstate rs;

		if (!runstate_read(vcpu->area, &rs))
			die("this is a bug of KVM", "vCPU %d: its area is never stable", i);
		truth[i].rs = runstate_at(&rs, vm_clock(&demo->vm));
		truth[i].waited = host_run_delay(vcpu->schedstat);
	}
}

/* Its output is a pipe. @prepare: what the new process does first, or NULL. */
static FILE *start(pid_t *program, char *const argv[], bool (*prepare)(void))
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		die("there are too many", "pipe2: %s", strerror(errno));
	fflush(stdout);
	*program = fork();
	if (!*program) {
		dup2(fds[1], STDOUT_FILENO);
		if (!prepare || prepare())
			execv(argv[0], argv);
		fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	close(fds[1]);

	return fdopen(fds[0], "re");
}

static void start_program(struct test *test)
{
	char *argv[] = { test->path, "--json", "--interval", INTERVAL, "--pid", test->pid, NULL };

	read_truth(&test->demo, test->looks[0].after);
	test->started = test->looks[0].read_at = host_now();
	test->from = start(&test->program, argv, NULL);
}

/* Returns false at the end of the output. */
static bool next_look(struct test *test, bool with_truth)
{
	struct look *look = &test->looks[++test->nr_looks];
	char *line = NULL;
	size_t size = 0;
	bool found = false;

	if (test->nr_looks <= LOOKS && getline(&line, &size, test->from) > 0) {
		look->received = host_now();
		if (with_truth)
			read_truth(&test->demo, look->after);
		look->read_at = host_now();
		look->vms = strstr(line, "{\"name\"") ? 1 : 0;
		look->kernel_counts = !strstr(strstr(line, "\"missing\""), "\"steal\"");
		found = sscanf(strstr(line, "\"interval_ns\""), "\"interval_ns\": %llu",
			       &look->interval) == 1;
		for (unsigned int i = 0; look->vms && i < NR_VCPUS; i++)
			found &= parse_vcpu(line, i, &look->shown[i]);
		if (!found)
			printf("# not understood: %s", line);
	}
	free(line);

	return found;
}

/*
 * Look @nr is not older than that: the program looked for the first time after its start,
 * and reports the intervals since then.
 */
static __u64 oldest(const struct test *test, unsigned int nr)
{
	__u64 when = test->started;

	for (unsigned int i = 1; i <= nr; i++)
		when += test->looks[i].interval;

	return when;
}

static const struct truth *truth_before(const struct test *test, unsigned int nr)
{
	__u64 when = oldest(test, nr);

	while (test->looks[nr].read_at > when)
		nr--;

	return test->looks[nr].after;
}

static void look_times(struct test *test, unsigned int times)
{
	while (times--) {
		if (!next_look(test, true))
			die("see above", "the output of kvm_vcpu_time ended early");
	}
}

/* As many that begin after now; the output may be behind. */
static void look_times_from_now(struct test *test, unsigned int times)
{
	__u64 now = host_now();

	do
		look_times(test, 1);
	while (oldest(test, test->nr_looks) < now);
	look_times(test, times - 1);
}

static __u64 sum(const __u64 time[NR_STATES])
{
	__u64 all = 0;

	for (int i = 0; i < NR_STATES; i++)
		all += time[i];

	return all;
}

/* From look @first, not included, to look @last. */
static __u64 shown_between(const struct test *test, int vcpu, int state, unsigned int first,
			   unsigned int last)
{
	__u64 all = 0;

	for (unsigned int i = first + 1; i <= last; i++)
		all += test->looks[i].shown[vcpu].interval[state];

	return all;
}

static __u64 excess(__u64 a, __u64 b)
{
	return a > b ? a - b : 0;
}

/* A vCPU is sampled after its look has begun, and before it is shown. */
static void check_sums(struct test *test, int vcpu)
{
	const struct look *looks = test->looks;
	__u64 shown = 0, worst = 0;
	char name[64];

	for (unsigned int i = 2; i <= test->nr_looks; i++) {
		__u64 least = excess(oldest(test, i), looks[1].received);
		__u64 most = looks[i].received - oldest(test, 1), off;

		shown += sum(looks[i].shown[vcpu].interval);
		off = excess(least, shown) + excess(shown, most);
		worst = off > worst ? off : worst;
	}
	snprintf(name, sizeof(name), "vcpu%d_adds_up_to_the_intervals", vcpu);
	result(test, !worst, name, "off by up to %.3f ms", to_ms(worst));
}

/* Over looks @first to @last, by the guest's total of a runstate. */
static void check_state(struct test *test, int vcpu, int state, int runstate, unsigned int first,
			unsigned int last)
{
	const struct look *looks = test->looks;
	__u64 least = excess(truth_before(test, last)[vcpu].rs.time[runstate],
			     looks[first].after[vcpu].rs.time[runstate]);
	__u64 most = excess(looks[last].after[vcpu].rs.time[runstate],
			    truth_before(test, first)[vcpu].rs.time[runstate]);
	__u64 shown = shown_between(test, vcpu, state, first, last);
	char name[64];

	snprintf(name, sizeof(name), "vcpu%d_%s_is_what_the_guest_reads", vcpu, state_names[state]);
	result(test, shown + SLACK_NS >= least && shown <= most + SLACK_NS, name,
	       "%.3f ms are shown, the guest has %.3f to %.3f ms", to_ms(shown), to_ms(least),
	       to_ms(most));
}

static void check_waited(struct test *test, int vcpu, unsigned int first, unsigned int last)
{
	const struct look *looks = test->looks;
	__u64 least = excess(truth_before(test, last)[vcpu].waited,
			     looks[first].after[vcpu].waited);
	__u64 most = excess(looks[last].after[vcpu].waited,
			    truth_before(test, first)[vcpu].waited);
	__u64 shown = shown_between(test, vcpu, STEAL, first, last);
	char name[64];

	/* vCPU 1 also waits while it is blocked, which a runstate leaves out. */
	if (vcpu == 1 && looks[last].kernel_counts)
		least = 0;
	snprintf(name, sizeof(name), "vcpu%d_steal_is_what_its_thread_waited", vcpu);
	result(test, shown && shown + SLACK_NS >= least && shown <= most + SLACK_NS, name,
	       "%.3f ms are shown, the thread waited for %.3f to %.3f ms", to_ms(shown),
	       to_ms(least), to_ms(most));
}

static void check_totals(struct test *test, int vcpu, const char *event, unsigned int first,
			 unsigned int last)
{
	__u64 worst = 0;
	char name[64];

	for (unsigned int i = first + 1; i <= last; i++) {
		const struct shown *before = &test->looks[i - 1].shown[vcpu];
		const struct shown *now = &test->looks[i].shown[vcpu];

		for (int state = 0; state < NR_STATES; state++) {
			__u64 want = before->total[state] + now->interval[state];
			__u64 off = excess(want, now->total[state]) +
				    excess(now->total[state], want);

			worst = off > worst ? off : worst;
		}
	}
	snprintf(name, sizeof(name), "vcpu%d_totals_go_on_after_%s", vcpu, event);
	result(test, !worst, name, "off by up to %.3f ms", to_ms(worst));
}

static void check_competition(struct test *test)
{
	static const struct {
		int state;
		int runstate;
	} rows[] = {
		{ RUNNING, RUNSTATE_running },
		{ STEAL,   RUNSTATE_runnable },
		{ BLOCKED, RUNSTATE_blocked },
	};
	unsigned int first = test->nr_looks + 1, last;

	look_times(test, 16);
	last = test->nr_looks;
	for (int i = 0; i < NR_VCPUS; i++) {
		for (unsigned int j = 0; j < ARRAY_SIZE(rows); j++)
			check_state(test, i, rows[j].state, rows[j].runstate, first, last);
		check_waited(test, i, first, last);
	}
}

static void add_to_clock(int seconds)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += seconds;
	if (clock_settime(CLOCK_REALTIME, &now))
		die("be root", "clock_settime: %s", strerror(errno));
}

/* By a day; nothing but the time of day may change. */
static void check_clock_set_back(struct test *test)
{
	unsigned int before = test->nr_looks;
	__u64 most = 0, least = ~0ULL;

	add_to_clock(-DAY);
	look_times_from_now(test, 3);
	add_to_clock(DAY);
	for (unsigned int i = before + 1; i <= test->nr_looks; i++) {
		__u64 interval = test->looks[i].interval;

		most = interval > most ? interval : most;
		least = interval < least ? interval : least;
	}
	result(test, least && most < 100 * NSEC_PER_SEC, "clock_is_set_back",
	       "intervals of %.3f to %.3f ms", to_ms(least), to_ms(most));
}

/* Of the VM. */
static int open_debugfs(const struct test *test, const char *name, int flags)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/debug/kvm/%s-%d/%s", test->pid,
		 test->demo.vm.fd, name);

	return open(path, flags | O_CLOEXEC);
}

/* debugfs clears a statistic of all vCPUs of the VM at once. */
static void check_reset(struct test *test)
{
	static const char * const names[] = { "halt_wait_ns", "steal_time_ns",
					      "xen_runstate_running_ns" };
	unsigned int before = test->nr_looks, cleared = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		int fd = open_debugfs(test, names[i], O_WRONLY);

		if (fd < 0)
			continue;
		cleared += write(fd, "0", 1) == 1;
		close(fd);
	}
	look_times_from_now(test, 3);
	result(test, cleared, "counters_are_reset", "debugfs has none to clear");
	for (int i = 0; i < NR_VCPUS; i++)
		check_totals(test, i, "reset", before, test->nr_looks);
}

/* Its thread has quit, and another one may run it. Returns how far its guest is. */
static __u32 vcpu_renew(struct vcpu *vcpu)
{
	vcpu->wanted = VCPU_NEW;
	vcpu->now = VCPU_NEW;

	return vcpu_rounds(vcpu);
}

/* The new threads have waited before, which is not stolen from their vCPUs. */
static void check_moved(struct test *test)
{
	unsigned int before = test->nr_looks, after;
	__u32 rounds[NR_VCPUS];

	demo_order(&test->demo, VCPU_QUIT);
	for (int i = 0; i < NR_VCPUS; i++)
		rounds[i] = vcpu_renew(&test->demo.vcpu[i]);
	demo_start_threads(&test->demo, PAST_NS);
	demo_order(&test->demo, VCPU_RUN);
	for (int i = 0; i < NR_VCPUS; i++) {
		while (vcpu_rounds(&test->demo.vcpu[i]) == rounds[i])
			look_times(test, 1);
	}
	look_times_from_now(test, 3);
	after = test->nr_looks;

	for (int i = 0; i < NR_VCPUS; i++) {
		const struct shown *last = &test->looks[after].shown[i];
		char name[64];

		snprintf(name, sizeof(name), "vcpu%d_is_seen_to_move", i);
		result(test, last->moves == 1, name, "%u moves", last->moves);
		check_totals(test, i, "move", before, after);
		if (test->looks[after].kernel_counts)
			check_state(test, i, STEAL, RUNSTATE_runnable, before, after);
		else
			printf("ok %u - vcpu%d_past_is_not_stolen # SKIP no steal_time_ns here\n",
			       ++test->results, i);
	}
}

static void check_vanished(struct test *test)
{
	char rest[256];
	int status = -1;
	bool found;

	demo_shut_down(&test->demo);
	do
		found = next_look(test, false);
	while (found && test->looks[test->nr_looks].vms);
	result(test, found, "vm_vanishes", "it is shown to the end");

	kill(test->program, SIGTERM);
	while (fgets(rest, sizeof(rest), test->from))
		;
	waitpid(test->program, &status, 0);
	result(test, !status, "ends_well", "wait status %#x", status);
}

static unsigned int count(const char *text, const char *what)
{
	unsigned int times = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		times++;
	}

	return times;
}

static bool kernel_counts_steal(const struct test *test)
{
	int fd = open_debugfs(test, "steal_time_ns", O_RDONLY);

	if (fd >= 0)
		close(fd);

	return fd >= 0;
}

static bool become_nobody(void)
{
	return !setresuid(NOBODY, NOBODY, NOBODY);
}

static bool hide_debugfs(void)
{
	return !unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	       !umount2("/sys/kernel/debug", MNT_DETACH);
}

/*
 * Debugfs cannot be read then. Threads are known all the same, by the names that QEMU gives
 * them. @expected is all that is missing.
 */
static void check_without_debugfs(struct test *test, const char *name, bool (*prepare)(void),
				  const char *expected)
{
	char *argv[] = { test->path, "--json", "--once", "--pid", test->pid, NULL };
	char *line = NULL, missing[128];
	size_t size = 0;
	int status = -1;
	pid_t program;
	FILE *from = start(&program, argv, prepare);
	bool any = getline(&line, &size, from) > 0;

	fclose(from);
	waitpid(program, &status, 0);
	snprintf(missing, sizeof(missing), "\"missing\": [%s]}\n", expected);
	result(test, any && !status && count(line, "{\"vcpu\": ") == NR_VCPUS &&
	       strstr(line, missing), name, "wait status %#x, and: %s", status,
	       any ? line : "nothing");
	free(line);
}

/* The longest line, without the sequences of a terminal. */
static unsigned int longest(const char *text)
{
	unsigned int most = 0, now = 0;

	for (; *text; text++) {
		if (*text == '\033') {
			text += strcspn(text, "mHKJ");
			if (!*text)
				break;
		} else if (*text == '\n') {
			now = 0;
		} else if (*text != '\r' && ++now > most) {
			most = now;
		}
	}

	return most;
}

static void check_narrow_terminal(struct test *test)
{
	char *argv[] = { test->path, "--interval", "0.1", "--count", "1", "--pid", test->pid, NULL };
	struct winsize window = { .ws_col = NARROW, .ws_row = 24 };
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	char text[16384] = "";
	size_t used = 0;
	int status = -1;
	pid_t program;
	ssize_t n;

	if (terminal < 0 || grantpt(terminal) || unlockpt(terminal) ||
	    ioctl(terminal, TIOCSWINSZ, &window))
		die("mount devpts", "/dev/ptmx: %s", strerror(errno));
	fflush(stdout);
	program = fork();
	if (!program) {
		dup2(open(ptsname(terminal), O_RDWR | O_NOCTTY), STDOUT_FILENO);
		execv(argv[0], argv);
		_exit(127);
	}
	/* It ends by EIO once the program has. */
	while ((n = read(terminal, text + used, sizeof(text) - 1 - used)) > 0)
		used += n;
	close(terminal);
	waitpid(program, &status, 0);
	result(test, !status && strstr(text, "%steal") && longest(text) <= NARROW,
	       "fits_a_narrow_terminal", "wait status %#x, %u columns: %s", status, longest(text),
	       text);
}

/* A process with a VM of many vCPUs, from when a byte arrives to its end. */
static pid_t start_crowd(int *order)
{
	int fds[2];
	char byte;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		die("there are too many", "pipe2: %s", strerror(errno));
	fflush(stdout);
	pid = fork();
	if (pid) {
		close(fds[0]);
		*order = fds[1];
		return pid;
	}
	close(fds[1]);
	if (read(fds[0], &byte, 1) == 1) {
		int vm = kvm_do(kvm_open(), KVM_CREATE_VM, 0);

		for (int i = 0; i < MANY_VCPUS; i++)
			kvm_do(vm, KVM_CREATE_VCPU, i);
		while (read(fds[0], &byte, 1) == 1)
			;
	}
	_exit(0);
}

/* Looks until @nr vCPUs are shown; false if the program ends before. */
static bool see_vcpus(FILE *from, unsigned int nr)
{
	char *line = NULL;
	bool seen = false;
	size_t size = 0;

	while (!seen && getline(&line, &size, from) > 0)
		seen = count(line, "{\"vcpu\": ") == nr;
	free(line);

	return seen;
}

static void check_crowd(struct test *test)
{
	char pid[16];
	char *argv[] = { test->path, "--json", "--interval", "0.05", "--count", "200", "--pid", pid,
			 NULL };
	pid_t crowd, program;
	bool empty;
	FILE *from;
	int order;

	crowd = start_crowd(&order);
	snprintf(pid, sizeof(pid), "%d", crowd);
	from = start(&program, argv, NULL);

	empty = see_vcpus(from, 0);
	if (write(order, "", 1) != 1)
		die("see above", "the process with many vCPUs has ended");
	result(test, empty && see_vcpus(from, MANY_VCPUS), "many_vcpus_appear",
	       "%d are never shown", MANY_VCPUS);
	close(order);
	waitpid(crowd, NULL, 0);
	result(test, see_vcpus(from, 0), "many_vcpus_vanish", "they are shown to the end");
	kill(program, SIGTERM);
	fclose(from);
	waitpid(program, NULL, 0);
}

static void check_xen(void)
{
	int kvm = kvm_open();

	if (!(kvm_do(kvm, KVM_CHECK_EXTENSION, KVM_CAP_XEN_HVM) & KVM_XEN_HVM_CONFIG_RUNSTATE)) {
		puts("1..0 # SKIP this KVM has no Xen runstate");
		exit(EXIT_SKIP);
	}
	close(kvm);
}

int main(int argc, char **argv)
{
	static struct test test;

	if (argc != 2)
		die("give the path of kvm_vcpu_time", "one argument, not %d", argc - 1);
	setlinebuf(stdout);
	puts("KTAP version 1");
	check_xen();
	printf("1..%u\n", NR_RESULTS);
	test.path = argv[1];
	snprintf(test.pid, sizeof(test.pid), "%d", getpid());
	test.demo.cpu = host_last_cpu();
	demo_boot(&test.demo);
	for (int i = 0; i < NR_VCPUS; i++)
		xen_register_area(&test.demo.vcpu[i], areas[i]);
	busy_start(&test.demo.busy, test.demo.cpu);
	demo_start_threads(&test.demo, 0);
	demo_order(&test.demo, VCPU_RUN);

	check_without_debugfs(&test, "runs_as_nobody", become_nobody,
			      "\"debugfs\", \"fds\", \"halts\", \"steal\"");
	check_without_debugfs(&test, "runs_without_debugfs", hide_debugfs,
			      kernel_counts_steal(&test) ? "\"debugfs\"" :
							   "\"debugfs\", \"steal\"");
	check_narrow_terminal(&test);
	check_crowd(&test);

	start_program(&test);
	check_competition(&test);
	check_clock_set_back(&test);
	check_reset(&test);
	for (int i = 0; i < NR_VCPUS; i++)
		check_sums(&test, i);
	check_moved(&test);
	busy_stop(&test.demo.busy);
	check_vanished(&test);

	return test.failed ? EXIT_FAILED : EXIT_SUCCESS;
}
