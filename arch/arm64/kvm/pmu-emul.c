// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_ARM_VCPU_PMU_V3_CTRL: interrupt, initialization, event filter and choice of
 * the PMU.
 *
 * Filter and choice hold for the whole VM, and the interrupts of its vCPUs must
 * agree.  All of it is guarded by the VM's config_lock.
 */
#include <kvm/vcpu_attr.h>

/*
 * A PMU that was initialized without an irqchip has its interrupt claimed by the first
 * run.  It can be had: timers claim theirs later, and no two PMUs have the same SPI.
 */
static void pmu_claim_late_irq(struct kvm_vcpu *vcpu)
{
	if (vcpu->arch.pmu.claims_irq_late)
		kvm_vgic_set_owner(vcpu, vcpu->arch.pmu.irq_num, &vcpu->arch.pmu);
}

/* Undo kvm_arm_pmu_v3_enable(), for a first run that fails after it. */
void kvm_arm_pmu_v3_disable(struct kvm_vcpu *vcpu)
{
	struct kvm_pmu *pmu = &vcpu->arch.pmu;

	if (kvm_vcpu_has_pmu(vcpu) && irqchip_in_kernel(vcpu->kvm) && pmu->claims_irq_late)
		kvm_vgic_clear_owner(vcpu, pmu->irq_num, pmu);
}

/* The PMU whose perf type is @type, or NULL. */
static struct arm_pmu *pmu_find(int type)
{
	struct arm_pmu_entry *entry;

	guard(mutex)(&arm_pmus_lock);

	list_for_each_entry(entry, &arm_pmus, entry) {
		if (entry->arm_pmu->pmu.type == type)
			return entry->arm_pmu;
	}

	return NULL;
}

static bool pmu_offered(void)
{
	return kvm_supports_guest_pmuv3();
}

static bool pmu_is_there(struct kvm_vcpu *vcpu)
{
	return kvm_vcpu_has_pmu(vcpu);
}

static int pmu_get_irq(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, void *payload)
{
	if (!irqchip_in_kernel(vcpu->kvm))
		return -EINVAL;

	if (!kvm_arm_pmu_irq_initialized(vcpu))
		return -ENXIO;

	*(int *)payload = vcpu->arch.pmu.irq_num;
	return 0;
}

/*
 * True if @irq can interrupt a vCPU.  If userspace has not set the number of SPIs
 * yet, that is re-checked when the interrupt is used.
 */
static bool pmu_irq_exists(struct kvm *kvm, int irq)
{
#ifdef KVM_DEV_TYPE_ARM_VGIC_V5
	/* The architecture has given the PMU its PPI. */
	if (vgic_is_v5(kvm))
		return irq == KVM_ARMV8_PMU_GICV5_IRQ;

#endif
	if (irq_is_ppi(kvm, irq))
		return true;

	return irq_is_spi(kvm, irq) && (!kvm->arch.vgic.nr_spis || vgic_valid_spi(kvm, irq));
}

/* One PPI for all vCPUs, or an SPI for each; @taken has the numbers that were given. */
bool kvm_pmu_irq_agrees(const unsigned long *taken, int irq)
{
	unsigned long first = find_first_bit(taken, KVM_PMU_NR_IRQS);

	if (irq < VGIC_NR_PRIVATE_IRQS)
		return first == irq || first == KVM_PMU_NR_IRQS;

	return first >= VGIC_NR_PRIVATE_IRQS && !test_bit(irq, taken);
}

static bool pmu_irq_agrees(struct kvm *kvm, int irq)
{
	lockdep_assert_held(&kvm->arch.config_lock);

#ifdef KVM_DEV_TYPE_ARM_VGIC_V5
	if (vgic_is_v5(kvm))
		return true;

#endif
	return kvm_pmu_irq_agrees(kvm->arch.pmu_irqs, irq);
}

/*
 * A PMU that was initialized before there was an irqchip has no interrupt yet and
 * may still be given one; it is claimed when the vCPU first runs.
 */
