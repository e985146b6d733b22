// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series

void kvm_vgic_set_irq_ops(struct kvm_vcpu *vcpu, u32 vintid, struct irq_ops *ops)
{
	struct vgic_irq *irq = vgic_get_vcpu_irq(vcpu, vintid);

	scoped_guard(raw_spinlock_irqsave, &irq->irq_lock)
		irq->ops = ops;

	vgic_put_irq(vcpu->kvm, irq);
}

void kvm_vgic_clear_irq_ops(struct kvm_vcpu *vcpu, u32 vintid)
{
	kvm_vgic_set_irq_ops(vcpu, vintid, NULL);
}
