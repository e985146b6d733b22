/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A turn is the time for which one thread runs a vCPU.  What the guest reads in
 * it is held against what the thread has waited.
 *
 * The thread's wait is read before and after a read by the guest, which lies in
 * between with all of its round.  The time that was stolen by then lies in between,
 * too: no tolerance is needed, however slow or busy the host is.
 */
#ifndef VCPU_ATTRS_TURN_H
#define VCPU_ATTRS_TURN_H

#include <linux/types.h>
#include <stdbool.h>

#include "vcpu.h"

struct report;

/* What the guest read, between two looks at what its thread had waited, in ns. */
struct sample {
	__u64 stolen;
	__u64 waited_min;
	__u64 waited_max;
};

struct turn {
	struct vcpu *vcpu;
	__u64 past;		/* what the thread had waited before */
	__u64 stolen_before;	/* in memory */
	__u64 rounds_before;
	__u64 back_before;
	struct sample first;
	struct sample last;
	unsigned int samples;
	__s64 worst_excess;	/* of what was stolen over what was waited */
	__s64 worst_lack;
};

/* Both return false when the user has had enough. */
bool turn_begin(struct turn *turn, struct vcpu *vcpu, int cpu, __u64 past);
bool turn_sample(struct turn *turn);

/* Since the turn began; negative if the guest's time went back. */
__s64 turn_stolen(const struct turn *turn);

/* It cannot be less: the first step, and all that the thread has waited since. */
__s64 turn_least(const struct turn *turn);

/* What is wrong with the last sample, in ns: not more than 0 if nothing is. */
__s64 turn_excess(const struct turn *turn);
__s64 turn_lack(const struct turn *turn);

void turn_judge(const struct turn *turn, struct report *report);

#endif
