/* SPDX-License-Identifier: GPL-2.0-only */

void kvm_timer_disable(struct kvm_vcpu *vcpu);
bool kvm_timer_uses_ppi(struct kvm_vcpu *vcpu, int irq);
extern const struct kvm_vcpu_attr_group kvm_arm_timer_attrs;
