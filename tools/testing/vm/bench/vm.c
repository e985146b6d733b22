// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "host.h"
#include "kvm.h"

const char *const kvm_needed = "this is for the kernels of the laboratory";

static void add_vcpu(struct vm *vm, const struct kind *kind, unsigned int index)
{
	struct vcpu *vcpu = &vm->vcpus[index];

	vcpu->index = index;
	vcpu->fd = kvm_do(vm->fd, KVM_CREATE_VCPU, index);
	vcpu->run = kvm_map_run(vm->kvm, vcpu->fd, &vm->run_size);
	arch_start_vcpu(vm, vcpu);
	if (kind->set_up_vcpu)
		kind->set_up_vcpu(vcpu);
}

void vm_create(struct vm *vm, const struct kind *kind, unsigned int nr_vcpus,
	       __u32 memory_flags)
{
	unsigned int i;

	vm->kvm = kvm_open();
	vm->fd = kvm_do(vm->kvm, KVM_CREATE_VM, 0);
	vm->nr_vcpus = nr_vcpus;
	vm->mem = kvm_add_memory(vm->fd, GUEST_MEMORY, memory_flags);
	arch_create_vm(vm);
	if (kind->set_up_vm)
		kind->set_up_vm(vm);
	for (i = 0; i < nr_vcpus; i++)
		add_vcpu(vm, kind, i);
	arch_finish_vm(vm);

	/* The first run has things to do that no later one has. */
	for (i = 0; i < nr_vcpus; i++)
		vcpu_run(&vm->vcpus[i]);
}

void vm_destroy(struct vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++) {
		munmap(vm->vcpus[i].run, vm->run_size);
		close(vm->vcpus[i].fd);
	}
	if (vm->gic)
		close(vm->gic);
	close(vm->fd);
	close(vm->kvm);
	munmap(vm->mem, GUEST_MEMORY);
}

void vcpu_run(const struct vcpu *vcpu)
{
	kvm_do(vcpu->fd, KVM_RUN, 0);
	if (vcpu->run->exit_reason != arch_exit_reason)
		die("the guest failed", "KVM_RUN: exit reason %u", vcpu->run->exit_reason);
}
