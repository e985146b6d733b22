/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * Reads a vCPU's area repeatedly and counts violations of the rules.
 */
#ifndef XEN_RUNSTATE_WATCH_H
#define XEN_RUNSTATE_WATCH_H

#include "runstate.h"

struct report;
struct vcpu;

enum {
	RULE_READ,
	RULE_SUM,
	RULE_BACK,
	RULE_AHEAD,
	RULE_STEAL,
	NR_RULES,
};

struct watch {
	const struct vcpu *vcpu;
	struct runstate last;
	__u64 clock;		/* at the last read */
	__u64 stolen_before;	/* time[runnable] when the watch began */
	__u64 waited;		/* run_delay since the vCPU first ran */
	unsigned int reads;
	unsigned int reads_in[NR_RUNSTATES];
	struct {
		unsigned int times;
		__u64 worst;
	} broken[NR_RULES];
};

__u64 watch_steal_limit(__u64 waited);
void watch_begin(struct watch *watch, const struct vcpu *vcpu);
void watch_again(struct watch *watch);
void watch_read(struct watch *watch);
__s64 watch_stolen(const struct watch *watch);
void watch_judge(const struct watch *watch, struct report *report);

#endif
