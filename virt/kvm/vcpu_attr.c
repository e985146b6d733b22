// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attributes of a vCPU (KVM_HAS/GET/SET_DEVICE_ATTR), from tables.
 *
 * All architectures and attributes share the order in which a call is checked,
 * and all copies from and to user memory, which are done with no lock held but
 * vcpu->mutex.  Ioctls of their own, as Xen's, can be served from such a table too.
 */
#include <linux/kvm.h>
#include <linux/uaccess.h>

#include <kvm/vcpu_attr.h>

/**
 * kvm_vcpu_attr_find - look up an attribute
 * @table: the table to look in
 * @group: the attribute's group
 * @attr: the attribute's number
 *
 * Context: any.
 * Return: the row, or NULL if there is none.
 */
const struct kvm_vcpu_attr *kvm_vcpu_attr_find(const struct kvm_vcpu_attr_table *table,
					       u32 group, u64 attr)
{
	const struct kvm_vcpu_attr *row;

	for (row = table->rows; row < table->rows + table->nr; row++) {
		if (row->group == group && row->attr == attr)
			return row;
	}

	return NULL;
}

/**
 * kvm_vcpu_attr_table_sane - do the rows of a table make sense?
 * @table: the table, which tests are expected to pass in
 *
 * Context: any.
 * Return: true if the rows are sorted without duplicates, each can be used, and
 *	   payloads fit: what can be got has one, and none is too large.
 */
bool kvm_vcpu_attr_table_sane(const struct kvm_vcpu_attr_table *table)
{
	const struct kvm_vcpu_attr *row, *last = NULL;

	for (row = table->rows; row < table->rows + table->nr; last = row++) {
		if (last && (last->group > row->group ||
			     (last->group == row->group && last->attr >= row->attr)))
			return false;
		if (!row->get && !row->set)
			return false;
		if (row->size > KVM_VCPU_ATTR_MAX_SIZE || (row->get && !row->size))
			return false;
	}

	return true;
}

static bool has_feature(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row)
{
	return !row->feature || row->feature(vcpu);
}

static int check_usable(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, bool set)
{
	if (!has_feature(vcpu, row))
		return -ENODEV;

	return row->ready ? row->ready(vcpu, set) : 0;
}

/**
 * kvm_vcpu_attr_get - tell userspace the value of an attribute
 * @vcpu: the vCPU
 * @row: the attribute, which the host offers
 * @addr: where its &kvm_vcpu_attr.size bytes are to go
 *
 * Context: process context, with vcpu->mutex held.  May sleep.
 * Return: 0; -ENXIO if the attribute has no value, -ENODEV if the vCPU lacks the
 *	   feature, -EFAULT if @addr cannot be written, or what the row's callbacks
 *	   say.
 */
int kvm_vcpu_attr_get(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, void __user *addr)
{
	u8 payload[KVM_VCPU_ATTR_MAX_SIZE] __aligned(sizeof(u64));
	int r;

	if (!row->get)
		return -ENXIO;

	r = check_usable(vcpu, row, false);
	if (r)
		return r;

	r = row->get(vcpu, row, payload);
	if (r)
		return r;

	return copy_to_user(addr, payload, row->size) ? -EFAULT : 0;
}

/**
 * kvm_vcpu_attr_set - set an attribute to what userspace says
 * @vcpu: the vCPU
 * @row: the attribute, which the host offers
 * @addr: its &kvm_vcpu_attr.size bytes
 *
 * Context: process context, with vcpu->mutex held.  May sleep.
 * Return: 0; -ENXIO if the attribute is read-only, -ENODEV if the vCPU lacks the
 *	   feature, -EFAULT if @addr cannot be read, or what the row's callbacks say.
 */
int kvm_vcpu_attr_set(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, void __user *addr)
{
	u8 payload[KVM_VCPU_ATTR_MAX_SIZE] __aligned(sizeof(u64));
	int r;

	if (!row->set)
		return -ENXIO;

	r = check_usable(vcpu, row, true);
	if (r)
		return r;

	if (copy_from_user(payload, addr, row->size))
		return -EFAULT;

	return row->set(vcpu, row, payload);
}

/**
 * kvm_vcpu_attr_ioctl - serve KVM_HAS/GET/SET_DEVICE_ATTR on a vCPU
 * @vcpu: the vCPU
 * @ioctl: KVM_HAS_DEVICE_ATTR, KVM_GET_DEVICE_ATTR or KVM_SET_DEVICE_ATTR
 * @argp: a struct kvm_device_attr; its flags are ignored
 *
 * An attribute which is unknown, or which the host does not offer, is ENXIO
 * whatever else is wrong with the call.  HAS does not look at user memory beyond
 * @argp, nor at more than the host and the vCPU's features.
 *
 * Context: process context, with vcpu->mutex held.  May sleep.
 * Return: 0 or a negative errno; see Documentation/virt/kvm/devices/vcpu.rst.
 */
int kvm_vcpu_attr_ioctl(struct kvm_vcpu *vcpu, unsigned int ioctl, void __user *argp)
{
	const struct kvm_vcpu_attr *row;
	struct kvm_device_attr attr;
	void __user *addr;

	if (copy_from_user(&attr, argp, sizeof(attr)))
		return -EFAULT;

	row = kvm_vcpu_attr_find(&kvm_arch_vcpu_attrs, attr.group, attr.attr);
	if (!row || (row->offered && !row->offered(vcpu)))
		return -ENXIO;

	addr = u64_to_user_ptr(attr.addr);

	switch (ioctl) {
	case KVM_HAS_DEVICE_ATTR:
		return has_feature(vcpu, row) ? 0 : -ENXIO;
	case KVM_GET_DEVICE_ATTR:
		return kvm_vcpu_attr_get(vcpu, row, addr);
	case KVM_SET_DEVICE_ATTR:
		return kvm_vcpu_attr_set(vcpu, row, addr);
	default:
		return -ENOTTY;
	}
}
