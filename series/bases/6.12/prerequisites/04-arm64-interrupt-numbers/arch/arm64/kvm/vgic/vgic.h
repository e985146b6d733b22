/* SPDX-License-Identifier: GPL-2.0-only */

static inline struct vgic_irq *vgic_get_vcpu_irq(struct kvm_vcpu *vcpu, u32 intid)
{
	return vgic_get_irq(vcpu->kvm, vcpu, intid);
}
