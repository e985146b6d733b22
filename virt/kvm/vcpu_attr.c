// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attributes of a vCPU (KVM_HAS/GET/SET_DEVICE_ATTR), from tables.
 *
 * All architectures and attributes share the order in which a call is checked,
 * and all copies from and to user memory, which are done with no lock held but
 * vcpu->mutex.  Ioctls of their own, as Xen's, can be served from such rows too.
 */
#include <linux/kvm.h>
#include <linux/nospec.h>
#include <linux/uaccess.h>

#include <kvm/vcpu_attr.h>

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

/* Words, which all payloads of some size are made of, cost less one by one. */
static int read_words(void *payload, const void __user *addr, u32 size)
{
	if (!user_read_access_begin(addr, size))
		return -EFAULT;

	for (; size; size -= sizeof(u64)) {
		unsafe_get_user(*(u64 *)payload, (const u64 __user *)addr, fault);
		payload += sizeof(u64);
		addr += sizeof(u64);
	}

	user_read_access_end();
	return 0;

fault:
	user_read_access_end();
	return -EFAULT;
}

static int read_payload(void *payload, const void __user *addr, u32 size)
{
	switch (size) {
	case 0:
		return 0;
	case sizeof(u32):
		return get_user(*(u32 *)payload, (const u32 __user *)addr);
	case sizeof(u64):
		return get_user(*(u64 *)payload, (const u64 __user *)addr);
	default:
		if (size % sizeof(u64) == 0)
			return read_words(payload, addr, size);
		return copy_from_user(payload, addr, size) ? -EFAULT : 0;
	}
}

static int write_words(void __user *addr, const void *payload, u32 size)
{
	if (!user_write_access_begin(addr, size))
		return -EFAULT;

	for (; size; size -= sizeof(u64)) {
		unsafe_put_user(*(const u64 *)payload, (u64 __user *)addr, fault);
		payload += sizeof(u64);
		addr += sizeof(u64);
	}

	user_write_access_end();
	return 0;

fault:
	user_write_access_end();
	return -EFAULT;
}

static int write_payload(void __user *addr, const void *payload, u32 size)
{
	switch (size) {
	case sizeof(u32):
		return put_user(*(const u32 *)payload, (u32 __user *)addr);
	case sizeof(u64):
		return put_user(*(const u64 *)payload, (u64 __user *)addr);
	default:
		if (size % sizeof(u64) == 0)
			return write_words(addr, payload, size);
		return copy_to_user(addr, payload, size) ? -EFAULT : 0;
	}
}

/**
 * kvm_vcpu_attr_get - tell userspace the value of an attribute
 * @vcpu: the vCPU, which has the feature that the attribute is about
 * @row: the attribute, which the host offers
 * @addr: where its &kvm_vcpu_attr.size bytes are to go
 *
 * Not inlined, as HAS would have to save registers for it.
 *
 * Context: process context, with vcpu->mutex held.  May sleep.
 * Return: 0; -EFAULT if @addr cannot be written, or what the row's callbacks say.
 */
noinline int kvm_vcpu_attr_get(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			       void __user *addr)
{
	u8 payload[KVM_VCPU_ATTR_MAX_SIZE] __aligned(sizeof(u64));
	int r;

	r = row->get(vcpu, row, payload);
	if (!r)
		r = write_payload(addr, payload, row->size);

	return r;
}

/**
 * kvm_vcpu_attr_set - set an attribute to what userspace says
 * @vcpu: the vCPU, which has the feature that the attribute is about
 * @row: the attribute, which the host offers
 * @addr: its &kvm_vcpu_attr.size bytes
 *
 * Context: process context, with vcpu->mutex held.  May sleep.
 * Return: 0; -EFAULT if @addr cannot be read, or what the row's callbacks say.
 */
int kvm_vcpu_attr_set(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, void __user *addr)
{
	/* A handler sees @row->size bytes of it, all of which have been read. */
	u8 payload[KVM_VCPU_ATTR_MAX_SIZE] __aligned(sizeof(u64)) __uninitialized;
	int r = 0;

	if (row->ready)
		r = row->ready(vcpu);
	if (!r)
		r = read_payload(payload, addr, row->size);
	if (!r)
		r = row->set(vcpu, row, payload);

	return r;
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

/* Why not: could no vCPU of this host have the feature, or has this one not? */
static int no_feature(const struct kvm_vcpu_attr_group *group)
{
	return group->offered() ? -ENODEV : -ENXIO;
}

/* What the call is about: all but the flags, which mean nothing. */
static int read_attr(struct kvm_device_attr *attr, const struct kvm_device_attr __user *from)
{
	if (!user_read_access_begin(from, sizeof(*from)))
		return -EFAULT;

	unsafe_get_user(attr->group, &from->group, fault);
	unsafe_get_user(attr->attr, &from->attr, fault);
	unsafe_get_user(attr->addr, &from->addr, fault);
	user_read_access_end();
	return 0;

fault:
	user_read_access_end();
	return -EFAULT;
}

/**
 * kvm_vcpu_attr_ioctl - serve KVM_HAS/GET/SET_DEVICE_ATTR on a vCPU
 * @vcpu: the vCPU
 * @ioctl: KVM_HAS_DEVICE_ATTR, KVM_GET_DEVICE_ATTR or KVM_SET_DEVICE_ATTR
 * @argp: a struct kvm_device_attr; its flags are ignored
 *
 * An attribute which is unknown, or which the host does not offer, is ENXIO
 * whatever else is wrong with the call, and so is one that has no value to get or
 * cannot be set.  HAS does not look at user memory beyond @argp, nor at more than
 * the host and the vCPU's features.
 *
 * Context: process context, with vcpu->mutex held.  May sleep.
 * Return: 0 or a negative errno; see Documentation/virt/kvm/devices/vcpu.rst.
 */
int kvm_vcpu_attr_ioctl(struct kvm_vcpu *vcpu, unsigned int ioctl, void __user *argp)
{
	const struct kvm_vcpu_attr_group *group;
	const struct kvm_vcpu_attr *row;
	/* Of what is not read nothing is used. */
	struct kvm_device_attr attr __uninitialized;

	if (read_attr(&attr, argp))
		return -EFAULT;

	group = find_group(attr.group);
	if (!group)
		return -ENXIO;

	row = kvm_vcpu_attr_find(group, attr.attr);
	if (!row)
		return -ENXIO;

	switch (ioctl) {
	case KVM_HAS_DEVICE_ATTR:
		return has_feature(group, vcpu) ? 0 : -ENXIO;
	case KVM_GET_DEVICE_ATTR:
		if (!row->get)
			return -ENXIO;
		if (!has_feature(group, vcpu))
			return no_feature(group);
		return kvm_vcpu_attr_get(vcpu, row, u64_to_user_ptr(attr.addr));
	case KVM_SET_DEVICE_ATTR:
		if (!row->set)
			return -ENXIO;
		if (!has_feature(group, vcpu))
			return no_feature(group);
		return kvm_vcpu_attr_set(vcpu, row, u64_to_user_ptr(attr.addr));
	default:
		return -ENOTTY;
	}
}
