/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * What holds for the calls of any vCPU attribute, as expectations of the test harness,
 * and the rows that describe attributes to them.
 */
#ifndef SELFTEST_KVM_VCPU_ATTR_EXPECT_H
#define SELFTEST_KVM_VCPU_ATTR_EXPECT_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "fault_injection.h"
#include "kvm_test_harness.h"
#include "vcpu_attr.h"

/* @size of the payload, 0 if there is none; @has_value if it can be got. */
struct vcpu_attr_row {
	const char *name;
	u32 group;
	u64 attr;
	u32 size;
	bool has_value;
};

/* A kvm_device_attr that KVM cannot read is EFAULT, whatever may be in it. */
static inline void expect_unreadable_attr_is_efault(struct __test_metadata *_metadata,
						    struct kvm_vcpu *vcpu,
						    const struct user_memory *mem)
{
	const size_t size = sizeof(struct kvm_device_attr);
	const void *const addr[] = {
		NULL, mem->none, mem->none - size + 1, user_memory_kernel(mem),
	};

	/* The readable part names an attribute that exists nowhere. */
	memset(mem->rw, 0xff, mem->page);

	for (int i = 0; i < ARRAY_SIZE(vcpu_attr_calls); i++) {
		for (int j = 0; j < ARRAY_SIZE(addr); j++) {
			const unsigned long nr = vcpu_attr_calls[i];
			int r = ioctl(vcpu->fd, nr, addr[j]) ? -errno : 0;

			note_vcpu_attr_error(nr, UNKNOWN_GROUP, UNKNOWN_ATTR, r);
			EXPECT_EQ(-EFAULT, r) {
				TH_LOG("%s with struct kvm_device_attr at %p",
				       attr_call_names[i], addr[j]);
			}
		}
	}
}

/* Unknown is ENXIO for every call, wherever addr points and whatever is there. */
static inline void expect_unknown_is_enxio(struct __test_metadata *_metadata,
					   struct kvm_vcpu *vcpu, struct user_memory *mem,
					   u32 group, u64 attr)
{
	static const u64 values[] = { 0, 20, 64, 1ULL << 63, ~0ULL };

	for (int i = 0; i < ARRAY_SIZE(vcpu_attr_calls); i++) {
		const unsigned long nr = vcpu_attr_calls[i];
		const char *name = attr_call_names[i];

		EXPECT_EQ(-ENXIO, attr_call(vcpu, nr, group, attr, NULL)) {
			TH_LOG("%s of %u:0x%lx at NULL", name, group, attr);
		}
		EXPECT_EQ(-ENXIO, attr_call(vcpu, nr, group, attr, mem->none)) {
			TH_LOG("%s of %u:0x%lx at a bad address", name, group, attr);
		}
		for (int j = 0; j < ARRAY_SIZE(values); j++) {
			memcpy(mem->rw, &values[j], sizeof(values[j]));
			EXPECT_EQ(-ENXIO, attr_call(vcpu, nr, group, attr, mem->rw)) {
				TH_LOG("%s of %u:0x%lx, value 0x%lx", name, group, attr,
				       values[j]);
			}
			EXPECT_EQ(0, memcmp(mem->rw, &values[j], sizeof(values[j]))) {
				TH_LOG("%s of %u:0x%lx wrote", name, group, attr);
			}
		}
	}
}

/* Only the process that created the VM may make calls on it. */
static inline void expect_foreign_process_is_eio(struct __test_metadata *_metadata,
						 struct kvm_vcpu *vcpu, u64 value)
{
	pid_t child = fork();
	int status;

