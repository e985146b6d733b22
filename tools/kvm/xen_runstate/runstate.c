// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <stddef.h>
#include <string.h>

#include "runstate.h"

/* An update is a few stores long; this is about a second. */
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
 * Take a copy during which there was no update: the flag is clear and the entry
 * time is the same before and after.  Any thread and any vCPU of the guest may do
 * so, not just the vCPU that owns the area.
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

/* The area ends at entry_time; the time since then is spent in its state. */
struct runstate runstate_at(const struct runstate *rs, __u64 clock)
{
	struct runstate now = *rs;

	if (clock > rs->entry_time && rs->state < NR_RUNSTATES) {
		now.time[rs->state] += clock - rs->entry_time;
		now.entry_time = clock;
	}

	return now;
}
