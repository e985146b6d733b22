// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "util.h"

void die(const char *advice, const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "\n%s: %s\n", program_invocation_short_name, advice);
	exit(EXIT_CANNOT);
}

unsigned int option_number(const char *option, const char *text, unsigned int min,
			   unsigned int max)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || number < min || number > max)
		die("see --help", "--%s %s: give a number from %u to %u", option, text, min, max);

	return number;
}
