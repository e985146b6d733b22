// SPDX-License-Identifier: GPL-2.0-only
/*
 * Without a statistic, which a later patch adds.
 */

static void record_steal_time(struct kvm_vcpu *vcpu)
{
	struct kvm_steal_time __user *st;

	/* A Xen guest has its own steal time, as one of its runstates. */
	if (kvm_xen_msr_enabled(vcpu->kvm)) {
		kvm_xen_runstate_sync(vcpu);
		return;
	}

	if (!(vcpu->arch.st.msr_val & KVM_MSR_ENABLED))
		return;

	if (WARN_ON_ONCE(vcpu->kvm->mm != current->mm))
		return;

	vcpu->arch.st.pending += kvm_steal_take(vcpu, &vcpu->arch.st.run_delay, U64_MAX);

	st = kvm_steal_time_hva(vcpu);
	if (st && !kvm_steal_time_write(vcpu, st))
		kvm_steal_time_wait(vcpu);
}
