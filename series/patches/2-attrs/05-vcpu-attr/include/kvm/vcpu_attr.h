/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * Without what later patches add.
 */

/**
 * struct kvm_vcpu_attr - description of one attribute
 * @size: bytes that are read or written in user memory; 0 if the attribute has no
 *	  payload, in which case the address is ignored
 * @data: for @get and @set, so that one function can serve many rows
 * @absent: errno of a GET or SET where the vCPU lacks the feature, if it is not to
 *	    depend on whether the host offers that; 0: -ENODEV or -ENXIO
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
	int (*ready)(struct kvm_vcpu *vcpu);
	int (*get)(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, void *payload);
	int (*set)(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
		   const void *payload);
};
