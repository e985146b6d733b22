/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * A vCPU of the guest that reads its stolen time, and the thread that runs it.
 */
#ifndef VCPU_ATTRS_VCPU_H
#define VCPU_ATTRS_VCPU_H

#include <linux/kvm.h>
#include <linux/types.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>

#include "guest.h"
#include "vm.h"

struct vcpu {
	const struct vm *vm;
	unsigned int id;
	int fd;
	int stats;
	struct kvm_run *run;
	size_t run_size;

	pthread_t thread;
	bool running;
	bool stop;
	sem_t ready;
	int schedstat;
	__u64 past;
	__u64 waited_before;
};

void vcpu_create(struct vcpu *vcpu, const struct vm *vm, unsigned int id);
void vcpu_destroy(struct vcpu *vcpu);
void vcpu_boot(const struct vcpu *vcpu);

/* KVM_ARM_VCPU_PVTIME_IPA: the address of the vCPU's stolen time. */
void vcpu_set_structure(const struct vcpu *vcpu, __u64 ipa);
__u64 vcpu_get_structure(const struct vcpu *vcpu);

void vcpu_start(struct vcpu *vcpu, int cpu, __u64 past);
void vcpu_stop(struct vcpu *vcpu);

/* The thread's wait for its CPU since it first entered KVM_RUN, in ns. */
__u64 vcpu_waited(const struct vcpu *vcpu);

static inline const struct mailbox *vcpu_mailbox(const struct vcpu *vcpu)
{
	return (const struct mailbox *)(vcpu->vm->mem + GUEST_MAILBOX(vcpu->id));
}

__u64 vcpu_rounds(const struct vcpu *vcpu);

/* The stolen time in the guest's structure, as KVM wrote it. */
__u64 vcpu_stolen(const struct vcpu *vcpu);

#endif
