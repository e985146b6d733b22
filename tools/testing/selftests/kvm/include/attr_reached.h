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

#define MAX_ATTR_CALLS	3
#define MAX_ATTRS	16
#define NR_ERRNOS	256

/*
 * What the documentation calls them; defined by who includes this.  One attribute
 * stands for all that are unknown.
 */
static const char *attr_call_name(int call);
static const char *attr_name(int attr);

struct attr_errors {
	bool reached[MAX_ATTR_CALLS][MAX_ATTRS][NR_ERRNOS];
	pid_t teller;
};

/* Tests run in processes of their own, what they reach comes together here. */
static struct attr_errors *attr_errors;

static __attribute__((constructor)) void share_attr_errors(void)
{
	attr_errors = mmap(NULL, sizeof(*attr_errors), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	TEST_ASSERT(attr_errors != MAP_FAILED, "mmap: %s", strerror(errno));
	attr_errors->teller = getpid();
}

static __attribute__((destructor)) void tell_attr_errors(void)
{
	if (attr_errors->teller != getpid())
		return;

	for (int call = 0; call < MAX_ATTR_CALLS; call++) {
		for (int attr = 0; attr < MAX_ATTRS; attr++) {
			for (int e = 1; e < NR_ERRNOS; e++) {
				if (attr_errors->reached[call][attr][e])
					printf("# reached %s %s %s\n", attr_call_name(call),
					       attr_name(attr), strerrorname_np(e));
			}
		}
	}
}

/* Returns @r, which is 0 or a negative errno that the call gave. */
static inline int note_attr_error(int call, int attr, int r)
{
	if (r)
		attr_errors->reached[call][attr][-r] = true;
	return r;
}

#endif /* SELFTEST_KVM_ATTR_REACHED_H */
