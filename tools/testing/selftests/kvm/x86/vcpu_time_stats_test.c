// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * The statistics of where a vCPU's time went: they equal what the guest is shown, count
 * steal for guests that do not ask for it too, and are copies, so that clearing one in
 * debugfs changes nothing else.
 */
#include <asm/kvm_para.h>

#include "kvm_test_harness.h"
#include "sched_util.h"
#include "vcpu_stats.h"
#include "xen_runstate.h"

#define MSEC		1000000L
#define LONG_WAIT	(40 * MSEC)

#define STEAL		"steal_time_ns"

static const char *const runstates[] = {
	[RUNSTATE_running]	= "xen_runstate_running_ns",
	[RUNSTATE_runnable]	= "xen_runstate_runnable_ns",
	[RUNSTATE_blocked]	= "xen_runstate_blocked_ns",
	[RUNSTATE_offline]	= "xen_runstate_offline_ns",
};

/* For the steal time, where the areas of a Xen guest would be. */
#define ST_GPA		AREA_GPA

static u64 steal(struct kvm_vcpu *vcpu)
{
	return vcpu_stat(vcpu, STEAL);
}

static void enable_steal_time(struct kvm_vcpu *vcpu)
{
	vm_userspace_mem_region_add(vcpu->vm, VM_MEM_SRC_ANONYMOUS, ST_GPA, AREA_SLOT, 1, 0);
	vcpu_set_msr(vcpu, MSR_KVM_STEAL_TIME, ST_GPA | KVM_MSR_ENABLED);
}

/* What the guest is shown. */
static u64 stolen(struct kvm_vcpu *vcpu)
{
	struct kvm_steal_time *st = addr_gpa2hva(vcpu->vm, ST_GPA);

	return READ_ONCE(st->steal);
}

static void wait_and_run(struct kvm_vcpu *vcpu)
{
	wait_for_cpu(LONG_WAIT);
	runstate_vcpu_run(vcpu);
}

static void *wait_and_run_in_thread(void *vcpu)
{
	wait_and_run(vcpu);
	return NULL;
}

static u64 total(const struct kvm_xen_vcpu_attr *rs, int state)
{
	return (&rs->u.runstate.time_running)[state];
}

FIXTURE(vcpu_time_stats) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_SETUP(vcpu_time_stats)
{
	self->vm = vm_create_with_one_vcpu(&self->vcpu, runstate_guest_code);
}

FIXTURE_TEARDOWN(vcpu_time_stats)
{
	kvm_vm_free(self->vm);
}

TEST_F(vcpu_time_stats, are_cumulative_and_in_nanoseconds)
{
	const u32 flags = KVM_STATS_TYPE_CUMULATIVE | KVM_STATS_UNIT_SECONDS | KVM_STATS_BASE_POW10;

	for (int i = 0; i <= ARRAY_SIZE(runstates); i++) {
		const char *name = i < ARRAY_SIZE(runstates) ? runstates[i] : STEAL;
		struct kvm_stats_desc desc = vcpu_stat_desc(self->vcpu, name);

		EXPECT_EQ(flags, desc.flags);
		EXPECT_EQ(-9, desc.exponent);
		EXPECT_EQ(1, desc.size);
		EXPECT_EQ(0, vcpu_stat(self->vcpu, name));
	}
}

TEST_F(vcpu_time_stats, steal_is_what_the_guest_is_shown)
{
	enable_steal_time(self->vcpu);
	runstate_vcpu_run(self->vcpu);
	EXPECT_EQ(stolen(self->vcpu), steal(self->vcpu));

	for (int i = 0; i < 3; i++) {
		wait_and_run(self->vcpu);
		EXPECT_LE((i + 1) * LONG_WAIT, steal(self->vcpu));
		EXPECT_EQ(stolen(self->vcpu), steal(self->vcpu));
	}
}

TEST_F(vcpu_time_stats, steal_is_counted_though_the_guest_does_not_ask)
{
	long before = get_run_delay();
	u64 counted;

	runstate_vcpu_run(self->vcpu);
	wait_and_run(self->vcpu);
	counted = steal(self->vcpu);
	EXPECT_LE(LONG_WAIT, counted);
	EXPECT_GE(get_run_delay() - before, counted);

	/* Once it does it is not shown what was before. */
	enable_steal_time(self->vcpu);
	runstate_vcpu_run(self->vcpu);
	EXPECT_GT(LONG_WAIT, stolen(self->vcpu));
}

