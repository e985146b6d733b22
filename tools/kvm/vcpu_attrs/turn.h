/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * A turn is the time for which one thread runs a vCPU.  The stolen time that the
 * guest reads is compared with how long the thread has waited.
 *
 * The thread's wait is read before and after a whole round of the guest, so the
 * stolen time must be between the two.  This needs no tolerance, even on a slow or
 * busy host.
 */
#ifndef VCPU_ATTRS_TURN_H
#define VCPU_ATTRS_TURN_H

#include <linux/types.h>
#include <stdbool.h>

#include "vcpu.h"

struct report;

/* What the guest read, and its thread's wait before and after that, in ns. */
struct sample {
	__u64 stolen;
	__u64 waited_min;
	__u64 waited_max;
};

struct turn {
	struct vcpu *vcpu;
	__u64 past;		/* the thread's wait before the turn */
	__u64 stolen_before;	/* in memory */
	__u64 rounds_before;
	__u64 back_before;
	struct sample first;
	struct sample last;
	unsigned int samples;
	__s64 worst_excess;	/* of the stolen time over the wait */
	__s64 worst_lack;
};

/* Both return false if the program was interrupted. */
bool turn_begin(struct turn *turn, struct vcpu *vcpu, int cpu, __u64 past);
bool turn_sample(struct turn *turn);

/* Since the turn began; negative if the guest's stolen time went back. */
__s64 turn_stolen(const struct turn *turn);

/* The minimum: the first step, and the thread's wait since then. */
__s64 turn_least(const struct turn *turn);

/* The error of the last sample, in ns; 0 or less if there is none. */
__s64 turn_excess(const struct turn *turn);
__s64 turn_lack(const struct turn *turn);

void turn_judge(const struct turn *turn, struct report *report);

#endif
