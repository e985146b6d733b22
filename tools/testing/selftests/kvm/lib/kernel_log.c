// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "kernel_log.h"

/* Make the kernel repeat warnings that it gives once, where that is possible. */
static void kernel_log_rearm(void)
{
	int fd = open("/sys/kernel/debug/clear_warn_once", O_WRONLY);

	if (fd < 0)
		return;
	TEST_ASSERT_EQ(write(fd, "1", 1), 1);
	close(fd);
}

/* Returns -1 if the log cannot be read. */
int __kernel_log_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);

	if (fd < 0)
		return fd;
	TEST_ASSERT_EQ(lseek(fd, 0, SEEK_END), 0);
	kernel_log_rearm();
	return fd;
}

/* True if it is about a process, e.g. of another test, whose last VM is still closing. */
static bool is_about_debugfs(const char *record)
{
	return strstr(record, "KVM: debugfs: duplicate directory");
}

void kernel_log_assert_silent(int fd)
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