	ASSERT_LE(0, child);
	if (!child)
		_exit(!every_attr_is_eio(vcpu, &value));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

/* HAS neither reads nor writes at addr: it answers the same wherever that is. */
static inline void expect_has(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu,
			      const struct user_memory *mem, const struct vcpu_attr_row *row,
			      int expected)
{
	const void *const addr[] = {
		NULL, mem->none, mem->ro, mem->rw, user_memory_kernel(mem),
	};

	memset(mem->rw, 0xa5, mem->page);
	for (int i = 0; i < ARRAY_SIZE(addr); i++) {
		EXPECT_EQ(expected, attr_call(vcpu, KVM_HAS_DEVICE_ATTR, row->group,
					      row->attr, addr[i])) {
			TH_LOG("HAS of %s with addr %p", row->name, addr[i]);
		}
	}
	for (int i = 0; i < mem->page; i++)
		ASSERT_EQ('\xa5', mem->rw[i]);
}

/* GET and SET touch exactly the payload: what follows it may be unmapped. */
static inline void expect_payload_size(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu,
				       const struct user_memory *mem,
				       const struct vcpu_attr_row *row, const void *value)
{
	char *payload = mem->none - row->size;

	memset(mem->rw, 0xa5, mem->page);
	memcpy(payload, value, row->size);
	EXPECT_EQ(0, attr_set(vcpu, row->group, row->attr, payload)) {
		TH_LOG("SET of %s at the end of a page", row->name);
	}
	EXPECT_EQ(0, memcmp(payload, value, row->size)) {
		TH_LOG("SET of %s wrote its payload", row->name);
	}
	if (!row->has_value)
		return;

	memset(mem->rw, 0xa5, mem->page);
	EXPECT_EQ(0, attr_get(vcpu, row->group, row->attr, payload)) {
		TH_LOG("GET of %s at the end of a page", row->name);
	}
	EXPECT_EQ(0, memcmp(payload, value, row->size)) {
		TH_LOG("GET of %s is not what was set", row->name);
	}
	EXPECT_EQ('\xa5', payload[-1]) {
		TH_LOG("GET of %s wrote before its payload", row->name);
	}
}

/*
 * A call in which the first allocation or copy fails, then the second, and so on: each
 * such call is refused and changes nothing, and in the end, when there is nothing left
 * to fail, the call is accepted.
 */
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
 * @make_call does a call, and returns 0 or a negative errno.  @take_snapshot stores
 * all that can be read of a vCPU: @snapshot_size bytes, padding included.
 */
struct faulty_call_ops {
	int (*make_call)(const struct faulty_call *call, void *payload);
	void (*take_snapshot)(struct kvm_vcpu *vcpu, void *snapshot);
	size_t snapshot_size;
};

/* It has to be mapped again, and has zeros in it. */
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
 * Returns how often something failed.  That is never for calls that allocate nothing
 * and read by get_user(), where no faults are injected.
 */
static inline unsigned int expect_faults_change_nothing(struct __test_metadata *_metadata,
							const struct faulty_call_ops *ops,
							const struct faulty_call *call)
{
	const struct remote_payload payload = remote_payload_create();
	char *before = calloc(2, ops->snapshot_size);
	char *after = before + ops->snapshot_size;
	const int fd = fail_nth_open();
	unsigned int nth = 0;
	bool failed;
	int r;

	ASSERT_NE(NULL, before);
	do {
		ops->take_snapshot(call->vcpu, before);
		drop_memory(call);
		remote_payload_renew(&payload, call->value, call->size);

		fail_nth_begin(fd, ++nth);
		r = ops->make_call(call, payload.addr);
		failed = fail_nth_end(fd);

		if (!r)
			continue;
		EXPECT_TRUE(failed && (r == -EFAULT || (call->no_memory && r == call->no_memory))) {
			TH_LOG("%s, fault %u: %s", call->name, nth, strerror(-r));
		}
		EXPECT_TRUE(memory_is_dropped(call)) {
			TH_LOG("%s, fault %u: the guest's memory was written", call->name, nth);
		}
		ops->take_snapshot(call->vcpu, after);
		EXPECT_EQ(0, memcmp(before, after, ops->snapshot_size)) {
			TH_LOG("%s, fault %u: something changed", call->name, nth);
		}
	} while (failed && (r || !call->once));

	EXPECT_EQ(0, r) {
		TH_LOG("%s: %s", call->name, strerror(-r));
	}

	remote_payload_destroy(&payload);
	free(before);
	close(fd);
	return nth - !failed;
}

#endif /* SELFTEST_KVM_VCPU_ATTR_EXPECT_H */
