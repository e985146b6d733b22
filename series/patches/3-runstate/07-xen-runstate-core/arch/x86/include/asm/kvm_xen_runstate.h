/* SPDX-License-Identifier: GPL-2.0-only */

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
	bool in_run;			/* between enter and leave of KVM_RUN */
	bool refresh;			/* the next KVM_RUN must account and write */
	bool long_mode;			/* layout of the last write */
	bool set_by_vmm;		/* not for a new area to replace */
	bool taken_over;		/* from an area, and not accounted since */

	/* The area, and its rest where it crosses into a second page. */
	struct gfn_to_pfn_cache gpc[2];
};
