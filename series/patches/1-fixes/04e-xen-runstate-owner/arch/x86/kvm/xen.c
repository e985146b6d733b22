// SPDX-License-Identifier: GPL-2.0-only

/* What the vCPU's thread has waited for a CPU since the last call. */
static s64 xen_take_steal(struct kvm_vcpu *v)
{
	u64 run_delay = current->sched_info.run_delay;
	s64 steal_ns = run_delay - v->arch.xen.last_steal;

	/* It changes in KVM_RUN only.  In older kernels it is an RCU pointer. */
	if ((struct pid *__force)v->pid != task_pid(current))
		return 0;

	v->arch.xen.last_steal = run_delay;
	return steal_ns;
}
