/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls of attributes in which the first allocation or copy fails, then the second,
 * and so on: each such call is refused and changes nothing, and in the end, when
 * there is nothing left to fail, the call is accepted.
 */
#ifndef SELFTEST_KVM_VCPU_ATTR_FAULT_H
#define SELFTEST_KVM_VCPU_ATTR_FAULT_H

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/sizes.h>

#include "fault_injection.h"
#include "kvm_util.h"
#include "kvm_test_harness.h"

struct faulty_call {
	const char *name;
	struct kvm_vcpu *vcpu;
	unsigned long ioctl;
	u32 group;
	u64 attr;
	/* What the payload holds before the call. */
	const void *value;
	size_t size;
	/* What of the guest's memory the call may write, if it is accepted. */
	void *memory;
	size_t memory_size;
	/* Refused for lack of memory it is EFAULT, or else this negative errno. */
	int no_memory;
	/* Once it was accepted, it is not accepted again. */
	bool once;
};

/*
 * Defined by who includes this: the call, which returns 0 or a negative errno, and,
 * before that, struct snapshot and take_snapshot() for all that a vCPU tells.
 */
static int make_call(const struct faulty_call *call, void *payload);

/* It is to be mapped anew, and zeros are in it. */
static inline void drop_memory(const struct faulty_call *call)
{
	TEST_ASSERT_EQ(madvise(call->memory, call->memory_size, MADV_DONTNEED), 0);
}

static inline bool memory_is_dropped(const struct faulty_call *call)
{
	const char *memory = call->memory;

	return !memory || (!*memory && !memcmp(memory, memory + 1, call->memory_size - 1));
}

/*
 * A page of a file, which is mapped anew for each call and far from all else: to read
 * it takes page tables, to write it a page as well.
 */
struct payload {
	int fd;
	void *addr;
};

static inline struct payload payload_create(void)
{
	struct payload payload = { .fd = memfd_create("payload", MFD_CLOEXEC) };
	void *room;

	TEST_ASSERT(payload.fd >= 0, "memfd_create: %s", strerror(errno));
	TEST_ASSERT_EQ(ftruncate(payload.fd, getpagesize()), 0);

	room = mmap(NULL, 2UL * SZ_1G, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		    -1, 0);
	TEST_ASSERT(room != MAP_FAILED, "mmap: %s", strerror(errno));
	TEST_ASSERT_EQ(munmap(room, 2UL * SZ_1G), 0);
	payload.addr = (void *)(((uintptr_t)room + SZ_1G) & ~(SZ_1G - 1UL));
	return payload;
}

static inline void payload_renew(const struct payload *payload, const struct faulty_call *call)
{
	const size_t page = getpagesize();

	TEST_ASSERT_EQ(munmap(payload->addr, page), 0);
	TEST_ASSERT_EQ(pwrite(payload->fd, call->value, call->size, 0), call->size);
	TEST_ASSERT(mmap(payload->addr, page, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_FIXED_NOREPLACE, payload->fd, 0) == payload->addr,
		    "mmap: %s", strerror(errno));
}

/*
 * Returns how often something failed.  That is never for calls that allocate nothing
 * and read by get_user(), where no faults are injected.
 */
static inline unsigned int expect_faults_change_nothing(struct __test_metadata *_metadata,
							const struct faulty_call *call)
{
	const struct payload payload = payload_create();
	struct snapshot before, after;
	const int fd = fail_nth_open();
	unsigned int nth = 0;
	bool failed;
	int r;

	do {
		before = take_snapshot(call->vcpu);
		drop_memory(call);
		payload_renew(&payload, call);

		fail_nth_begin(fd, ++nth);
		r = make_call(call, payload.addr);
		failed = fail_nth_end(fd);

		if (!r)
			continue;
		EXPECT_TRUE(failed && (r == -EFAULT || (call->no_memory && r == call->no_memory))) {
			TH_LOG("%s, fault %u: %s", call->name, nth, strerror(-r));
		}
		EXPECT_TRUE(memory_is_dropped(call)) {
			TH_LOG("%s, fault %u: the guest's memory was written", call->name, nth);
		}
		after = take_snapshot(call->vcpu);
		EXPECT_EQ(0, memcmp(&before, &after, sizeof(after))) {
			TH_LOG("%s, fault %u: something changed", call->name, nth);
		}
	} while (failed && (r || !call->once));

	EXPECT_EQ(0, r) {
		TH_LOG("%s: %s", call->name, strerror(-r));
	}

	munmap(payload.addr, getpagesize());
	close(payload.fd);
	close(fd);
	return nth - !failed;
}

#endif /* SELFTEST_KVM_VCPU_ATTR_FAULT_H */
