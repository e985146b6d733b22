/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls of KVM that have no reason to fail: if one does, the program says what
 * may be wrong with the host, and ends.
 */
#ifndef KVM_LIB_KVM_H
#define KVM_LIB_KVM_H

#include <linux/kvm.h>

#include "compiler.h"

/* Each program has this: which kernel it needs. */
extern const char * const kvm_needed;

#define kvm_do(fd, request, arg) \
	kvm_do_ioctl(fd, request, #request, (unsigned long)(arg))

int kvm_open(void);
int kvm_do_ioctl(int fd, unsigned long request, const char *name, unsigned long arg);
void __noreturn kvm_die(const char *what);

#endif
