/* SPDX-License-Identifier: GPL-2.0-only */

void kvm_arm_pvtime_new_thread(struct kvm_vcpu *vcpu);
