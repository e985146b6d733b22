// SPDX-License-Identifier: GPL-2.0-only
/*
 * With the rules of the base for interrupt numbers, and for the PPIs of timers.
 */

static int pmu_set_irq(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, const void *payload)
{
	struct kvm *kvm = vcpu->kvm;
	int irq = *(const int *)payload;

	guard(mutex)(&kvm->arch.config_lock);

	if (!irq_is_ppi(kvm, irq) && !irq_is_spi(kvm, irq))
		return -EINVAL;

	if (!pmu_irq_is_valid(kvm, irq))
		return -EINVAL;

	if (kvm_arm_pmu_irq_initialized(vcpu))
		return -EBUSY;

	vcpu->arch.pmu.irq_num = irq;
	return 0;
}

static int pmu_set_init(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, const void *payload)
{
	struct kvm_pmu *pmu = &vcpu->arch.pmu;
	struct kvm *kvm = vcpu->kvm;
	int r;

	guard(mutex)(&kvm->arch.config_lock);

	if (pmu->created)
		return -EBUSY;

#ifdef KVM_ARM_VCPU_PMU_V3_STRICT
	if (!kvm->arch.arm_pmu)
		return -ENXIO;

#endif
	if (irqchip_in_kernel(kvm)) {
		if (!vgic_initialized(kvm))
			return -ENODEV;

#ifdef KVM_DEV_TYPE_ARM_VGIC_V5
		if (vgic_is_v5(kvm))
			pmu->irq_num = KVM_ARMV8_PMU_GICV5_IRQ;

#endif
		if (!kvm_arm_pmu_irq_initialized(vcpu))
			return -ENXIO;

		r = kvm_vgic_set_owner(vcpu, pmu->irq_num, pmu);
		if (r)
			return r;
	}

	init_irq_work(&pmu->overflow_work, kvm_pmu_perf_overflow_notify_vcpu);
	pmu->claims_irq_late = !irqchip_in_kernel(kvm);
	pmu->created = true;
	return 0;
}
