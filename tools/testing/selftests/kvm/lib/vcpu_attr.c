// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <sys/ioctl.h>

#include "vcpu_attr.h"

#define VCPU_ATTR(_group, _attr)	{ #_attr, _group, _attr }

static const struct {
	const char *name;
	u32 group;
	u64 attr;
} vcpu_attrs[] = {
#ifdef __aarch64__
	VCPU_ATTR(KVM_ARM_VCPU_PMU_V3_CTRL, KVM_ARM_VCPU_PMU_V3_IRQ),
	VCPU_ATTR(KVM_ARM_VCPU_PMU_V3_CTRL, KVM_ARM_VCPU_PMU_V3_INIT),
	VCPU_ATTR(KVM_ARM_VCPU_PMU_V3_CTRL, KVM_ARM_VCPU_PMU_V3_FILTER),
	VCPU_ATTR(KVM_ARM_VCPU_PMU_V3_CTRL, KVM_ARM_VCPU_PMU_V3_SET_PMU),
#ifdef KVM_ARM_VCPU_PMU_V3_SET_NR_COUNTERS
	VCPU_ATTR(KVM_ARM_VCPU_PMU_V3_CTRL, KVM_ARM_VCPU_PMU_V3_SET_NR_COUNTERS),
#endif
	VCPU_ATTR(KVM_ARM_VCPU_TIMER_CTRL, KVM_ARM_VCPU_TIMER_IRQ_VTIMER),
	VCPU_ATTR(KVM_ARM_VCPU_TIMER_CTRL, KVM_ARM_VCPU_TIMER_IRQ_PTIMER),
	VCPU_ATTR(KVM_ARM_VCPU_TIMER_CTRL, KVM_ARM_VCPU_TIMER_IRQ_HVTIMER),
	VCPU_ATTR(KVM_ARM_VCPU_TIMER_CTRL, KVM_ARM_VCPU_TIMER_IRQ_HPTIMER),
	VCPU_ATTR(KVM_ARM_VCPU_PVTIME_CTRL, KVM_ARM_VCPU_PVTIME_IPA),
#else
	VCPU_ATTR(KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET),
#ifdef KVM_VCPU_TSC_SCALE
	VCPU_ATTR(KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_SCALE),
#endif
#endif
};

#define NR_VCPU_ATTRS	ARRAY_SIZE(vcpu_attrs)

static_assert(NR_VCPU_ATTRS < MAX_ATTRS);

const unsigned long vcpu_attr_calls[NR_ATTR_CALLS] = {
	[ATTR_HAS] = KVM_HAS_DEVICE_ATTR,
	[ATTR_GET] = KVM_GET_DEVICE_ATTR,
	[ATTR_SET] = KVM_SET_DEVICE_ATTR,
};

static const char *vcpu_attr_name(int attr)
{
	return attr < NR_VCPU_ATTRS ? vcpu_attrs[attr].name : "unknown";
}

static struct attr_family vcpu_attr_family = { .attr_name = vcpu_attr_name };

static __attribute__((constructor)) void share_vcpu_attr_errors(void)
{
	share_attr_errors(&vcpu_attr_family);
}

static __attribute__((destructor)) void print_vcpu_attr_errors(void)
{
	print_attr_errors(&vcpu_attr_family);
}

int note_vcpu_attr_error(unsigned long ioctl_nr, u32 group, u64 attr, int r)
{
	int call, known;

	for (call = 0; vcpu_attr_calls[call] != ioctl_nr; call++)
		;
	for (known = 0; known < NR_VCPU_ATTRS; known++) {
		if (vcpu_attrs[known].group == group && vcpu_attrs[known].attr == attr)
			break;
	}
	return note_attr_error(&vcpu_attr_family, call, known, r);
}

int attr_ioctl(struct kvm_vcpu *vcpu, unsigned long ioctl_nr, u32 flags,
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

int attr_call_flags(struct kvm_vcpu *vcpu, unsigned long ioctl_nr, u32 flags,
		    u32 group, u64 attr, const void *addr)
{
	int r = attr_ioctl(vcpu, ioctl_nr, flags, group, attr, addr);

	return note_vcpu_attr_error(ioctl_nr, group, attr, r);
}

const void *bad_payload(const struct user_memory *mem, u32 size, bool get, int kind)
{
	switch (kind) {
	case 0:
		return mem->none;
	case 1:
		/* All of it but the last byte is fine. */
		return mem->none - size + 1;
	case 2:
		return user_memory_kernel(mem);
	case 3:
		return get ? mem->ro : NULL;
	default:
		return NULL;
	}
}

bool every_attr_is_eio(struct kvm_vcpu *vcpu, const u64 *value)
{
	bool eio = true;

	for (int i = 0; i < NR_VCPU_ATTRS * NR_ATTR_CALLS; i++) {
		const unsigned long nr = vcpu_attr_calls[i % NR_ATTR_CALLS];
		const int attr = i / NR_ATTR_CALLS;
		int r = attr_ioctl(vcpu, nr, 0, vcpu_attrs[attr].group, vcpu_attrs[attr].attr,
				   value);

		eio &= note_vcpu_attr_error(nr, UNKNOWN_GROUP, UNKNOWN_ATTR, r) == -EIO;
		eio &= attr_call(vcpu, nr, UNKNOWN_GROUP, UNKNOWN_ATTR, value) == -EIO;
	}
	return eio;
}
