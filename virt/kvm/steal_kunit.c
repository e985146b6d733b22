// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * KUnit tests of the steal clock.
 */
#include <kunit/test.h>
#include <linux/kvm_host.h>
#include <linux/prandom.h>

#include <kvm/steal.h>

#define NO_LIMIT	U64_MAX

struct advance_row {
	const char *name;
	u64 baseline, run_delay, limit, stolen;
};

static const struct advance_row advance_rows[] = {
	{ "restart takes nothing of the past",	KVM_STEAL_RESTART, 1000, NO_LIMIT, 0 },
	{ "restart at 0",			KVM_STEAL_RESTART, 0, NO_LIMIT, 0 },
	{ "what was waited since",		1000, 1007, NO_LIMIT, 7 },
	{ "nothing was waited",			1007, 1007, NO_LIMIT, 0 },
	{ "run_delay went back",		1000, 400, NO_LIMIT, 0 },
	{ "as much as the limit",		0, 100, 100, 100 },
	{ "more than the limit",		0, 900, 100, 100 },
	{ "limit of 0",				0, 900, 0, 0 },
};

KUNIT_ARRAY_PARAM_DESC(advance, advance_rows, name);

static void baseline_advances(struct kunit *test)
{
	const struct advance_row *row = test->param_value;
	u64 baseline = row->baseline;

	KUNIT_EXPECT_EQ(test, kvm_steal_advance(&baseline, row->run_delay, row->limit),
			row->stolen);
	KUNIT_EXPECT_EQ(test, baseline, row->run_delay);
}

static void set_thread(struct kvm_vcpu *vcpu, struct task_struct *thread)
{
	/* In older kernels it is an RCU pointer. */
	*(struct pid **__force)&vcpu->pid = task_pid(thread);
}

/* The calling thread runs the vCPU, or another one does, or none has. */
static void only_the_thread_that_runs_the_vcpu_takes(struct kunit *test)
{
	struct kvm_vcpu *vcpu = kunit_kzalloc(test, sizeof(*vcpu), GFP_KERNEL);
	u64 baseline = 0;

	KUNIT_ASSERT_NOT_NULL(test, vcpu);

	KUNIT_EXPECT_EQ(test, kvm_steal_take(vcpu, &baseline, NO_LIMIT), 0);
	KUNIT_EXPECT_EQ(test, baseline, 0);

	set_thread(vcpu, &init_task);
	KUNIT_EXPECT_EQ(test, kvm_steal_take(vcpu, &baseline, NO_LIMIT), 0);
	KUNIT_EXPECT_EQ(test, baseline, 0);

	/* Preempted in between, it has waited more. */
	set_thread(vcpu, current);
	preempt_disable();
	KUNIT_EXPECT_EQ(test, kvm_steal_take(vcpu, &baseline, NO_LIMIT), kvm_run_delay());
	KUNIT_EXPECT_EQ(test, baseline, kvm_run_delay());
	preempt_enable();
}

/*
 * A thread waits at random, and is read and replaced at random.  What the clock
 * gives never exceeds what was waited since the last reading of this thread.
 */
static void random_histories(struct kunit *test)
{
	u64 run_delay = 11, baseline = KVM_STEAL_RESTART;
	u64 waited = 0, taken = 0, dropped = 0, growth, limit, got;
	bool started = false;
	struct rnd_state rnd;
	int i;

	prandom_seed_state(&rnd, 20210301);

	for (i = 0; i < 20000; i++) {
		switch (prandom_u32_state(&rnd) % 8) {
		case 0 ... 3:
			growth = prandom_u32_state(&rnd) % 100;
			run_delay += growth;
			if (started)
				waited += growth;
			break;
		case 4:
			run_delay = prandom_u32_state(&rnd);
			baseline = KVM_STEAL_RESTART;
			started = false;
			waited = 0;
			break;
		default:
			limit = prandom_u32_state(&rnd) % 200;
			got = kvm_steal_advance(&baseline, run_delay, limit);
			KUNIT_ASSERT_EQ(test, got, min(waited, limit));
			started = true;
			taken += got;
			dropped += waited - got;
			waited = 0;
		}
	}

	KUNIT_EXPECT_GT(test, taken, 0);
	KUNIT_EXPECT_GT(test, dropped, 0);
}

static struct kunit_case steal_cases[] = {
	KUNIT_CASE_PARAM(baseline_advances, advance_gen_params),
	KUNIT_CASE(only_the_thread_that_runs_the_vcpu_takes),
	KUNIT_CASE(random_histories),
	{}
};

static struct kunit_suite steal_suite = {
	.name = "kvm_steal_clock",
	.test_cases = steal_cases,
};

kunit_test_suite(steal_suite);
