// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>

#include "report.h"

void report_act(const char *fmt, ...)
{
	va_list args;

	putchar('\n');
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	puts("\n");
}

void report_seconds_head(void)
{
	puts("                      ------ % of the last second ------  - ms since start -\n"
	     "second vCPU state     running runnable  blocked  offline    stolen    waited sum");
}

/* What the last report took for running may turn out to have been runnable. */
static double percent(__s64 part, __s64 all)
{
	return part > 0 && all > 0 ? 100.0 * part / all : 0.0;
}

void report_second(const struct second *second)
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

void report_totals_head(void)
{
	puts("vCPU  totals, ms           running    runnable     blocked     offline  state");
}

/* A vCPU's first line bears its number, the others pass a negative one. */
void report_totals(int vcpu, const char *moment, const struct runstate *rs)
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

/*
 * One line says what is to hold; if it does not, @fmt says in a second what
 * was expected and what was found.
 */
bool report_check(struct report *report, bool held, int vcpu, const char *what,
		  const char *fmt, ...)
{
	va_list args;

	report->checks++;
	printf("%-6s  ", held ? "ok" : "FAILED");
	if (vcpu < 0)
		printf("%s\n", what);
	else
		printf("vCPU %d: %s\n", vcpu, what);
	if (held)
		return true;

	report->failed++;
	printf("%8s", "");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');

	return false;
}

void report_verdict(const struct report *report)
{
	if (report->failed)
		printf("\n%u of %u checks failed\n", report->failed, report->checks);
	else
		printf("\nall %u checks held\n", report->checks);
}
