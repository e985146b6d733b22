// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * vCPU attributes of a VM with many vCPUs: numbers of interrupts agree among all of
 * them, and the first of them to run, whichever it is, ends what can be set.
 *
 * To create a vgic, KVM takes the lock of each vCPU, which with so many of them are
 * more than lockdep follows: it turns itself off until the next boot.
 */
#include "arm_vcpu_attr.h"
#include "kvm_test_harness.h"

#define NR_VCPUS	64
#define LAST		(NR_VCPUS - 1)
#define MIDDLE		(NR_VCPUS / 2)

/* An SPI for each vCPU, and one more. */
#define NR_MANY_LINES	(2 * NR_VCPUS)
#define SPI(_i)		(32 + (_i))

/* Numbers that no timer has by default. */
#define PPI_A		20
#define PPI_B		21

#define ST_IPA(_i)	(ST_GPA + 64 * (_i))

static void guest_asks_for_stolen_time(void)
{
	struct arm_smccc_res res;

	for (;;) {
		smccc_hvc(PV_TIME_ST, 0, 0, 0, 0, 0, 0, 0, &res);
		GUEST_SYNC(res.a0);
	}
}

FIXTURE(vcpu_attr_many) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpus[NR_VCPUS];
	bool pmu;
};

FIXTURE_SETUP(vcpu_attr_many)
{
	const u32 lines = NR_MANY_LINES;
	int gic_fd;

	self->pmu = host_has_pmu();
	self->vm = create_vm_without_vgic(NR_VCPUS);
	add_st_slot(self->vm, 0);
	for (int i = 0; i < NR_VCPUS; i++)
		self->vcpus[i] = add_vcpu(self->vm, i, self->pmu, guest_asks_for_stolen_time);

	gic_fd = create_vgic(self->vm);
	kvm_device_attr_set(gic_fd, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, (void *)&lines);
	place_vgic(self->vm, gic_fd);
	init_vgic(gic_fd);
	close(gic_fd);
}

FIXTURE_TEARDOWN(vcpu_attr_many)
{
	kvm_vm_free(self->vm);
}

static void start_pmus(struct kvm_vcpu **vcpus, bool pmu)
{
	for (int i = 0; pmu && i < NR_VCPUS; i++)
		start_pmu(vcpus[i]);
}

TEST_F(vcpu_attr_many, ppi_of_the_pmu_is_the_same_on_all)
{
	if (!self->pmu)
		SKIP(return, "no PMU");

	for (int i = 0; i < LAST; i++)
		ASSERT_EQ(0, pmu_set_irq(self->vcpus[i], PMU_PPI));
	EXPECT_EQ(-EINVAL, pmu_set_irq(self->vcpus[LAST], PMU_PPI + 1));
	EXPECT_EQ(-EINVAL, pmu_set_irq(self->vcpus[LAST], SPI(LAST)));
	EXPECT_EQ(-ENXIO, pmu_get_irq(self->vcpus[LAST]));
	EXPECT_EQ(0, pmu_set_irq(self->vcpus[LAST], PMU_PPI));

	for (int i = 0; i < NR_VCPUS; i++) {
		EXPECT_EQ(PMU_PPI, pmu_get_irq(self->vcpus[i]));
		EXPECT_EQ(-EBUSY, pmu_set_irq(self->vcpus[i], PMU_PPI));
		EXPECT_EQ(0, pmu_init(self->vcpus[i]));
		EXPECT_EQ(-EBUSY, pmu_init(self->vcpus[i]));
	}
}

/* Whichever vCPU has the SPI, or the PPI, it is found. */
TEST_F(vcpu_attr_many, spi_of_the_pmu_is_each_ones_own)
{
	if (!self->pmu)
		SKIP(return, "no PMU");

	for (int i = 0; i < NR_VCPUS; i++) {
		for (int taken = 0; taken < i; taken++) {
			EXPECT_EQ(-EINVAL, pmu_set_irq(self->vcpus[i], SPI(taken))) {
				TH_LOG("vCPU %d has the SPI of vCPU %d", i, taken);
			}
		}
		if (i)
			EXPECT_EQ(-EINVAL, pmu_set_irq(self->vcpus[i], PMU_PPI));
		EXPECT_EQ(0, pmu_set_irq(self->vcpus[i], SPI(i)));
	}
	for (int i = 0; i < NR_VCPUS; i++) {
		EXPECT_EQ(SPI(i), pmu_get_irq(self->vcpus[i]));
		EXPECT_EQ(0, pmu_init(self->vcpus[i]));
	}
	EXPECT_EQ(-EINTR, run_immediate_exit(self->vcpus[LAST]));
}

