// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the vCPU attribute tables: what makes one sane, and look-ups.
 */
#include <kunit/test.h>
#include <linux/kvm_host.h>

#include <kvm/vcpu_attr.h>

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

#define ROW(_group, _attr, _size, _get, _set) \
	{ .group = _group, .attr = _attr, .size = _size, .get = _get, .set = _set }

static const struct sane_row {
	const char *name;
	struct kvm_vcpu_attr rows[3];
	size_t nr;
	bool sane;
} sane_rows[] = {
	{ "no rows", {}, 0, true },
	{ "all kinds", {
		ROW(0, 0, 4, get_nothing, set_nothing),
		ROW(0, 1, 0, NULL, set_nothing),
		ROW(1, 0, 8, get_nothing, NULL) }, 3, true },
	{ "twice the same", {
		ROW(0, 1, 4, get_nothing, set_nothing),
		ROW(0, 1, 4, get_nothing, set_nothing) }, 2, false },
	{ "attributes unsorted", {
		ROW(0, 1, 4, get_nothing, set_nothing),
		ROW(0, 0, 4, get_nothing, set_nothing) }, 2, false },
	{ "groups unsorted", {
		ROW(1, 0, 4, get_nothing, set_nothing),
		ROW(0, 1, 4, get_nothing, set_nothing) }, 2, false },
	{ "of no use", { ROW(0, 0, 4, NULL, NULL) }, 1, false },
	{ "a value without a size", { ROW(0, 0, 0, get_nothing, NULL) }, 1, false },
	{ "too large", { ROW(0, 0, KVM_VCPU_ATTR_MAX_SIZE + 1, get_nothing, set_nothing) }, 1, false },
};

static void tables_are_checked(struct kunit *test)
{
	const struct sane_row *row;
	int i;

	for (i = 0; i < ARRAY_SIZE(sane_rows); i++) {
		row = &sane_rows[i];
		const struct kvm_vcpu_attr_table table = { row->rows, row->nr };

		KUNIT_EXPECT_EQ_MSG(test, kvm_vcpu_attr_table_sane(&table), row->sane,
				    "%s", row->name);
	}
}

static void own_table_is_sane(struct kunit *test)
{
	KUNIT_EXPECT_GT(test, kvm_arch_vcpu_attrs.nr, 0);
	KUNIT_EXPECT_TRUE(test, kvm_vcpu_attr_table_sane(&kvm_arch_vcpu_attrs));
}

static void attributes_are_found(struct kunit *test)
{
	static const struct kvm_vcpu_attr rows[] = {
		ROW(0, 0, 4, get_nothing, set_nothing),
		ROW(0, 3, 4, get_nothing, set_nothing),
		ROW(2, 0, 8, get_nothing, set_nothing),
	};
	const struct kvm_vcpu_attr_table table = { rows, ARRAY_SIZE(rows) };

	KUNIT_EXPECT_PTR_EQ(test, kvm_vcpu_attr_find(&table, 0, 0), &rows[0]);
	KUNIT_EXPECT_PTR_EQ(test, kvm_vcpu_attr_find(&table, 0, 3), &rows[1]);
	KUNIT_EXPECT_PTR_EQ(test, kvm_vcpu_attr_find(&table, 2, 0), &rows[2]);
	KUNIT_EXPECT_NULL(test, kvm_vcpu_attr_find(&table, 0, 1));
	KUNIT_EXPECT_NULL(test, kvm_vcpu_attr_find(&table, 1, 0));
	KUNIT_EXPECT_NULL(test, kvm_vcpu_attr_find(&table, 2, 1ULL << 32));
	KUNIT_EXPECT_NULL(test, kvm_vcpu_attr_find(&table, 3, 0));
}

static struct kunit_case attr_cases[] = {
	KUNIT_CASE(tables_are_checked),
	KUNIT_CASE(own_table_is_sane),
	KUNIT_CASE(attributes_are_found),
	{}
};

static struct kunit_suite attr_suite = {
	.name = "kvm_vcpu_attr",
	.test_cases = attr_cases,
};

kunit_test_suite(attr_suite);
