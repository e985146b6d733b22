/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * The TSC of a vCPU as the VMM sees it: its offset and its frequency.
 */
#ifndef SELFTEST_KVM_VCPU_TSC_H
#define SELFTEST_KVM_VCPU_TSC_H

#include "kvm_util.h"
#include "processor.h"
#include "vcpu_attr.h"

#define ONE_HOUR	(3600ULL * NSEC_PER_SEC)

static inline u64 get_offset(struct kvm_vcpu *vcpu)
{
	u64 offset = 0;
	int r = attr_get(vcpu, KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET, &offset);

	TEST_ASSERT(!r, "GET of TSC_OFFSET: %s", strerror(-r));
	return offset;
}

static inline void set_offset(struct kvm_vcpu *vcpu, u64 offset)
{
	int r = attr_set(vcpu, KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET, &offset);

	TEST_ASSERT(!r, "SET of TSC_OFFSET: %s", strerror(-r));
}

/* The host's own frequency, as long as the VM was not given another one. */
static inline u32 get_host_khz(struct kvm_vm *vm)
{
	return __vm_ioctl(vm, KVM_GET_TSC_KHZ, NULL);
}

static inline u32 get_khz(struct kvm_vcpu *vcpu)
{
	return __vcpu_ioctl(vcpu, KVM_GET_TSC_KHZ, NULL);
}

/* Returns 0 or a negative errno. */
static inline int __set_khz(struct kvm_vcpu *vcpu, u32 khz)
{
	return __vcpu_ioctl(vcpu, KVM_SET_TSC_KHZ, (void *)(uintptr_t)khz) ? -errno : 0;
}

static inline void set_khz(struct kvm_vcpu *vcpu, u32 khz)
{
	int r = __set_khz(vcpu, khz);

	TEST_ASSERT(!r, "KVM_SET_TSC_KHZ: %s", strerror(-r));
}

static inline s64 nsec_to_cycles(s64 nsec, u32 khz)
{
	return (__int128)nsec * khz / 1000000;
}

/* A VM whose vCPU is created after KVM_SET_TSC_KHZ of the VM. */
static inline struct kvm_vm *vm_create_with_khz(struct kvm_vcpu **vcpu, u32 khz,
						void *guest_code)
{
	struct kvm_vm *vm = vm_create(1);

	vm_ioctl(vm, KVM_SET_TSC_KHZ, (void *)(uintptr_t)khz);
	*vcpu = vm_vcpu_add(vm, 0, guest_code);
	return vm;
}

/* The guest reports its TSC, over and over. */
static inline void guest_reads_tsc(void)
{
	for (;;)
		GUEST_SYNC_ARGS(0, rdtsc(), 0, 0, 0);
}

static inline u64 run_and_get_tsc(struct kvm_vcpu *vcpu)
{
	struct ucall uc;

	vcpu_run(vcpu);
	TEST_ASSERT_EQ(get_ucall(vcpu, &uc), UCALL_SYNC);
	return uc.args[2];
}

#endif /* SELFTEST_KVM_VCPU_TSC_H */