TEST_F(vcpu_attr_many, filter_is_too_late_once_any_pmu_is_initialized)
{
	if (!self->pmu)
		SKIP(return, "no PMU");

	EXPECT_EQ(0, pmu_filter(self->vcpus[0], 1, 1, KVM_PMU_EVENT_DENY));
	EXPECT_EQ(0, pmu_filter(self->vcpus[LAST], 2, 1, KVM_PMU_EVENT_DENY));
	start_pmu(self->vcpus[MIDDLE]);
	for (int i = 0; i < NR_VCPUS; i++)
		EXPECT_EQ(-EBUSY, pmu_filter(self->vcpus[i], 3, 1, KVM_PMU_EVENT_DENY));
}

TEST_F(vcpu_attr_many, ppis_of_timers_are_those_of_all)
{
	for (int i = 0; i < NR_VCPUS; i++) {
		EXPECT_EQ(0, timer_set_irq(self->vcpus[i], VTIMER, i % 2 ? PPI_A : PPI_B));
		for (int j = 0; j < NR_VCPUS; j++)
			EXPECT_EQ(i % 2 ? PPI_A : PPI_B, timer_get_irq(self->vcpus[j], VTIMER));
	}
}

static void expect_numbers_are_fixed(struct __test_metadata *_metadata,
				     struct kvm_vcpu **vcpus, bool pmu)
{
	for (int i = 0; i < NR_VCPUS; i++) {
		EXPECT_EQ(-EBUSY, timer_set_irq(vcpus[i], VTIMER, PPI_B)) {
			TH_LOG("vCPU %d", i);
		}
		EXPECT_EQ(PPI_A, timer_get_irq(vcpus[i], VTIMER));
		if (pmu)
			EXPECT_EQ(-EBUSY, pmu_filter(vcpus[i], 3, 1, KVM_PMU_EVENT_DENY));
	}
}

TEST_F(vcpu_attr_many, numbers_are_fixed_when_the_last_one_runs_first)
{
	start_pmus(self->vcpus, self->pmu);
	ASSERT_EQ(0, timer_set_irq(self->vcpus[0], VTIMER, PPI_A));
	ASSERT_EQ(-EINTR, run_immediate_exit(self->vcpus[LAST]));
	expect_numbers_are_fixed(_metadata, self->vcpus, self->pmu);
	for (int i = LAST; i >= 0; i--)
		EXPECT_EQ(-EINTR, run_immediate_exit(self->vcpus[i]));
}

TEST_F(vcpu_attr_many, numbers_are_fixed_when_one_in_the_middle_runs_first)
{
	start_pmus(self->vcpus, self->pmu);
	ASSERT_EQ(0, timer_set_irq(self->vcpus[LAST], VTIMER, PPI_A));
	ASSERT_EQ(-EINTR, run_immediate_exit(self->vcpus[MIDDLE]));
	expect_numbers_are_fixed(_metadata, self->vcpus, self->pmu);
	for (int i = 0; i < NR_VCPUS; i++)
		EXPECT_EQ(-EINTR, run_immediate_exit(self->vcpus[(MIDDLE + i) % NR_VCPUS]));
}

/* Nor do runs that fail, of however many vCPUs, fix anything. */
TEST_F(vcpu_attr_many, runs_that_fail_leave_the_numbers_open)
{
	start_pmus(self->vcpus, self->pmu);
	ASSERT_EQ(0, timer_set_irq(self->vcpus[0], VTIMER, PPI_A));
	ASSERT_EQ(0, timer_set_irq(self->vcpus[0], PTIMER, PPI_A));
	for (int i = 0; i < NR_VCPUS; i++)
		EXPECT_EQ(-EINVAL, run_immediate_exit(self->vcpus[i]));

	EXPECT_EQ(0, timer_set_irq(self->vcpus[LAST], PTIMER, PPI_B));
	for (int i = 0; i < NR_VCPUS; i++)
		EXPECT_EQ(-EINTR, run_immediate_exit(self->vcpus[i]));
}

TEST_F(vcpu_attr_many, stolen_time_of_each_is_where_it_was_set)
{
	struct ucall uc;

	if (!kvm_has_cap(KVM_CAP_STEAL_TIME))
		SKIP(return, "no stolen time");

	start_pmus(self->vcpus, self->pmu);
	for (int i = 0; i < NR_VCPUS; i++)
		ASSERT_EQ(0, pvtime_set_ipa(self->vcpus[i], ST_IPA(i)));
	for (int i = 0; i < NR_VCPUS; i++) {
		EXPECT_EQ(ST_IPA(i), pvtime_get_ipa(self->vcpus[i]));
		EXPECT_EQ(-EEXIST, pvtime_set_ipa(self->vcpus[i], ST_IPA(LAST - i)));
		vcpu_run(self->vcpus[i]);
		ASSERT_EQ(UCALL_SYNC, get_ucall(self->vcpus[i], &uc));
		EXPECT_EQ(ST_IPA(i), uc.args[1]);
	}
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(!__kvm_test_create_device(vm_create_barebones(), KVM_DEV_TYPE_ARM_VGIC_V3));
	TEST_REQUIRE(kvm_check_cap(KVM_CAP_MAX_VCPUS) >= NR_VCPUS);

	return test_harness_run(argc, argv);
}
