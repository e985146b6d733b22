/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * The host's clocks, threads that wait for a CPU, and threads that make them wait.
 */
#ifndef SELFTEST_KVM_SCHED_UTIL_H
#define SELFTEST_KVM_SCHED_UTIL_H

#include <pthread.h>
#include <time.h>

#include "test_util.h"
#include "kvm_util.h"

/* In nanoseconds. */
u64 clock_ns(clockid_t id);

static inline u64 now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

void sleep_until(u64 ns);

/* Run @fn(@arg) to its end in a new thread. */
void in_new_thread(void *(*fn)(void *), void *arg);

/* A thread that is busy until the bool at @flag is set. */
void *spin_until_set(void *flag);

/*
 * Let a busy thread on the same CPU keep the caller waiting until its
 * run_delay is @target ns at least.
 */
void wait_for_run_delay(long target);

/* For another @ns at least, or not at all. */
static inline void wait_for_cpu(long ns)
{
	if (ns)
		wait_for_run_delay(get_run_delay() + ns);
}

/* Be a real-time thread on @cpu, which preempts whatever else runs there, until ... */
void preempt_on_cpu(int cpu);

/* ... the thread shares that CPU again. */
void stop_preempting(void);

/*
 * Two real-time threads that preempt whatever runs on one CPU, every 20 to
 * 320 us: often enough to hit every window that is open to preemption.  They
 * leave it most of the CPU even where an emulator makes each wakeup slow.
 */
struct preempters {
	pthread_t thread[2];
	u64 rounds;
	int cpu;
	bool stop;
};

/* How often they must have preempted at least, for a test to have shown anything. */
#define MIN_PREEMPTIONS		100

static inline bool preempted_often(const struct preempters *preempters)
{
	return READ_ONCE(preempters->rounds) >= MIN_PREEMPTIONS;
}

bool can_preempt(void);

/* True if the host's kernel is preempted wherever it may be: CONFIG_PREEMPT, not as a default. */
bool host_is_preempt(void);

/* True if it has CONFIG_PREEMPT_RT. */
bool host_is_preempt_rt(void);

/*
 * Skip if this process may not use the real-time class: nothing preempts on demand then.
 * Inline, as are other functions that skip: what is printed depends on the results
 * so far, which kselftest.h counts in each source file that includes it.
 */
static inline void require_preempters(void)
{
	__TEST_REQUIRE(can_preempt(), "SCHED_FIFO needs CAP_SYS_NICE");
}

void start_preempters(struct preempters *preempters, int cpu);
void stop_preempters(struct preempters *preempters);

/* Be busy until one has preempted whatever runs there. */
void wait_for_preemption(const struct preempters *preempters);

#endif /* SELFTEST_KVM_SCHED_UTIL_H */
