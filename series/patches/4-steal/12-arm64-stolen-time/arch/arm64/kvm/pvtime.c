// SPDX-License-Identifier: GPL-2.0-only

static void take_stolen_time(struct kvm_vcpu *vcpu)
{
	vcpu->arch.steal.pending += kvm_steal_take(vcpu, &vcpu->arch.steal.run_delay, U64_MAX);
}

/*
 * Called in KVM_RUN after the vCPU was loaded.  What cannot be added, as the memory
 * is not there, stays pending.
 */
void kvm_update_stolen_time(struct kvm_vcpu *vcpu)
{
	gpa_t stolen = vcpu->arch.steal.base + STOLEN_TIME_OFS;
	__le64 shown;
	int idx;

	/* A signal, not CPU_ON, has ended its sleep. */
	if (kvm_arm_vcpu_stopped(vcpu))
		return;

	take_stolen_time(vcpu);
	if (!vcpu->arch.steal.pending)
		return;

	idx = srcu_read_lock(&vcpu->kvm->srcu);

	if (!kvm_get_guest(vcpu->kvm, stolen, shown)) {
		shown = cpu_to_le64(le64_to_cpu(shown) + vcpu->arch.steal.pending);
		if (!kvm_put_guest(vcpu->kvm, stolen, shown))
			vcpu->arch.steal.pending = 0;
	}

	srcu_read_unlock(&vcpu->kvm->srcu, idx);
}
