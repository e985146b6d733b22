// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"
#include "host.h"
#include "kvm_x86.h"
#include "vm.h"

/* For Intel CPUs that cannot run real mode without a TSS. */
#define TSS_ADDR	0xfffbd000UL

const char * const kvm_needed = "this needs Linux 5.12 or later, with CONFIG_KVM_XEN=y";

static void enable_xen(const struct vm *vm)
{
	kvm_x86_enable_xen(vm->fd);
	kvm_x86_set_xen_byte(vm->fd, KVM_XEN_ATTR_TYPE_LONG_MODE, 1);
	if (vm_has_update_flag(vm))
		kvm_x86_set_xen_byte(vm->fd, KVM_XEN_ATTR_TYPE_RUNSTATE_UPDATE_FLAG, 1);
}

static void add_memory(struct vm *vm)
{
	vm->mem = kvm_add_memory(vm->fd, VM_MEMORY, 0);
	memset(vm->mem, VM_FILL, VM_MEMORY);
	memcpy(vm->mem + GUEST_CODE, guest_code, guest_code_end - guest_code);
}

void vm_create(struct vm *vm)
{
	vm->kvm = kvm_open();
	vm->xen_caps = kvm_do(vm->kvm, KVM_CHECK_EXTENSION, KVM_CAP_XEN_HVM);
	if (!(vm->xen_caps & KVM_XEN_HVM_CONFIG_RUNSTATE))
		die(kvm_needed, "KVM_CHECK_EXTENSION: KVM_CAP_XEN_HVM is %#x, which lacks RUNSTATE",
		    vm->xen_caps);

	vm->fd = kvm_do(vm->kvm, KVM_CREATE_VM, 0);
	kvm_do(vm->fd, KVM_SET_TSS_ADDR, TSS_ADDR);
	add_memory(vm);
	enable_xen(vm);
}

void vm_destroy(struct vm *vm)
{
	munmap(vm->mem, VM_MEMORY);
	close(vm->fd);
	close(vm->kvm);
}

bool vm_has_update_flag(const struct vm *vm)
{
	return vm->xen_caps & KVM_XEN_HVM_CONFIG_RUNSTATE_UPDATE_FLAG;
}

/* The clock of state_entry_time. */
__u64 vm_clock(const struct vm *vm)
{
	struct kvm_clock_data data;

	kvm_do(vm->fd, KVM_GET_CLOCK, &data);

	return data.clock;
}

void vm_set_clock(const struct vm *vm, __u64 clock)
{
	struct kvm_clock_data data = { .clock = clock };

	kvm_do(vm->fd, KVM_SET_CLOCK, &data);
}

static unsigned int bytes_changed(const struct vm *vm, __u64 from, __u64 to)
{
	unsigned int changed = 0;

	for (__u64 gpa = from; gpa < to; gpa++)
		changed += vm->mem[gpa] != VM_FILL;

	return changed;
}

/* Counts what was written outside @len bytes at @area, in the pages of these. */
unsigned int vm_bytes_astray(const struct vm *vm, const void *area, size_t len)
{
	__u64 gpa = (const unsigned char *)area - vm->mem;
	__u64 end = gpa + len;
	__u64 first = gpa & ~(VM_PAGE - 1ULL);
	__u64 last = (end + VM_PAGE - 1) & ~(VM_PAGE - 1ULL);

	return bytes_changed(vm, first, gpa) + bytes_changed(vm, end, last);
}
