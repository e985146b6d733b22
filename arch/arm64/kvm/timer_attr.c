// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_ARM_VCPU_TIMER_CTRL: the PPIs of the architected timers.
 *
 * The numbers are the VM's, and stay as they are while any vCPU has claimed them.
 */
#include <linux/kvm_host.h>

#include <kvm/arm_arch_timer.h>
#include <kvm/arm_vgic.h>
#include <kvm/vcpu_attr.h>

#include "timer_ppis.h"
#include "vcpu_attr.h"

/* Is @irq the PPI of one of the vCPU's timers, as things are? */
bool kvm_timer_uses_ppi(struct kvm_vcpu *vcpu, int irq)
{
	int i;

	lockdep_assert_held(&vcpu->kvm->arch.config_lock);

	for (i = 0; i < kvm_nr_timers(vcpu); i++) {
		if (vcpu->kvm->arch.timer_data.ppi[i] == irq)
			return true;
	}

	return false;
}

static int timer_get_irq(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, void *payload)
{
	*(int *)payload = vcpu->kvm->arch.timer_data.ppi[row->data];
	return 0;
}

static int timer_set_irq(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			 const void *payload)
{
	int irq = *(const int *)payload;

	if (!irq_is_ppi(irq))
		return -EINVAL;

	guard(mutex)(&vcpu->kvm->arch.config_lock);

	if (kvm_timer_ppis_claimed(vcpu->kvm))
		return -EBUSY;

	vcpu->kvm->arch.timer_data.ppi[row->data] = irq;
	return 0;
}

#define TIMER_ATTR(name)				\
	[KVM_ARM_VCPU_TIMER_IRQ_##name] = {		\
		.size	= KVM_VCPU_ATTR_SIZE(int),	\
		.data	= TIMER_##name,			\
		.ready	= kvm_arm_irq_attr_ready,	\
		.get	= timer_get_irq,		\
		.set	= timer_set_irq,		\
	}

static const struct kvm_vcpu_attr timer_attrs[] = {
	TIMER_ATTR(VTIMER),
	TIMER_ATTR(PTIMER),
	TIMER_ATTR(HVTIMER),
	TIMER_ATTR(HPTIMER),
};

const struct kvm_vcpu_attr_group kvm_arm_timer_attrs = {
	.rows	= timer_attrs,
	.nr	= ARRAY_SIZE(timer_attrs),
};
