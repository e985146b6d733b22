// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"
#include "host.h"
#include "kvm_x86.h"
#include "vcpu.h"
#include "vm.h"
#include "xen.h"

#define WORK_NS		(100 * NSEC_PER_MSEC)
#define HALT_NS		(100 * NSEC_PER_MSEC)

static void look(const struct vcpu *vcpu, struct seen *seen, __u32 expected)
{
	struct runstate rs;

	seen->times++;
	if (runstate_read(vcpu->area, &rs) && rs.state == expected)
		return;
	seen->wrong++;
	seen->last_wrong = rs.state;
}

static void blocked_begin(struct vcpu *vcpu)
{
	struct blocked *blocked = &vcpu->blocked;

	blocked->since.min = vm_clock(vcpu->vm);
	xen_set_current(vcpu, RUNSTATE_blocked);
	blocked->since.max = vm_clock(vcpu->vm);
	blocked->open = true;
	blocked->left = false;
}

static void blocked_leave(struct vcpu *vcpu)
{
	if (!vcpu->blocked.open || vcpu->blocked.left)
		return;
	vcpu->blocked.left = true;
	vcpu->blocked.left_at = vm_clock(vcpu->vm);
}

static void blocked_end(struct vcpu *vcpu)
{
	vcpu->blocked.total = vcpu_blocked_span(vcpu);
	vcpu->blocked.open = false;
}

/* KVM adds to time[blocked] when the state is left, and so does the VMM here. */
struct span vcpu_blocked_span(const struct vcpu *vcpu)
{
	const struct blocked *blocked = &vcpu->blocked;
	struct span span = blocked->total;

	if (blocked->open && blocked->left) {
		span.min += blocked->left_at - blocked->since.max;
		span.max += vm_clock(vcpu->vm) - blocked->since.min;
	}

	return span;
}

/* Returns the exit reason, KVM_EXIT_INTR after a kick. */
static __u32 enter_guest(struct vcpu *vcpu)
{
	int ret;

	blocked_leave(vcpu);
	ret = ioctl(vcpu->fd, KVM_RUN, 0);
	if (ret && errno != EINTR)
		kvm_die("KVM_RUN");
	look(vcpu, &vcpu->after_run, RUNSTATE_running);

	return ret ? KVM_EXIT_INTR : vcpu->run->exit_reason;
}

static void serve_port(struct vcpu *vcpu)
{
	__u8 *data = (__u8 *)vcpu->run + vcpu->run->io.data_offset;

	switch (vcpu->run->io.port) {
	case GUEST_PORT_NEXT:
		*data = vcpu->halts && host_now() >= vcpu->work_until;
		break;
	case GUEST_PORT_WOKEN:
		blocked_end(vcpu);
		vcpu->work_until = host_now() + WORK_NS;
		break;
	}
}

/*
 * The guest has nothing to do until an event, which is a timeout or another order
 * here.
 */
static void halt(struct vcpu *vcpu)
{
	__u64 until = host_now() + HALT_NS;
	struct timespec deadline = {
		.tv_sec  = until / NSEC_PER_SEC,
		.tv_nsec = until % NSEC_PER_SEC,
	};

	blocked_begin(vcpu);
	look(vcpu, &vcpu->after_halt, RUNSTATE_blocked);

	pthread_mutex_lock(&vcpu->lock);
	while (vcpu->wanted == VCPU_RUN) {
		if (pthread_cond_timedwait(&vcpu->changed, &vcpu->lock, &deadline) == ETIMEDOUT)
			break;
	}
	pthread_mutex_unlock(&vcpu->lock);
}

static void take_order(struct vcpu *vcpu)
{
	if (vcpu->now == VCPU_PARK) {
		blocked_leave(vcpu);
		xen_set_current(vcpu, RUNSTATE_running);
		blocked_end(vcpu);
	}
	if (vcpu->wanted == VCPU_PARK)
		blocked_begin(vcpu);
	if (vcpu->wanted == VCPU_RUN && !vcpu->entered) {
		vcpu->waited_before = host_run_delay(vcpu->schedstat);
		vcpu->entered = true;
	}

	vcpu->now = vcpu->wanted;
	pthread_cond_broadcast(&vcpu->changed);
}

