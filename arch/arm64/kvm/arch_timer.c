// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ownership of the PPIs of the architected timers, and KVM_ARM_VCPU_TIMER_CTRL.
 *
 * Their numbers are the VM's.  They are claimed for a vCPU when it runs for the
 * first time, atomically, which fails if two of them are the same.  They stay as
 * they are while any vCPU has claimed them.
 */
#include <kvm/vcpu_attr.h>

/* True if a new vCPU must leave the counter of the VM as it is. */
static bool timer_offset_is_set(struct kvm *kvm)
{
	lockdep_assert_held(&kvm->arch.config_lock);

	return kvm_vm_has_ran_once(kvm) ||
	       test_bit(KVM_ARCH_FLAG_VM_COUNTER_OFFSET, &kvm->arch.flags);
}

/* True if any vCPU has claimed them, so that they cannot be changed. */
static bool timer_ppis_claimed(struct kvm *kvm)
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

static void timer_release_ppi(struct kvm_vcpu *vcpu, int timer)
{
	struct arch_timer_context *ctx = vcpu_get_timer(vcpu, timer);

	/* That of a GICv5 has a larger number, and cannot become anything else's. */
	if (timer_irq(ctx) < VGIC_NR_PRIVATE_IRQS)
		kvm_vgic_clear_irq_ops(vcpu, timer_irq(ctx));
	kvm_vgic_clear_owner(vcpu, timer_irq(ctx), ctx);
}

/* The attribute for the interrupt of a timer. */
static u64 timer_attr_of(int timer)
{
	static const u8 attrs[NR_KVM_TIMERS] = {
		[TIMER_VTIMER]	= KVM_ARM_VCPU_TIMER_IRQ_VTIMER,
		[TIMER_PTIMER]	= KVM_ARM_VCPU_TIMER_IRQ_PTIMER,
		[TIMER_HVTIMER]	= KVM_ARM_VCPU_TIMER_IRQ_HVTIMER,
		[TIMER_HPTIMER]	= KVM_ARM_VCPU_TIMER_IRQ_HPTIMER,
	};

	return attrs[timer];
}

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

		kvm_vcpu_attr_run_fails(vcpu, KVM_ARM_VCPU_TIMER_CTRL, timer_attr_of(i), -EINVAL,
					"the PPI of a timer is taken");
		while (i--)
			timer_release_ppi(vcpu, i);
		return -EINVAL;
	}

	vcpu_timer(vcpu)->ppis_claimed = true;
	return 0;
}

/* Release the PPIs that a failed first run has claimed. */
static void timer_release_ppis(struct kvm_vcpu *vcpu)
{
	int i;

	guard(mutex)(&vcpu->kvm->arch.config_lock);

	for (i = 0; i < nr_timers(vcpu); i++) {
		kvm_vgic_unmap_phys_irq(vcpu, timer_irq(vcpu_get_timer(vcpu, i)));
		timer_release_ppi(vcpu, i);
	}

	vcpu_timer(vcpu)->ppis_claimed = false;
}

/* Undo kvm_timer_enable(), for a first run that fails after it. */
void kvm_timer_disable(struct kvm_vcpu *vcpu)
{
	if (irqchip_in_kernel(vcpu->kvm))
		timer_release_ppis(vcpu);

	vcpu_timer(vcpu)->enabled = false;
}

/* True if @irq is at present the PPI of one of the vCPU's timers. */
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

static int timer_get_irq(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, void *payload)
{
	*(int *)payload = vcpu->kvm->arch.timer_data.ppi[row->data];
	return 0;
}

static int timer_set_irq(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			 const void *payload)
{
	int irq = *(const int *)payload;

	if (!irq_is_ppi(vcpu->kvm, irq))
		return -EINVAL;

#ifdef KVM_DEV_TYPE_ARM_VGIC_V5
	/* The architecture has given each timer its PPI. */
	if (vgic_is_v5(vcpu->kvm) && irq != get_vgic_ppi(vcpu->kvm, default_ppi[row->data]))
		return -EINVAL;

#endif
	guard(mutex)(&vcpu->kvm->arch.config_lock);

	if (timer_ppis_claimed(vcpu->kvm))
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
