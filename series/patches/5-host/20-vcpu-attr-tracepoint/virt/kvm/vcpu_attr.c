// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * Without a callback that a later patch adds.
 */

/**
 * kvm_vcpu_attr_find - look up an attribute
 * @group: the group to look in
 * @attr: the attribute's number
 *
 * Context: any.
 * Return: the row, or NULL if there is none.
 */
const struct kvm_vcpu_attr *kvm_vcpu_attr_find(const struct kvm_vcpu_attr_group *group,
					       u64 attr)
{
	const struct kvm_vcpu_attr *row;

	if (attr >= group->nr)
		return NULL;

	/* Below nr it fits a long, which is all that array_index_nospec() takes. */
	row = &group->rows[array_index_nospec((unsigned long)attr, group->nr)];
	return row->get || row->set ? row : NULL;
}
