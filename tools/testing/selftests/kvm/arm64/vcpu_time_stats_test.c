// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * The statistic of a vCPU's stolen time: it equals what the guest is shown, counts for
 * guests that do not ask for it too, and is a copy, so that clearing it in debugfs
 * changes nothing else.
 */
#include "arm_vcpu_attr.h"
#include "kvm_test_harness.h"
#include "sched_util.h"
#include "vcpu_stats.h"

#define MSEC		1000000L
#define LONG_WAIT	(40 * MSEC)

#define STEAL		"steal_time_ns"

/* Ask for the structure once, if @ask, and exit from then on. */
static void guest_code(u64 ask)
{
	struct arm_smccc_res res;

	if (ask) {
		smccc_hvc(PV_TIME_ST, 0, 0, 0, 0, 0, 0, 0, &res);
		GUEST_ASSERT_EQ(res.a0, ST_GPA);
	}
	for (;;)
		GUEST_SYNC(0);
}

static u64 steal(struct kvm_vcpu *vcpu)
{
	return vcpu_stat(vcpu, STEAL);
}

static u64 stolen(struct kvm_vcpu *vcpu)
{
	u64 *structure = addr_gpa2hva(vcpu->vm, ST_GPA);

	return READ_ONCE(structure[1]);
}

static void wait_and_run(struct kvm_vcpu *vcpu)
{
	wait_for_cpu(LONG_WAIT);
	TEST_ASSERT_EQ(run_to_sync(vcpu), 0);
}

static void *wait_and_run_in_thread(void *vcpu)
{
	wait_and_run(vcpu);
	return NULL;
}

FIXTURE(vcpu_time_stats) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_SETUP(vcpu_time_stats)
{
	self->vm = vm_create_with_one_vcpu(&self->vcpu, guest_code);
	vcpu_args_set(self->vcpu, 1, 0);
	add_st_slot(self->vm, 0);
}

FIXTURE_TEARDOWN(vcpu_time_stats)
{
	kvm_vm_free(self->vm);
}

/* Returns what was counted before the guest asked for its structure. */
static u64 begin(struct kvm_vcpu *vcpu)
{
	TEST_ASSERT_EQ(pvtime_set_ipa(vcpu, ST_GPA), 0);
	vcpu_args_set(vcpu, 1, 1);
	TEST_ASSERT_EQ(run_to_sync(vcpu), 0);
	return steal(vcpu) - stolen(vcpu);
}

TEST_F(vcpu_time_stats, is_cumulative_and_in_nanoseconds)
{
	struct kvm_stats_desc desc = vcpu_stat_desc(self->vcpu, STEAL);

	EXPECT_EQ(KVM_STATS_TYPE_CUMULATIVE | KVM_STATS_UNIT_SECONDS | KVM_STATS_BASE_POW10,
		  desc.flags);
	EXPECT_EQ(-9, desc.exponent);
	EXPECT_EQ(1, desc.size);
	EXPECT_EQ(0, steal(self->vcpu));
}

TEST_F(vcpu_time_stats, steal_is_what_the_guest_is_shown)
{
	u64 before = begin(self->vcpu);

	EXPECT_GT(LONG_WAIT, before);
	for (int i = 0; i < 3; i++) {
		wait_and_run(self->vcpu);
		EXPECT_LE((i + 1) * LONG_WAIT, stolen(self->vcpu));
		EXPECT_EQ(before + stolen(self->vcpu), steal(self->vcpu));
	}
}

TEST_F(vcpu_time_stats, steal_is_counted_though_there_is_no_structure)
{
	long before = get_run_delay();
	u64 counted;

	ASSERT_EQ(0, run_to_sync(self->vcpu));
	wait_and_run(self->vcpu);
	counted = steal(self->vcpu);
	EXPECT_LE(LONG_WAIT, counted);
	EXPECT_GE(get_run_delay() - before, counted);

	/* One that is set now does not show what was before. */
	wait_for_cpu(LONG_WAIT);
	ASSERT_EQ(0, pvtime_set_ipa(self->vcpu, ST_GPA));
	ASSERT_EQ(0, run_to_sync(self->vcpu));
	EXPECT_GT(LONG_WAIT, stolen(self->vcpu));
}

TEST_F(vcpu_time_stats, steal_is_not_what_a_thread_waited_before)
{
	ASSERT_EQ(0, run_to_sync(self->vcpu));
	in_new_thread(wait_and_run_in_thread, self->vcpu);
	EXPECT_GT(LONG_WAIT, steal(self->vcpu));
}

TEST_F(vcpu_time_stats, clearing_in_debugfs_changes_no_stolen_time)
{
	u64 shown;

	if (!has_debugfs_stats(self->vm))
		SKIP(return, "no statistics in debugfs, or not root");

	begin(self->vcpu);
	wait_and_run(self->vcpu);
	EXPECT_EQ(steal(self->vcpu), debugfs_stat(self->vm, STEAL));
	shown = stolen(self->vcpu);
	debugfs_clear_stat(self->vm, STEAL);
	EXPECT_EQ(0, steal(self->vcpu));
	EXPECT_EQ(shown, stolen(self->vcpu));

	wait_and_run(self->vcpu);
	EXPECT_EQ(stolen(self->vcpu) - shown, steal(self->vcpu));
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_BINARY_STATS_FD));
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_STEAL_TIME));

	return test_harness_run(argc, argv);
}
