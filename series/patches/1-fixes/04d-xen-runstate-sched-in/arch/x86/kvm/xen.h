/* SPDX-License-Identifier: GPL-2.0-only */

/* A vCPU that is scheduled in may halt, or exit to userspace, before it enters the guest. */
static inline void kvm_xen_runstate_set_resumed(struct kvm_vcpu *vcpu)
{
	/* The area's pages are checked against the memslots. */
	guard(srcu)(&vcpu->kvm->srcu);

	if (vcpu->arch.xen.current_runstate == RUNSTATE_runnable)
		kvm_xen_update_runstate(vcpu, RUNSTATE_running, true);
}
