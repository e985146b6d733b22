/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * What the kernel logs about KVM while a test runs, for tests of what must not make
 * it log anything.
 */
#ifndef SELFTEST_KVM_KERNEL_LOG_H
#define SELFTEST_KVM_KERNEL_LOG_H

#include "test_util.h"

int __kernel_log_open(void);

/* Returns a file descriptor of what is logged from now on. */
static inline int kernel_log_open(void)
{
	int fd = __kernel_log_open();

	__TEST_REQUIRE(fd >= 0, "/dev/kmsg needs CAP_SYSLOG");
	return fd;
}

/* Nothing else was logged about KVM since the log was opened. */
void kernel_log_assert_silent(int fd);

#endif /* SELFTEST_KVM_KERNEL_LOG_H */
