// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include "host.h"
#include "option.h"

unsigned int option_number(const char *option, const char *text, unsigned int min,
			   unsigned int max)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || number < min || number > max)
		die("see --help", "--%s %s: give a number from %u to %u", option, text, min, max);

	return number;
}
