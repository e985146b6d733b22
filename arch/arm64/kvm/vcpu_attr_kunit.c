// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * KUnit tests of the arm64 vCPU attributes: which interrupt numbers go together, and
 * what getters write.
 */
#include <linux/bitmap.h>
#include <linux/kvm_host.h>

#include <kvm/arm_arch_timer.h>
#include <kvm/arm_pmu.h>
#include <kvm/arm_vgic.h>
#include <kvm/vcpu_attr_kunit.h>

#if IS_ENABLED(CONFIG_HW_PERF_EVENTS)
static const struct {
	const char *name;
	int taken[2];
	int irq;
	bool agrees;
} pmu_irq_rows[] = {
	{ "the first PPI, of none",	{ },		16,	true },
	{ "the last PPI, of none",	{ },		31,	true },
	{ "the first SPI, of none",	{ },		32,	true },
	{ "the last SPI, of none",	{ },		1019,	true },
	{ "one PPI for all",		{ 23 },		23,	true },
	{ "a PPI below another",	{ 23 },		22,	false },
	{ "a PPI above another",	{ 23 },		24,	false },
	{ "an SPI above another",	{ 40 },		41,	true },
	{ "an SPI below another",	{ 40 },		39,	true },
	{ "an SPI that is taken",	{ 40 },		40,	false },
	{ "an SPI between two",		{ 32, 1019 },	33,	true },
	{ "the last SPI, taken",	{ 32, 1019 },	1019,	false },
	{ "an SPI beside a PPI",	{ 23 },		40,	false },
	{ "a PPI beside an SPI",	{ 40 },		23,	false },
	{ "the first SPI beside the last PPI", { 31 },	32,	false },
	{ "the last PPI beside the first SPI", { 32 },	31,	false },
	{ "the first PPI beside the last SPI", { 1019 }, 16,	false },
};

KUNIT_ARRAY_PARAM_DESC(pmu_irq, pmu_irq_rows, name);

static void pmu_irq_agrees(struct kunit *test)
{
	const typeof(pmu_irq_rows[0]) *row = test->param_value;
	DECLARE_BITMAP(taken, KVM_PMU_NR_IRQS) = {};
	int i;

	for (i = 0; i < ARRAY_SIZE(row->taken) && row->taken[i]; i++)
		__set_bit(row->taken[i], taken);

	KUNIT_EXPECT_EQ(test, kvm_pmu_irq_agrees(taken, row->irq), row->agrees);
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
	KUNIT_CASE_PARAM(pmu_irq_agrees, pmu_irq_gen_params),
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
