// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * KUnit tests of the vCPU attribute tables: what makes rows sane, look-ups, and the
 * copies of payloads.
 */
#include <linux/mman.h>
#include <linux/uaccess.h>

#include <kvm/vcpu_attr_kunit.h>

/* Fills user memory, and the stack, before a call. */
#define CANARY	0xa5

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
	{ "an unused number", { {}, { .size = 8, .get = get_nothing } }, 2, true },
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

/* Write the bytes whose bits are set in the row's data. */
static int get_some_bytes(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			  void *payload)
{
	const unsigned long bytes = row->data;
	u8 *byte = payload;
	int i;

	for_each_set_bit(i, &bytes, BITS_PER_LONG)
		byte[i] = i + 1;
	return 0;
}

static int get_error(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, void *payload)
{
	memset(payload, 0, row->size);
	return -EEXIST;
}

static void written_bytes_are_found(struct kunit *test)
{
	static const unsigned long bytes[] = { 0, 1, 0x80, 0xff, 0xf0ff, 0x80000001 };
	u8 written[KVM_VCPU_ATTR_MAX_SIZE];
	int i, n;

	for (n = 0; n < ARRAY_SIZE(bytes); n++) {
		const struct kvm_vcpu_attr row = {
			.size = 8, .data = bytes[n], .get = get_some_bytes,
		};

		KUNIT_ASSERT_EQ(test, kvm_vcpu_attr_bytes_written(NULL, &row, written), 0);
		for (i = 0; i < sizeof(written); i++)
			KUNIT_EXPECT_EQ_MSG(test, written[i], i < 32 && bytes[n] & BIT(i % 32),
					    "byte %d of 0x%lx", i, bytes[n]);
	}
}

/* What the next call finds on the stack. */
static noinline void paint_stack(void)
{
	u8 stack[512];

	memset(stack, CANARY, sizeof(stack));
	barrier_data(stack);
}

/* A page of the test's own user memory. */
static u8 __user *user_page(struct kunit *test)
{
	unsigned long addr;

	addr = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, addr, 0UL);
	KUNIT_ASSERT_LT(test, addr, (unsigned long)TASK_SIZE);
	return (u8 __user *)addr;
}

/* The last bytes of a page, behind which there is no memory. */
static void payload_is_copied_out(struct kunit *test)
{
	static const u8 holes[] = { 0x00, 0x01, 0x7e, 0xff };
	u8 __user *page = user_page(test), *payload;
	u8 bytes[KVM_VCPU_ATTR_MAX_SIZE + 1];
	int hole, i;
	u32 size;

	for (size = 1; size <= KVM_VCPU_ATTR_MAX_SIZE; size++) {
		for (hole = 0; hole < ARRAY_SIZE(holes); hole++) {
			const struct kvm_vcpu_attr row = {
				.size = size,
				.data = ~holes[hole] & GENMASK(min(size, 32U) - 1, 0),
				.get = get_some_bytes,
			};

			memset(bytes, CANARY, sizeof(bytes));
			payload = page + PAGE_SIZE - size;
			KUNIT_ASSERT_EQ(test, copy_to_user(payload - 1, bytes, size + 1), 0);

			paint_stack();
			KUNIT_ASSERT_EQ(test, kvm_vcpu_attr_get(NULL, &row, payload), 0);

			KUNIT_ASSERT_EQ(test, copy_from_user(bytes, payload - 1, size + 1), 0);
			KUNIT_EXPECT_EQ(test, bytes[0], CANARY);
			for (i = 0; i < size; i++)
				KUNIT_EXPECT_EQ_MSG(test, bytes[i + 1],
						    i < 32 && row.data & BIT(i % 32) ? i + 1 : 0,
						    "byte %d of %u, written 0x%lx", i, size,
						    row.data);
		}
	}
}

static void refused_get_copies_nothing(struct kunit *test)
{
	const struct kvm_vcpu_attr refused = { .size = 8, .get = get_error };
	const struct kvm_vcpu_attr row = { .size = 8, .data = 0xff, .get = get_some_bytes };
	u8 __user *page = user_page(test);
	u64 value = 42;

	KUNIT_ASSERT_EQ(test, copy_to_user(page, &value, sizeof(value)), 0);
	KUNIT_EXPECT_EQ(test, kvm_vcpu_attr_get(NULL, &refused, page), -EEXIST);
	KUNIT_ASSERT_EQ(test, copy_from_user(&value, page, sizeof(value)), 0);
	KUNIT_EXPECT_EQ(test, value, 42);

	KUNIT_EXPECT_EQ(test, kvm_vcpu_attr_get(NULL, &row, page + PAGE_SIZE - 4), -EFAULT);
	KUNIT_EXPECT_EQ(test, kvm_vcpu_attr_get(NULL, &refused, page + PAGE_SIZE - 4), -EEXIST);
}

/* The payload that a SET has brought, as the test's own. */
static int set_own(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, const void *payload)
{
	memcpy((void *)row->data, payload, row->size);
	return 0;
}

static int never_ready(struct kvm_vcpu *vcpu)
{
	return -EEXIST;
}

static void payload_is_copied_in(struct kunit *test)
{
	u8 sent[KVM_VCPU_ATTR_MAX_SIZE], got[KVM_VCPU_ATTR_MAX_SIZE];
	u8 __user *page = user_page(test);
	struct kvm_vcpu_attr row = { .data = (unsigned long)got, .set = set_own };
	int i;

	for (i = 0; i < sizeof(sent); i++)
		sent[i] = i + 1;

	for (row.size = 0; row.size <= KVM_VCPU_ATTR_MAX_SIZE; row.size++) {
		u8 __user *payload = page + PAGE_SIZE - row.size;

		memset(got, 0, sizeof(got));
		KUNIT_ASSERT_EQ(test, copy_to_user(payload, sent, row.size), 0);
		KUNIT_EXPECT_EQ(test, kvm_vcpu_attr_set(NULL, &row, payload), 0);
		KUNIT_EXPECT_MEMEQ(test, got, sent, row.size);
		KUNIT_EXPECT_NULL(test, memchr_inv(got + row.size, 0, sizeof(got) - row.size));

		memset(got, 0, sizeof(got));
		KUNIT_EXPECT_EQ(test, kvm_vcpu_attr_set(NULL, &row, payload + 1),
				row.size ? -EFAULT : 0);
		KUNIT_EXPECT_NULL(test, memchr_inv(got, 0, sizeof(got)));
	}

	row.size = 8;
	row.ready = never_ready;
	KUNIT_EXPECT_EQ(test, kvm_vcpu_attr_set(NULL, &row, page), -EEXIST);
	KUNIT_EXPECT_EQ(test, kvm_vcpu_attr_set(NULL, &row, page + PAGE_SIZE), -EEXIST);
}

static struct kunit_case attr_cases[] = {
	KUNIT_CASE(groups_are_checked),
	KUNIT_CASE(own_groups_are_sane),
	KUNIT_CASE(attributes_are_found),
	KUNIT_CASE(written_bytes_are_found),
	KUNIT_CASE(payload_is_copied_out),
	KUNIT_CASE(refused_get_copies_nothing),
	KUNIT_CASE(payload_is_copied_in),
	{}
};

static struct kunit_suite attr_suite = {
	.name = "kvm_vcpu_attr",
	.test_cases = attr_cases,
};

kunit_test_suite(attr_suite);
