/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * A page that is missing until the test supplies it: all that touches it waits, user
 * space as well as the kernel.
 */
#ifndef SELFTEST_KVM_MISSING_PAGE_H
#define SELFTEST_KVM_MISSING_PAGE_H

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test_util.h"

/* What takes longer waits for something. */
#define PATIENCE_SEC	10

struct missing_page {
	void *addr;
	size_t size;
	int uffd;
};

bool __missing_page_register(struct missing_page *page, void *addr);

/* The page at @addr, which nobody has touched yet. */
static inline struct missing_page missing_page_register(void *addr)
{
	struct missing_page page;

	__TEST_REQUIRE(__missing_page_register(&page, addr), "userfaultfd is not available");
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

void missing_page_unregister(const struct missing_page *page);
void missing_page_unmap(const struct missing_page *page);

/* Returns when someone waits for the page; false if nobody does. */
bool missing_page_is_wanted(const struct missing_page *page);

/* The page comes, with @size bytes of @content and zeros behind them. */
void missing_page_supply(const struct missing_page *page, const void *content, size_t size);

/* It is missing again. */
void missing_page_drop(const struct missing_page *page);

/* True if @thread comes to its end by itself. */
bool thread_ends(pthread_t thread);

/* How many threads of this process sleep so that no signal but a kill wakes them. */
int count_uninterruptible(void);

#endif /* SELFTEST_KVM_MISSING_PAGE_H */
