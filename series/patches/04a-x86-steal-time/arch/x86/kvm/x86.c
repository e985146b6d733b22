// SPDX-License-Identifier: GPL-2.0-only

#include <kvm/steal.h>

/* The thread that calls KVM_RUN is not the one that ran the vCPU before. */
int kvm_arch_vcpu_run_pid_change(struct kvm_vcpu *vcpu)
{
	vcpu->arch.st.run_delay = KVM_STEAL_RESTART;
	return 0;
}
