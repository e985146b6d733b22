// SPDX-License-Identifier: GPL-2.0-only
/*
 * The attributes of arm64 vCPUs.
 */
#include <linux/kvm_host.h>

#include <kvm/vcpu_attr.h>

#include "vcpu_attr.h"

#define TIMER_ATTR(name, prefix)				\
	{							\
		.group	= KVM_ARM_VCPU_TIMER_CTRL,		\
		.attr	= KVM_ARM_VCPU_TIMER_IRQ_##name,	\
		.size	= sizeof(int),				\
		.ready	= kvm_timer_irq_ready,			\
		.get	= kvm_##prefix##_irq_get,		\
		.set	= kvm_##prefix##_irq_set,		\
	}

static const struct kvm_vcpu_attr attrs[] = {
#if IS_ENABLED(CONFIG_HW_PERF_EVENTS)
	{
		.group	 = KVM_ARM_VCPU_PMU_V3_CTRL,
		.attr	 = KVM_ARM_VCPU_PMU_V3_IRQ,
		.size	 = sizeof(int),
		.offered = kvm_pmu_attr_offered,
		.feature = kvm_pmu_attr_feature,
		.ready	 = kvm_pmu_irq_ready,
		.get	 = kvm_pmu_irq_get,
		.set	 = kvm_pmu_irq_set,
	}, {
		.group	 = KVM_ARM_VCPU_PMU_V3_CTRL,
		.attr	 = KVM_ARM_VCPU_PMU_V3_INIT,
		.offered = kvm_pmu_attr_offered,
		.feature = kvm_pmu_attr_feature,
		.set	 = kvm_pmu_init_set,
	}, {
		.group	 = KVM_ARM_VCPU_PMU_V3_CTRL,
		.attr	 = KVM_ARM_VCPU_PMU_V3_FILTER,
		.size	 = sizeof(struct kvm_pmu_event_filter),
		.offered = kvm_pmu_attr_offered,
		.feature = kvm_pmu_attr_feature,
		.set	 = kvm_pmu_filter_set,
	}, {
		.group	 = KVM_ARM_VCPU_PMU_V3_CTRL,
		.attr	 = KVM_ARM_VCPU_PMU_V3_SET_PMU,
		.size	 = sizeof(int),
		.offered = kvm_pmu_attr_offered,
		.feature = kvm_pmu_attr_feature,
		.set	 = kvm_pmu_pmu_set,
	},
#endif
	TIMER_ATTR(VTIMER, vtimer),
	TIMER_ATTR(PTIMER, ptimer),
	TIMER_ATTR(HVTIMER, hvtimer),
	TIMER_ATTR(HPTIMER, hptimer),
	{
		.group	 = KVM_ARM_VCPU_PVTIME_CTRL,
		.attr	 = KVM_ARM_VCPU_PVTIME_IPA,
		.size	 = sizeof(u64),
		.offered = kvm_pvtime_attr_offered,
		.get	 = kvm_pvtime_ipa_get,
		.set	 = kvm_pvtime_ipa_set,
	},
};

const struct kvm_vcpu_attr_table kvm_arch_vcpu_attrs = { attrs, ARRAY_SIZE(attrs) };
