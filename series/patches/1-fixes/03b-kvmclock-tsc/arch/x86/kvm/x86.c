// SPDX-License-Identifier: GPL-2.0-only

/* The guest's TSC was set.  Bring what was derived from it up to date. */
void kvm_guest_tsc_moved(struct kvm_vcpu *vcpu)
{
	kvm_make_request(KVM_REQ_CLOCK_UPDATE, vcpu);
}
