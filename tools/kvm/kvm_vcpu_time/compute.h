/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * Splits the time between two samples of a vCPU into states. Pure functions.
 */
#ifndef KVM_VCPU_TIME_COMPUTE_H
#define KVM_VCPU_TIME_COMPUTE_H

#include "counters.h"

/*
 * A counter grows when a state ends. A vCPU that has waited, or was halted, since its
 * counter last grew is shown in that state all the same; @ahead is what was shown
 * before it was counted, and is not shown again.
 */
struct account {
	__u64 ahead[NR_STATES];
	__u64 uncounted;	/* by the runstates of a Xen guest, up to now */
};

/* Times of birth are rounded down to a clock tick, 10 ms at most. */
#define BIRTH_ROUNDING_NS	10000000ULL

bool counters_have(const struct counters *counters, unsigned int bits);
bool counters_are_xen(const struct counters *counters);
bool counters_have_halts(const struct counters *counters);

/* In ns; 0 if one of both lacks the counter. */
__u64 counter_growth(const struct counters *before, const struct counters *now,
		     enum counter counter);

/* What to compare @now with to get all that was counted so far. */
struct counters counters_at_birth(const struct counters *now);

/*
 * What to compare @now with after the vCPU was seen as @last: if it has another thread,
 * that thread's past is not the vCPU's.
 */
struct counters counters_base(const struct counters *last, const struct counters *now);

/* The sum of @time is the time from @before to @now, or 0 if the thread is unknown. */
void account_split(struct account *account, const struct counters *before,
		   const struct counters *now, __u64 time[NR_STATES]);

/* Moves what a VM's vCPUs were halted, which is known for all of them only, out of blocked. */
void account_split_halted(__u64 halted, __u64 time[NR_STATES]);

#endif
