// SPDX-License-Identifier: GPL-2.0-only
/*
 * Without a tracepoint, which a later patch adds.
 */

/*
 * Claim a PPI for each of the vCPU's timers, atomically.  From here on their
 * numbers cannot be changed.
 */
static int timer_claim_ppis(struct kvm_vcpu *vcpu)
{
	int i;

	guard(mutex)(&vcpu->kvm->arch.config_lock);

	for (i = 0; i < nr_timers(vcpu); i++) {
		struct arch_timer_context *ctx = vcpu_get_timer(vcpu, i);

		if (!kvm_vgic_set_owner(vcpu, timer_irq(ctx), ctx))
			continue;

		while (i--)
			timer_release_ppi(vcpu, i);
		return -EINVAL;
	}

	vcpu_timer(vcpu)->ppis_claimed = true;
	return 0;
}
