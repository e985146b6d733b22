// SPDX-License-Identifier: GPL-2.0-only
/*
 * The steal clock: how long the thread that runs a vCPU has waited for a CPU.
 *
 * The scheduler keeps that time per thread, as run_delay.  A guest wants it per
 * vCPU, and a vCPU may be handed from thread to thread, each with a life of its
 * own before and beside the guest.  Hence a clock belongs to one thread at a
 * time and counts from the moment that thread took the vCPU over.
 */
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
