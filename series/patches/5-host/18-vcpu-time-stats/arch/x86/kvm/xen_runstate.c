// SPDX-License-Identifier: GPL-2.0-only
/*
 * Without a tracepoint, which a later patch adds.
 */

/* The runstate has changed: update the statistics. */
static void runstate_changed(struct kvm_vcpu *vcpu)
{
	struct kvm_xen_runstate *xr = &vcpu->arch.xen.runstate;
	int i;

	/* By differences, as debugfs can set a statistic to 0. */
	for (i = 0; i < ARRAY_SIZE(xr->now.time); i++)
		vcpu->stat.xen_runstate_ns[i] += xr->now.time[i] - xr->counted.time[i];

	xr->counted = xr->now;
}
