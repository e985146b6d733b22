// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who has the PPIs of the architected timers.
 *
 * Their numbers are the VM's.  They are claimed for a vCPU when it runs for the
 * first time, all or none, which fails if two of them are the same.
 */
#include <linux/kvm_host.h>

#include <kvm/arm_arch_timer.h>
#include <kvm/arm_vgic.h>

#include "timer_ppis.h"

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

static void release_ppi(struct kvm_vcpu *vcpu, int timer)
{
	struct arch_timer_context *ctx = vcpu_get_timer(vcpu, timer);

	kvm_vgic_clear_owner(vcpu, timer_irq(ctx), ctx);
}

/*
 * Claim a PPI for each of the vCPU's timers, or none.  From here on their
 * numbers cannot be changed.
 */
int kvm_timer_claim_ppis(struct kvm_vcpu *vcpu)
{
	int i;

	guard(mutex)(&vcpu->kvm->arch.config_lock);

	for (i = 0; i < kvm_nr_timers(vcpu); i++) {
		struct arch_timer_context *ctx = vcpu_get_timer(vcpu, i);

		if (!kvm_vgic_set_owner(vcpu, timer_irq(ctx), ctx))
			continue;

		while (i--)
			release_ppi(vcpu, i);
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
		release_ppi(vcpu, i);
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
