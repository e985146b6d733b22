/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * Shared by the KUnit suites of vCPU attributes.
 */
#ifndef __KVM_VCPU_ATTR_KUNIT_H
#define __KVM_VCPU_ATTR_KUNIT_H

#include <kunit/test.h>
#include <linux/kvm_host.h>
#include <linux/string.h>

#include <kvm/vcpu_attr.h>

/**
 * kvm_vcpu_attr_group_sane - check the rows of a group
 * @group: the group
 *
 * Context: any.
 * Return: true if payloads fit: what can be got has one, and none is too large.
 */
static inline bool
kvm_vcpu_attr_group_sane(const struct kvm_vcpu_attr_group *group)
{
	const struct kvm_vcpu_attr *row;

	for (row = group->rows; row < group->rows + group->nr; row++) {
		if (row->size > KVM_VCPU_ATTR_MAX_SIZE || (row->get && !row->size))
			return false;
	}

	return true;
}

/**
 * kvm_vcpu_attr_bytes_written - find the bytes of its payload that a getter writes
 * @vcpu: the vCPU
 * @row: an attribute that has a value
 * @written: a byte for each of KVM_VCPU_ATTR_MAX_SIZE; set to 1 or 0
 *
 * The getter is called twice, over two patterns which have no byte in common.
 *
 * Return: 0, or the error of the getter.
 */
static inline int kvm_vcpu_attr_bytes_written(struct kvm_vcpu *vcpu,
					      const struct kvm_vcpu_attr *row, u8 *written)
{
	u64 payload[2][KVM_VCPU_ATTR_MAX_SIZE / sizeof(u64)];
	int i, r;

	for (i = 0; i < 2; i++) {
		memset(payload[i], i ? 0x5a : 0xa5, sizeof(payload[i]));
		r = row->get(vcpu, row, payload[i]);
		if (r)
			return r;
	}

	for (i = 0; i < KVM_VCPU_ATTR_MAX_SIZE; i++)
		written[i] = ((u8 *)payload[0])[i] != 0xa5 || ((u8 *)payload[1])[i] != 0x5a;

	return 0;
}

/**
 * kvm_vcpu_attr_expect_filled - expect that getters write their payload, and no more
 * @test: the test
 * @vcpu: the vCPU
 * @group: the attributes
 *
 * Return: how many attributes have a value that could be got.
 */
static inline int kvm_vcpu_attr_expect_filled(struct kunit *test, struct kvm_vcpu *vcpu,
					      const struct kvm_vcpu_attr_group *group)
{
	const struct kvm_vcpu_attr *row;
	u8 written[KVM_VCPU_ATTR_MAX_SIZE];
	int nr = 0;

	guard(mutex)(&vcpu->mutex);

	for (row = group->rows; row < group->rows + group->nr; row++) {
		if (!row->get || kvm_vcpu_attr_bytes_written(vcpu, row, written))
			continue;

		KUNIT_EXPECT_NULL_MSG(test, memchr(written, 0, row->size),
				      "attribute %zd: not all of %u bytes are written",
				      row - group->rows, row->size);
		KUNIT_EXPECT_NULL_MSG(test,
				      memchr(written + row->size, 1, sizeof(written) - row->size),
				      "attribute %zd: more than %u bytes are written",
				      row - group->rows, row->size);
		nr++;
	}

	return nr;
}

/**
 * kvm_vcpu_attr_fake_vcpu - a vCPU for getters that only read from it
 * @test: the test
 *
 * All of it is 0, but for its mutex and its VM, all of which is 0.  It cannot be
 * loaded.
 *
 * Return: the vCPU, which is freed when the test ends.
 */
static inline struct kvm_vcpu *kvm_vcpu_attr_fake_vcpu(struct kunit *test)
{
	struct kvm_vcpu *vcpu = kunit_kzalloc(test, sizeof(*vcpu), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, vcpu);
	mutex_init(&vcpu->mutex);
	vcpu->kvm = kunit_kzalloc(test, sizeof(*vcpu->kvm), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, vcpu->kvm);
	return vcpu;
}

#endif /* __KVM_VCPU_ATTR_KUNIT_H */
