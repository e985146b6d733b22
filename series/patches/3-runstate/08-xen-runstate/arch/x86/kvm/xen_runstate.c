// SPDX-License-Identifier: GPL-2.0-only
/*
 * Without statistics, which a later patch adds.
 */

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

	xr->now = *next;
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
	u64 now, elapsed;
	s64 offset;
	int r;

	now = follow_clock(vcpu, &next, &offset);
	elapsed = xen_runstate_elapsed(&next, now);
	xen_runstate_account(&next, state, elapsed,
			     take_steal(vcpu, steal_limit(&next, elapsed)));

	r = runstate_commit(vcpu, &next);
	if (r)
		xr->run_delay = run_delay;
	else
		clock_followed(xr, offset);

	return r;
}

/*
 * Charge the time so far and enter @state.  Does not sleep; what cannot be
 * written now is left to be refreshed.  Called with SRCU held.
 */
static void runstate_account(struct kvm_vcpu *vcpu, u32 state)
{
	struct kvm_xen_runstate *xr = &vcpu->arch.xen.runstate;
	u64 now, elapsed;
	s64 offset;

	lockdep_assert_preemption_disabled();

	now = follow_clock(vcpu, &xr->now, &offset);
	clock_followed(xr, offset);
	elapsed = xen_runstate_elapsed(&xr->now, now);
	xen_runstate_account(&xr->now, state, elapsed,
			     take_steal(vcpu, steal_limit(&xr->now, elapsed)));
	xr->accounted = jiffies;

	/* A dirty ring that is about to overflow is for userspace to reap first. */
	if (!dirty_ring_has_room(vcpu) || !area_try_write(vcpu, &xr->now))
		xr->refresh = true;
}
