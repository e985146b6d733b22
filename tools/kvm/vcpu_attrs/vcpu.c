// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arm64_vm.h"
#include "host.h"
#include "kvm.h"
#include "vcpu.h"

#define CORE_REG(name)	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | \
			 KVM_REG_ARM_CORE_REG(name))

#define SCTLR_EL1	ARM64_SYS_REG(3, 0, 1, 0, 0)
#define TTBR0_EL1	ARM64_SYS_REG(3, 0, 2, 0, 0)
#define TCR_EL1		ARM64_SYS_REG(3, 0, 2, 0, 2)
#define MAIR_EL1	ARM64_SYS_REG(3, 0, 10, 2, 0)

#define SCTLR_M		0x1ULL
#define SCTLR_C		0x4ULL
#define SCTLR_I		0x1000ULL

/* 39 bits in pages of 4 KiB; table walks are cached; nothing in the upper half. */
#define TCR_T0SZ_39	25ULL
#define TCR_IRGN0_WB	0x100ULL
#define TCR_ORGN0_WB	0x400ULL
#define TCR_SH0_INNER	0x3000ULL
#define TCR_EPD1	0x800000ULL

#define MAIR_NORMAL_WB	0xffULL

/* The first GiB, mapped to itself: a block of normal memory. */
#define BLOCK_VALID	0x1ULL
#define BLOCK_SH_INNER	0x300ULL
#define BLOCK_AF	0x400ULL

static __u64 get_reg(const struct vcpu *vcpu, __u64 id)
{
	__u64 value;
	struct kvm_one_reg reg = { .id = id, .addr = (unsigned long)&value };

	kvm_do(vcpu->fd, KVM_GET_ONE_REG, &reg);

	return value;
}

static void set_reg(const struct vcpu *vcpu, __u64 id, __u64 value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (unsigned long)&value };

	kvm_do(vcpu->fd, KVM_SET_ONE_REG, &reg);
}

void vcpu_create(struct vcpu *vcpu, const struct vm *vm, unsigned int id)
{
	memset(vcpu, 0, sizeof(*vcpu));
	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->fd = arm64_vm_add_vcpu(vm, id, false);
	vcpu->stats = kvm_open_stats(vm->kvm, vcpu->fd);
	vcpu->run = kvm_map_run(vm->kvm, vcpu->fd, &vcpu->run_size);
}

void vcpu_destroy(struct vcpu *vcpu)
{
	munmap(vcpu->run, vcpu->run_size);
	if (vcpu->stats >= 0)
		close(vcpu->stats);
	close(vcpu->fd);
}

/*
 * The guest starts with its MMU on: with the MMU off, it would bypass the caches,
 * which KVM writes through.
 */
void vcpu_boot(const struct vcpu *vcpu)
{
	__u64 block = BLOCK_VALID | BLOCK_SH_INNER | BLOCK_AF;

	memcpy(vcpu->vm->mem + GUEST_TABLE, &block, sizeof(block));
	memcpy(vcpu->vm->mem + GUEST_CODE, guest_code, guest_code_end - guest_code);

	set_reg(vcpu, MAIR_EL1, MAIR_NORMAL_WB);
	set_reg(vcpu, TCR_EL1, TCR_T0SZ_39 | TCR_IRGN0_WB | TCR_ORGN0_WB | TCR_SH0_INNER |
			       TCR_EPD1);
	set_reg(vcpu, TTBR0_EL1, GUEST_TABLE);
	set_reg(vcpu, SCTLR_EL1, get_reg(vcpu, SCTLR_EL1) | SCTLR_M | SCTLR_C | SCTLR_I);
	set_reg(vcpu, CORE_REG(regs.regs[19]), GUEST_MAILBOX(vcpu->id));
	set_reg(vcpu, CORE_REG(regs.pc), GUEST_CODE);
}

void vcpu_set_structure(const struct vcpu *vcpu, __u64 ipa)
{
	struct kvm_device_attr attr = {
		.group = KVM_ARM_VCPU_PVTIME_CTRL,
		.attr  = KVM_ARM_VCPU_PVTIME_IPA,
		.addr  = (unsigned long)&ipa,
	};

	kvm_do(vcpu->fd, KVM_SET_DEVICE_ATTR, &attr);
}

__u64 vcpu_get_structure(const struct vcpu *vcpu)
{
	__u64 ipa;
	struct kvm_device_attr attr = {
		.group = KVM_ARM_VCPU_PVTIME_CTRL,
		.attr  = KVM_ARM_VCPU_PVTIME_IPA,
		.addr  = (unsigned long)&ipa,
	};

	kvm_do(vcpu->fd, KVM_GET_DEVICE_ATTR, &attr);

	return ipa;
}

static void *vcpu_thread(void *arg)
{
	struct vcpu *vcpu = arg;

	host_name_vcpu_thread(vcpu->id);
	vcpu->schedstat = host_open_schedstat();
	host_queue_up(vcpu->schedstat, vcpu->past);
	vcpu->waited_before = host_run_delay(vcpu->schedstat);
	sem_post(&vcpu->ready);

	while (!__atomic_load_n(&vcpu->stop, __ATOMIC_RELAXED)) {
		if (!ioctl(vcpu->fd, KVM_RUN, 0))
			die("this is a bug of vcpu_attrs, or of KVM",
			    "KVM_RUN: unexpected exit %u", vcpu->run->exit_reason);
		if (errno != EINTR)
			kvm_die("KVM_RUN");
	}

	return NULL;
}

/* Returns when the thread has waited for @past ns and is about to run the vCPU. */
void vcpu_start(struct vcpu *vcpu, int cpu, __u64 past)
{
	host_allow_kicks();
	sem_init(&vcpu->ready, 0, 0);
	vcpu->past = past;
	vcpu->stop = false;
	vcpu->run->immediate_exit = 0;
	host_start_thread(&vcpu->thread, cpu, vcpu_thread, vcpu);
	sem_wait(&vcpu->ready);
	vcpu->running = true;
}

/*
 * immediate_exit is set before the signal is sent, so the thread leaves KVM_RUN even
 * if it is just about to enter it.
 */
void vcpu_stop(struct vcpu *vcpu)
{
	if (!vcpu->running)
		return;
	__atomic_store_n(&vcpu->stop, true, __ATOMIC_RELAXED);
	__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	host_kick(vcpu->thread);
	pthread_join(vcpu->thread, NULL);
	close(vcpu->schedstat);
	sem_destroy(&vcpu->ready);
	vcpu->running = false;
}

__u64 vcpu_waited(const struct vcpu *vcpu)
{
	return host_run_delay(vcpu->schedstat) - vcpu->waited_before;
}

__u64 vcpu_rounds(const struct vcpu *vcpu)
{
	return __atomic_load_n(&vcpu_mailbox(vcpu)->rounds, __ATOMIC_ACQUIRE);
}

__u64 vcpu_stolen(const struct vcpu *vcpu)
{
	const void *structure = vcpu->vm->mem + GUEST_STRUCTURE(vcpu->id);

	return __atomic_load_n((const __u64 *)(structure + STRUCTURE_STOLEN), __ATOMIC_RELAXED);
}
