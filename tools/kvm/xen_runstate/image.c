// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <string.h>

#include "image.h"
#include "vcpu.h"
#include "xen.h"

static void save_vcpu(struct vcpu_image *saved, struct vcpu *vcpu)
{
	kvm_do(vcpu->fd, KVM_GET_REGS, &saved->regs);
	kvm_do(vcpu->fd, KVM_GET_SREGS, &saved->sregs);
	saved->runstate = xen_get_data(vcpu);
	saved->area = xen_registered_area(vcpu);
	saved->rounds = vcpu_rounds(vcpu);
}

/*
 * All vCPUs must be stopped.  The clock is saved last, so that no state_entry_time
 * is later than it, which KVM would refuse to restore.
 */
void image_save(struct image *image, const struct vm *vm, struct vcpu *vcpus)
{
	for (int i = 0; i < NR_VCPUS; i++)
		save_vcpu(&image->vcpu[i], &vcpus[i]);
	memcpy(image->mem, vm->mem, VM_MEMORY);
	image->clock = vm_clock(vm);
}

/* Runstate is restored after this, because KVM checks its times against the clock. */
void image_restore_machine(const struct image *image, const struct vm *vm,
			   const struct vcpu *vcpus)
{
	memcpy(vm->mem, image->mem, VM_MEMORY);
	for (int i = 0; i < NR_VCPUS; i++) {
		kvm_do(vcpus[i].fd, KVM_SET_SREGS, &image->vcpu[i].sregs);
		kvm_do(vcpus[i].fd, KVM_SET_REGS, &image->vcpu[i].regs);
	}
	vm_set_clock(vm, image->clock);
}

/* The area is registered last, so that its first content is the restored one. */
int image_restore_runstate(const struct vcpu_image *saved, struct vcpu *vcpu)
{
	int err = xen_set_data(vcpu, &saved->runstate);

	xen_register_area(vcpu, saved->area);

	return err;
}
