// SPDX-License-Identifier: GPL-2.0-only

/* The thread that calls KVM_RUN is not the one that ran the vCPU before. */
int kvm_arch_vcpu_run_pid_change(struct kvm_vcpu *vcpu)
{
	vcpu->arch.xen.last_steal = current->sched_info.run_delay;
	return 0;
}
