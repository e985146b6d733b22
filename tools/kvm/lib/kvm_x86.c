// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <string.h>

#include "kvm.h"
#include "kvm_x86.h"

/* A VM is a Xen guest for KVM once it has an MSR for hypercall pages. */
#define XEN_HYPERCALL_MSR	0x40000000

void kvm_x86_enable_xen(int vm)
{
	struct kvm_xen_hvm_config config = {
		.flags = KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL,
		.msr   = XEN_HYPERCALL_MSR,
	};

	kvm_do(vm, KVM_XEN_HVM_CONFIG, &config);
}

/* Each one-byte attribute is at the start of the union. */
void kvm_x86_set_xen_byte(int vm, __u16 type, __u8 value)
{
	struct kvm_xen_hvm_attr attr = { .type = type };

	memcpy(&attr.u, &value, sizeof(value));
	kvm_do(vm, KVM_XEN_HVM_SET_ATTR, &attr);
}

/* In real mode as after a reset, except for the address. */
void kvm_x86_start(int vcpu, const struct kvm_regs *regs)
{
	struct kvm_sregs sregs;

	kvm_do(vcpu, KVM_GET_SREGS, &sregs);
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	kvm_do(vcpu, KVM_SET_SREGS, &sregs);
	kvm_do(vcpu, KVM_SET_REGS, regs);
}
