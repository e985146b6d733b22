// SPDX-License-Identifier: GPL-2.0-only

void kvm_xen_update_runstate(struct kvm_vcpu *v, int state, bool atomic)
{
	/* The scheduler's hooks account for the same vCPU. */
	preempt_disable();
	xen_account_runstate(v, state);
	preempt_enable();

	if (v->arch.xen.runstate_cache.active)
		kvm_xen_update_runstate_guest(v, atomic);
}
