/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * Attributes of vCPUs: the calls, which return 0 or a negative errno, and a record of
 * the errors that they gave.  The errors that there can be are those of
 * Documentation/virt/kvm/devices/vcpu.rst.
 */
#ifndef SELFTEST_KVM_VCPU_ATTR_H
#define SELFTEST_KVM_VCPU_ATTR_H

#include <errno.h>
#include <stdint.h>

#include "attr_util.h"

/* What no host has. */
#define UNKNOWN_GROUP	~0U
#define UNKNOWN_ATTR	~0ULL

/* The ioctls, by enum attr_call. */
extern const unsigned long vcpu_attr_calls[NR_ATTR_CALLS];

/* Returns @r, which is 0 or a negative errno that the call gave. */
int note_vcpu_attr_error(unsigned long ioctl_nr, u32 group, u64 attr, int r);

/* The only one that does not note the error. */
int attr_ioctl(struct kvm_vcpu *vcpu, unsigned long ioctl_nr, u32 flags,
	       u32 group, u64 attr, const void *addr);

int attr_call_flags(struct kvm_vcpu *vcpu, unsigned long ioctl_nr, u32 flags,
		    u32 group, u64 attr, const void *addr);

static inline int attr_call(struct kvm_vcpu *vcpu, unsigned long ioctl_nr,
			    u32 group, u64 attr, const void *addr)
{
	return attr_call_flags(vcpu, ioctl_nr, 0, group, attr, addr);
}

static inline int attr_has(struct kvm_vcpu *vcpu, u32 group, u64 attr)
{
	return attr_call(vcpu, KVM_HAS_DEVICE_ATTR, group, attr, NULL);
}

static inline int attr_get(struct kvm_vcpu *vcpu, u32 group, u64 attr, void *value)
{
	return attr_call(vcpu, KVM_GET_DEVICE_ATTR, group, attr, value);
}

static inline int attr_set(struct kvm_vcpu *vcpu, u32 group, u64 attr, const void *value)
{
	return attr_call(vcpu, KVM_SET_DEVICE_ATTR, group, attr, value);
}

#define NR_BAD_PAYLOADS	5

/* A payload of @size that is bad, in one of NR_BAD_PAYLOADS ways. */
const void *bad_payload(const struct user_memory *mem, u32 size, bool get, int kind);

/*
 * True if every call of every attribute is refused with EIO.  None of them is what
 * the error is about, so that it is noted as that of an unknown one.
 */
bool every_attr_is_eio(struct kvm_vcpu *vcpu, const u64 *value);

#endif /* SELFTEST_KVM_VCPU_ATTR_H */
