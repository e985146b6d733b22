/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The runstate area as its guest sees it.
 */
#ifndef XEN_RUNSTATE_RUNSTATE_H
#define XEN_RUNSTATE_RUNSTATE_H

#include <assert.h>
#include <linux/types.h>
#include <stdbool.h>

enum {
	RUNSTATE_running,
	RUNSTATE_runnable,
	RUNSTATE_blocked,
	RUNSTATE_offline,
	NR_RUNSTATES,
};

/* Bit of entry_time that is set while the area is being written. */
#define RUNSTATE_UPDATE_BIT	0x8000000000000000ULL

/* Xen's struct vcpu_runstate_info as 64-bit guests have it; times in ns. */
struct runstate {
	__u32 state;
	__u32 pad;
	__u64 entry_time;
	__u64 time[NR_RUNSTATES];
};

static_assert(sizeof(struct runstate) == 48, "not the layout of Xen's ABI");

const char *runstate_name(__u64 state);
bool runstate_read(const void *area, struct runstate *rs);
__u64 runstate_sum(const struct runstate *rs);
struct runstate runstate_at(const struct runstate *rs, __u64 clock);

#endif