TEST_F(vcpu_time_stats, steal_is_not_what_a_thread_waited_before)
{
	runstate_vcpu_run(self->vcpu);
	in_new_thread(wait_and_run_in_thread, self->vcpu);
	EXPECT_GT(LONG_WAIT, steal(self->vcpu));
}

static void expect_runstates_as_set(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu)
{
	struct kvm_xen_vcpu_attr rs = runstate_get(vcpu);

	for (int i = 0; i < ARRAY_SIZE(runstates); i++) {
		EXPECT_EQ(total(&rs, i), vcpu_stat(vcpu, runstates[i])) {
			TH_LOG("%s, of %s", runstates[i], runstate_text(&rs).s);
		}
	}
}

TEST_F(vcpu_time_stats, runstates_are_what_the_guest_is_shown)
{
	struct kvm_vcpu *vcpu = self->vcpu;
	struct kvm_xen_vcpu_attr rs;

	xen_enable_runstate(self->vm);
	runstate_set_addr(vcpu, AREA_GPA);
	runstate_vcpu_run(vcpu);
	wait_and_run(vcpu);
	expect_runstates_as_set(_metadata, vcpu);

	runstate_set_current(vcpu, RUNSTATE_blocked);
	expect_runstates_as_set(_metadata, vcpu);
	usleep(1000);
	runstate_set_current(vcpu, RUNSTATE_offline);
	usleep(1000);
	runstate_vcpu_run(vcpu);
	expect_runstates_as_set(_metadata, vcpu);

	rs = runstate_get(vcpu);
	for (int i = 0; i < ARRAY_SIZE(runstates); i++)
		EXPECT_LT(0, total(&rs, i));
}

TEST_F(vcpu_time_stats, runstates_follow_what_the_vmm_sets)
{
	struct kvm_vcpu *vcpu = self->vcpu;

	xen_enable_runstate(self->vm);
	runstate_vcpu_run(vcpu);

	ASSERT_EQ(0, __runstate_set(vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA,
				    runstate_attr(RUNSTATE_blocked, 1000, 100, 200, 300, 400)));
	expect_runstates_as_set(_metadata, vcpu);
	ASSERT_EQ(0, __runstate_set(vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST,
				    runstate_attr(KVM_XEN_RUNSTATE_KEEP, 5, -1, 2, 3, 1)));
	expect_runstates_as_set(_metadata, vcpu);
	runstate_vcpu_run(vcpu);
	expect_runstates_as_set(_metadata, vcpu);
}

TEST_F(vcpu_time_stats, steal_is_what_becomes_runnable)
{
	struct kvm_vcpu *vcpu = self->vcpu;
	u64 before, delay;

	xen_enable_runstate(self->vm);
	runstate_vcpu_run(vcpu);
	wait_and_run(vcpu);
	EXPECT_LE(LONG_WAIT, steal(vcpu));
	EXPECT_EQ(vcpu_stat(vcpu, runstates[RUNSTATE_runnable]), steal(vcpu));

	/* In RUNSTATE_CURRENT as well. */
	wait_for_cpu(LONG_WAIT);
	runstate_set_current(vcpu, RUNSTATE_blocked);
	EXPECT_LE(2 * LONG_WAIT, steal(vcpu));
	EXPECT_EQ(vcpu_stat(vcpu, runstates[RUNSTATE_runnable]), steal(vcpu));

	/* Nothing is stolen from a vCPU that has nothing to do. */
	before = steal(vcpu);
	delay = get_run_delay();
	wait_and_run(vcpu);
	EXPECT_EQ(vcpu_stat(vcpu, runstates[RUNSTATE_runnable]), steal(vcpu));
	EXPECT_GE(before + get_run_delay() - delay - LONG_WAIT, steal(vcpu));
}

