// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "attr_util.h"

struct user_memory user_memory_map(void)
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

void user_memory_unmap(struct user_memory *mem)
{
	TEST_ASSERT_EQ(munmap(mem->ro, 3 * mem->page), 0);
}

const char *const attr_call_names[NR_ATTR_CALLS] = {
	[ATTR_HAS] = "HAS",
	[ATTR_GET] = "GET",
	[ATTR_SET] = "SET",
};

#define NR_ERRNOS	256

struct attr_errors {
	bool reached[NR_ATTR_CALLS][MAX_ATTRS][NR_ERRNOS];
	pid_t owner;
};

/* Tests run in processes of their own, what they reach comes together here. */
void share_attr_errors(struct attr_family *family)
{
	family->errors = mmap(NULL, sizeof(*family->errors), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	TEST_ASSERT(family->errors != MAP_FAILED, "mmap: %s", strerror(errno));
	family->errors->owner = getpid();
}

void print_attr_errors(const struct attr_family *family)
{
	if (family->errors->owner != getpid())
		return;

	for (int call = 0; call < NR_ATTR_CALLS; call++) {
		for (int attr = 0; attr < MAX_ATTRS; attr++) {
			for (int e = 1; e < NR_ERRNOS; e++) {
				if (family->errors->reached[call][attr][e])
					printf("# reached %s %s %s\n", attr_call_names[call],
					       family->attr_name(attr), strerrorname_np(e));
			}
		}
	}
}

int note_attr_error(const struct attr_family *family, enum attr_call call, int attr, int r)
{
	if (r)
		family->errors->reached[call][attr][-r] = true;
	return r;
}
