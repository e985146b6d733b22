// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <sys/mman.h>
#include <unistd.h>

#include "kvm.h"
#include "vm.h"

const char * const kvm_needed = "this needs Linux 5.10 or later; see dmesg";

void vm_create(struct vm *vm, unsigned long type)
{
	vm->kvm = kvm_open();
	vm->fd = kvm_do(vm->kvm, KVM_CREATE_VM, type);
	vm->mem = kvm_add_memory(vm->fd, VM_MEMORY, 0);
}

void vm_destroy(struct vm *vm)
{
	munmap(vm->mem, VM_MEMORY);
	close(vm->fd);
	close(vm->kvm);
}
