// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who has the PPIs of the architected timers.
 *
 * Their numbers are the VM's.  They are checked against each other when a vCPU
 * runs for the first time, and then they are claimed for it, all or none.
 */
#include <linux/bitops.h>
#include <linux/kvm_host.h>

#include <kvm/arm_arch_timer.h>
#include <kvm/arm_vgic.h>

#include "timer_ppis.h"
#include "vgic/vgic.h"

/* Are the first @nr of @ppi all different? */
bool kvm_timer_ppis_differ(const u8 *ppi, int nr)
{
	u32 seen = 0;
	int i;

	for (i = 0; i < nr; i++)
		seen |= BIT(ppi[i]);

	return hweight32(seen) == nr;
}

/* Has any vCPU claimed them, so that they cannot be changed? */
bool kvm_timer_ppis_claimed(struct kvm *kvm)
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

/*
 * Claim a PPI for each of the vCPU's timers, or none.  From here on their
 * numbers cannot be changed.
 */
int kvm_timer_claim_ppis(struct kvm_vcpu *vcpu)
{
	struct kvm *kvm = vcpu->kvm;
	int i, nr = kvm_nr_timers(vcpu);

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

	for (i = 0; i < kvm_nr_timers(vcpu); i++) {
		kvm_vgic_unmap_phys_irq(vcpu, timer_irq(vcpu_get_timer(vcpu, i)));
		release_ppi(vcpu, vcpu_get_timer(vcpu, i));
	}

	vcpu_timer(vcpu)->ppis_claimed = false;
}

/* Undo kvm_timer_enable(), for a first run that fails after it. */
void kvm_timer_disable(struct kvm_vcpu *vcpu)
{
	if (irqchip_in_kernel(vcpu->kvm))
		kvm_timer_release_ppis(vcpu);

	vcpu_timer(vcpu)->enabled = false;
}
