// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host.h"

#define QUEUE_LIMIT_NS	(5 * NSEC_PER_SEC)

static void set_of_end_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
}

/* Call this before any thread is created, so that no thread is interrupted. */
void host_catch_signals(void)
{
	sigset_t set;

	set_of_end_signals(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* Wait for one of @set, which are blocked.  Returns the signal, or 0 at the deadline. */
int host_wait_for_signal(const sigset_t *set, __u64 deadline)
{
	int number;

	do {
		__u64 now = host_now();
		__u64 left = deadline > now ? deadline - now : 0;
		struct timespec timeout = {
			.tv_sec  = left / NSEC_PER_SEC,
			.tv_nsec = left % NSEC_PER_SEC,
		};

		number = sigtimedwait(set, NULL, &timeout);
	} while (number < 0 && errno == EINTR);

	return number < 0 ? 0 : number;
}

/* Returns false, without waiting any longer, if a signal asks the program to end. */
bool host_wait_until(__u64 deadline)
{
	sigset_t set;

	set_of_end_signals(&set);
	return !host_wait_for_signal(&set, deadline);
}

__u64 host_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);

	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

/* The first CPUs handle most interrupts of a host, so the last one has the fewest. */
int host_last_cpu(void)
{
	cpu_set_t allowed;
	int cpu = CPU_SETSIZE - 1;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return 0;
	while (cpu > 0 && !CPU_ISSET(cpu, &allowed))
		cpu--;

	return cpu;
}

void host_start_thread(pthread_t *thread, int cpu, void *(*fn)(void *), void *arg)
{
	pthread_attr_t attr;
	cpu_set_t set;
	int err;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_attr_init(&attr);
	pthread_attr_setaffinity_np(&attr, sizeof(set), &set);
	err = pthread_create(thread, &attr, fn, arg);
	pthread_attr_destroy(&attr);
	if (err)
		die("choose another CPU with --cpu; nproc prints how many there are",
		    "a thread on host CPU %d: %s", cpu, strerror(err));
}

void host_name_vcpu_thread(unsigned int id)
{
	char name[16];

	snprintf(name, sizeof(name), "CPU %u/KVM", id);
	pthread_setname_np(pthread_self(), name);
}

/* For the calling thread; other threads may read from the descriptor. */
int host_open_schedstat(void)
{
	int fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("mount /proc; the kernel needs CONFIG_SCHED_INFO, which KVM selects",
		    "/proc/thread-self/schedstat: %s", strerror(errno));

	return fd;
}

/* The time that the thread has waited for a CPU, in ns: the second of three numbers. */
__u64 host_run_delay(int schedstat)
{
	char text[128], *delay;
	ssize_t len;

	len = pread(schedstat, text, sizeof(text) - 1, 0);
	text[len > 0 ? len : 0] = '\0';
	delay = strchr(text, ' ');
	if (!delay)
		die("this kernel keeps no run_delay; KVM cannot count steal here",
		    "/proc/thread-self/schedstat: no second number in it");

	return strtoull(delay, NULL, 10);
}

/* Competes for the CPU until the thread has waited for @past ns in total. */
void host_queue_up(int schedstat, __u64 past)
{
	__u64 limit = host_now() + QUEUE_LIMIT_NS;

	while (host_run_delay(schedstat) < past && host_now() < limit)
		;
}

/* The handler only makes system calls return. */
static void on_kick(int signal)
{
	(void)signal;
}

void host_allow_kicks(void)
{
	struct sigaction action = { .sa_handler = on_kick };

	sigaction(SIGUSR1, &action, NULL);
}

void host_kick(pthread_t thread)
{
	pthread_kill(thread, SIGUSR1);
}

static void *busy_loop(void *arg)
{
	struct busy *busy = arg;

	while (!__atomic_load_n(&busy->stop, __ATOMIC_RELAXED))
		;

	return NULL;
}

void busy_start(struct busy *busy, int cpu)
{
	busy->stop = false;
	host_start_thread(&busy->thread, cpu, busy_loop, busy);
}

void busy_stop(struct busy *busy)
{
	__atomic_store_n(&busy->stop, true, __ATOMIC_RELAXED);
	pthread_join(busy->thread, NULL);
}
