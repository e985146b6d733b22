/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the KUnit suites of vCPU attributes share.
 */
#ifndef __KVM_VCPU_ATTR_KUNIT_H
#define __KVM_VCPU_ATTR_KUNIT_H

#include <kvm/vcpu_attr.h>

/**
 * kvm_vcpu_attr_group_sane - do the rows of a group make sense?
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

#endif /* __KVM_VCPU_ATTR_KUNIT_H */
