// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series

static void timer_set_irq_ops(struct kvm_vcpu *vcpu)
{
	for (int i = 0; i < nr_timers(vcpu); i++)
		kvm_vgic_set_irq_ops(vcpu, timer_irq(vcpu_get_timer(vcpu, i)),
				     &arch_timer_irq_ops);
}
