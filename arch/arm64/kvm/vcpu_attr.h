/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __ARM64_KVM_VCPU_ATTR_H
#define __ARM64_KVM_VCPU_ATTR_H

#include <linux/types.h>

struct kvm_vcpu;

/* pmu_attr.c; without PMU support in the host's kernel only @offered is there. */
bool kvm_pmu_attr_offered(struct kvm_vcpu *vcpu);
bool kvm_pmu_attr_feature(struct kvm_vcpu *vcpu);
int kvm_pmu_irq_ready(struct kvm_vcpu *vcpu, bool set);
int kvm_pmu_irq_get(struct kvm_vcpu *vcpu, void *payload);
int kvm_pmu_irq_set(struct kvm_vcpu *vcpu, const void *payload);
int kvm_pmu_init_set(struct kvm_vcpu *vcpu, const void *payload);
int kvm_pmu_filter_set(struct kvm_vcpu *vcpu, const void *payload);
int kvm_pmu_pmu_set(struct kvm_vcpu *vcpu, const void *payload);

/* timer_attr.c; a getter and a setter for each timer. */
int kvm_timer_irq_ready(struct kvm_vcpu *vcpu, bool set);
int kvm_vtimer_irq_get(struct kvm_vcpu *vcpu, void *payload);
int kvm_vtimer_irq_set(struct kvm_vcpu *vcpu, const void *payload);
int kvm_ptimer_irq_get(struct kvm_vcpu *vcpu, void *payload);
int kvm_ptimer_irq_set(struct kvm_vcpu *vcpu, const void *payload);
int kvm_hvtimer_irq_get(struct kvm_vcpu *vcpu, void *payload);
int kvm_hvtimer_irq_set(struct kvm_vcpu *vcpu, const void *payload);
int kvm_hptimer_irq_get(struct kvm_vcpu *vcpu, void *payload);
int kvm_hptimer_irq_set(struct kvm_vcpu *vcpu, const void *payload);

/* pvtime.c */
bool kvm_pvtime_attr_offered(struct kvm_vcpu *vcpu);
int kvm_pvtime_ipa_get(struct kvm_vcpu *vcpu, void *payload);
int kvm_pvtime_ipa_set(struct kvm_vcpu *vcpu, const void *payload);

#endif /* __ARM64_KVM_VCPU_ATTR_H */
