/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __ARM64_KVM_PMU_ATTR_H
#define __ARM64_KVM_PMU_ATTR_H

#include <linux/kvm_host.h>

struct arm_pmu;
struct irq_work;

/* What the attributes need of the PMU's emulation in pmu-emul.c. */
u32 __kvm_pmu_event_mask(unsigned int pmuver);
struct arm_pmu *kvm_arm_find_pmu(int type);
void kvm_arm_set_pmu(struct kvm *kvm, struct arm_pmu *arm_pmu);
void kvm_pmu_perf_overflow_notify_vcpu(struct irq_work *work);

/* The interrupts that a PMU can have, of kvm_arch.pmu_irqs. */
#define KVM_PMU_NR_IRQS		(VGIC_MAX_SPI + 1)

bool kvm_pmu_irq_agrees(const unsigned long *taken, int irq);

#endif /* __ARM64_KVM_PMU_ATTR_H */
