/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the program prints: tables and checks, 80 columns wide at most.
 */
#ifndef XEN_RUNSTATE_REPORT_H
#define XEN_RUNSTATE_REPORT_H

#include <linux/types.h>
#include <stdbool.h>

#include "compiler.h"
#include "runstate.h"

struct report {
	unsigned int checks;
	unsigned int failed;
};

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

static inline double to_ms(__s64 ns)
{
	return ns / 1e6;
}

void __printf(1, 2) report_act(const char *fmt, ...);
void report_seconds_head(void);
void report_second(const struct second *second);
void report_totals_head(void);
void report_totals(int vcpu, const char *moment, const struct runstate *rs);

bool __printf(5, 6) report_check(struct report *report, bool held, int vcpu,
				 const char *what, const char *fmt, ...);
void report_verdict(const struct report *report);

#endif
