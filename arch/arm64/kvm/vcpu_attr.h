/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __ARM64_KVM_VCPU_ATTR_H
#define __ARM64_KVM_VCPU_ATTR_H

#include <linux/types.h>

struct kvm_vcpu;
struct kvm_vcpu_attr_group;

/* pmu_attr.c, timer_attr.c, pvtime_attr.c */
extern const struct kvm_vcpu_attr_group kvm_arm_pmu_attrs;
extern const struct kvm_vcpu_attr_group kvm_arm_timer_attrs;
extern const struct kvm_vcpu_attr_group kvm_arm_pvtime_attrs;

/* For the numbers of interrupts: is there somebody in the kernel to raise them? */
int kvm_arm_irq_attr_ready(struct kvm_vcpu *vcpu);

bool kvm_timer_uses_ppi(struct kvm_vcpu *vcpu, int irq);

#endif /* __ARM64_KVM_VCPU_ATTR_H */
