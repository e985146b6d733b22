/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */

static inline uint64_t *vm_get_pte(struct kvm_vm *vm, gva_t gva)
{
	return vm_get_page_table_entry(vm, gva);
}
