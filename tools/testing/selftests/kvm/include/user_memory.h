/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory of which KVM must not or can not touch all: payloads that are bad, or that
 * end where nothing follows.
 */
#ifndef SELFTEST_KVM_USER_MEMORY_H
#define SELFTEST_KVM_USER_MEMORY_H

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test_util.h"

/* A page that is read-only, one that is not, and one that is not there. */
struct user_memory {
	char *ro;
	char *rw;
	char *none;
	size_t page;
};

static inline struct user_memory user_memory_map(void)
{
	struct user_memory mem = { .page = getpagesize() };

	mem.ro = mmap(NULL, 3 * mem.page, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	TEST_ASSERT(mem.ro != MAP_FAILED, "mmap: %s", strerror(errno));
	mem.rw = mem.ro + mem.page;
	mem.none = mem.rw + mem.page;
	TEST_ASSERT_EQ(mprotect(mem.ro, mem.page, PROT_READ), 0);
	TEST_ASSERT_EQ(mprotect(mem.none, mem.page, PROT_NONE), 0);
	return mem;
}

static inline void user_memory_unmap(struct user_memory *mem)
{
	TEST_ASSERT_EQ(munmap(mem->ro, 3 * mem->page), 0);
}

/* An address in the kernel's half of the address space. */
static inline void *user_memory_kernel(const struct user_memory *mem)
{
	return (void *)(-8 * mem->page);
}

#endif /* SELFTEST_KVM_USER_MEMORY_H */
