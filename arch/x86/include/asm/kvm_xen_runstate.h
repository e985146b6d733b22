/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_X86_KVM_XEN_RUNSTATE_H
#define _ASM_X86_KVM_XEN_RUNSTATE_H

#include <linux/kvm_types.h>
#include <linux/types.h>

#include <kvm/steal.h>

/*
 * Where a vCPU's time went.  The totals add up to entry_time at all times, and
 * no total exceeds it, hence a vCPU that never ran has been offline since 0.
 */
struct xen_runstate {
	u32 state;		/* RUNSTATE_* */
	bool preempted;		/* RUNSTATE_runnable, entered by the scheduler */
	u64 entry_time;		/* KVM clock, ns */
	u64 time[4];		/* ns, by RUNSTATE_* */
};

/*
 * A vCPU's runstate and the area that shows it to the guest.  Protected by
 * vcpu->mutex; in KVM_RUN the scheduler's hooks take part, so that what they
 * read or write is touched with preemption disabled there.
 */
struct kvm_xen_runstate {
	struct xen_runstate now;
	struct kvm_steal_clock steal;
	unsigned long refreshed;	/* jiffies of the last account */
	bool in_run;			/* between enter and leave of KVM_RUN */
	bool refresh;			/* the next KVM_RUN must account and write */
	bool long_mode;			/* layout of the last write */

	/* The area, and its rest where it crosses into a second page. */
	struct gfn_to_pfn_cache gpc[2];
};

#endif /* _ASM_X86_KVM_XEN_RUNSTATE_H */
