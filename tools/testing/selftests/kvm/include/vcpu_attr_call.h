/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls of vCPU attributes, which return 0 or a negative errno, and, but for the
 * first, note that.
 */
#ifndef SELFTEST_KVM_VCPU_ATTR_CALL_H
#define SELFTEST_KVM_VCPU_ATTR_CALL_H

#include <errno.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include "vcpu_attr_reached.h"

static inline int attr_ioctl(struct kvm_vcpu *vcpu, unsigned long ioctl_nr, u32 flags,
			     u32 group, u64 attr, const void *addr)
{
	const struct kvm_device_attr dev = {
		.flags = flags,
		.group = group,
		.attr = attr,
		.addr = (uintptr_t)addr,
	};

	return ioctl(vcpu->fd, ioctl_nr, &dev) ? -errno : 0;
}

static inline int attr_call_flags(struct kvm_vcpu *vcpu, unsigned long ioctl_nr, u32 flags,
				  u32 group, u64 attr, const void *addr)
{
	int r = attr_ioctl(vcpu, ioctl_nr, flags, group, attr, addr);

	return note_vcpu_attr_error(ioctl_nr, group, attr, r);
}

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

#endif /* SELFTEST_KVM_VCPU_ATTR_CALL_H */