static int pmu_set_irq(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, const void *payload)
{
	struct kvm *kvm = vcpu->kvm;
	int irq = *(const int *)payload;

	guard(mutex)(&kvm->arch.config_lock);

	if (!pmu_irq_exists(kvm, irq))
		return -EINVAL;

	if (kvm_arm_pmu_irq_initialized(vcpu))
		return -EBUSY;

	if (!pmu_irq_agrees(kvm, irq))
		return -EINVAL;

	/* The number that a GICv5 has is larger, and the same for all vCPUs. */
	if (irq < KVM_PMU_NR_IRQS)
		__set_bit(irq, kvm->arch.pmu_irqs);
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

		if (kvm_timer_uses_ppi(vcpu, pmu->irq_num))
			return -EEXIST;

		r = kvm_vgic_set_owner(vcpu, pmu->irq_num, pmu);
		if (r)
			return r;
	}

	init_irq_work(&pmu->overflow_work, kvm_pmu_perf_overflow_notify_vcpu);
	pmu->claims_irq_late = !irqchip_in_kernel(kvm);
	pmu->created = true;
	return 0;
}

/* Check that the event filter and the PMU of the VM can still be changed. */
static int pmu_configurable(struct kvm *kvm)
{
	lockdep_assert_held(&kvm->arch.config_lock);

	if (irqchip_in_kernel(kvm) && !vgic_initialized(kvm))
		return -ENODEV;

	return kvm_vm_has_ran_once(kvm) ? -EBUSY : 0;
}

static bool pmu_any_created(struct kvm *kvm)
{
	struct kvm_vcpu *vcpu;
	unsigned long i;

	kvm_for_each_vcpu(i, vcpu, kvm) {
		if (vcpu->arch.pmu.created)
			return true;
	}

	return false;
}

/* True if the VM has a filter, which @filter would leave as it is. */
static bool pmu_filter_is_set(struct kvm_arch *ka, const struct kvm_pmu_event_filter *filter)
{
	unsigned long begin = filter->base_event, end = begin + filter->nevents;

	lockdep_assert_held(&ka->config_lock);

	if (!ka->pmu_filter)
		return false;

	if (filter->action == KVM_PMU_EVENT_ALLOW)
		return find_next_zero_bit(ka->pmu_filter, end, begin) >= end;

	return find_next_bit(ka->pmu_filter, end, begin) >= end;
}

/*
 * The first filter decides on all of the @nr_events events that no filter names: they
 * are denied if it allows, and allowed if it denies.
 */
static int pmu_filter_add(struct kvm_arch *ka, const struct kvm_pmu_event_filter *filter,
			  u32 nr_events)
{
	bool allow = filter->action == KVM_PMU_EVENT_ALLOW;

	lockdep_assert_held(&ka->config_lock);

	if (!ka->pmu_filter) {
		ka->pmu_filter = bitmap_alloc(nr_events, GFP_KERNEL_ACCOUNT);
		if (!ka->pmu_filter)
			return -ENOMEM;

		if (allow)
			bitmap_zero(ka->pmu_filter, nr_events);
		else
			bitmap_fill(ka->pmu_filter, nr_events);
	}

	if (allow)
		bitmap_set(ka->pmu_filter, filter->base_event, filter->nevents);
	else
		bitmap_clear(ka->pmu_filter, filter->base_event, filter->nevents);

	return 0;
}

/* The space is that of the host's PMU, even if the guest's has less. */
static int pmu_set_filter(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			  const void *payload)
{
	const struct kvm_pmu_event_filter *filter = payload;
	struct kvm_arch *ka = &vcpu->kvm->arch;
	u32 nr_events = __kvm_pmu_event_mask(kvm_arm_pmu_get_pmuver_limit()) + 1;
	int r;

	if ((u32)filter->base_event + filter->nevents > nr_events)
		return -EINVAL;

	if (filter->action != KVM_PMU_EVENT_ALLOW && filter->action != KVM_PMU_EVENT_DENY)
		return -EINVAL;

	guard(mutex)(&ka->config_lock);

	r = pmu_configurable(vcpu->kvm);
	if (r)
		return r;

#ifdef KVM_ARM_VCPU_PMU_V3_STRICT
	if (!ka->arm_pmu)
		return -ENXIO;

#endif
	/* Some VMMs set the filter through each vCPU, right before its INIT. */
	if (pmu_any_created(vcpu->kvm))
		return pmu_filter_is_set(ka, filter) ? 0 : -EBUSY;

	return pmu_filter_add(ka, filter, nr_events);
}

