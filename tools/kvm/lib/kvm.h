/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * KVM calls that are expected to succeed. If one fails, the program prints what may
 * be wrong with the host, and ends.
 */
#ifndef KVM_LIB_KVM_H
#define KVM_LIB_KVM_H

#include <linux/kvm.h>
#include <stddef.h>

#include "util.h"

/* Defined by each program: which kernel it needs. */
extern const char * const kvm_needed;

#define kvm_do(fd, request, arg) \
	kvm_do_ioctl(fd, request, #request, (unsigned long)(arg))

int kvm_open(void);
int kvm_do_ioctl(int fd, unsigned long request, const char *name, unsigned long arg);
void __noreturn kvm_die(const char *what);

/* Adds @size bytes of memory at guest address 0, in slot 0 with @flags. */
void *kvm_add_memory(int vm, size_t size, __u32 flags);

/*
 * The statistics of a vCPU, or -1 if this kernel has none. Like QEMU, a program keeps this
 * open, so that others that may trace it can read them.
 */
int kvm_open_stats(int kvm, int vcpu);

/* The struct kvm_run of a vCPU, and the size of its mapping. */
struct kvm_run *kvm_map_run(int kvm, int vcpu, size_t *size);

#endif
