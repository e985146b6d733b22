// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
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

/*
 * Prints a line with the rule that is checked and, if it is broken, a second one with
 * what was expected and what was found.
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
