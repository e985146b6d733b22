/* SPDX-License-Identifier: GPL-2.0-only */

int kvm_init_stolen_time(struct kvm_vcpu *vcpu);
void kvm_arm_load_stolen_time(struct kvm_vcpu *vcpu);
void kvm_arm_pvtime_vcpu_reset(struct kvm_vcpu *vcpu, bool off);
void kvm_arm_pvtime_new_thread(struct kvm_vcpu *vcpu);
extern const struct kvm_vcpu_attr_group kvm_arm_pvtime_attrs;
int kvm_arm_irq_attr_ready(struct kvm_vcpu *vcpu);
