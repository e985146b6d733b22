/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads that wait for a CPU, and threads that make them wait.
 */
#ifndef SELFTEST_KVM_RUN_DELAY_H
#define SELFTEST_KVM_RUN_DELAY_H

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "clock.h"
#include "test_util.h"
#include "kvm_util.h"

/* Run @fn(@arg) to its end in a new thread. */
static inline void in_new_thread(void *(*fn)(void *), void *arg)
{
	pthread_t thread;

	TEST_ASSERT_EQ(pthread_create(&thread, NULL, fn, arg), 0);
	TEST_ASSERT_EQ(pthread_join(thread, NULL), 0);
}

static inline void *spin_until_set(void *flag)
{
	while (!READ_ONCE(*(bool *)flag))
		;
	return NULL;
}

/*
 * Let a busy thread on the same CPU keep the caller waiting until its
 * run_delay is @target ns at least.
 */
static inline void wait_for_run_delay(long target)
{
	cpu_set_t all, one;
	pthread_t rival;
	bool stop = false;

	TEST_ASSERT_EQ(pthread_getaffinity_np(pthread_self(), sizeof(all), &all), 0);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	TEST_ASSERT_EQ(pthread_setaffinity_np(pthread_self(), sizeof(one), &one), 0);
	TEST_ASSERT_EQ(pthread_create(&rival, NULL, spin_until_set, &stop), 0);

	while (get_run_delay() < target)
		sched_yield();

	WRITE_ONCE(stop, true);
	TEST_ASSERT_EQ(pthread_join(rival, NULL), 0);
	TEST_ASSERT_EQ(pthread_setaffinity_np(pthread_self(), sizeof(all), &all), 0);
}

/* For another @ns at least, or not at all. */
static inline void wait_for_cpu(long ns)
{
	if (ns)
		wait_for_run_delay(get_run_delay() + ns);
}

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

/* They rest for as many times what their last wakeup was late by. */
#define PREEMPTER_REST		4

/* How often they must have preempted at least, for a test to have shown anything. */
#define MIN_PREEMPTIONS		100

static inline void *preempt_often(void *arg)
{
	struct preempters *preempters = arg;
	unsigned int seed = (unsigned long)pthread_self() >> 12;
	const struct sched_param fifo = { .sched_priority = 1 };
	u64 wakeup, late = 0;

	kvm_pin_this_task_to_pcpu(preempters->cpu);
	TEST_ASSERT_EQ(sched_setscheduler(0, SCHED_FIFO, &fifo), 0);

	while (!READ_ONCE(preempters->stop)) {
		wakeup = now_ns() + 20000 + rand_r(&seed) % 300000 + PREEMPTER_REST * late;
		sleep_until(wakeup);
		late = now_ns() - wakeup;
		__atomic_fetch_add(&preempters->rounds, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Be busy until one has preempted whatever runs there. */
static inline void wait_for_preemption(const struct preempters *preempters)
{
	const u64 then = READ_ONCE(preempters->rounds);

	while (READ_ONCE(preempters->rounds) == then)
		;
}

static inline bool preempted_often(const struct preempters *preempters)
{
	return READ_ONCE(preempters->rounds) >= MIN_PREEMPTIONS;
}

static inline void start_preempters(struct preempters *preempters, int cpu)
{
	preempters->cpu = cpu;
	preempters->rounds = 0;
	preempters->stop = false;
	for (int i = 0; i < ARRAY_SIZE(preempters->thread); i++)
		TEST_ASSERT_EQ(pthread_create(&preempters->thread[i], NULL,
					      preempt_often, preempters), 0);
}

static inline void stop_preempters(struct preempters *preempters)
{
	WRITE_ONCE(preempters->stop, true);
	for (int i = 0; i < ARRAY_SIZE(preempters->thread); i++)
		TEST_ASSERT_EQ(pthread_join(preempters->thread[i], NULL), 0);
}

/* Skip if the real-time class is not open to us: nothing preempts on demand then. */
static inline void require_preempters(void)
{
	const struct sched_param fifo = { .sched_priority = 1 }, other = {};

	__TEST_REQUIRE(!sched_setscheduler(0, SCHED_FIFO, &fifo) &&
		       !sched_setscheduler(0, SCHED_OTHER, &other),
		       "SCHED_FIFO needs CAP_SYS_NICE");
}

#endif /* SELFTEST_KVM_RUN_DELAY_H */
