// SPDX-License-Identifier: GPL-2.0-only

static int init_structure(struct kvm_vcpu *vcpu)
{
	struct pvclock_vcpu_stolen_time st = {};
	int r;

	r = fault_in_structure(vcpu);
	if (r)
		return r;

	scoped_guard(preempt) {
		take_stolen_time(vcpu);
		vcpu->arch.steal.pending = 0;
	}

	if (kvm_write_guest(vcpu->kvm, vcpu->arch.steal.base, &st, sizeof(st)))
		return -EFAULT;

	return 0;
}
