// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"
#include "kselftest.h"

/* Without --seed, seeds 1 to FUZZ_SEEDS are run for FUZZ_STEPS each. */
#define FUZZ_SEEDS	8
#define FUZZ_STEPS	500

/* Steps that each of the racing threads takes before all stop and are checked. */
#define FUZZ_ROUND	50

/* Every so many steps, vCPUs that were not called are checked, too. */
#define FUZZ_CHECK_OTHERS	5

/* Every so many steps, one is taken by a thread that no vCPU has seen yet. */
#define FUZZ_NEW_THREAD		8

struct fuzz {
	unsigned int step;
	struct fuzz_thread threads[FUZZ_VCPUS];
};

struct kvm_vcpu *fuzz_vcpus[FUZZ_VCPUS];
__thread struct fuzz_thread *fuzz_self;

static __thread u64 fuzz_seed;
static struct fuzz *fuzz;
static pthread_barrier_t fuzz_start;

/* The generator known as SplitMix64, to which any seed is as good as another. */
u64 fuzz_random(void)
{
	u64 x = fuzz_seed += 0x9e3779b97f4a7c15;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

u64 fuzz_boundary(void)
{
	u64 power = BIT_ULL(fuzz_below(64));

	return (fuzz_one_in(2) ? power : -power) + fuzz_below(3) - 1;
}

void fuzz_call(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(fuzz_self->call, sizeof(fuzz_self->call), fmt, args);
	va_end(args);
}

void *fuzz_good_pointer(const void *payload, size_t size)
{
	return memcpy(fuzz_self->memory.none - size, payload, size);
}

void *fuzz_bad_pointer(const void *payload, size_t size, bool get)
{
	const struct user_memory *memory = &fuzz_self->memory;

	switch (fuzz_below(get ? 5 : 4)) {
	case 0:
		return NULL;
	case 1:
		return memory->none;
	case 2:
		return fuzz_good_pointer(payload, fuzz_below(size));
	case 3:
		return user_memory_kernel(memory);
	default:
		return memory->ro;
	}
}

static const struct fuzz_action *fuzz_random_action(const struct fuzz_mode *mode)
{
	const struct fuzz_action *action = mode->actions;
	int left = 0;

	for (int i = 0; i < mode->nr_actions; i++)
		left += mode->actions[i].weight;
	for (left = fuzz_below(left); left >= action->weight; action++)
		left -= action->weight;
	return action;
}

static void *fuzz_take_steps(void *arg)
{
	struct fuzz_thread *self = arg;

	fuzz_self = self;
	fuzz_seed = self->seed;
	for (; self->todo > 0; self->todo--) {
		const struct fuzz_action *action = fuzz_random_action(self->mode);

		self->called = fuzz_vcpus[fuzz_below(FUZZ_VCPUS)];
		if (action->owned && self->own)
			self->called = self->own;
		action->act(self->called);
	}
	self->seed = fuzz_seed;
	return NULL;
}

void fuzz_take_turns(unsigned int steps)
{
	struct fuzz_thread *thread = &fuzz->threads[0];
	pthread_t other;

	while (fuzz->step < steps) {
		fuzz->step++;
		thread->todo = 1;
		if (fuzz->step % FUZZ_NEW_THREAD) {
			fuzz_take_steps(thread);
		} else {
			TEST_ASSERT_EQ(pthread_create(&other, NULL, fuzz_take_steps, thread), 0);
			TEST_ASSERT_EQ(pthread_join(other, NULL), 0);
		}
		for (int i = 0; i < FUZZ_VCPUS; i++) {
			if (fuzz_vcpus[i] == thread->called || fuzz->step % FUZZ_CHECK_OTHERS == 0)
				thread->mode->check_vcpu(fuzz_vcpus[i]);
		}
	}
}

/* Not before all others are there, as the first might else be through by then. */
static void *fuzz_race_steps(void *arg)
{
	pthread_barrier_wait(&fuzz_start);
	return fuzz_take_steps(arg);
}

void fuzz_race(unsigned int steps)
{
	struct fuzz_thread *threads = fuzz->threads;
	pthread_t id[FUZZ_VCPUS];

	TEST_ASSERT_EQ(pthread_barrier_init(&fuzz_start, NULL, FUZZ_VCPUS), 0);
	while (fuzz->step < steps) {
		for (int i = 0; i < FUZZ_VCPUS; i++) {
			threads[i].own = fuzz_vcpus[i];
			threads[i].todo = FUZZ_ROUND;
			TEST_ASSERT_EQ(pthread_create(&id[i], NULL, fuzz_race_steps, &threads[i]),
				       0);
		}
		for (int i = 0; i < FUZZ_VCPUS; i++)
			TEST_ASSERT_EQ(pthread_join(id[i], NULL), 0);
		fuzz->step += FUZZ_VCPUS * FUZZ_ROUND;
		threads->mode->check_all();
	}
}

static void fuzz_child(const struct fuzz_mode *mode, u64 seed, unsigned int steps)
{
	for (int i = 0; i < FUZZ_VCPUS; i++) {
		fuzz->threads[i].mode = mode;
		fuzz->threads[i].memory = user_memory_map();
	}
	fuzz_self = &fuzz->threads[0];
	fuzz_seed = seed;
	fuzz_call("setup");
	mode->setup();
	for (int i = 0; i < FUZZ_VCPUS; i++)
		fuzz->threads[i].seed = fuzz_random();
	mode->run(steps);
	exit(0);
}

static bool fuzz_run_seed(const struct fuzz_mode *mode, u64 seed, unsigned int steps)
{
	pid_t child;
	int status;

	memset(fuzz, 0, sizeof(*fuzz));
	fflush(NULL);
	child = fork();
	TEST_ASSERT(child >= 0, "fork: %s", strerror(errno));
	if (!child)
		fuzz_child(mode, seed, steps);

	TEST_ASSERT_EQ(waitpid(child, &status, 0), child);
	ksft_print_msg("did %u random steps\n", fuzz->step);
	if (!status)
		return true;

	ksft_print_msg("failed: --seed %lu --steps %u\n", seed, fuzz->step);
	for (int i = 0; i < FUZZ_VCPUS; i++)
		ksft_print_msg("thread %d: %s\n", i, fuzz->threads[i].call);
	return false;
}

static u64 fuzz_number(const char *text)
{
	char *end;
	u64 number = strtoull(text, &end, 0);

	TEST_ASSERT(*text && !*end, "%s is no number", text);
	return number;
}

void fuzz_main(int argc, char *argv[], const struct fuzz_mode *turns, const struct fuzz_mode *races)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 'r' },
		{ "steps", required_argument, NULL, 'n' },
		{ }
	};
	unsigned int seeds = FUZZ_SEEDS, steps = FUZZ_STEPS;
	u64 first = 1;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'r':
			first = fuzz_number(optarg);
			seeds = 1;
			break;
		case 'n':
			steps = fuzz_number(optarg);
			break;
		default:
			exit(KSFT_FAIL);
		}
	}

	fuzz = mmap(NULL, sizeof(*fuzz), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	TEST_ASSERT(fuzz != MAP_FAILED, "mmap: %s", strerror(errno));

	ksft_print_header();
	ksft_set_plan(seeds);
	for (u64 seed = first; seed < first + seeds; seed++) {
		const struct fuzz_mode *mode = seed % 4 ? turns : races;

		ksft_test_result(fuzz_run_seed(mode, seed, steps),
				 "seed_%lu, %u steps, %s\n", seed, steps, mode->name);
	}
	ksft_finished();
}
