/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * Setup of VMs and vCPUs on x86.
 */
#ifndef KVM_LIB_KVM_X86_H
#define KVM_LIB_KVM_X86_H

#include <linux/kvm.h>

void kvm_x86_enable_xen(int vm);
void kvm_x86_set_xen_byte(int vm, __u16 type, __u8 value);
void kvm_x86_start(int vcpu, const struct kvm_regs *regs);

#endif