/* Also if it is shown as runnable while it waits. */
TEST_F(vcpu_time_stats, steal_is_what_becomes_runnable_by_preemption)
{
	struct kvm_vcpu *vcpu = self->vcpu;
	struct preempters preempters;

	require_preempters();
	xen_enable_runstate(self->vm);
	runstate_set_addr(vcpu, AREA_GPA);
	pin_self_to_cpu(sched_getcpu());
	start_preempters(&preempters, sched_getcpu());
	while (!preempted_often(&preempters))
		runstate_vcpu_run(vcpu);
	stop_preempters(&preempters);

	EXPECT_LT(0, steal(vcpu));
	EXPECT_EQ(vcpu_stat(vcpu, runstates[RUNSTATE_runnable]), steal(vcpu));
}

/* A SET that fails takes the steal neither from the guest nor from the statistics. */
TEST_F(vcpu_time_stats, steal_is_counted_once_if_a_call_fails)
{
	struct kvm_vcpu *vcpu = self->vcpu;
	void *pages;

	xen_enable_runstate(self->vm);
	pages = addr_gpa2hva(self->vm, AREA_GPA);
	runstate_set_addr(vcpu, AREA_GPA);
	runstate_vcpu_run(vcpu);

	delete_slot(self->vm);
	wait_for_cpu(LONG_WAIT);
	EXPECT_EQ(-EFAULT, __runstate_set_current(vcpu, RUNSTATE_blocked));
	EXPECT_GT(LONG_WAIT, steal(vcpu));

	create_slot(self->vm, AREA_PAGES, pages);
	runstate_vcpu_run(vcpu);
	EXPECT_LE(LONG_WAIT, steal(vcpu));
	EXPECT_EQ(vcpu_stat(vcpu, runstates[RUNSTATE_runnable]), steal(vcpu));
}

TEST_F(vcpu_time_stats, clearing_in_debugfs_changes_no_total)
{
	struct kvm_xen_vcpu_attr rs, now, area;
	struct kvm_vcpu *vcpu = self->vcpu;

	if (!has_debugfs_stats(self->vm))
		SKIP(return, "no statistics in debugfs, or not root");

	xen_enable_runstate(self->vm);
	runstate_set_addr(vcpu, AREA_GPA);
	runstate_vcpu_run(vcpu);
	wait_and_run(vcpu);
	runstate_set_current(vcpu, RUNSTATE_blocked);
	EXPECT_EQ(steal(vcpu), debugfs_stat(self->vm, STEAL));

	rs = runstate_get(vcpu);
	for (int i = 0; i < ARRAY_SIZE(runstates); i++) {
		EXPECT_EQ(vcpu_stat(vcpu, runstates[i]), debugfs_stat(self->vm, runstates[i]));
		debugfs_clear_stat(self->vm, runstates[i]);
		EXPECT_EQ(0, vcpu_stat(vcpu, runstates[i]));
	}
	debugfs_clear_stat(self->vm, STEAL);
	now = runstate_get(vcpu);
	EXPECT_TRUE(runstate_equal(&rs, &now));

	/* What is counted from now on is what the totals grow by. */
	wait_and_run(vcpu);
	wait_and_run(vcpu);
	now = runstate_get(vcpu);
	area = runstate_read_area(self->vm, AREA_GPA, true);
	EXPECT_TRUE(runstate_equal(&area, &now));
	for (int i = 0; i < ARRAY_SIZE(runstates); i++)
		EXPECT_EQ(total(&now, i) - total(&rs, i), vcpu_stat(vcpu, runstates[i]));
	EXPECT_EQ(vcpu_stat(vcpu, runstates[RUNSTATE_runnable]), steal(vcpu));
	EXPECT_LE(LONG_WAIT, steal(vcpu));
}

TEST_F(vcpu_time_stats, clearing_in_debugfs_changes_no_steal_time)
{
	u64 before;

	if (!has_debugfs_stats(self->vm))
		SKIP(return, "no statistics in debugfs, or not root");

	enable_steal_time(self->vcpu);
	runstate_vcpu_run(self->vcpu);
	wait_and_run(self->vcpu);
	before = stolen(self->vcpu);
	debugfs_clear_stat(self->vm, STEAL);
	EXPECT_EQ(0, steal(self->vcpu));
	EXPECT_EQ(before, stolen(self->vcpu));

	wait_and_run(self->vcpu);
	EXPECT_EQ(stolen(self->vcpu) - before, steal(self->vcpu));
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_BINARY_STATS_FD));

	return test_harness_run(argc, argv);
}
