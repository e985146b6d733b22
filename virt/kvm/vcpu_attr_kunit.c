// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the vCPU attribute tables: what makes rows sane, and look-ups.
 */
#include <kunit/test.h>
#include <linux/kvm_host.h>

#include <kvm/vcpu_attr_kunit.h>

static int get_nothing(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
		       void *payload)
{
	return 0;
}

static int set_nothing(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
		       const void *payload)
{
	return 0;
}

static const struct sane_row {
	const char *name;
	struct kvm_vcpu_attr rows[2];
	u32 nr;
	bool sane;
} sane_rows[] = {
	{ "no rows", {}, 0, true },
	{ "a value", { { .size = 4, .get = get_nothing, .set = set_nothing } }, 1, true },
	{ "only to be set", { { .set = set_nothing } }, 1, true },
	{ "a number that means nothing", { {}, { .size = 8, .get = get_nothing } }, 2, true },
	{ "the largest", { { .size = KVM_VCPU_ATTR_MAX_SIZE, .get = get_nothing } }, 1, true },
	{ "too large to get", { { .size = KVM_VCPU_ATTR_MAX_SIZE + 1, .get = get_nothing } },
	  1, false },
	{ "too large to set", { {}, { .size = KVM_VCPU_ATTR_MAX_SIZE + 1, .set = set_nothing } },
	  2, false },
	{ "a value without a size", { { .get = get_nothing } }, 1, false },
};

static void groups_are_checked(struct kunit *test)
{
	const struct sane_row *row;
	int i;

	for (i = 0; i < ARRAY_SIZE(sane_rows); i++) {
		row = &sane_rows[i];
		const struct kvm_vcpu_attr_group group = { .rows = row->rows, .nr = row->nr };

		KUNIT_EXPECT_EQ_MSG(test, kvm_vcpu_attr_group_sane(&group), row->sane,
				    "%s", row->name);
	}
}

static void own_groups_are_sane(struct kunit *test)
{
	const struct kvm_vcpu_attr_group *group;
	int i, nr = 0;

	for (i = 0; i < kvm_arch_vcpu_attrs.nr; i++) {
		group = kvm_arch_vcpu_attrs.groups[i];
		if (!group)
			continue;

		KUNIT_EXPECT_TRUE_MSG(test, kvm_vcpu_attr_group_sane(group), "group %d", i);
		KUNIT_EXPECT_TRUE_MSG(test, !group->feature || group->offered, "group %d", i);
		nr += group->nr;
	}

	KUNIT_EXPECT_GT(test, nr, 0);
}

static void attributes_are_found(struct kunit *test)
{
	static const struct kvm_vcpu_attr rows[] = {
		[0] = { .size = 4, .get = get_nothing },
		[2] = { .set = set_nothing },
	};
	const struct kvm_vcpu_attr_group group = { .rows = rows, .nr = ARRAY_SIZE(rows) };

	KUNIT_EXPECT_PTR_EQ(test, kvm_vcpu_attr_find(&group, 0), &rows[0]);
	KUNIT_EXPECT_PTR_EQ(test, kvm_vcpu_attr_find(&group, 2), &rows[2]);
	KUNIT_EXPECT_NULL(test, kvm_vcpu_attr_find(&group, 1));
	KUNIT_EXPECT_NULL(test, kvm_vcpu_attr_find(&group, 3));
	KUNIT_EXPECT_NULL(test, kvm_vcpu_attr_find(&group, 1ULL << 32));
	KUNIT_EXPECT_NULL(test, kvm_vcpu_attr_find(&group, U64_MAX));
}

static struct kunit_case attr_cases[] = {
	KUNIT_CASE(groups_are_checked),
	KUNIT_CASE(own_groups_are_sane),
	KUNIT_CASE(attributes_are_found),
	{}
};

static struct kunit_suite attr_suite = {
	.name = "kvm_vcpu_attr",
	.test_cases = attr_cases,
};

kunit_test_suite(attr_suite);
