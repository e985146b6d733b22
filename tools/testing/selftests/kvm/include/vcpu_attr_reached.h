/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The names of vCPU attributes, by which programs tell what errors they reached.
 * The errors that there can be are those of Documentation/virt/kvm/devices/vcpu.rst.
 */
#ifndef SELFTEST_KVM_VCPU_ATTR_REACHED_H
#define SELFTEST_KVM_VCPU_ATTR_REACHED_H

#include "attr_util.h"

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
	VCPU_ATTR(KVM_ARM_VCPU_TIMER_CTRL, KVM_ARM_VCPU_TIMER_IRQ_VTIMER),
	VCPU_ATTR(KVM_ARM_VCPU_TIMER_CTRL, KVM_ARM_VCPU_TIMER_IRQ_PTIMER),
	VCPU_ATTR(KVM_ARM_VCPU_TIMER_CTRL, KVM_ARM_VCPU_TIMER_IRQ_HVTIMER),
	VCPU_ATTR(KVM_ARM_VCPU_TIMER_CTRL, KVM_ARM_VCPU_TIMER_IRQ_HPTIMER),
	VCPU_ATTR(KVM_ARM_VCPU_PVTIME_CTRL, KVM_ARM_VCPU_PVTIME_IPA),
#else
	VCPU_ATTR(KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET),
#endif
};

static const unsigned long vcpu_attr_calls[] = {
	[ATTR_HAS] = KVM_HAS_DEVICE_ATTR,
	[ATTR_GET] = KVM_GET_DEVICE_ATTR,
	[ATTR_SET] = KVM_SET_DEVICE_ATTR,
};

#define NR_VCPU_ATTRS	ARRAY_SIZE(vcpu_attrs)

static_assert(NR_VCPU_ATTRS < MAX_ATTRS);

static const char *vcpu_attr_name(int attr)
{
	return attr < NR_VCPU_ATTRS ? vcpu_attrs[attr].name : "unknown";
}

static struct attr_family vcpu_attr_family = { .attr_name = vcpu_attr_name };

static __attribute__((constructor)) void share_vcpu_attr_errors(void)
{
	share_attr_errors(&vcpu_attr_family);
}

static __attribute__((destructor)) void tell_vcpu_attr_errors(void)
{
	print_attr_errors(&vcpu_attr_family);
}

/* Returns @r, which is 0 or a negative errno that the call gave. */
static inline int note_vcpu_attr_error(unsigned long ioctl_nr, u32 group, u64 attr, int r)
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

#endif /* SELFTEST_KVM_VCPU_ATTR_REACHED_H */
