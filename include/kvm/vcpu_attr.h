/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * Attributes of a vCPU (KVM_HAS/GET/SET_DEVICE_ATTR), from tables.
 */
#ifndef __KVM_VCPU_ATTR_H
#define __KVM_VCPU_ATTR_H

#include <linux/build_bug.h>
#include <linux/limits.h>
#include <linux/types.h>

struct kvm_vcpu;

/* The largest payload that an attribute may have, in bytes: a multiple of a u64. */
#define KVM_VCPU_ATTR_MAX_SIZE	48

/* For &kvm_vcpu_attr.size: that of a type or expression, if it is not too large. */
#define KVM_VCPU_ATTR_SIZE(type)	\
	(sizeof(type) + BUILD_BUG_ON_ZERO(sizeof(type) > KVM_VCPU_ATTR_MAX_SIZE))

/* In place of a group: what KVM_RUN fails for is no attribute of the vCPU. */
#define KVM_VCPU_ATTR_NONE	U32_MAX

/**
 * struct kvm_vcpu_attr - description of one attribute
 * @size: bytes that are read or written in user memory; 0 if the attribute has no
 *	  payload, in which case the address is ignored
 * @data: for @get and @set, so that one function can serve many rows
 * @absent: errno of a GET or SET where the vCPU lacks the feature, if it is not to
 *	    depend on whether the host offers that; 0: -ENODEV or -ENXIO
 * @offered: true if this host has the attribute; NULL: every host does
 * @ready: check that the attribute can currently be set.  Called before user
 *	   memory is accessed; NULL: it always can
 * @get: fill in all of @size bytes at @payload; NULL: the attribute has no value
 * @set: take @size bytes at @payload; either succeeds or fails without changing
 *	 anything; NULL: the attribute is read-only
 *
 * A row with neither @get nor @set stands for an unused attribute number.
 *
 * The callbacks see kernel memory only, aligned for a u64.  All are called with
 * vcpu->mutex held, in process context, and return 0 or a negative errno.
 */
struct kvm_vcpu_attr {
	u32 size;
	unsigned long data;
	int absent;
	bool (*offered)(void);
	int (*ready)(struct kvm_vcpu *vcpu);
	int (*get)(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, void *payload);
	int (*set)(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
		   const void *payload);
};

/**
 * struct kvm_vcpu_attr_group - attributes that belong together
 * @rows: a row for each attribute, at the index that is its number
 * @nr: number of @rows
 * @feature: true if the vCPU has the feature that the group is about; NULL: it
 *	     needs none
 * @offered: true if this host offers the feature; called if the vCPU lacks it
 */
struct kvm_vcpu_attr_group {
	const struct kvm_vcpu_attr *rows;
	u32 nr;
	bool (*feature)(struct kvm_vcpu *vcpu);
	bool (*offered)(void);
};

/**
 * struct kvm_vcpu_attr_table - the attributes of an architecture's vCPUs
 * @groups: the groups, each at the index that is its number; NULL: none
 * @nr: number of @groups
 */
struct kvm_vcpu_attr_table {
	const struct kvm_vcpu_attr_group *const *groups;
	u32 nr;
};

/* What the architecture has, linked into KVM beside the core. */
extern const struct kvm_vcpu_attr_table kvm_arch_vcpu_attrs;

const struct kvm_vcpu_attr *kvm_vcpu_attr_find(const struct kvm_vcpu_attr_group *group,
					       u64 attr);
int kvm_vcpu_attr_get(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, void __user *addr);
int kvm_vcpu_attr_set(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, void __user *addr);
int kvm_vcpu_attr_ioctl(struct kvm_vcpu *vcpu, unsigned int ioctl, void __user *argp);
int kvm_vcpu_attr_run_fails(struct kvm_vcpu *vcpu, u32 group, u64 attr, int error,
			    const char *reason);

#endif /* __KVM_VCPU_ATTR_H */
