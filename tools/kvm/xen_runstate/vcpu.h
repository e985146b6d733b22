/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * A vCPU and the thread that runs it.
 */
#ifndef XEN_RUNSTATE_VCPU_H
#define XEN_RUNSTATE_VCPU_H

#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>

#include "runstate.h"

struct vm;

/* Orders to a vCPU's thread, and its state. */
enum vcpu_order {
	VCPU_NEW,
	VCPU_STOP,	/* out of KVM_RUN, same runstate */
	VCPU_PARK,	/* out of KVM_RUN, set to blocked */
	VCPU_RUN,
	VCPU_QUIT,
};

/* A time between min and max. */
struct span {
	__u64 min;
	__u64 max;
};

/*
 * The time for which the VMM has set a vCPU to blocked.  The thread may be preempted
 * while it sets or leaves the state, so the clock is read before and after.
 */
struct blocked {
	bool open;
	bool left;
	struct span since;
	__u64 left_at;
	struct span total;
};

/* What the thread read from the area where only one state is right. */
struct seen {
	unsigned int times;
	unsigned int wrong;
	__u32 last_wrong;
};

struct vcpu {
	const struct vm *vm;
	unsigned int id;
	int fd;
	int stats;
	struct kvm_run *run;
	size_t run_size;
	const void *area;

	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum vcpu_order wanted;
	enum vcpu_order now;

	bool halts;
	__u64 work_until;

	int schedstat;
	__u64 past;
	__u64 waited_before;
	bool entered;

	struct blocked blocked;
	struct seen after_run;
	struct seen after_halt;
};

void vcpu_create(struct vcpu *vcpu, const struct vm *vm, unsigned int id);
void vcpu_destroy(struct vcpu *vcpu);
void vcpu_start(struct vcpu *vcpu, int cpu, __u64 past);
void vcpu_order(struct vcpu *vcpu, enum vcpu_order order);
__u64 vcpu_waited(const struct vcpu *vcpu);
__u32 vcpu_rounds(const struct vcpu *vcpu);
struct span vcpu_blocked_span(const struct vcpu *vcpu);

#endif
