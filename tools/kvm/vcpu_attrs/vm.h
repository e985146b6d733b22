/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * A virtual machine: its file descriptors, and its memory at guest address 0.
 */
#ifndef VCPU_ATTRS_VM_H
#define VCPU_ATTRS_VM_H

#define VM_MEMORY	0x10000

struct vm {
	int kvm;
	int fd;
	unsigned char *mem;
};

void vm_create(struct vm *vm, unsigned long type);
void vm_destroy(struct vm *vm);

#endif
