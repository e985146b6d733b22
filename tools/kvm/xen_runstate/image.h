/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * A saved VM: the state that a migration of this guest transfers.
 */
#ifndef XEN_RUNSTATE_IMAGE_H
#define XEN_RUNSTATE_IMAGE_H

#include <linux/kvm.h>

#include "runstate.h"
#include "vm.h"

struct vcpu;

#define NR_VCPUS	2

struct vcpu_image {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct runstate runstate;
	__u64 area;
	__u32 rounds;
};

struct image {
	__u64 clock;
	struct vcpu_image vcpu[NR_VCPUS];
	unsigned char mem[VM_MEMORY];
};

void image_save(struct image *image, const struct vm *vm, struct vcpu *vcpus);
void image_restore_machine(const struct image *image, const struct vm *vm,
			   const struct vcpu *vcpus);
int image_restore_runstate(const struct vcpu_image *saved, struct vcpu *vcpu);

#endif
