/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random numbers that a seed decides on, each thread's its own.
 */
#ifndef SELFTEST_KVM_FUZZ_RANDOM_H
#define SELFTEST_KVM_FUZZ_RANDOM_H

#include <linux/bits.h>

#include "kvm_util.h"

static __thread u64 fuzz_seed;

/* The generator known as SplitMix64, to which any seed is as good as another. */
static inline u64 fuzz_random(void)
{
	u64 x = fuzz_seed += 0x9e3779b97f4a7c15;

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

#endif /* SELFTEST_KVM_FUZZ_RANDOM_H */
