// SPDX-License-Identifier: GPL-2.0-only
/*
 * Without a statistic, which a later patch adds.
 */

/*
 * Called in KVM_RUN, where it may sleep, if stolen time is due.  What cannot be
 * added, as the memory is not there or a signal came first, stays pending.
 */
void kvm_update_stolen_time(struct kvm_vcpu *vcpu)
{
	int idx, r;

	vcpu->arch.steal.pending += kvm_steal_take(vcpu, &vcpu->arch.steal.run_delay, U64_MAX);

	if (!vcpu->arch.steal.pending)
		return;

	idx = srcu_read_lock(&vcpu->kvm->srcu);

	pagefault_disable();
	r = add_stolen_time(vcpu);
	pagefault_enable();

	if (r && !fault_in_structure(vcpu))
		add_stolen_time(vcpu);

	srcu_read_unlock(&vcpu->kvm->srcu, idx);
}
