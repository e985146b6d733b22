/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * The tables that the program prints, 80 columns wide at most.
 */
#ifndef XEN_RUNSTATE_TABLES_H
#define XEN_RUNSTATE_TABLES_H

#include <linux/types.h>
#include <stdbool.h>

#include "runstate.h"

/* One vCPU in one line of the table of seconds. */
struct second {
	unsigned int number;
	unsigned int vcpu;
	__u32 state;
	__s64 time[NR_RUNSTATES];		/* in each state, in this second */
	__s64 stolen;		/* since start */
	__u64 waited;		/* since start */
	bool adds_up;
};

void print_seconds_head(void);
void print_second(const struct second *second);
void print_totals_head(void);
void print_totals(int vcpu, const char *moment, const struct runstate *rs);

#endif
