// SPDX-License-Identifier: GPL-2.0-only
/*
 * The attributes of arm64 vCPUs.
 */
#include <kvm/vcpu_attr.h>

/* For the numbers of interrupts: an irqchip in the kernel must raise them. */
int kvm_arm_irq_attr_ready(struct kvm_vcpu *vcpu)
{
	return irqchip_in_kernel(vcpu->kvm) ? 0 : -EINVAL;
}

/* KVM_RUN fails as the vgic cannot be used. */
static int vgic_fails(struct kvm_vcpu *vcpu, int error)
{
	const char *reason = "the vgic cannot be set up";

	if (error == -ENXIO)
		reason = "the vgic lacks an address";
	else if (error == -EINVAL)
		reason = "frames of the vgic overlap";
	else if (error == -EBUSY)
		reason = "the vgic is not initialized";

	return kvm_vcpu_attr_run_fails(vcpu, KVM_VCPU_ATTR_NONE, 0, error, reason);
}

static const struct kvm_vcpu_attr_group *const kvm_arm_attr_groups[] = {
#if IS_ENABLED(CONFIG_HW_PERF_EVENTS)
	[KVM_ARM_VCPU_PMU_V3_CTRL] = &kvm_arm_pmu_attrs,
#endif
	[KVM_ARM_VCPU_TIMER_CTRL]  = &kvm_arm_timer_attrs,
	[KVM_ARM_VCPU_PVTIME_CTRL] = &kvm_arm_pvtime_attrs,
};

const struct kvm_vcpu_attr_table kvm_arch_vcpu_attrs = {
	.groups	= kvm_arm_attr_groups,
	.nr	= ARRAY_SIZE(kvm_arm_attr_groups),
};
