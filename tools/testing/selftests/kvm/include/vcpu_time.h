/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * Saving and restoring the time of a VM with one x86 vCPU, the way a VMM does.
 * Documentation/virt/kvm/saving-time.rst shows this code.
 */
#ifndef SELFTEST_KVM_VCPU_TIME_H
#define SELFTEST_KVM_VCPU_TIME_H

#include <linux/kvm.h>

struct vcpu_time {
	/* Of the VM. */
	struct kvm_clock_data clock;
	__u64 wall_clock;
	/* Of the vCPU. */
	__u32 tsc_khz;
	__u64 tsc_offset;
	__u64 tsc;
	__u64 tsc_deadline;
	__u64 system_time;
	__u64 steal_time;
	struct kvm_lapic_state lapic;
	struct kvm_xen_vcpu_attr runstate_addr;
	struct kvm_xen_vcpu_attr runstate;
	struct kvm_xen_vcpu_attr timer;
};

/* All return 0 or a negative errno. */
int save_vcpu_time(int vm, int vcpu, struct vcpu_time *saved);

/* In the documented order. */
enum restore_step {
	RESTORE_CLOCK,
	RESTORE_KVM_MSRS,
	RESTORE_TSC,
	RESTORE_TSC_OFFSET,
	RESTORE_LAPIC,
	RESTORE_TSC_DEADLINE,
	RESTORE_RUNSTATE,
	RESTORE_XEN_TIMER,
	NR_RESTORE_STEPS
};

typedef int (*restore_fn)(int vm, int vcpu, const struct vcpu_time *saved);

extern const restore_fn restore_steps[NR_RESTORE_STEPS];

int restore_vcpu_time(int vm, int vcpu, const struct vcpu_time *saved);

#endif /* SELFTEST_KVM_VCPU_TIME_H */
