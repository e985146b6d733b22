/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */

static inline void pin_self_to_cpu(int cpu)
{
	kvm_pin_this_task_to_pcpu(cpu);
}

static inline gva_t vm_alloc_page(struct kvm_vm *vm)
{
	return vm_vaddr_alloc_page(vm);
}
