/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
#ifndef _ASM_X86_KVM_XEN_RUNSTATE_H
#define _ASM_X86_KVM_XEN_RUNSTATE_H

#include <linux/kvm_types.h>
#include <linux/types.h>

/*
 * Where a vCPU's time went.  The totals add up to entry_time, always.  All of it
 * being 0, a vCPU that never ran needs no flag: it has been offline since 0.
 */
struct xen_runstate {
	u32 state;		/* RUNSTATE_* */
	bool preempted;		/* RUNSTATE_runnable, entered by the scheduler */
	u64 entry_time;		/* KVM clock, ns */
	u64 time[4];		/* ns, by RUNSTATE_* */
};

/*
 * What the VM's clock is computed from on CPUs whose TSC has frequency @khz, until
 * somebody sets the clock.
 */
struct kvmclock_snapshot {
	u32 khz;		/* 0 if there is no snapshot */
	unsigned int seq;	/* of kvm_arch.pvclock_sc */
	u64 tsc;
	u64 ns;			/* the clock when the TSC was at @tsc */
	u32 mul;
	s8 shift;
};

/*
 * A vCPU's runstate and the area that shows it to the guest.  Protected by
 * vcpu->mutex.  In KVM_RUN the scheduler's hooks read and write it as well, so
 * that there it is changed with preemption disabled only, and readers of it
 * with preemption enabled must expect it to change.
 */
struct kvm_xen_runstate {
	struct xen_runstate now;
	u64 run_delay;			/* baseline of the steal clock */
	unsigned long accounted;	/* jiffies of the last account in KVM_RUN */
	s64 clock_offset;		/* kvmclock_offset of the last account */
	struct kvmclock_snapshot clock;	/* with that offset */
	bool in_run;			/* between enter and leave of KVM_RUN */
	bool refresh;			/* the next KVM_RUN must account and write */
	bool long_mode;			/* layout of the last write */
	bool set_by_vmm;		/* not for a new area to replace */
	bool taken_over;		/* from an area, and not accounted since */

	/* The area, and its rest where it crosses into a second page. */
	struct gfn_to_pfn_cache gpc[2];
};

#endif /* _ASM_X86_KVM_XEN_RUNSTATE_H */
