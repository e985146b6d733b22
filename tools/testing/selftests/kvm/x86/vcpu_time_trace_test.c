// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * The tracepoints of a vCPU's time and attributes: what they show adds up to the statistics,
 * to the runstate, and to the results of the calls.  Their fields are stable.
 */
#include <asm/kvm_para.h>

#include "kvm_test_harness.h"
#include "sched_util.h"
#include "vcpu_attr.h"
#include "vcpu_trace_expect.h"
#include "xen_runstate.h"

#define MSEC		1000000L
#define LONG_WAIT	(20 * MSEC)
#define NR_WAITS	3

/* Not 0, so that it is seen where the number comes from. */
#define VCPU_ID		3

static const char *const states[] = {
	[RUNSTATE_running]	= "running",
	[RUNSTATE_runnable]	= "runnable",
	[RUNSTATE_blocked]	= "blocked",
	[RUNSTATE_offline]	= "offline",
};

FIXTURE(vcpu_time_trace) {
	struct trace trace;
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_SETUP(vcpu_time_trace)
{
	self->trace = trace_open();
	self->vm = vm_create(VCPU_ID + 1);
	self->vcpu = vm_vcpu_add(self->vm, VCPU_ID, runstate_guest_code);
}

FIXTURE_TEARDOWN(vcpu_time_trace)
{
	kvm_vm_free(self->vm);
	trace_close(&self->trace);
}

TEST_F(vcpu_time_trace, fields_are_stable)
{
	EXPECT_STREQ("vcpu_id ns", trace_fields(&self->trace, "kvm_steal").text);
	EXPECT_STREQ("vcpu_id old new elapsed steal",
		     trace_fields(&self->trace, "kvm_xen_runstate").text);
	EXPECT_STREQ("vcpu_id ioctl group attr result reason",
		     trace_fields(&self->trace, "kvm_vcpu_attr").text);
}

TEST_F(vcpu_time_trace, nothing_is_recorded_that_was_not_enabled)
{
	trace_enable(&self->trace, "kvm_steal");
	xen_enable_runstate(self->vm);
	runstate_vcpu_run(self->vcpu);
	runstate_set_current(self->vcpu, RUNSTATE_blocked);
	EXPECT_EQ(0, trace_take(&self->trace, "kvm_xen_runstate", lines, MAX_LINES));
	EXPECT_EQ(0, trace_take(&self->trace, "kvm_vcpu_attr", lines, MAX_LINES));
}

TEST_F(vcpu_time_trace, steal_is_what_the_statistic_grows_by)
{
	expect_steal_adds_up(_metadata, &self->trace, self->vcpu, runstate_vcpu_run, NR_WAITS,
			     LONG_WAIT);
}

struct runstate_event {
	unsigned int id;
	char old[16];
	char now[16];
	long long elapsed;
	long long steal;
};

static bool parse_runstate(const struct trace_line *line, struct runstate_event *event)
{
	return sscanf(line->text, "vcpu %u %15s -> %15s elapsed %lld steal %lld", &event->id,
		      event->old, event->now, &event->elapsed, &event->steal) == 5;
}

/* Each event begins where the one before ended, and together they are the whole. */
TEST_F(vcpu_time_trace, runstates_add_up)
{
	static const int order[] = { RUNSTATE_blocked, RUNSTATE_offline, RUNSTATE_running };
	struct runstate_event event, before = {};
	long long elapsed = 0, steal = 0;
	struct kvm_xen_vcpu_attr rs;
	unsigned int nr, next = 0;

	xen_enable_runstate(self->vm);
	trace_enable(&self->trace, "kvm_xen_runstate");
	runstate_vcpu_run(self->vcpu);
	wait_for_cpu(LONG_WAIT);
	runstate_vcpu_run(self->vcpu);
	for (int i = 0; i < ARRAY_SIZE(order); i++)
		runstate_set_current(self->vcpu, order[i]);
	runstate_vcpu_run(self->vcpu);
	rs = runstate_get(self->vcpu);

	nr = trace_take(&self->trace, "kvm_xen_runstate", lines, MAX_LINES);
	ASSERT_LT(ARRAY_SIZE(order), nr);
	for (unsigned int i = 0; i < nr; i++) {
		ASSERT_TRUE(parse_runstate(&lines[i], &event)) {
			TH_LOG("%s", lines[i].text);
		}
		EXPECT_EQ(VCPU_ID, event.id);
		if (i)
			EXPECT_STREQ(before.now, event.old);
		next += next < ARRAY_SIZE(order) && !strcmp(states[order[next]], event.now);
		elapsed += event.elapsed;
		steal += event.steal;
		before = event;
	}
	EXPECT_EQ(ARRAY_SIZE(order), next);
	EXPECT_STREQ(states[rs.u.runstate.state], before.now);
	EXPECT_EQ(rs.u.runstate.state_entry_time, elapsed);
	EXPECT_EQ(rs.u.runstate.time_runnable, steal);
	EXPECT_LE(LONG_WAIT, steal);
}

TEST_F(vcpu_time_trace, calls_of_attributes_are_shown_with_their_results)
{
	static const char *const texts[] = {
		"vcpu 3 HAS group 0 attr 0 result 0 ",
		"vcpu 3 GET group 0 attr 0 result 0 ",
		"vcpu 3 SET group 0 attr 0 result 0 ",
		"vcpu 3 SET group 0 attr 0 result -14 ",
		"vcpu 3 GET group 0 attr 99 result -6 ",
		"vcpu 3 HAS group -1 attr 0 result -6 ",
	};
	u64 offset;

	trace_enable(&self->trace, "kvm_vcpu_attr");
	attr_has(self->vcpu, KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET);
	attr_get(self->vcpu, KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET, &offset);
	attr_set(self->vcpu, KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET, &offset);
	attr_set(self->vcpu, KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET, NULL);
	attr_get(self->vcpu, KVM_VCPU_TSC_CTRL, 99, &offset);
	attr_has(self->vcpu, UNKNOWN_GROUP, 0);
	expect_attr_lines(_metadata, &self->trace, texts, ARRAY_SIZE(texts));
}

/* The type stands in place of the attribute: 3 is RUNSTATE_CURRENT, 4 RUNSTATE_DATA. */
TEST_F(vcpu_time_trace, calls_of_xen_attributes_are_shown_with_their_results)
{
	static const char *const texts[] = {
		"vcpu 3 XEN_GET group 0 attr 4 result 0 ",
		"vcpu 3 XEN_SET group 0 attr 3 result 0 ",
		"vcpu 3 XEN_SET group 0 attr 3 result -22 ",
	};

	xen_enable_runstate(self->vm);
	trace_enable(&self->trace, "kvm_vcpu_attr");
	runstate_get(self->vcpu);
	EXPECT_EQ(0, __runstate_set_current(self->vcpu, RUNSTATE_blocked));
	EXPECT_EQ(-EINVAL, __runstate_set_current(self->vcpu, RUNSTATE_offline + 1));
	expect_attr_lines(_metadata, &self->trace, texts, ARRAY_SIZE(texts));
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_BINARY_STATS_FD));
	require_trace();

	return test_harness_run(argc, argv);
}
