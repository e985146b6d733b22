// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the arm64 vCPU attributes: which interrupt numbers go together, and
 * what getters write.
 */
#include <kvm/vcpu_attr_kunit.h>

#include "pmu_attr.h"
#include "vcpu_attr.h"

#if IS_ENABLED(CONFIG_HW_PERF_EVENTS)
static void pmu_irqs_agree(struct kunit *test)
{
	static const struct {
		int a, b;
		bool agree;
	} rows[] = {
		{ 23, 23, true }, { 23, 24, false },	/* one PPI for all */
		{ 40, 41, true }, { 40, 40, false },	/* an SPI for each */
		{ 23, 40, false }, { 40, 23, false },	/* not both */
		{ 16, 31, false }, { 31, 32, false }, { 32, 1019, true },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		KUNIT_EXPECT_EQ_MSG(test, kvm_pmu_irqs_agree(rows[i].a, rows[i].b),
				    rows[i].agree, "%d and %d", rows[i].a, rows[i].b);
}
#endif

/* A vCPU with a vgic. */
static struct kvm_vcpu *fake_vcpu(struct kunit *test)
{
	struct kvm_vcpu *vcpu = kvm_vcpu_attr_fake_vcpu(test);

	vcpu->kvm->arch.vgic.in_kernel = true;
	return vcpu;
}

static void timer_getters_fill_their_payload(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, kvm_vcpu_attr_expect_filled(test, fake_vcpu(test),
							  &kvm_arm_timer_attrs), 4);
}

static void pvtime_getter_fills_its_payload(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, kvm_vcpu_attr_expect_filled(test, fake_vcpu(test),
							  &kvm_arm_pvtime_attrs), 1);
}

#if IS_ENABLED(CONFIG_HW_PERF_EVENTS)
static void pmu_getter_fills_its_payload(struct kunit *test)
{
	struct kvm_vcpu *vcpu = fake_vcpu(test);

	vcpu->arch.pmu.irq_num = 23;
	KUNIT_EXPECT_EQ(test, kvm_vcpu_attr_expect_filled(test, vcpu, &kvm_arm_pmu_attrs), 1);
}
#endif

static struct kunit_case attr_cases[] = {
#if IS_ENABLED(CONFIG_HW_PERF_EVENTS)
	KUNIT_CASE(pmu_irqs_agree),
	KUNIT_CASE(pmu_getter_fills_its_payload),
#endif
	KUNIT_CASE(timer_getters_fill_their_payload),
	KUNIT_CASE(pvtime_getter_fills_its_payload),
	{}
};

static struct kunit_suite attr_suite = {
	.name = "kvm_arm_vcpu_attr",
	.test_cases = attr_cases,
};

kunit_test_suite(attr_suite);
