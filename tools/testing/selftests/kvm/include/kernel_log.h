/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel says of KVM while a test runs, for tests of what must not make
 * it say anything.
 */
#ifndef SELFTEST_KVM_KERNEL_LOG_H
#define SELFTEST_KVM_KERNEL_LOG_H

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "test_util.h"

/* Have warnings that are given once be given once more, where that can be had. */
static inline void kernel_log_rearm(void)
{
	int fd = open("/sys/kernel/debug/clear_warn_once", O_WRONLY);

	if (fd < 0)
		return;
	TEST_ASSERT_EQ(write(fd, "1", 1), 1);
	close(fd);
}

/* Returns a file descriptor of what is said from now on. */
static inline int kernel_log_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);

	__TEST_REQUIRE(fd >= 0, "/dev/kmsg needs CAP_SYSLOG");
	TEST_ASSERT_EQ(lseek(fd, 0, SEEK_END), 0);
	kernel_log_rearm();
	return fd;
}

/* Is it about a process, of another test say, whose last VM is still closing? */
static inline bool is_about_debugfs(const char *record)
{
	return strstr(record, "KVM: debugfs: duplicate directory");
}

/* Nothing else was said of KVM since the log was opened. */
static inline void kernel_log_assert_silent(int fd)
{
	char record[8192];
	ssize_t n;

	while ((n = read(fd, record, sizeof(record) - 1)) > 0) {
		record[n] = '\0';
		TEST_ASSERT(is_about_debugfs(record) || !strcasestr(record, "kvm"),
			    "the kernel says: %s", record);
	}
	TEST_ASSERT(errno == EAGAIN, "the kernel says too much to read it: %s",
		    strerror(errno));
}

#endif /* SELFTEST_KVM_KERNEL_LOG_H */
