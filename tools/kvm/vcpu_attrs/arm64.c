// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "arch.h"
#include "arm64_vm.h"
#include "kvm.h"
#include "table.h"

/* Added in Linux 6.4; the headers of older systems lack them. */
#ifndef KVM_ARM_VCPU_TIMER_IRQ_HVTIMER
#define KVM_ARM_VCPU_TIMER_IRQ_HVTIMER	2
#define KVM_ARM_VCPU_TIMER_IRQ_HPTIMER	3
#endif

#define FIRST_SPI	32

/* The PPI that most VMMs use. */
#define PMU_PPI		23
#define STOLEN_TIME_IPA	0x4000ULL

static void describe_irq(char *text, size_t size, const void *payload)
{
	int irq = *(const int *)payload;

	snprintf(text, size, "%s %d", irq < FIRST_SPI ? "PPI" : "SPI", irq);
}

static void print_json_irq(const void *payload)
{
	printf("%d", *(const int *)payload);
}

static const struct attr_type irq_type = { describe_irq, print_json_irq };

static void describe_ipa(char *text, size_t size, const void *payload)
{
	__u64 ipa = *(const __u64 *)payload;

	if (ipa == ~0ULL)
		snprintf(text, size, "unset");
	else
		snprintf(text, size, "guest address %#llx", ipa);
}

static void print_json_ipa(const void *payload)
{
	__u64 ipa = *(const __u64 *)payload;

	json_print_value(ipa != ~0ULL, ipa);
}

static const struct attr_type ipa_type = { describe_ipa, print_json_ipa };

#define ATTR(_group, attr, _type, ...)				\
	{							\
		.calls	  = &device_attr_calls,			\
		.name	  = "KVM_ARM_VCPU_" #attr,		\
		.group	  = KVM_ARM_VCPU_##_group##_CTRL,	\
		.number	  = KVM_ARM_VCPU_##attr,		\
		.type	  = _type,				\
		.reasons  = { __VA_ARGS__ },			\
	}

#define SET_ONLY	{ ENXIO, "it can only be set" }

static const struct attr attrs[] = {
	ATTR(PMU_V3, PMU_V3_IRQ, &irq_type, { ENXIO, "no number is set" },
	     { EINVAL, "only with an in-kernel irqchip" }),
	ATTR(PMU_V3, PMU_V3_INIT,	NULL, SET_ONLY),
	ATTR(PMU_V3, PMU_V3_FILTER,	NULL, SET_ONLY),
	ATTR(PMU_V3, PMU_V3_SET_PMU,	NULL, SET_ONLY),
	ATTR(TIMER,  TIMER_IRQ_VTIMER,	&irq_type),
	ATTR(TIMER,  TIMER_IRQ_PTIMER,	&irq_type),
	ATTR(TIMER,  TIMER_IRQ_HVTIMER,	&irq_type),
	ATTR(TIMER,  TIMER_IRQ_HPTIMER,	&irq_type),
	ATTR(PVTIME, PVTIME_IPA,	&ipa_type),
};

static bool make(struct subject *subject, bool pmu, bool vgic)
{
	arm64_vm_create(&subject->vm);
	if (pmu && !arm64_vm_has_pmu(&subject->vm)) {
		subject->step = "KVM_CAP_ARM_PMU_V3";
		subject->hint = "its guests have no PMU";
		vm_destroy(&subject->vm);
		return false;
	}

	subject->vcpu = arm64_vm_add_vcpu(&subject->vm, 0, pmu);
	if (!vgic || arm64_vm_add_vgic(&subject->vm))
		return true;

	subject->step = "KVM_CREATE_DEVICE";
	subject->err = errno;
	subject_destroy(subject);

	return false;
}

static bool make_pmu(struct subject *subject)
{
	return make(subject, true, true);
}

static bool make_no_irqchip(struct subject *subject)
{
	return make(subject, true, false);
}

static bool make_no_pmu(struct subject *subject)
{
	return make(subject, false, true);
}

/* Returns false if KVM refuses @value. */
static bool set(struct subject *subject, __u32 group, __u64 attr, const char *name,
		const void *value)
{
	struct kvm_device_attr dev = {
		.group = group,
		.attr  = attr,
		.addr  = (uintptr_t)value,
	};

	if (!ioctl(subject->vcpu, KVM_SET_DEVICE_ATTR, &dev))
		return true;
	subject->step = name;
	subject->err = errno;

	return false;
}

#define SET(subject, group, attr, value) \
	set(subject, KVM_ARM_VCPU_##group##_CTRL, KVM_ARM_VCPU_##attr, "KVM_ARM_VCPU_" #attr, value)

static bool make_set(struct subject *subject)
{
	const __u64 ipa = STOLEN_TIME_IPA;
	const int irq = PMU_PPI;

	if (!make_pmu(subject))
		return false;
	if (SET(subject, PMU_V3, PMU_V3_IRQ, &irq) &&
	    SET(subject, PMU_V3, PMU_V3_INIT, NULL) &&
	    SET(subject, PVTIME, PVTIME_IPA, &ipa))
		return true;
	subject_destroy(subject);

	return false;
}

#define SETUP(_name, _title, _make)			\
	{						\
		.name	  = _name,			\
		.title	  = _title,			\
		.prefix	  = "KVM_ARM_VCPU_",		\
		.attrs	  = attrs,			\
		.nr_attrs = ARRAY_SIZE(attrs),		\
		.make	  = _make,			\
	}

static const struct setup setups[] = {
	SETUP("pmu", "A vCPU with a PMU, the vgic initialized, nothing set yet", make_pmu),
	SETUP("set", "The same after SET of PMU_V3_IRQ, PMU_V3_INIT and PVTIME_IPA, as VMMs do it",
	      make_set),
	SETUP("no-irqchip", "A vCPU with a PMU, no irqchip in the kernel", make_no_irqchip),
	SETUP("no-pmu", "A vCPU without a PMU, the vgic initialized", make_no_pmu),
};

const struct arch arch = {
	.setups	    = setups,
	.nr_setups  = ARRAY_SIZE(setups),
	.show_steal = steal_show,
};
