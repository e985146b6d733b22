// SPDX-License-Identifier: GPL-2.0

/* The thread that calls KVM_RUN is not the one that ran the vCPU before. */
void kvm_arm_pvtime_new_thread(struct kvm_vcpu *vcpu)
{
	vcpu->arch.steal.last_steal = READ_ONCE(current->sched_info.run_delay);
}
