/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * The runstate area as its guest sees it.
 */
#ifndef XEN_RUNSTATE_RUNSTATE_H
#define XEN_RUNSTATE_RUNSTATE_H

#include <assert.h>
#include <linux/kvm.h>
#include <linux/types.h>
#include <stdbool.h>

/* The headers of a system may be older than these names. */
#ifndef KVM_XEN_RUNSTATE_RUNNING
#define KVM_XEN_RUNSTATE_RUNNING	0
#define KVM_XEN_RUNSTATE_RUNNABLE	1
#define KVM_XEN_RUNSTATE_BLOCKED	2
#define KVM_XEN_RUNSTATE_OFFLINE	3
#define KVM_XEN_RUNSTATE_UPDATE		(1ULL << 63)
#endif

/* Xen's names of what the guest reads; KVM's of what the VMM sets have the same numbers. */
enum {
	RUNSTATE_running	= KVM_XEN_RUNSTATE_RUNNING,
	RUNSTATE_runnable	= KVM_XEN_RUNSTATE_RUNNABLE,
	RUNSTATE_blocked	= KVM_XEN_RUNSTATE_BLOCKED,
	RUNSTATE_offline	= KVM_XEN_RUNSTATE_OFFLINE,
	NR_RUNSTATES,
};

/* Bit of entry_time that is set while the area is being written. */
#define RUNSTATE_UPDATE_BIT	KVM_XEN_RUNSTATE_UPDATE

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
