/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which errors the calls of attributes gave, told when the program ends, a line
 * each: "# reached SET KVM_VCPU_TSC_OFFSET EFAULT".  The documentation of the
 * attributes is held against that.
 */
#ifndef SELFTEST_KVM_ATTR_REACHED_H
#define SELFTEST_KVM_ATTR_REACHED_H

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test_util.h"
#include "kvm_util.h"

#define MAX_ATTRS	16
#define NR_ERRNOS	256

enum attr_call { ATTR_HAS, ATTR_GET, ATTR_SET, NR_ATTR_CALLS };

static const char *const attr_call_names[] = {
	[ATTR_HAS] = "HAS",
	[ATTR_GET] = "GET",
	[ATTR_SET] = "SET",
};

struct attr_errors {
	bool reached[NR_ATTR_CALLS][MAX_ATTRS][NR_ERRNOS];
	pid_t teller;
};

/*
 * The attributes that one ioctl serves.  @attr_name is what the documentation calls
 * them, where one name stands for all that are unknown.  Who has a family shares
 * its errors before main() and tells them after it.
 */
struct attr_family {
	const char *(*attr_name)(int attr);
	struct attr_errors *errors;
};

/* Tests run in processes of their own, what they reach comes together here. */
static inline void share_attr_errors(struct attr_family *family)
{
	family->errors = mmap(NULL, sizeof(*family->errors), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	TEST_ASSERT(family->errors != MAP_FAILED, "mmap: %s", strerror(errno));
	family->errors->teller = getpid();
}

static inline void tell_attr_errors(const struct attr_family *family)
{
	if (family->errors->teller != getpid())
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

/* Returns @r, which is 0 or a negative errno that the call gave. */
static inline int note_attr_error(const struct attr_family *family, enum attr_call call,
				  int attr, int r)
{
	if (r)
		family->errors->reached[call][attr][-r] = true;
	return r;
}

#endif /* SELFTEST_KVM_ATTR_REACHED_H */
