/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host's clocks, in nanoseconds.
 */
#ifndef SELFTEST_KVM_CLOCK_H
#define SELFTEST_KVM_CLOCK_H

#include <time.h>

#include "test_util.h"
#include "kvm_util.h"

static inline u64 clock_ns(clockid_t id)
{
	struct timespec now;

	TEST_ASSERT_EQ(clock_gettime(id, &now), 0);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

static inline u64 now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static inline void sleep_until(u64 ns)
{
	const struct timespec then = {
		.tv_sec = ns / NSEC_PER_SEC,
		.tv_nsec = ns % NSEC_PER_SEC,
	};

	TEST_ASSERT_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &then, NULL), 0);
}

#endif /* SELFTEST_KVM_CLOCK_H */