/*
 * Selecting the current PMU again changes nothing but the CPUs on which the vCPUs
 * can run, which are not restricted by default.
 */
static int pmu_set_pmu(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, const void *payload)
{
	struct arm_pmu *pmu = pmu_find(*(const int *)payload);
	struct kvm_arch *ka = &vcpu->kvm->arch;
	bool is_set, created;
	int r;

	if (!pmu)
		return -ENXIO;

	guard(mutex)(&ka->config_lock);

	r = pmu_configurable(vcpu->kvm);
	if (r)
		return r;

	if (vcpu->arch.pmu.created)
		return -EBUSY;

	created = pmu_any_created(vcpu->kvm);
	is_set = pmu == ka->arm_pmu && cpumask_subset(ka->supported_cpus, &pmu->supported_cpus);

	/* A VMM that makes all calls vCPU by vCPU comes here with the filter of the first. */
	if (ka->pmu_filter)
		return created && is_set ? 0 : -EBUSY;

	if (pmu != ka->arm_pmu) {
		if (created)
			return -EBUSY;
		kvm_arm_set_pmu(vcpu->kvm, pmu);
	}

	cpumask_copy(ka->supported_cpus, &pmu->supported_cpus);
#ifdef KVM_ARM_VCPU_PMU_V3_STRICT
	/* What a guest reads in PMMIR_EL1 is that of the PMU which userspace chose. */
	if (kvm_vcpu_has_pmuv3_strict(vcpu))
		ka->pmmir_slots = FIELD_GET(ARMV8_PMU_SLOTS, pmu->reg_pmmir);
#endif
	return 0;
}

#ifdef KVM_ARM_VCPU_PMU_V3_SET_NR_COUNTERS
/* The number goes when userspace chooses another PMU. */
static int pmu_set_nr_counters(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			       const void *payload)
{
	unsigned int nr = *(const unsigned int *)payload;
	struct kvm *kvm = vcpu->kvm;
	bool created;
	int r;

	guard(mutex)(&kvm->arch.config_lock);

	if (!kvm->arch.arm_pmu || nr > kvm_arm_pmu_get_max_counters(kvm))
		return -EINVAL;

	r = pmu_configurable(kvm);
	if (r)
		return r;

	if (vcpu->arch.pmu.created)
		return -EBUSY;

	/* As for the choice of the PMU: some VMMs make all calls vCPU by vCPU. */
	created = pmu_any_created(kvm);
	if (created || kvm->arch.pmu_filter)
		return created && nr == kvm->arch.nr_pmu_counters ? 0 : -EBUSY;

	kvm_arm_set_nr_counters(kvm, nr);
	return 0;
}

#endif

static const struct kvm_vcpu_attr pmu_attrs[] = {
	[KVM_ARM_VCPU_PMU_V3_IRQ] = {
		.size	= KVM_VCPU_ATTR_SIZE(int),
		.ready	= kvm_arm_irq_attr_ready,
		.get	= pmu_get_irq,
		.set	= pmu_set_irq,
	},
	[KVM_ARM_VCPU_PMU_V3_INIT] = {
		.absent	= -ENXIO,
		.set	= pmu_set_init,
	},
	[KVM_ARM_VCPU_PMU_V3_FILTER] = {
		.size	= KVM_VCPU_ATTR_SIZE(struct kvm_pmu_event_filter),
		.absent	= -ENODEV,
		.set	= pmu_set_filter,
	},
	[KVM_ARM_VCPU_PMU_V3_SET_PMU] = {
		.size	= KVM_VCPU_ATTR_SIZE(int),
		.absent	= -ENODEV,
		.set	= pmu_set_pmu,
	},
#ifdef KVM_ARM_VCPU_PMU_V3_SET_NR_COUNTERS
	[KVM_ARM_VCPU_PMU_V3_SET_NR_COUNTERS] = {
		.size	= KVM_VCPU_ATTR_SIZE(unsigned int),
		.absent	= -ENODEV,
		.set	= pmu_set_nr_counters,
	},
#endif
};

const struct kvm_vcpu_attr_group kvm_arm_pmu_attrs = {
	.rows	 = pmu_attrs,
	.nr	 = ARRAY_SIZE(pmu_attrs),
	.feature = pmu_is_there,
	.offered = pmu_offered,
};
