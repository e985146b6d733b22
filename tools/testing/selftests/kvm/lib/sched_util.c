// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "sched_util.h"

static const struct sched_param fifo = { .sched_priority = 1 };
static const struct sched_param other;

u64 clock_ns(clockid_t id)
{
	struct timespec now;

	TEST_ASSERT_EQ(clock_gettime(id, &now), 0);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

static bool version_has(const char *word)
{
	struct utsname name;

	TEST_ASSERT_EQ(uname(&name), 0);
	return strstr(name.version, word);
}

bool host_is_preempt(void)
{
	return version_has(" PREEMPT ");
}

bool host_is_preempt_rt(void)
{
	return version_has(" PREEMPT_RT ");
}

void sleep_until(u64 ns)
{
	const struct timespec then = {
		.tv_sec = ns / NSEC_PER_SEC,
		.tv_nsec = ns % NSEC_PER_SEC,
	};

	TEST_ASSERT_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &then, NULL), 0);
}

void in_new_thread(void *(*fn)(void *), void *arg)
{
	pthread_t thread;

	TEST_ASSERT_EQ(pthread_create(&thread, NULL, fn, arg), 0);
	TEST_ASSERT_EQ(pthread_join(thread, NULL), 0);
}

void *spin_until_set(void *flag)
{
	while (!READ_ONCE(*(bool *)flag))
		;
	return NULL;
}

void wait_for_run_delay(long target)
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

void preempt_on_cpu(int cpu)
{
	TEST_ASSERT_EQ(sched_setscheduler(0, SCHED_FIFO, &fifo), 0);
	pin_self_to_cpu(cpu);
}

void stop_preempting(void)
{
	TEST_ASSERT_EQ(sched_setscheduler(0, SCHED_OTHER, &other), 0);
}

/* Preempters rest for as many times what their last wakeup was late by. */
#define PREEMPTER_REST		4

static void *preempt_often(void *arg)
{
	struct preempters *preempters = arg;
	unsigned int seed = (unsigned long)pthread_self() >> 12;
	u64 wakeup, late = 0;

	preempt_on_cpu(preempters->cpu);

	while (!READ_ONCE(preempters->stop)) {
		wakeup = now_ns() + 20000 + rand_r(&seed) % 300000 + PREEMPTER_REST * late;
		sleep_until(wakeup);
		late = now_ns() - wakeup;
		__atomic_fetch_add(&preempters->rounds, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

void wait_for_preemption(const struct preempters *preempters)
{
	const u64 then = READ_ONCE(preempters->rounds);

	while (READ_ONCE(preempters->rounds) == then)
		;
}

void start_preempters(struct preempters *preempters, int cpu)
{
	preempters->cpu = cpu;
	preempters->rounds = 0;
	preempters->stop = false;
	for (int i = 0; i < ARRAY_SIZE(preempters->thread); i++)
		TEST_ASSERT_EQ(pthread_create(&preempters->thread[i], NULL,
					      preempt_often, preempters), 0);
}

void stop_preempters(struct preempters *preempters)
{
	WRITE_ONCE(preempters->stop, true);
	for (int i = 0; i < ARRAY_SIZE(preempters->thread); i++)
		TEST_ASSERT_EQ(pthread_join(preempters->thread[i], NULL), 0);
}

bool can_preempt(void)
{
	return !sched_setscheduler(0, SCHED_FIFO, &fifo) &&
	       !sched_setscheduler(0, SCHED_OTHER, &other);
}
