/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __ARM64_KVM_VCPU_ATTR_H
#define __ARM64_KVM_VCPU_ATTR_H

#include <linux/types.h>

struct kvm_vcpu;
struct kvm_vcpu_attr;

/* pmu_attr.c, which is not there if the host's kernel has no PMU support. */
bool kvm_pmu_attr_offered(struct kvm_vcpu *vcpu);
bool kvm_pmu_attr_feature(struct kvm_vcpu *vcpu);
int kvm_pmu_irq_ready(struct kvm_vcpu *vcpu, bool set);
int kvm_pmu_irq_get(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, void *payload);
int kvm_pmu_irq_set(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
		    const void *payload);
int kvm_pmu_init_set(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
		     const void *payload);
int kvm_pmu_filter_set(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
		       const void *payload);
int kvm_pmu_pmu_set(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
		    const void *payload);

/* timer_attr.c; the row says which timer. */
int kvm_timer_irq_ready(struct kvm_vcpu *vcpu, bool set);
int kvm_timer_irq_get(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, void *payload);
int kvm_timer_irq_set(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
		      const void *payload);

/* pvtime.c */
bool kvm_pvtime_attr_offered(struct kvm_vcpu *vcpu);
int kvm_pvtime_ipa_get(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, void *payload);
int kvm_pvtime_ipa_set(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
		       const void *payload);

#endif /* __ARM64_KVM_VCPU_ATTR_H */
