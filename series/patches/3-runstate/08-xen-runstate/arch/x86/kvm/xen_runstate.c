// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2019 Oracle and/or its affiliates. All rights reserved.
// Copyright (C) 2020 Amazon.com, Inc. or its affiliates. All Rights Reserved.
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * Without statistics, which a later patch adds.
 */

static void runstate_replace(struct kvm_vcpu *vcpu, const struct xen_runstate *next)
{
	vcpu->arch.xen.runstate.now = *next;
}

/*
 * Make @next the runstate and show it to the guest, or change nothing.  Only
 * for ioctls other than KVM_RUN.
 */
static int runstate_commit(struct kvm_vcpu *vcpu, const struct xen_runstate *next)
{
	struct kvm_xen_runstate *xr = &vcpu->arch.xen.runstate;
	int r;

	lockdep_assert_held(&vcpu->mutex);

	r = area_write(vcpu, next, false);
	if (r)
		return r;

	runstate_replace(vcpu, next);
	xr->refresh = true;
	xr->set_by_vmm = true;
	return 0;
}

/* Enter @state now. */
int kvm_xen_runstate_set_current(struct kvm_vcpu *vcpu, u32 state)
{
	struct kvm_xen_runstate *xr = &vcpu->arch.xen.runstate;
	struct xen_runstate next = xr->now;
	u64 run_delay = xr->run_delay;
	u64 now, elapsed, steal;
	s64 offset;
	int r;

	now = follow_clock(vcpu, &next, &offset);
	elapsed = xen_runstate_elapsed(&next, now);
	steal = kvm_steal_take(vcpu, &run_delay,
			       xen_runstate_steal_limit(xen_runstate_charged(&next), elapsed));
	xen_runstate_account(&next, state, elapsed, steal);

	r = runstate_commit(vcpu, &next);
	if (r)
		return r;

	xr->run_delay = run_delay;
	clock_followed(xr, offset);
	return 0;
}

/*
 * Charge the time so far and enter @state.  Does not sleep; what cannot be
 * written now is left to be refreshed.  Called with SRCU held.
 */
static void runstate_account(struct kvm_vcpu *vcpu, u32 state)
{
	struct kvm_xen_runstate *xr = &vcpu->arch.xen.runstate;
	u64 now, elapsed, steal;
	u32 charged;

	lockdep_assert_preemption_disabled();

	now = kvmclock_read_snapshot(vcpu->kvm, &xr->clock);
	if (unlikely(!now || now & XEN_RUNSTATE_UPDATE))
		now = runstate_follow_clock(vcpu);

	elapsed = xen_runstate_elapsed(&xr->now, now);
	charged = xen_runstate_charged(&xr->now);
	/* kvm_steal_take(), but only the thread that runs the vCPU gets here. */
	steal = kvm_steal_advance(&xr->run_delay, kvm_run_delay(),
				  xen_runstate_steal_limit(charged, elapsed));
	xen_runstate_account(&xr->now, state, elapsed, steal);
	xr->accounted = jiffies;

	if (!area_write_atomic(vcpu))
		xr->refresh = true;
}
