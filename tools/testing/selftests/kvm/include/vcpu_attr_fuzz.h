/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random calls from a seed.  Each seed is a test of its own, and a process of its
 * own: who includes this makes a VM in fuzz_setup(), and does one call and checks
 * it in fuzz_step().  All choices come from the seed, so that --seed and --steps do
 * again what failed; only what a value owes to a clock is never the same.
 */
#ifndef SELFTEST_KVM_VCPU_ATTR_FUZZ_H
#define SELFTEST_KVM_VCPU_ATTR_FUZZ_H

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test_util.h"
#include "kvm_util.h"
#include "kselftest.h"

/* Without --seed, seeds 1 to FUZZ_SEEDS are run for FUZZ_STEPS each. */
#define FUZZ_SEEDS	8
#define FUZZ_STEPS	500

static void fuzz_setup(void);
static void fuzz_step(void);

/* Shared, so that the parent can tell at what its child failed. */
struct fuzz {
	u64 random;
	unsigned int step;
	char call[256];
};

static struct fuzz *fuzz;

/* The generator known as SplitMix64, to which any seed is as good as another. */
static inline u64 fuzz_random(void)
{
	u64 x = fuzz->random += 0x9e3779b97f4a7c15;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

static inline u64 fuzz_below(u64 n)
{
	return fuzz_random() % n;
}

static inline bool fuzz_one_in(u64 n)
{
	return !fuzz_below(n);
}

/* Any number of digits is as likely as any other. */
static inline u64 fuzz_magnitude(void)
{
	return fuzz_random() >> fuzz_below(64);
}

/* A power of two, its negative, or a neighbour of these. */
static inline u64 fuzz_boundary(void)
{
	u64 power = BIT_ULL(fuzz_below(64));

	return (fuzz_one_in(2) ? power : -power) + fuzz_below(3) - 1;
}

/* What is being called, and with what. */
static inline __printf(1, 2) void fuzz_call(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(fuzz->call, sizeof(fuzz->call), fmt, args);
	va_end(args);
}

/* A page that is read-only, one that is not, and one that is not there. */
struct fuzz_pages {
	char *ro;
	char *rw;
	char *none;
};

static inline struct fuzz_pages fuzz_map_pages(void)
{
	const size_t page = getpagesize();
	struct fuzz_pages pages;

	pages.ro = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	TEST_ASSERT(pages.ro != MAP_FAILED, "mmap: %s", strerror(errno));
	pages.rw = pages.ro + page;
	pages.none = pages.rw + page;
	TEST_ASSERT_EQ(mprotect(pages.ro, page, PROT_READ), 0);
	TEST_ASSERT_EQ(mprotect(pages.none, page, PROT_NONE), 0);
	return pages;
}

/*
 * An address at which not all of @size bytes can be read or, if @get, written.  What
 * can be is as in @payload, unless that is but read.
 */
static inline void *fuzz_bad_pointer(const struct fuzz_pages *pages, const void *payload,
				     size_t size, bool get)
{
	switch (fuzz_below(get ? 5 : 4)) {
	case 0:
		return NULL;
	case 1:
		return pages->none;
	case 2:
		size = fuzz_below(size);
		return memcpy(pages->none - size, payload, size);
	case 3:
		/* The kernel's half of the address space. */
		return (void *)(-8L * getpagesize());
	default:
		return pages->ro;
	}
}

static inline bool fuzz_run_seed(u64 seed, unsigned int steps)
{
	pid_t child;
	int status;

	memset(fuzz, 0, sizeof(*fuzz));
	fuzz->random = seed;

	fflush(NULL);
	child = fork();
	TEST_ASSERT(child >= 0, "fork: %s", strerror(errno));
	if (!child) {
		fuzz_call("setup");
		fuzz_setup();
		while (fuzz->step < steps) {
			fuzz->step++;
			fuzz_step();
		}
		exit(0);
	}

	TEST_ASSERT_EQ(waitpid(child, &status, 0), child);
	if (status)
		ksft_print_msg("failed: --seed %lu --steps %u: %s\n", seed, fuzz->step,
			       fuzz->call);
	return !status;
}

static inline u64 fuzz_number(const char *text)
{
	char *end;
	u64 number = strtoull(text, &end, 0);

	TEST_ASSERT(*text && !*end, "%s is no number", text);
	return number;
}

static inline void fuzz_main(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 'r' },
		{ "steps", required_argument, NULL, 'n' },
		{ }
	};
	unsigned int seeds = FUZZ_SEEDS, steps = FUZZ_STEPS;
	u64 first = 1;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'r':
			first = fuzz_number(optarg);
			seeds = 1;
			break;
		case 'n':
			steps = fuzz_number(optarg);
			break;
		default:
			exit(KSFT_FAIL);
		}
	}

	fuzz = mmap(NULL, sizeof(*fuzz), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	TEST_ASSERT(fuzz != MAP_FAILED, "mmap: %s", strerror(errno));

	ksft_print_header();
	ksft_set_plan(seeds);
	for (u64 seed = first; seed < first + seeds; seed++)
		ksft_test_result(fuzz_run_seed(seed, steps), "seed_%lu, %u steps\n", seed, steps);
	ksft_finished();
}

#endif /* SELFTEST_KVM_VCPU_ATTR_FUZZ_H */
