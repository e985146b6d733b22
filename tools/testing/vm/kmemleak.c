// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * Looks for memory that the kernel has lost, and fails if KVM allocated some of it.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/compiler.h>

#include "kselftest.h"

#define KMEMLEAK	"/sys/kernel/debug/kmemleak"

/* What is younger is not taken for lost, as its address may be in a register; seconds. */
#define MIN_AGE		5

static void __noreturn die(const char *what)
{
	printf("%s: %s: %s\n", KMEMLEAK, what, strerror(errno));
	exit(1);
}

static void scan(FILE *kmemleak)
{
	if (fputs("scan", kmemleak) < 0 || fflush(kmemleak))
		die("scan");
}

int main(void)
{
	FILE *kmemleak = fopen(KMEMLEAK, "r+");
	bool by_kvm = false;
	char *line = NULL;
	size_t size = 0;

	if (!kmemleak && errno == ENOENT) {
		printf("# SKIP this kernel does not look for leaks\n");
		return KSFT_SKIP;
	}
	if (!kmemleak)
		die("open");

	/* The first notes checksums, the second reports what did not change since. */
	scan(kmemleak);
	sleep(MIN_AGE);
	scan(kmemleak);

	rewind(kmemleak);
	while (getline(&line, &size, kmemleak) > 0) {
		printf("%s", line);
		by_kvm |= !!strstr(line, "kvm");
	}
	if (ferror(kmemleak))
		die("read");
	return by_kvm;
}
