// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * Attributes of a vCPU (KVM_HAS/GET/SET_DEVICE_ATTR), from tables.
 *
 * All architectures and attributes share the order in which a call is checked,
 * and all copies from and to user memory, which are done with no lock held but
 * vcpu->mutex.  Ioctls of their own, as Xen's, can be served from such rows too.
 */
#include <linux/kvm_host.h>
#include <linux/nospec.h>
#include <linux/uaccess.h>

#include <kvm/vcpu_attr.h>
#include <trace/events/kvm.h>

/**
 * kvm_vcpu_attr_find - look up an attribute
 * @group: the group to look in
 * @attr: the attribute's number
 *
 * Context: any.
 * Return: the row, or NULL if there is none or the host does not offer it.
 */
const struct kvm_vcpu_attr *kvm_vcpu_attr_find(const struct kvm_vcpu_attr_group *group,
					       u64 attr)
{
	const struct kvm_vcpu_attr *row;

	if (attr >= group->nr)
		return NULL;

	/* Below nr it fits a long, which is all that array_index_nospec() takes. */
	row = &group->rows[array_index_nospec((unsigned long)attr, group->nr)];
	if (!row->get && !row->set)
		return NULL;

	return !row->offered || row->offered() ? row : NULL;
}

/**
 * kvm_vcpu_attr_get - copy the value of an attribute to userspace
 * @vcpu: the vCPU, which has the feature that the attribute is about
 * @row: the attribute, which the host offers
 * @addr: where its &kvm_vcpu_attr.size bytes are to go
 *
 * Context: process context, with vcpu->mutex held.  May sleep.
 * Return: 0; -EFAULT if @addr cannot be written, or the error of the row's callback.
 */
int kvm_vcpu_attr_get(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, void __user *addr)
{
	/* Cleared, so that no kernel stack leaks through a getter that leaves a hole. */
	u64 payload[KVM_VCPU_ATTR_MAX_SIZE / sizeof(u64)] = {};
	int r;

	r = row->get(vcpu, row, payload);
	if (r)
		return r;

	return copy_to_user(addr, payload, row->size) ? -EFAULT : 0;
}

/**
 * kvm_vcpu_attr_set - set an attribute to a value from userspace
 * @vcpu: the vCPU, which has the feature that the attribute is about
 * @row: the attribute, which the host offers
 * @addr: its &kvm_vcpu_attr.size bytes
 *
 * Context: process context, with vcpu->mutex held.  May sleep.
 * Return: 0; -EFAULT if @addr cannot be read, or the error of the row's callbacks.
 */
int kvm_vcpu_attr_set(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, void __user *addr)
{
	u64 payload[KVM_VCPU_ATTR_MAX_SIZE / sizeof(u64)];
	int r;

	r = row->ready ? row->ready(vcpu) : 0;
	if (r)
		return r;

	if (copy_from_user(payload, addr, row->size))
		return -EFAULT;

	return row->set(vcpu, row, payload);
}

static const struct kvm_vcpu_attr_group *find_group(u32 number)
{
	const struct kvm_vcpu_attr_table *table = &kvm_arch_vcpu_attrs;

	if (number >= table->nr)
		return NULL;

	return table->groups[array_index_nospec(number, table->nr)];
}

static bool has_feature(const struct kvm_vcpu_attr_group *group, struct kvm_vcpu *vcpu)
{
	return !group->feature || group->feature(vcpu);
}

/* -ENODEV if only this vCPU lacks the feature, -ENXIO if the host does. */
static int no_feature(const struct kvm_vcpu_attr_group *group, const struct kvm_vcpu_attr *row)
{
	if (row->absent)
		return row->absent;

	return group->offered() ? -ENODEV : -ENXIO;
}

static int attr_call(struct kvm_vcpu *vcpu, unsigned int ioctl,
		     const struct kvm_device_attr *attr)
{
	const struct kvm_vcpu_attr_group *group;
	const struct kvm_vcpu_attr *row;

	group = find_group(attr->group);
	if (!group)
		return -ENXIO;

	row = kvm_vcpu_attr_find(group, attr->attr);
	if (!row)
		return -ENXIO;

	switch (ioctl) {
	case KVM_HAS_DEVICE_ATTR:
		return has_feature(group, vcpu) ? 0 : -ENXIO;
	case KVM_GET_DEVICE_ATTR:
		if (!row->get)
			return -ENXIO;
		if (!has_feature(group, vcpu))
			return no_feature(group, row);
		return kvm_vcpu_attr_get(vcpu, row, u64_to_user_ptr(attr->addr));
	case KVM_SET_DEVICE_ATTR:
		if (!row->set)
			return -ENXIO;
		if (!has_feature(group, vcpu))
			return no_feature(group, row);
		return kvm_vcpu_attr_set(vcpu, row, u64_to_user_ptr(attr->addr));
	default:
		return -ENOTTY;
	}
}

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
	int r;

	if (copy_from_user(&attr, argp, sizeof(attr)))
		return -EFAULT;

	r = attr_call(vcpu, ioctl, &attr);
	trace_kvm_vcpu_attr(vcpu, ioctl, attr.group, attr.attr, r, "");
	return r;
}

/**
 * kvm_vcpu_attr_run_fails - trace why KVM_RUN refuses a vCPU
 * @vcpu: the vCPU
 * @group: the group of the attribute that is wrong or missing, or KVM_VCPU_ATTR_NONE
 * @attr: its number
 * @error: what KVM_RUN returns
 * @reason: what is wrong, in words that do not change
 *
 * Context: process context, with vcpu->mutex held.
 * Return: @error.
 */
int kvm_vcpu_attr_run_fails(struct kvm_vcpu *vcpu, u32 group, u64 attr, int error,
			    const char *reason)
{
	trace_kvm_vcpu_attr(vcpu, KVM_RUN, group, attr, error, reason);
	return error;
}
