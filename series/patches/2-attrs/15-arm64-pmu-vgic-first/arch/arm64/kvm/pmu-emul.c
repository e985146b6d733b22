// SPDX-License-Identifier: GPL-2.0-only
/*
 * With the rules of the base for VMs whose vCPUs are set up one after the other.
 */

static int pmu_set_filter(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			  const void *payload)
{
	const struct kvm_pmu_event_filter *filter = payload;
	struct kvm_arch *ka = &vcpu->kvm->arch;
	u32 nr_events = __kvm_pmu_event_mask(kvm_arm_pmu_get_pmuver_limit()) + 1;
	int r;

	guard(mutex)(&ka->config_lock);

	if (vcpu->arch.pmu.created)
		return -EBUSY;

	if ((u32)filter->base_event + filter->nevents > nr_events)
		return -EINVAL;

	if (filter->action != KVM_PMU_EVENT_ALLOW && filter->action != KVM_PMU_EVENT_DENY)
		return -EINVAL;

	r = pmu_configurable(vcpu->kvm);
	if (r)
		return r;

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
	int r;

	guard(mutex)(&ka->config_lock);

	if (vcpu->arch.pmu.created)
		return -EBUSY;

	if (!pmu)
		return -ENXIO;

	r = pmu_configurable(vcpu->kvm);
	if (r)
		return r;

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
