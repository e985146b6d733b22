/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Faults on demand: of all allocations that the kernel makes for the calling thread,
 * and all copies from and to its memory, the Nth fails.  See
 * Documentation/fault-injection/fault-injection.rst.
 */
#ifndef SELFTEST_KVM_FAULT_INJECTION_H
#define SELFTEST_KVM_FAULT_INJECTION_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "test_util.h"

/* Skip if this kernel injects no faults.  Else let it do so at all places, silently. */
static inline void require_fault_injection(void)
{
	static const struct {
		const char *name;
		const char *value;
	} knobs[] = {
		{ "failslab/ignore-gfp-wait",		"N" },
		{ "failslab/verbose",			"0" },
		{ "fail_page_alloc/ignore-gfp-wait",	"N" },
		{ "fail_page_alloc/ignore-gfp-highmem",	"N" },
		{ "fail_page_alloc/min-order",		"0" },
		{ "fail_page_alloc/verbose",		"0" },
		{ "fail_usercopy/verbose",		"0" },
	};

	for (int i = 0; i < ARRAY_SIZE(knobs); i++) {
		char path[128];
		int fd;

		snprintf(path, sizeof(path), "/sys/kernel/debug/%s", knobs[i].name);
		fd = open(path, O_WRONLY);
		__TEST_REQUIRE(fd >= 0, "cannot have faults injected, %s: %s", path,
			       strerror(errno));
		TEST_ASSERT_EQ(write(fd, knobs[i].value, 1), 1);
		close(fd);
	}
}

/* For the calling thread, and no other. */
static inline int fail_nth_open(void)
{
	int fd = open("/proc/thread-self/fail-nth", O_RDWR);

	TEST_ASSERT(fd >= 0, "/proc/thread-self/fail-nth: %s", strerror(errno));
	return fd;
}

/* From here on the @n-th is to fail. */
static inline void fail_nth_begin(int fd, unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	TEST_ASSERT_EQ(pwrite(fd, text, len, 0), len);
}

/*
 * Nothing fails any more.  Returns whether something did, other than the calls made
 * here: they copy as well.
 */
static inline bool fail_nth_end(int fd)
{
	char left = '\0';
	bool failed = pread(fd, &left, 1, 0) == 1 && left == '0';

	while (pwrite(fd, "0", 1, 0) != 1)
		TEST_ASSERT_EQ(errno, EFAULT);
	return failed;
}

#endif /* SELFTEST_KVM_FAULT_INJECTION_H */
