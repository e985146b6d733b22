// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * Without a tracepoint, which a later patch adds.
 */

/**
 * kvm_vcpu_attr_ioctl - handle KVM_HAS/GET/SET_DEVICE_ATTR on a vCPU
 * @vcpu: the vCPU
 * @ioctl: KVM_HAS_DEVICE_ATTR, KVM_GET_DEVICE_ATTR or KVM_SET_DEVICE_ATTR
 * @argp: a struct kvm_device_attr; its flags are ignored
 *
 * An attribute which is unknown, or which the host does not offer, is ENXIO
 * whatever else is wrong with the call, and so is one that has no value to get or
 * cannot be set.  HAS checks nothing but @argp, the host and the vCPU's features,
 * and does not access any other user memory.
 *
 * Context: process context, with vcpu->mutex held.  May sleep.
 * Return: 0 or a negative errno; see Documentation/virt/kvm/devices/vcpu.rst.
 */
int kvm_vcpu_attr_ioctl(struct kvm_vcpu *vcpu, unsigned int ioctl, void __user *argp)
{
	struct kvm_device_attr attr;

	if (copy_from_user(&attr, argp, sizeof(attr)))
		return -EFAULT;

	return attr_call(vcpu, ioctl, &attr);
}

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
