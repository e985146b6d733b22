// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the arm64 vCPU attributes: which interrupt numbers go together.
 */
#include <kunit/test.h>
#include <linux/kvm_host.h>

#include "pmu_attr.h"
#include "timer_ppis.h"

static void timer_ppis_differ(struct kunit *test)
{
	static const struct {
		u8 ppi[4];
		int nr;
		bool differ;
	} rows[] = {
		{ { 27, 30, 28, 26 }, 4, true },
		{ { 27, 27, 28, 26 }, 4, false },
		{ { 27, 30, 30, 26 }, 4, false },
		{ { 31, 30, 28, 31 }, 4, false },
		{ { 16, 31, 16, 16 }, 2, true },
		{ { 16, 16, 28, 26 }, 2, false },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		KUNIT_EXPECT_EQ_MSG(test, kvm_timer_ppis_differ(rows[i].ppi, rows[i].nr),
				    rows[i].differ, "row %d", i);
}

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

static struct kunit_case attr_cases[] = {
	KUNIT_CASE(timer_ppis_differ),
#if IS_ENABLED(CONFIG_HW_PERF_EVENTS)
	KUNIT_CASE(pmu_irqs_agree),
#endif
	{}
};

static struct kunit_suite attr_suite = {
	.name = "kvm_arm_vcpu_attr",
	.test_cases = attr_cases,
};

kunit_test_suite(attr_suite);
