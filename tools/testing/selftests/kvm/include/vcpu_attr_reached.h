/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which errors the calls of vCPU attributes gave, told when the program ends, a
 * line each: "# reached SET KVM_ARM_VCPU_PMU_V3_IRQ EBUSY".  The errors that they
 * can give are those of Documentation/virt/kvm/devices/vcpu.rst.
 */
#ifndef SELFTEST_KVM_VCPU_ATTR_REACHED_H
#define SELFTEST_KVM_VCPU_ATTR_REACHED_H

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test_util.h"
#include "kvm_util.h"

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

static const struct {
	unsigned long ioctl;
	const char *name;
} vcpu_attr_calls[] = {
	{ KVM_HAS_DEVICE_ATTR, "HAS" },
	{ KVM_GET_DEVICE_ATTR, "GET" },
	{ KVM_SET_DEVICE_ATTR, "SET" },
};

/* One more attribute stands for all that are unknown. */
#define NR_VCPU_ATTRS	ARRAY_SIZE(vcpu_attrs)
#define NR_ERRNOS	256

struct vcpu_attr_errors {
	bool reached[ARRAY_SIZE(vcpu_attr_calls)][NR_VCPU_ATTRS + 1][NR_ERRNOS];
	pid_t teller;
};

/* Tests run in processes of their own, what they reach comes together here. */
static struct vcpu_attr_errors *vcpu_attr_errors;

static __attribute__((constructor)) void share_vcpu_attr_errors(void)
{
	vcpu_attr_errors = mmap(NULL, sizeof(*vcpu_attr_errors), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	TEST_ASSERT(vcpu_attr_errors != MAP_FAILED, "mmap: %s", strerror(errno));
	vcpu_attr_errors->teller = getpid();
}

static __attribute__((destructor)) void tell_vcpu_attr_errors(void)
{
	if (vcpu_attr_errors->teller != getpid())
		return;

	for (int call = 0; call < ARRAY_SIZE(vcpu_attr_calls); call++) {
		for (int attr = 0; attr <= NR_VCPU_ATTRS; attr++) {
			for (int e = 1; e < NR_ERRNOS; e++) {
				if (!vcpu_attr_errors->reached[call][attr][e])
					continue;
				printf("# reached %s %s %s\n", vcpu_attr_calls[call].name,
				       attr < NR_VCPU_ATTRS ? vcpu_attrs[attr].name : "unknown",
				       strerrorname_np(e));
			}
		}
	}
}

/* Returns @r, which is 0 or a negative errno that the call gave. */
static inline int note_vcpu_attr_error(unsigned long ioctl_nr, u32 group, u64 attr, int r)
{
	int call, known;

	for (call = 0; vcpu_attr_calls[call].ioctl != ioctl_nr; call++)
		;
	for (known = 0; known < NR_VCPU_ATTRS; known++) {
		if (vcpu_attrs[known].group == group && vcpu_attrs[known].attr == attr)
			break;
	}
	if (r)
		vcpu_attr_errors->reached[call][known][-r] = true;
	return r;
}

#endif /* SELFTEST_KVM_VCPU_ATTR_REACHED_H */
