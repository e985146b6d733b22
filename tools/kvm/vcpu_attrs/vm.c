// SPDX-License-Identifier: GPL-2.0-only
#include <sys/mman.h>
#include <unistd.h>

#include "kvm.h"
#include "vm.h"

const char * const kvm_needed = "this needs Linux 5.10 or later; see what dmesg says of KVM";

void vm_create(struct vm *vm, unsigned long type)
{
	struct kvm_userspace_memory_region region = { .memory_size = VM_MEMORY };

	vm->kvm = kvm_open();
	vm->fd = kvm_do(vm->kvm, KVM_CREATE_VM, type);
	vm->mem = mmap(NULL, VM_MEMORY, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (vm->mem == MAP_FAILED)
		kvm_die("mmap of the guest's memory");

	region.userspace_addr = (unsigned long)vm->mem;
	kvm_do(vm->fd, KVM_SET_USER_MEMORY_REGION, &region);
}

void vm_destroy(struct vm *vm)
{
	munmap(vm->mem, VM_MEMORY);
	close(vm->fd);
	close(vm->kvm);
}
