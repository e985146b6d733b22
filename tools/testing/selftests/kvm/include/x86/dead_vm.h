/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * A VM that KVM has given up: no ioctl is of use, not even those of kvm_vm_free().
 */
#ifndef SELFTEST_KVM_DEAD_VM_H
#define SELFTEST_KVM_DEAD_VM_H

#include "kvm_util.h"
#include "processor.h"

/* Where no memslot of the selftests is. */
#define NO_SMRAM	0xfe000000ULL

/* The state of a vCPU that enters SMM has to go somewhere. */
static inline void have_vm_given_up(struct kvm_vcpu *vcpu)
{
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_X86_SMM));

	vcpu_set_msr(vcpu, MSR_IA32_SMBASE, NO_SMRAM);
	vcpu_ioctl(vcpu, KVM_SMI, NULL);
	TEST_ASSERT(__vcpu_run(vcpu) && errno == EIO, "KVM has not given up the VM");
}

#endif /* SELFTEST_KVM_DEAD_VM_H */
