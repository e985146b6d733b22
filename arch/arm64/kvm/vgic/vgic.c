// SPDX-License-Identifier: GPL-2.0-only

/**
 * kvm_vgic_clear_owner - Give up an interrupt
 *
 * @vcpu:   Pointer to the VCPU (used for PPIs)
 * @intid:  The virtual INTID identifying the interrupt (PPI or SPI)
 * @owner:  What kvm_vgic_set_owner() was called with
 *
 * Nothing changes if the interrupt has another owner.
 */
void kvm_vgic_clear_owner(struct kvm_vcpu *vcpu, unsigned int intid, void *owner)
{
	struct vgic_irq *irq = vgic_get_vcpu_irq(vcpu, intid);
	unsigned long flags;

	raw_spin_lock_irqsave(&irq->irq_lock, flags);
	if (irq->owner == owner)
		irq->owner = NULL;
	raw_spin_unlock_irqrestore(&irq->irq_lock, flags);

	vgic_put_irq(vcpu->kvm, irq);
}
