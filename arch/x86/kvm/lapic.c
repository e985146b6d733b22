// SPDX-License-Identifier: GPL-2.0-only
/*
 * The APIC timer follows the guest's TSC.
 */

/*
 * A deadline is a TSC of the guest, but the timer that stands for it is one of the
 * host.  When the TSC moves, a deadline in TSC-deadline mode stays, and is met sooner
 * or later.  The time at which another mode expires stays, and its deadline moves.
 */
void kvm_lapic_guest_tsc_moved(struct kvm_vcpu *vcpu)
{
	struct kvm_lapic *apic = vcpu->arch.apic;
	struct kvm_timer *timer;
	ktime_t left;

	if (!lapic_in_kernel(vcpu) || !apic->lapic_timer.tscdeadline)
		return;

	timer = &apic->lapic_timer;
	hrtimer_cancel(&timer->timer);

	if (apic_lvtt_tscdeadline(apic)) {
		/* It may have expired by the old TSC, and lie ahead by the new one. */
		timer->expired_tscdeadline = 0;
		atomic_set(&timer->pending, 0);
	} else {
		left = max(ktime_sub(timer->target_expiration, ktime_get()), 0);
		timer->tscdeadline = kvm_read_l1_tsc(vcpu, rdtsc()) +
				     nsec_to_cycles(vcpu, left);
	}

	restart_apic_timer(apic);
}
