// SPDX-License-Identifier: GPL-2.0-only
#include <stddef.h>
#include <string.h>

#include "runstate.h"

/* The writer is never longer than a few stores away; this is about a second. */
#define READ_TRIES	50000000

const char *runstate_name(__u64 state)
{
	static const char * const names[NR_RUNSTATES] = {
		[RUNSTATE_running]  = "running",
		[RUNSTATE_runnable] = "runnable",
		[RUNSTATE_blocked]  = "blocked",
		[RUNSTATE_offline]  = "offline",
	};

	return state < NR_RUNSTATES ? names[state] : "invalid";
}

static __u64 read_entry_time(const void *area)
{
	const __u64 *entry_time = area + offsetof(struct runstate, entry_time);

	return __atomic_load_n(entry_time, __ATOMIC_RELAXED);
}

/*
 * Take a copy that no update fell into: the flag is clear and the entry time
 * is the same before and after.  Any thread may do so, and any vCPU of the
 * guest, not just the one whose area it is.
 */
bool runstate_read(const void *area, struct runstate *rs)
{
	for (unsigned int try = 0; try < READ_TRIES; try++) {
		__u64 before = read_entry_time(area);

		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		memcpy(rs, area, sizeof(*rs));
		__atomic_thread_fence(__ATOMIC_ACQUIRE);

		if (!(before & RUNSTATE_UPDATE_BIT) && before == read_entry_time(area))
			return true;
	}

	return false;
}

__u64 runstate_sum(const struct runstate *rs)
{
	__u64 sum = 0;

	for (int i = 0; i < NR_RUNSTATES; i++)
		sum += rs->time[i];

	return sum;
}

/* The area tells of the past; the time since then belongs to the state. */
struct runstate runstate_at(const struct runstate *rs, __u64 clock)
{
	struct runstate now = *rs;

	if (clock > rs->entry_time && rs->state < NR_RUNSTATES) {
		now.time[rs->state] += clock - rs->entry_time;
		now.entry_time = clock;
	}

	return now;
}
