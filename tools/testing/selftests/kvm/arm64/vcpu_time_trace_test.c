// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * The tracepoints of a vCPU's stolen time and attributes: what they show adds up to the
 * statistic, and to the results of the calls, and they give the reason why KVM_RUN refuses a
 * vCPU.  Their fields and reasons are stable.
 */
#include "arm_vcpu_attr.h"
#include "kvm_test_harness.h"
#include "vcpu_trace_expect.h"

#define MSEC		1000000L
#define LONG_WAIT	(20 * MSEC)
#define NR_WAITS	3

FIXTURE(vcpu_time_trace) {
	struct trace trace;
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_SETUP(vcpu_time_trace)
{
	self->trace = trace_open();
	self->vm = create_vm_without_vgic(1);
	self->vcpu = add_vcpu(self->vm, 0, false, guest_exits);
}

/* More than that cannot be done with a VM that KVM has given up. */
FIXTURE_TEARDOWN(vcpu_time_trace)
{
	kvm_vm_release(self->vm);
	trace_close(&self->trace);
}

/* All vCPUs of a VM have a PMU, or none. */
FIXTURE(vcpu_time_trace_pmu) {
	struct trace trace;
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_SETUP(vcpu_time_trace_pmu)
{
	if (!host_has_pmu())
		SKIP(return, "this host has no PMU for guests");

	self->trace = trace_open();
	self->vm = create_vm_without_vgic(1);
	self->vcpu = add_vcpu(self->vm, 0, true, guest_exits);
}

FIXTURE_TEARDOWN(vcpu_time_trace_pmu)
{
	kvm_vm_free(self->vm);
	trace_close(&self->trace);
}

TEST_F(vcpu_time_trace, fields_are_stable)
{
	EXPECT_STREQ("vcpu_id ns", trace_fields(&self->trace, "kvm_steal").text);
	EXPECT_STREQ("vcpu_id ioctl group attr result reason",
		     trace_fields(&self->trace, "kvm_vcpu_attr").text);
}

static void run(struct kvm_vcpu *vcpu)
{
	TEST_ASSERT_EQ(run_to_sync(vcpu), 0);
}

TEST_F(vcpu_time_trace, steal_is_what_the_statistic_grows_by)
{
	if (!kvm_has_cap(KVM_CAP_STEAL_TIME))
		SKIP(return, "this host has no stolen time");

	expect_steal_adds_up(_metadata, &self->trace, self->vcpu, run, NR_WAITS, LONG_WAIT);
}

TEST_F(vcpu_time_trace, calls_are_shown_with_their_results)
{
	static const char *const texts[] = {
		"vcpu 0 HAS group 1 attr 0 result 0 ",
		"vcpu 0 GET group 1 attr 1 result 0 ",
		"vcpu 0 SET group 1 attr 0 result 0 ",
		"vcpu 0 SET group 1 attr 0 result -22 ",
		"vcpu 0 HAS group -1 attr 0 result -6 ",
	};

	add_vgic(self->vm);
	trace_enable(&self->trace, "kvm_vcpu_attr");
	attr_has(self->vcpu, TIMER, VTIMER);
	timer_get_irq(self->vcpu, PTIMER);
	timer_set_irq(self->vcpu, VTIMER, 20);
	timer_set_irq(self->vcpu, VTIMER, MIN_SPI);
	attr_has(self->vcpu, UNKNOWN_GROUP, 0);
	expect_attr_lines(_metadata, &self->trace, texts, ARRAY_SIZE(texts));
}

static void expect_reason(struct __test_metadata *_metadata, struct trace *trace,
			  struct kvm_vcpu *vcpu, int error, const char *text)
{
	trace_enable(trace, "kvm_vcpu_attr");
	EXPECT_EQ(error, run_immediate_exit(vcpu));
	expect_attr_lines(_metadata, trace, &text, 1);
}

TEST_F(vcpu_time_trace, run_with_a_ppi_of_two_timers_is_explained)
{
	add_vgic(self->vm);
	ASSERT_EQ(0, timer_set_irq(self->vcpu, VTIMER, 20));
	ASSERT_EQ(0, timer_set_irq(self->vcpu, PTIMER, 20));
	expect_reason(_metadata, &self->trace, self->vcpu, -EINVAL,
		      "vcpu 0 RUN group 1 attr 0 result -22 the PPI of a timer is taken");
}

/* KVM gives up a VM whose vgic cannot be used. */

TEST_F(vcpu_time_trace, run_with_a_vgic_without_address_is_explained)
{
	int gic_fd = create_vgic(self->vm);

	set_vgic_lines(gic_fd);
	init_vgic(gic_fd);
	expect_reason(_metadata, &self->trace, self->vcpu, -ENXIO,
		      "vcpu 0 RUN group -1 attr 0 result -6 the vgic lacks an address");
}

TEST_F(vcpu_time_trace, run_with_a_vgic_whose_frames_overlap_is_explained)
{
	u64 redist = REDIST_REGION_ATTR_ADDR(1, GICR_BASE_GPA, 0, 0);
	u64 dist = GICR_BASE_GPA;
	int gic_fd = create_vgic(self->vm);

	set_vgic_lines(gic_fd);
	kvm_device_attr_set(gic_fd, KVM_DEV_ARM_VGIC_GRP_ADDR,
			    KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION, &redist);
	kvm_device_attr_set(gic_fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &dist);
	init_vgic(gic_fd);
	expect_reason(_metadata, &self->trace, self->vcpu, -EINVAL,
		      "vcpu 0 RUN group -1 attr 0 result -22 frames of the vgic overlap");
}

TEST_F(vcpu_time_trace, run_with_a_vgic_without_init_is_explained)
{
	int gic_fd = create_vgic(self->vm);

	set_vgic_lines(gic_fd);
	place_vgic(self->vm, gic_fd);
	expect_reason(_metadata, &self->trace, self->vcpu, -EBUSY,
		      "vcpu 0 RUN group -1 attr 0 result -16 the vgic is not initialized");
}

TEST_F(vcpu_time_trace_pmu, run_without_init_of_the_pmu_is_explained)
{
	add_vgic(self->vm);
	expect_reason(_metadata, &self->trace, self->vcpu, -EINVAL,
		      "vcpu 0 RUN group 0 attr 1 result -22 the PMU is not initialized");
}

/* The PMU is initialized before the vgic, which has fewer lines. */
TEST_F(vcpu_time_trace_pmu, run_with_an_spi_that_the_vgic_lacks_is_explained)
{
	int gic_fd;

	ASSERT_EQ(0, pmu_init(self->vcpu));
	gic_fd = create_vgic(self->vm);
	ASSERT_EQ(0, pmu_set_irq(self->vcpu, NR_LINES));
	set_vgic_lines(gic_fd);
	place_vgic(self->vm, gic_fd);
	init_vgic(gic_fd);
	expect_reason(_metadata, &self->trace, self->vcpu, -EINVAL,
		      "vcpu 0 RUN group 0 attr 0 result -22 the vgic has no such SPI for the PMU");
}

TEST_F(vcpu_time_trace_pmu, run_with_a_ppi_of_timer_and_pmu_is_explained)
{
	ASSERT_EQ(0, pmu_init(self->vcpu));
	add_vgic(self->vm);
	ASSERT_EQ(0, pmu_set_irq(self->vcpu, default_ppis[VTIMER]));
	expect_reason(_metadata, &self->trace, self->vcpu, -EINVAL,
		      "vcpu 0 RUN group 1 attr 0 result -22 the PPI of a timer is taken");
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_BINARY_STATS_FD));
	require_trace();

	return test_harness_run(argc, argv);
}
