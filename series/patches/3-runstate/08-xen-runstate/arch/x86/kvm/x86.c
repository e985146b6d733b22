// SPDX-License-Identifier: GPL-2.0-only

#include "xen_runstate.h"

/* The thread that calls KVM_RUN is not the one that ran the vCPU before. */
int kvm_arch_vcpu_run_pid_change(struct kvm_vcpu *vcpu)
{
	kvm_xen_runstate_restart_steal(vcpu);
	return 0;
}
