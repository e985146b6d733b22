// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <stdio.h>

#include "report.h"
#include "tables.h"

void print_seconds_head(void)
{
	puts("                      ------ % of the last second ------  - ms since start -\n"
	     "second vCPU state     running runnable  blocked  offline    stolen    waited sum");
}

/* Time in running may later turn out to be runnable, so @part may be negative. */
static double percent(__s64 part, __s64 all)
{
	return part > 0 && all > 0 ? 100.0 * part / all : 0.0;
}

void print_second(const struct second *second)
{
	__s64 all = 0;

	for (int i = 0; i < NR_RUNSTATES; i++)
		all += second->time[i];

	if (second->vcpu)
		printf("%6s", "");
	else
		printf("%6u", second->number);
	printf(" %4u %-8s", second->vcpu, runstate_name(second->state));
	for (int i = 0; i < NR_RUNSTATES; i++)
		printf(" %8.1f", percent(second->time[i], all));
	printf(" %9.1f %9.1f %3s\n", to_ms(second->stolen), to_ms(second->waited),
	       second->adds_up ? "ok" : "BAD");
}

void print_totals_head(void)
{
	puts("vCPU  totals, ms           running    runnable     blocked     offline  state");
}

/* @vcpu is printed in its first line; it is negative for the others. */
void print_totals(int vcpu, const char *moment, const struct runstate *rs)
{
	if (vcpu < 0)
		printf("%4s", "");
	else
		printf("%4d", vcpu);
	printf("  %-15s", moment);
	for (int i = 0; i < NR_RUNSTATES; i++)
		printf("%12.3f", to_ms(rs->time[i]));
	printf("  %s\n", runstate_name(rs->state));
}
