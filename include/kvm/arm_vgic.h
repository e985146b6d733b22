/* SPDX-License-Identifier: GPL-2.0-only */

void kvm_vgic_clear_owner(struct kvm_vcpu *vcpu, unsigned int intid, void *owner);
