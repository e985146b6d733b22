// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_ARM_VCPU_TIMER_CTRL: the PPIs of the architected timers.
 *
 * The numbers are the VM's.  They are checked against each other when a vCPU
 * runs for the first time, and then they are claimed for it; as long as any vCPU
 * has claimed them they stay as they are.
 */
#include <linux/bitops.h>
#include <linux/kvm_host.h>

#include <kvm/arm_arch_timer.h>
#include <kvm/arm_vgic.h>
#include <kvm/vcpu_attr.h>

#include "timer_attr.h"
#include "vcpu_attr.h"
#include "vgic/vgic.h"

static int irq_ready(struct kvm_vcpu *vcpu, bool set)
{
	return !set || irqchip_in_kernel(vcpu->kvm) ? 0 : -EINVAL;
}

/* Those of EL2 are for a vCPU that has one. */
static int nr_timers(struct kvm_vcpu *vcpu)
{
	return vcpu_has_nv(vcpu) ? NR_KVM_TIMERS : NR_KVM_EL0_TIMERS;
}

/* Is @irq the PPI of one of the vCPU's timers, as things are? */
bool kvm_timer_uses_ppi(struct kvm_vcpu *vcpu, int irq)
{
	int i;

	lockdep_assert_held(&vcpu->kvm->arch.config_lock);

	for (i = 0; i < nr_timers(vcpu); i++) {
		if (vcpu->kvm->arch.timer_data.ppi[i] == irq)
			return true;
	}

	return false;
}

static bool ppis_claimed(struct kvm *kvm)
{
	struct kvm_vcpu *vcpu;
	unsigned long i;

	lockdep_assert_held(&kvm->arch.config_lock);

	kvm_for_each_vcpu(i, vcpu, kvm) {
		if (vcpu_timer(vcpu)->ppis_claimed)
			return true;
	}

	return false;
}

static int get_irq(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, void *payload)
{
	*(int *)payload = vcpu->kvm->arch.timer_data.ppi[row->data];
	return 0;
}

static int set_irq(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, const void *payload)
{
	int irq = *(const int *)payload;

	if (!irq_is_ppi(irq))
		return -EINVAL;

	guard(mutex)(&vcpu->kvm->arch.config_lock);

	if (ppis_claimed(vcpu->kvm))
		return -EBUSY;

	vcpu->kvm->arch.timer_data.ppi[row->data] = irq;
	return 0;
}

#define TIMER_ATTR(name)				\
	[KVM_ARM_VCPU_TIMER_IRQ_##name] = {		\
		.size	= KVM_VCPU_ATTR_SIZE(int),			\
		.data	= TIMER_##name,			\
		.ready	= irq_ready,			\
		.get	= get_irq,			\
		.set	= set_irq,			\
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

static void release_ppi(struct kvm_vcpu *vcpu, struct arch_timer_context *ctx)
{
	struct vgic_irq *irq = vgic_get_irq(vcpu->kvm, vcpu, timer_irq(ctx));
	unsigned long flags;

	raw_spin_lock_irqsave(&irq->irq_lock, flags);
	if (irq->owner == ctx)
		irq->owner = NULL;
	raw_spin_unlock_irqrestore(&irq->irq_lock, flags);

	vgic_put_irq(vcpu->kvm, irq);
}

/* Are the first @nr of @ppi all different? */
bool kvm_timer_ppis_differ(const u8 *ppi, int nr)
{
	u32 seen = 0;
	int i;

	for (i = 0; i < nr; i++)
		seen |= BIT(ppi[i]);

	return hweight32(seen) == nr;
}

/*
 * Claim a PPI for each of the vCPU's timers, or none.  From here on their
 * numbers cannot be changed.
 */
int kvm_timer_claim_ppis(struct kvm_vcpu *vcpu)
{
	struct kvm *kvm = vcpu->kvm;
	int i, nr = nr_timers(vcpu);

	guard(mutex)(&kvm->arch.config_lock);

	if (!kvm_timer_ppis_differ(kvm->arch.timer_data.ppi, nr))
		return -EINVAL;

	for (i = 0; i < nr; i++) {
		struct arch_timer_context *ctx = vcpu_get_timer(vcpu, i);

		if (!kvm_vgic_set_owner(vcpu, timer_irq(ctx), ctx))
			continue;

		while (i--)
			release_ppi(vcpu, vcpu_get_timer(vcpu, i));
		return -EINVAL;
	}

	vcpu_timer(vcpu)->ppis_claimed = true;
	return 0;
}

/* Give up what a first run that failed had claimed. */
void kvm_timer_release_ppis(struct kvm_vcpu *vcpu)
{
	int i;

	guard(mutex)(&vcpu->kvm->arch.config_lock);

	for (i = 0; i < nr_timers(vcpu); i++) {
		kvm_vgic_unmap_phys_irq(vcpu, timer_irq(vcpu_get_timer(vcpu, i)));
		release_ppi(vcpu, vcpu_get_timer(vcpu, i));
	}

	vcpu_timer(vcpu)->ppis_claimed = false;
}
