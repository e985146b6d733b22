// SPDX-License-Identifier: GPL-2.0-only
/*
 * The attributes of arm64 vCPUs.
 */
#include <linux/kvm_host.h>

#include <kvm/vcpu_attr.h>

#include "vcpu_attr.h"

#define PMU_ATTR						\
	.group	 = KVM_ARM_VCPU_PMU_V3_CTRL,			\
	.offered = kvm_pmu_attr_offered,			\
	.feature = kvm_pmu_attr_feature

#define TIMER_ATTR(name)					\
	{							\
		.group	= KVM_ARM_VCPU_TIMER_CTRL,		\
		.attr	= KVM_ARM_VCPU_TIMER_IRQ_##name,	\
		.size	= sizeof(int),				\
		.ready	= kvm_timer_irq_ready,			\
		.get	= kvm_timer_irq_get,			\
		.set	= kvm_timer_irq_set,			\
	}

static const struct kvm_vcpu_attr attrs[] = {
#if IS_ENABLED(CONFIG_HW_PERF_EVENTS)
	{
		PMU_ATTR,
		.attr	 = KVM_ARM_VCPU_PMU_V3_IRQ,
		.size	 = sizeof(int),
		.ready	 = kvm_pmu_irq_ready,
		.get	 = kvm_pmu_irq_get,
		.set	 = kvm_pmu_irq_set,
	}, {
		PMU_ATTR,
		.attr	 = KVM_ARM_VCPU_PMU_V3_INIT,
		.set	 = kvm_pmu_init_set,
	}, {
		PMU_ATTR,
		.attr	 = KVM_ARM_VCPU_PMU_V3_FILTER,
		.size	 = sizeof(struct kvm_pmu_event_filter),
		.set	 = kvm_pmu_filter_set,
	}, {
		PMU_ATTR,
		.attr	 = KVM_ARM_VCPU_PMU_V3_SET_PMU,
		.size	 = sizeof(int),
		.set	 = kvm_pmu_pmu_set,
	},
#endif
	TIMER_ATTR(VTIMER),
	TIMER_ATTR(PTIMER),
	TIMER_ATTR(HVTIMER),
	TIMER_ATTR(HPTIMER),
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
