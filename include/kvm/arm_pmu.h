/* SPDX-License-Identifier: GPL-2.0-only */

/* The interrupts that a PMU can have, of kvm_arch.pmu_irqs. */
#define KVM_PMU_NR_IRQS		(VGIC_MAX_SPI + 1)

void kvm_arm_pmu_v3_disable(struct kvm_vcpu *vcpu);
bool kvm_pmu_irq_agrees(const unsigned long *taken, int irq);
extern const struct kvm_vcpu_attr_group kvm_arm_pmu_attrs;

static inline void kvm_arm_pmu_v3_disable(struct kvm_vcpu *vcpu) {}
