/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attributes of a vCPU (KVM_HAS/GET/SET_DEVICE_ATTR), from tables.
 */
#ifndef __KVM_VCPU_ATTR_H
#define __KVM_VCPU_ATTR_H

#include <linux/types.h>

struct kvm_vcpu;

/* The largest payload that an attribute may have, in bytes. */
#define KVM_VCPU_ATTR_MAX_SIZE	48

/**
 * struct kvm_vcpu_attr - all there is to know about one attribute
 * @group: group of the attribute
 * @attr: the attribute's number in its group
 * @size: bytes that are read or written in user memory; 0 if the attribute has no
 *	  payload, in which case the address is ignored
 * @offered: does this host offer the attribute?  NULL: every host does
 * @feature: does the vCPU have the feature that the attribute is about?  NULL:
 *	     it needs none
 * @ready: may the attribute be used as things are?  Called before user memory is
 *	   looked at, with @set telling SET from GET; NULL: always
 * @get: fill in all of @size bytes at @payload; NULL: the attribute has no value
 * @set: take @size bytes at @payload; either does all that is asked or fails
 *	 and changes nothing; NULL: the attribute is read-only
 *
 * The callbacks see kernel memory only, aligned for a u64.  All are called with
 * vcpu->mutex held, in process context, and return 0 or a negative errno.
 * @get and @set are told their row, so that one function can serve many.
 */
struct kvm_vcpu_attr {
	u32 group;
	u32 attr;
	u32 size;
	bool (*offered)(struct kvm_vcpu *vcpu);
	bool (*feature)(struct kvm_vcpu *vcpu);
	int (*ready)(struct kvm_vcpu *vcpu, bool set);
	int (*get)(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, void *payload);
	int (*set)(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
		   const void *payload);
};

/**
 * struct kvm_vcpu_attr_table - the attributes of an architecture's vCPUs
 * @rows: one row an attribute, sorted by group and attribute
 * @nr: number of @rows
 */
struct kvm_vcpu_attr_table {
	const struct kvm_vcpu_attr *rows;
	size_t nr;
};

/* What the architecture has, linked into KVM beside the core. */
extern const struct kvm_vcpu_attr_table kvm_arch_vcpu_attrs;

const struct kvm_vcpu_attr *kvm_vcpu_attr_find(const struct kvm_vcpu_attr_table *table,
					       u32 group, u64 attr);
bool kvm_vcpu_attr_table_sane(const struct kvm_vcpu_attr_table *table);
int kvm_vcpu_attr_get(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, void __user *addr);
int kvm_vcpu_attr_set(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, void __user *addr);
int kvm_vcpu_attr_ioctl(struct kvm_vcpu *vcpu, unsigned int ioctl, void __user *argp);

#endif /* __KVM_VCPU_ATTR_H */
