/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * The steal clock: how long the thread that runs a vCPU has waited for a CPU.
 *
 * The scheduler keeps that time per thread, as run_delay.  A guest reads it per
 * vCPU, and a vCPU may be handed from thread to thread, each of which also waits
 * before and beside the guest.  A clock therefore belongs to the thread that KVM
 * has in vcpu->pid and counts from the moment that thread took the vCPU over.
 *
 * All that is kept is a baseline of that thread's run_delay, one for each user of
 * the clock.  kvm_arch_vcpu_run_pid_change() restarts it.  Protected by
 * vcpu->mutex, and by disabled preemption where the scheduler's hooks use it.
 */
#ifndef __KVM_STEAL_H
#define __KVM_STEAL_H

#include <linux/kvm_host.h>
#include <linux/minmax.h>
#include <linux/sched.h>

/* A baseline that the next reading replaces: nothing was stolen before it. */
#define KVM_STEAL_RESTART	U64_MAX

/* What the calling thread has waited for a CPU in its life, in nanoseconds. */
static inline u64 kvm_run_delay(void)
{
	return READ_ONCE(current->sched_info.run_delay);
}

/**
 * kvm_steal_advance - move a baseline, and return what lies between
 * @baseline: run_delay at the last reading in nanoseconds, or KVM_STEAL_RESTART
 * @run_delay: run_delay now, of the same thread
 * @limit: the most that can have been stolen, in nanoseconds
 *
 * What exceeds @limit is dropped.  If it were carried over, one jump of a clock
 * would show as stolen time long afterwards.
 *
 * Context: any; serialized by the caller.
 * Return: stolen time in nanoseconds, at most @limit; 0 if @run_delay went back.
 */
static inline u64 kvm_steal_advance(u64 *baseline, u64 run_delay, u64 limit)
{
	u64 seen = *baseline;

	*baseline = run_delay;
	return run_delay > seen ? min(run_delay - seen, limit) : 0;
}

void kvm_steal_count(struct kvm_vcpu *vcpu, u64 ns);

/* kvm_steal_take() for a caller that counts what it got later on, or not at all. */
static inline u64 __kvm_steal_take(struct kvm_vcpu *vcpu, u64 *baseline, u64 limit)
{
	/* It changes in KVM_RUN only.  In older kernels it is an RCU pointer. */
	if ((struct pid *__force)vcpu->pid != task_pid(current))
		return 0;

	return kvm_steal_advance(baseline, kvm_run_delay(), limit);
}

/**
 * kvm_steal_take - take what a vCPU's thread has waited since the last reading
 * @vcpu: the vCPU
 * @baseline: the baseline of one user of the steal clock of @vcpu
 * @limit: the most that can have been stolen, in nanoseconds
 *
 * A thread other than the one that runs the vCPU gets 0, and the baseline stays:
 * what it has waited does not concern the vCPU.
 *
 * What is returned is counted in the statistics of @vcpu.
 *
 * Context: any; serialized by the caller.
 * Return: stolen time in nanoseconds, at most @limit.
 */
static inline u64 kvm_steal_take(struct kvm_vcpu *vcpu, u64 *baseline, u64 limit)
{
	u64 steal = __kvm_steal_take(vcpu, baseline, limit);

	if (unlikely(steal))
		kvm_steal_count(vcpu, steal);

	return steal;
}

#endif /* __KVM_STEAL_H */
