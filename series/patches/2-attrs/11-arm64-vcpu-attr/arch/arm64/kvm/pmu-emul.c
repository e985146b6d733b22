// SPDX-License-Identifier: GPL-2.0-only
/*
 * With the rules of the base, of which later patches change one each.
 */

static int pmu_set_irq(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, const void *payload)
{
	struct kvm *kvm = vcpu->kvm;
	int irq = *(const int *)payload;

	guard(mutex)(&kvm->arch.config_lock);

	if (vcpu->arch.pmu.created)
		return -EBUSY;

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
	pmu->created = true;
	return 0;
}

static int pmu_set_filter(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			  const void *payload)
{
	const struct kvm_pmu_event_filter *filter = payload;
	struct kvm_arch *ka = &vcpu->kvm->arch;
	u32 nr_events = __kvm_pmu_event_mask(kvm_arm_pmu_get_pmuver_limit()) + 1;

	guard(mutex)(&ka->config_lock);

	if (vcpu->arch.pmu.created)
		return -EBUSY;

	if ((u32)filter->base_event + filter->nevents > nr_events)
		return -EINVAL;

	if (filter->action != KVM_PMU_EVENT_ALLOW && filter->action != KVM_PMU_EVENT_DENY)
		return -EINVAL;

	if (kvm_vm_has_ran_once(vcpu->kvm))
		return -EBUSY;

#ifdef KVM_ARM_VCPU_PMU_V3_STRICT
	if (!ka->arm_pmu)
		return -ENXIO;

#endif
	return pmu_filter_add(ka, filter, nr_events);
}

static int pmu_set_pmu(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, const void *payload)
{
	struct arm_pmu *pmu = pmu_find(*(const int *)payload);
	struct kvm_arch *ka = &vcpu->kvm->arch;

	guard(mutex)(&ka->config_lock);

	if (vcpu->arch.pmu.created)
		return -EBUSY;

	if (!pmu)
		return -ENXIO;

	if (kvm_vm_has_ran_once(vcpu->kvm))
		return -EBUSY;

	if (ka->pmu_filter && pmu != ka->arm_pmu)
		return -EBUSY;

	if (pmu != ka->arm_pmu)
		kvm_arm_set_pmu(vcpu->kvm, pmu);

	cpumask_copy(ka->supported_cpus, &pmu->supported_cpus);
#ifdef KVM_ARM_VCPU_PMU_V3_STRICT
	/* What a guest reads in PMMIR_EL1 is that of the PMU which userspace chose. */
	if (kvm_vcpu_has_pmuv3_strict(vcpu))
		ka->pmmir_slots = FIELD_GET(ARMV8_PMU_SLOTS, pmu->reg_pmmir);
#endif
	return 0;
}

#ifdef KVM_ARM_VCPU_PMU_V3_SET_NR_COUNTERS
static int pmu_set_nr_counters(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			       const void *payload)
{
	unsigned int nr = *(const unsigned int *)payload;
	struct kvm *kvm = vcpu->kvm;

	guard(mutex)(&kvm->arch.config_lock);

	if (vcpu->arch.pmu.created)
		return -EBUSY;

	if (!kvm->arch.arm_pmu || nr > kvm_arm_pmu_get_max_counters(kvm))
		return -EINVAL;

	kvm_arm_set_nr_counters(kvm, nr);
	return 0;
}

#endif