/* Returns when the vCPU is to run, or false when it is to quit. */
static bool obey(struct vcpu *vcpu)
{
	bool run;

	pthread_mutex_lock(&vcpu->lock);
	for (;;) {
		if (vcpu->now != vcpu->wanted)
			take_order(vcpu);
		run = vcpu->now == VCPU_RUN;
		if (run || vcpu->now == VCPU_QUIT)
			break;
		pthread_cond_wait(&vcpu->changed, &vcpu->lock);
	}
	pthread_mutex_unlock(&vcpu->lock);

	return run;
}

static void *vcpu_thread(void *arg)
{
	struct vcpu *vcpu = arg;
	bool run;

	host_name_vcpu_thread(vcpu->id);
	vcpu->schedstat = host_open_schedstat();
	host_queue_up(vcpu->schedstat, vcpu->past);

	run = obey(vcpu);
	while (run) {
		switch (enter_guest(vcpu)) {
		case KVM_EXIT_IO:
			/* Do not stop here: the next KVM_RUN completes the IN or OUT. */
			serve_port(vcpu);
			break;
		case KVM_EXIT_HLT:
			halt(vcpu);
			run = obey(vcpu);
			break;
		case KVM_EXIT_INTR:
			run = obey(vcpu);
			break;
		default:
			die("this is a bug of xen_runstate, or of KVM",
			    "KVM_RUN: unexpected exit %u", vcpu->run->exit_reason);
		}
	}

	close(vcpu->schedstat);

	return NULL;
}

void vcpu_create(struct vcpu *vcpu, const struct vm *vm, unsigned int id)
{
	/* Interrupts are off. */
	const struct kvm_regs regs = {
		.rip	= GUEST_CODE,
		.rdi	= GUEST_ROUNDS(id),
		.rflags	= 2,
	};

	memset(vcpu, 0, sizeof(*vcpu));
	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->fd = kvm_do(vm->fd, KVM_CREATE_VCPU, id);
	vcpu->stats = kvm_open_stats(vm->kvm, vcpu->fd);
	vcpu->run = kvm_map_run(vm->kvm, vcpu->fd, &vcpu->run_size);

	kvm_x86_start(vcpu->fd, &regs);
	memset(vm->mem + GUEST_ROUNDS(id), 0, sizeof(__u32));
}

/* The thread must have quit, or not have been started. */
void vcpu_destroy(struct vcpu *vcpu)
{
	munmap(vcpu->run, vcpu->run_size);
	if (vcpu->stats >= 0)
		close(vcpu->stats);
	close(vcpu->fd);
}

/* Returns when the thread has waited for @past ns and takes orders. */
void vcpu_start(struct vcpu *vcpu, int cpu, __u64 past)
{
	pthread_condattr_t attr;

	host_allow_kicks();
	pthread_mutex_init(&vcpu->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&vcpu->changed, &attr);
	pthread_condattr_destroy(&attr);

	vcpu->past = past;
	host_start_thread(&vcpu->thread, cpu, vcpu_thread, vcpu);
	vcpu_order(vcpu, VCPU_STOP);
}

/*
 * Returns when the order is carried out.  immediate_exit is set before the signal
 * is sent, so the thread leaves KVM_RUN even if it is just about to enter it.
 */
void vcpu_order(struct vcpu *vcpu, enum vcpu_order order)
{
	pthread_mutex_lock(&vcpu->lock);
	vcpu->wanted = order;
	__atomic_store_n(&vcpu->run->immediate_exit, order != VCPU_RUN, __ATOMIC_SEQ_CST);
	pthread_cond_broadcast(&vcpu->changed);
	host_kick(vcpu->thread);
	while (vcpu->now != order)
		pthread_cond_wait(&vcpu->changed, &vcpu->lock);
	pthread_mutex_unlock(&vcpu->lock);

	if (order != VCPU_QUIT)
		return;
	pthread_join(vcpu->thread, NULL);
	pthread_cond_destroy(&vcpu->changed);
	pthread_mutex_destroy(&vcpu->lock);
}

/* The thread's wait for its CPU since it first entered KVM_RUN, in ns. */
__u64 vcpu_waited(const struct vcpu *vcpu)
{
	return host_run_delay(vcpu->schedstat) - vcpu->waited_before;
}

__u32 vcpu_rounds(const struct vcpu *vcpu)
{
	return __atomic_load_n((__u32 *)(vcpu->vm->mem + GUEST_ROUNDS(vcpu->id)),
			       __ATOMIC_RELAXED);
}
