/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The steal clock: how long the thread that runs a vCPU has waited for a CPU.
 */
#ifndef __KVM_STEAL_H
#define __KVM_STEAL_H

#include <linux/compiler.h>
#include <linux/minmax.h>
#include <linux/pid.h>
#include <linux/types.h>

/**
 * struct kvm_steal_clock - a baseline of one thread's run_delay
 * @owner: the thread that last entered KVM_RUN, with a reference held so that
 *	   the pointer identifies it for good; NULL until there is one
 * @seen: run_delay of @owner at the last look, in nanoseconds
 *
 * A zeroed clock is valid and has no owner.  Locking is the caller's, as a rule
 * by vcpu->mutex and by disabling preemption in the scheduler's hooks.
 */
struct kvm_steal_clock {
	struct pid *owner;
	u64 seen;
};

void kvm_steal_clock_restart(struct kvm_steal_clock *clock, struct pid *thread,
			     u64 run_delay);
void kvm_steal_clock_destroy(struct kvm_steal_clock *clock);

/**
 * kvm_steal_clock_own - make a thread the owner of a steal clock
 * @clock: the steal clock
 * @thread: the thread that enters KVM_RUN
 * @run_delay: run_delay of @thread, in nanoseconds
 *
 * Nothing changes if @thread owns @clock already.
 *
 * Context: process context; serialised by the caller.
 */
static inline void kvm_steal_clock_own(struct kvm_steal_clock *clock,
				       struct pid *thread, u64 run_delay)
{
	if (unlikely(clock->owner != thread))
		kvm_steal_clock_restart(clock, thread, run_delay);
}

/**
 * kvm_steal_clock_idle - has the owner not waited since the last look?
 * @clock: the steal clock
 * @run_delay: run_delay of the owner, which is the caller, in nanoseconds
 *
 * Context: any.
 * Return: true if there is nothing to take.
 */
static inline bool kvm_steal_clock_idle(const struct kvm_steal_clock *clock,
					u64 run_delay)
{
	return clock->seen == run_delay;
}

/**
 * kvm_steal_clock_take - take what the owner has waited since the last look
 * @clock: the steal clock
 * @thread: the calling thread
 * @run_delay: run_delay of @thread, in nanoseconds
 * @limit: the most that can have been stolen, in nanoseconds
 *
 * The waiting of a thread other than the owner says nothing about the vCPU: it
 * gets 0, and the owner's baseline stays.  What exceeds @limit is dropped: were
 * it carried over, one jump of a clock would show as stolen time for long.
 *
 * Context: any; serialised by the caller.
 * Return: stolen time in nanoseconds, at most @limit; 0 if @run_delay went back.
 */
static inline u64 kvm_steal_clock_take(struct kvm_steal_clock *clock,
				       const struct pid *thread, u64 run_delay,
				       u64 limit)
{
	u64 seen = clock->seen;

	if (clock->owner != thread)
		return 0;

	clock->seen = run_delay;
	return run_delay > seen ? min(run_delay - seen, limit) : 0;
}

#endif /* __KVM_STEAL_H */
