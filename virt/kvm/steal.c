// SPDX-License-Identifier: GPL-2.0-only
/*
 * The steal clock: how long the thread that runs a vCPU has waited for a CPU.
 *
 * The scheduler keeps that time per thread, as run_delay.  A guest wants it per
 * vCPU, and a vCPU may be handed from thread to thread, each with a life of its
 * own before and beside the guest.  Hence a clock belongs to one thread at a
 * time and counts from the moment that thread took the vCPU over.
 */
#include <linux/minmax.h>

#include <kvm/steal.h>

/**
 * kvm_steal_clock_restart - give a steal clock to a new owner
 * @clock: the steal clock
 * @thread: the new owner
 * @run_delay: run_delay of @thread, in nanoseconds
 *
 * What the new owner has waited before does not concern the vCPU.
 *
 * Context: process context, as the last reference to the old owner may go;
 *	    serialised by the caller.
 */
void kvm_steal_clock_restart(struct kvm_steal_clock *clock, struct pid *thread,
			     u64 run_delay)
{
	put_pid(clock->owner);
	clock->owner = get_pid(thread);
	clock->seen = run_delay;
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
u64 kvm_steal_clock_take(struct kvm_steal_clock *clock, const struct pid *thread,
			 u64 run_delay, u64 limit)
{
	u64 seen = clock->seen;

	if (clock->owner != thread)
		return 0;

	clock->seen = run_delay;
	return run_delay > seen ? min(run_delay - seen, limit) : 0;
}

/**
 * kvm_steal_clock_destroy - let go of the owner
 * @clock: the steal clock, which has no owner afterwards
 *
 * Context: process context; serialised by the caller.
 */
void kvm_steal_clock_destroy(struct kvm_steal_clock *clock)
{
	put_pid(clock->owner);
	clock->owner = NULL;
}
