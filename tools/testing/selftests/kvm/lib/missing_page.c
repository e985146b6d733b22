// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>

#include <linux/userfaultfd.h>

#include "missing_page.h"

/* Returns false if there is no userfaultfd. */
bool __missing_page_register(struct missing_page *page, void *addr)
{
	struct uffdio_register missing = {
		.range = { .start = (uintptr_t)addr, .len = getpagesize() },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	struct uffdio_api api = { .api = UFFD_API };

	page->addr = addr;
	page->size = getpagesize();
	page->uffd = syscall(__NR_userfaultfd, O_CLOEXEC);
	if (page->uffd < 0)
		return false;

	TEST_ASSERT_EQ(ioctl(page->uffd, UFFDIO_API, &api), 0);
	TEST_ASSERT_EQ(ioctl(page->uffd, UFFDIO_REGISTER, &missing), 0);
	return true;
}

void missing_page_unregister(const struct missing_page *page)
{
	close(page->uffd);
}

void missing_page_unmap(const struct missing_page *page)
{
	missing_page_unregister(page);
	TEST_ASSERT_EQ(munmap(page->addr, page->size), 0);
}

bool missing_page_is_wanted(const struct missing_page *page)
{
	struct pollfd fault = { .fd = page->uffd, .events = POLLIN };
	struct uffd_msg msg;

	if (poll(&fault, 1, PATIENCE_SEC * 1000) != 1)
		return false;
	TEST_ASSERT_EQ(read(page->uffd, &msg, sizeof(msg)), sizeof(msg));
	TEST_ASSERT_EQ(msg.event, UFFD_EVENT_PAGEFAULT);
	return true;
}

void missing_page_supply(const struct missing_page *page, const void *content, size_t size)
{
	void *source = calloc(1, page->size);
	struct uffdio_copy copy = {
		.dst = (uintptr_t)page->addr,
		.src = (uintptr_t)source,
		.len = page->size,
	};

	TEST_ASSERT(source, "calloc: %s", strerror(errno));
	memcpy(source, content, size);
	TEST_ASSERT_EQ(ioctl(page->uffd, UFFDIO_COPY, &copy), 0);
	free(source);
}

void missing_page_drop(const struct missing_page *page)
{
	TEST_ASSERT_EQ(madvise(page->addr, page->size, MADV_DONTNEED), 0);
}

bool thread_ends(pthread_t thread)
{
	struct timespec limit;

	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += PATIENCE_SEC;
	return !pthread_timedjoin_np(thread, NULL, &limit);
}

int count_uninterruptible(void)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *task;
	int nr = 0;

	TEST_ASSERT(tasks, "/proc/self/task: %s", strerror(errno));
	while ((task = readdir(tasks))) {
		char path[PATH_MAX], state;
		FILE *stat;

		if (task->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%s/stat", task->d_name);
		stat = fopen(path, "r");
		/* It has just ended. */
		if (!stat)
			continue;
		/* The name before the state is that of the program, which has no blanks. */
		nr += fscanf(stat, "%*d %*s %c", &state) == 1 && state == 'D';
		fclose(stat);
	}
	closedir(tasks);
	return nr;
}
