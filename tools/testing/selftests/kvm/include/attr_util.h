/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * What tests of attributes share: memory for payloads, and a record of the errors
 * that the calls gave.
 */
#ifndef SELFTEST_KVM_ATTR_UTIL_H
#define SELFTEST_KVM_ATTR_UTIL_H

#include "test_util.h"
#include "kvm_util.h"

/*
 * Memory of which KVM must not or can not touch all: a page that is read-only, one
 * that is not, and one that is not there.
 */
struct user_memory {
	char *ro;
	char *rw;
	char *none;
	size_t page;
};

struct user_memory user_memory_map(void);
void user_memory_unmap(struct user_memory *mem);

/* An address in the kernel's half of the address space. */
static inline void *user_memory_kernel(const struct user_memory *mem)
{
	return (void *)(-8 * mem->page);
}

#define MAX_ATTRS	16

enum attr_call { ATTR_HAS, ATTR_GET, ATTR_SET, NR_ATTR_CALLS };

extern const char *const attr_call_names[NR_ATTR_CALLS];

struct attr_errors;

/*
 * The attributes that one ioctl serves.  @attr_name is what the documentation calls
 * them, where one name stands for all that are unknown.
 *
 * The errors that a program reached are printed when it ends, a line each:
 * "# reached SET KVM_VCPU_TSC_OFFSET EFAULT".  The documentation of the attributes is
 * checked against that.  A constructor has to call share_attr_errors(), and a
 * destructor print_attr_errors().
 */
struct attr_family {
	const char *(*attr_name)(int attr);
	struct attr_errors *errors;
};

void share_attr_errors(struct attr_family *family);
void print_attr_errors(const struct attr_family *family);

/* Returns @r, which is 0 or a negative errno that the call gave. */
int note_attr_error(const struct attr_family *family, enum attr_call call, int attr, int r);

#endif /* SELFTEST_KVM_ATTR_UTIL_H */
