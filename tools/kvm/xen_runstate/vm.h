/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * A virtual machine: its file descriptors, memory and clock.
 */
#ifndef XEN_RUNSTATE_VM_H
#define XEN_RUNSTATE_VM_H

#include <stdbool.h>
#include <stddef.h>

#include "kvm.h"

/* Added in Linux 6.3; the headers of older systems lack them. */
#ifndef KVM_XEN_HVM_CONFIG_RUNSTATE_UPDATE_FLAG
#define KVM_XEN_HVM_CONFIG_RUNSTATE_UPDATE_FLAG	0x40
#define KVM_XEN_ATTR_TYPE_RUNSTATE_UPDATE_FLAG	0x5
#endif

#define VM_MEMORY	0x10000
#define VM_PAGE		0x1000

/* Memory is filled with this byte, to find writes outside the areas. */
#define VM_FILL		0x5a

struct vm {
	int kvm;
	int fd;
	unsigned int xen_caps;
	unsigned char *mem;
};

void vm_create(struct vm *vm);
void vm_destroy(struct vm *vm);
bool vm_has_update_flag(const struct vm *vm);
__u64 vm_clock(const struct vm *vm);
void vm_set_clock(const struct vm *vm, __u64 clock);
unsigned int vm_bytes_astray(const struct vm *vm, const void *area, size_t len);

#endif
