// SPDX-License-Identifier: GPL-2.0-only

/* True if the totals add up to the entry time, and do not wrap. */
static bool xen_runstate_adds_up(u64 entry_time, u64 running, u64 runnable, u64 blocked,
				 u64 offline)
{
	return !check_add_overflow(running, runnable, &running) &&
	       !check_add_overflow(running, blocked, &running) &&
	       !check_add_overflow(running, offline, &running) && running == entry_time;
}

/* The same of what an adjustment results in. */
static bool xen_runstate_can_adjust(const struct kvm_vcpu_xen *vx,
				    const struct kvm_xen_vcpu_attr *by)
{
	const u64 *times = vx->runstate_times;

	return xen_runstate_adds_up(vx->runstate_entry_time + by->u.runstate.state_entry_time,
				    times[RUNSTATE_running] + by->u.runstate.time_running,
				    times[RUNSTATE_runnable] + by->u.runstate.time_runnable,
				    times[RUNSTATE_blocked] + by->u.runstate.time_blocked,
				    times[RUNSTATE_offline] + by->u.runstate.time_offline);
}
