// SPDX-License-Identifier: GPL-2.0-only
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
static void pmu_irq_agrees(struct kunit *test)
{
	static const struct {
		int taken[2];
		int irq;
		bool agrees;
	} rows[] = {
		{ { }, 16, true }, { { }, 31, true }, { { }, 32, true }, { { }, 1019, true },
		/* one PPI for all */
		{ { 23 }, 23, true }, { { 23 }, 22, false }, { { 23 }, 24, false },
		/* an SPI for each */
		{ { 40 }, 41, true }, { { 40 }, 39, true }, { { 40 }, 40, false },
		{ { 32, 1019 }, 33, true }, { { 32, 1019 }, 1019, false },
		/* not both */
		{ { 23 }, 40, false }, { { 40 }, 23, false },
		{ { 31 }, 32, false }, { { 32 }, 31, false }, { { 1019 }, 16, false },
	};
	int i, j;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		DECLARE_BITMAP(taken, KVM_PMU_NR_IRQS) = {};

		for (j = 0; j < ARRAY_SIZE(rows[i].taken) && rows[i].taken[j]; j++)
			__set_bit(rows[i].taken[j], taken);

		KUNIT_EXPECT_EQ_MSG(test, kvm_pmu_irq_agrees(taken, rows[i].irq), rows[i].agrees,
				    "%d beside %d and %d", rows[i].irq, rows[i].taken[0],
				    rows[i].taken[1]);
	}
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
	KUNIT_CASE(pmu_irq_agrees),
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
