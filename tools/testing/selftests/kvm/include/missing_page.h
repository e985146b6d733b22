/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A page that is missing until the test supplies it: whoever touches it waits, user
 * space as well as the kernel.
 */
#ifndef SELFTEST_KVM_MISSING_PAGE_H
#define SELFTEST_KVM_MISSING_PAGE_H

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/userfaultfd.h>

#include "test_util.h"

/* What takes longer waits for something. */
#define PATIENCE_SEC	10

struct missing_page {
	void *addr;
	size_t size;
	int uffd;
};

/* The page at @addr, which nobody has touched yet. */
static inline struct missing_page missing_page_register(void *addr)
{
	struct missing_page page = {
		.addr = addr,
		.size = getpagesize(),
		.uffd = syscall(__NR_userfaultfd, O_CLOEXEC),
	};
	struct uffdio_register missing = {
		.range = { .start = (uintptr_t)addr, .len = page.size },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	struct uffdio_api api = { .api = UFFD_API };

	__TEST_REQUIRE(page.uffd >= 0, "userfaultfd is not available");
	TEST_ASSERT_EQ(ioctl(page.uffd, UFFDIO_API, &api), 0);
	TEST_ASSERT_EQ(ioctl(page.uffd, UFFDIO_REGISTER, &missing), 0);
	return page;
}

/* One that is nowhere else. */
static inline struct missing_page missing_page_map(void)
{
	void *addr = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	TEST_ASSERT(addr != MAP_FAILED, "mmap: %s", strerror(errno));
	return missing_page_register(addr);
}

/* Returns when someone waits for the page; false if nobody does. */
static inline bool missing_page_is_wanted(const struct missing_page *page)
{
	struct pollfd fault = { .fd = page->uffd, .events = POLLIN };
	struct uffd_msg msg;

	if (poll(&fault, 1, PATIENCE_SEC * 1000) != 1)
		return false;
	TEST_ASSERT_EQ(read(page->uffd, &msg, sizeof(msg)), sizeof(msg));
	TEST_ASSERT_EQ(msg.event, UFFD_EVENT_PAGEFAULT);
	return true;
}

/* The page comes, with @size bytes of @content and zeros behind them. */
static inline void missing_page_supply(const struct missing_page *page, const void *content,
				       size_t size)
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

/* It is missing again. */
static inline void missing_page_drop(const struct missing_page *page)
{
	TEST_ASSERT_EQ(madvise(page->addr, page->size, MADV_DONTNEED), 0);
}

static inline void missing_page_unregister(const struct missing_page *page)
{
	close(page->uffd);
}

static inline void missing_page_unmap(const struct missing_page *page)
{
	missing_page_unregister(page);
	TEST_ASSERT_EQ(munmap(page->addr, page->size), 0);
}

#endif /* SELFTEST_KVM_MISSING_PAGE_H */
