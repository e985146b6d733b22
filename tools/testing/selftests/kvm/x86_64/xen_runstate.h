/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the Xen runstate tests share: a VM with Xen support and a region for
 * the guest areas, wrappers of the attribute calls, and the invariant that
 * every runstate must satisfy.
 */
#ifndef SELFTEST_KVM_XEN_RUNSTATE_H
#define SELFTEST_KVM_XEN_RUNSTATE_H

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "kvm_test_harness.h"
#include "sched_util.h"
#include "xen_attr_reached.h"

/* The names that Xen guests have for what the VMM sets. */
#define RUNSTATE_running	KVM_XEN_RUNSTATE_RUNNING
#define RUNSTATE_runnable	KVM_XEN_RUNSTATE_RUNNABLE
#define RUNSTATE_blocked	KVM_XEN_RUNSTATE_BLOCKED
#define RUNSTATE_offline	KVM_XEN_RUNSTATE_OFFLINE
#define XEN_RUNSTATE_UPDATE	KVM_XEN_RUNSTATE_UPDATE

#define XEN_HYPERCALL_MSR	0x40000000

/* A memslot of its own, so that tests can delete, move and log it. */
#define AREA_SLOT		10
#define AREA_GPA		0xc0000000ULL
#define AREA_GVA		0xc0000000ULL
#define AREA_PAGES		4

struct vcpu_runstate_info {
	uint32_t state;
	uint32_t pad;
	uint64_t state_entry_time;
	uint64_t time[4];
};

struct compat_vcpu_runstate_info {
	uint32_t state;
	uint64_t state_entry_time;
	uint64_t time[4];
} __packed;

static inline void xen_set_long_mode(struct kvm_vm *vm, bool long_mode)
{
	struct kvm_xen_hvm_attr attr = {
		.type = KVM_XEN_ATTR_TYPE_LONG_MODE,
		.u.long_mode = long_mode,
	};

	vm_ioctl(vm, KVM_XEN_HVM_SET_ATTR, &attr);
}

static inline void xen_set_update_flag(struct kvm_vm *vm, bool on)
{
	struct kvm_xen_hvm_attr attr = {
		.type = KVM_XEN_ATTR_TYPE_RUNSTATE_UPDATE_FLAG,
		.u.runstate_update_flag = on,
	};

	vm_ioctl(vm, KVM_XEN_HVM_SET_ATTR, &attr);
}

/* An @msr of 0 switches Xen off. */
static inline void xen_configure(struct kvm_vm *vm, u32 msr)
{
	struct kvm_xen_hvm_config config = {
		.flags = KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL,
		.msr = msr,
	};

	vm_ioctl(vm, KVM_XEN_HVM_CONFIG, &config);
}

/* Turn @vm into a 64-bit Xen guest with AREA_PAGES pages for the areas. */
static inline void xen_enable_runstate(struct kvm_vm *vm)
{
	TEST_REQUIRE(kvm_check_cap(KVM_CAP_XEN_HVM) & KVM_XEN_HVM_CONFIG_RUNSTATE);

	xen_configure(vm, XEN_HYPERCALL_MSR);
	xen_set_long_mode(vm, true);

	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, AREA_GPA,
				    AREA_SLOT, AREA_PAGES, 0);
	virt_map(vm, AREA_GVA, AREA_GPA, AREA_PAGES);
}

/* The memslot of the areas goes, and comes back, with the memory or with other. */
static inline void delete_slot(struct kvm_vm *vm)
{
	vm_set_user_memory_region(vm, AREA_SLOT, 0, AREA_GPA, 0, NULL);
}

static inline void create_slot(struct kvm_vm *vm, int pages, void *memory)
{
	vm_set_user_memory_region(vm, AREA_SLOT, 0, AREA_GPA, pages * PAGE_SIZE, memory);
}

/* What memory is painted with that must not be written. */
#define CANARY			0xa5

static inline bool is_painted(const uint8_t *bytes, size_t size)
{
	return !size || (bytes[0] == CANARY && !memcmp(bytes, bytes + 1, size - 1));
}

/*
 * The calls return 0 or a negative errno.  Those without underscores assert
 * that the call is accepted.
 */
static inline int __xen_get_attr(struct kvm_vcpu *vcpu, uint16_t type,
				 struct kvm_xen_vcpu_attr *attr)
{
	memset(attr, 0, sizeof(*attr));
	attr->type = type;

	return xen_attr_ioctl(vcpu, KVM_XEN_VCPU_GET_ATTR, type, attr);
}

static inline int __xen_set_attr(struct kvm_vcpu *vcpu, struct kvm_xen_vcpu_attr *attr)
{
	return xen_attr_ioctl(vcpu, KVM_XEN_VCPU_SET_ATTR, attr->type, attr);
}

static inline int __runstate_set_addr(struct kvm_vcpu *vcpu, uint64_t gpa)
{
	struct kvm_xen_vcpu_attr attr = {
		.type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR,
		.u.gpa = gpa,
	};

	return __xen_set_attr(vcpu, &attr);
}

static inline int __runstate_set_current(struct kvm_vcpu *vcpu, uint64_t state)
{
	struct kvm_xen_vcpu_attr attr = {
		.type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_CURRENT,
		.u.runstate.state = state,
	};

	return __xen_set_attr(vcpu, &attr);
}

/* @attr holds the values; @type is RUNSTATE_DATA or RUNSTATE_ADJUST. */
static inline int __runstate_set(struct kvm_vcpu *vcpu, uint16_t type,
				 struct kvm_xen_vcpu_attr attr)
{
	attr.type = type;

	return __xen_set_attr(vcpu, &attr);
}

static inline void runstate_set_addr(struct kvm_vcpu *vcpu, uint64_t gpa)
{
	int r = __runstate_set_addr(vcpu, gpa);

	TEST_ASSERT(!r, "RUNSTATE_ADDR 0x%lx: %s", gpa, strerror(-r));
}

static inline void runstate_set_current(struct kvm_vcpu *vcpu, uint64_t state)
{
	int r = __runstate_set_current(vcpu, state);

	TEST_ASSERT(!r, "RUNSTATE_CURRENT %lu: %s", state, strerror(-r));
}

static inline struct kvm_xen_vcpu_attr runstate_get(struct kvm_vcpu *vcpu)
{
	struct kvm_xen_vcpu_attr attr;
	int r = __xen_get_attr(vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA, &attr);

	TEST_ASSERT(!r, "get RUNSTATE_DATA: %s", strerror(-r));
	return attr;
}

/* Does the runstate add up, without a total that wrapped? */
static inline bool runstate_adds_up(const struct kvm_xen_vcpu_attr *rs)
{
	const uint64_t time[] = {
		rs->u.runstate.time_running, rs->u.runstate.time_runnable,
		rs->u.runstate.time_blocked, rs->u.runstate.time_offline,
	};
	uint64_t sum = 0;

	for (int i = 0; i < ARRAY_SIZE(time); i++) {
		if (__builtin_add_overflow(sum, time[i], &sum))
			return false;
	}

	return sum == rs->u.runstate.state_entry_time;
}

static inline uint64_t vm_clock(struct kvm_vm *vm)
{
	struct kvm_clock_data clock;

	vm_ioctl(vm, KVM_GET_CLOCK, &clock);
	return clock.clock;
}

static inline void vm_set_clock(struct kvm_vm *vm, uint64_t ns)
{
	struct kvm_clock_data clock = { .clock = ns };

	vm_ioctl(vm, KVM_SET_CLOCK, &clock);
}

/*
 * Threads and time: what accounting tests share.
 */

struct runstate_text {
	char s[192];
};

/* The runstate in words, for the message of a failed assertion. */
static inline struct runstate_text runstate_text(const struct kvm_xen_vcpu_attr *rs)
{
	struct runstate_text text;

	snprintf(text.s, sizeof(text.s),
		 "state %llu since %llu: running %lld runnable %lld blocked %lld offline %lld",
		 rs->u.runstate.state, rs->u.runstate.state_entry_time,
		 rs->u.runstate.time_running, rs->u.runstate.time_runnable,
		 rs->u.runstate.time_blocked, rs->u.runstate.time_offline);
	return text;
}

/*
 * Unless the VMM sets them, no total and no entry time may ever go down, and
 * the totals of @now must add up, as those of @then did.
 */
static inline void runstate_assert_follows(const struct kvm_xen_vcpu_attr *then,
					   const struct kvm_xen_vcpu_attr *now)
{
	TEST_ASSERT(runstate_adds_up(now), "the totals do not add up: %s",
		    runstate_text(now).s);
	TEST_ASSERT(now->u.runstate.state_entry_time >= then->u.runstate.state_entry_time &&
		    now->u.runstate.time_running >= then->u.runstate.time_running &&
		    now->u.runstate.time_runnable >= then->u.runstate.time_runnable &&
		    now->u.runstate.time_blocked >= then->u.runstate.time_blocked &&
		    now->u.runstate.time_offline >= then->u.runstate.time_offline,
		    "a total went down\nfrom %s\n  to %s",
		    runstate_text(then).s, runstate_text(now).s);
}

/* The area at @gpa in the form of a GET, as read by who does not race with KVM. */
static inline struct kvm_xen_vcpu_attr runstate_read_area(struct kvm_vm *vm, u64 gpa,
							  bool long_mode)
{
	struct kvm_xen_vcpu_attr rs = { .type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA };
	const char *area = addr_gpa2hva(vm, gpa);
	u64 field[5];
	u32 state;

	memcpy(&state, area, sizeof(state));
	if (long_mode)
		area += offsetof(struct vcpu_runstate_info, state_entry_time);
	else
		area += offsetof(struct compat_vcpu_runstate_info, state_entry_time);
	memcpy(field, area, sizeof(field));

	rs.u.runstate.state = state;
	rs.u.runstate.state_entry_time = field[0];
	rs.u.runstate.time_running = field[1];
	rs.u.runstate.time_runnable = field[2];
	rs.u.runstate.time_blocked = field[3];
	rs.u.runstate.time_offline = field[4];
	return rs;
}

/* Setting what was just got must be accepted and change nothing. */
static inline void runstate_assert_roundtrip(struct kvm_vcpu *vcpu)
{
	struct kvm_xen_vcpu_attr saved = runstate_get(vcpu);
	struct kvm_xen_vcpu_attr again;
	int r;

	r = __runstate_set(vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA, saved);
	TEST_ASSERT(!r, "RUNSTATE_DATA refuses its own %s: %s",
		    runstate_text(&saved).s, strerror(-r));

	again = runstate_get(vcpu);
	TEST_ASSERT(!memcmp(&saved, &again, sizeof(saved)),
		    "RUNSTATE_DATA changed\nfrom %s\n  to %s",
		    runstate_text(&saved).s, runstate_text(&again).s);
}

/*
 * The owner of a vCPU watches its steal: from the start, the runnable total
 * may not grow by more than the run_delay of this very thread.
 */
struct steal_watch {
	struct kvm_vcpu *vcpu;
	struct kvm_xen_vcpu_attr first;
	struct kvm_xen_vcpu_attr last;
	long run_delay;
};

static inline void steal_watch_start(struct steal_watch *watch, struct kvm_vcpu *vcpu)
{
	watch->vcpu = vcpu;
	watch->run_delay = get_run_delay();
	vcpu_run(vcpu);
	watch->first = runstate_get(vcpu);
	watch->last = watch->first;
	TEST_ASSERT(runstate_adds_up(&watch->first), "the totals do not add up: %s",
		    runstate_text(&watch->first).s);
}

/* By how much steal is above the run_delay by now, negative if it is below. */
static inline s64 steal_watch_excess(struct steal_watch *watch)
{
	struct kvm_xen_vcpu_attr now = runstate_get(watch->vcpu);
	long delay = get_run_delay() - watch->run_delay;

	runstate_assert_follows(&watch->last, &now);
	watch->last = now;

	return now.u.runstate.time_runnable - watch->first.u.runstate.time_runnable - delay;
}

static inline void steal_watch_check(struct steal_watch *watch)
{
	s64 excess = steal_watch_excess(watch);

	TEST_ASSERT(excess <= 0,
		    "%ld ns more of steal than the thread waited for\nfrom %s\n  to %s", excess,
		    runstate_text(&watch->first).s, runstate_text(&watch->last).s);
}

/*
 * main() of tests that race with preempters for as long as @seconds says, each, or
 * XEN_RUNSTATE_SECONDS in the environment.
 */
static inline int xen_runstate_race_main(int argc, char *argv[], int *seconds)
{
	const char *env = getenv("XEN_RUNSTATE_SECONDS");

	TEST_REQUIRE(kvm_check_cap(KVM_CAP_XEN_HVM) & KVM_XEN_HVM_CONFIG_RUNSTATE_UPDATE_FLAG);
	require_preempters();

	if (env)
		*seconds = atoi_positive("XEN_RUNSTATE_SECONDS", env);

	return test_harness_run(argc, argv);
}

/* The attribute with the given state, entry time and totals (or deltas). */
static inline struct kvm_xen_vcpu_attr runstate_attr(u64 state, u64 entry,
						     u64 running, u64 runnable,
						     u64 blocked, u64 offline)
{
	return (struct kvm_xen_vcpu_attr) {
		.u.runstate = {
			.state = state,
			.state_entry_time = entry,
			.time_running = running,
			.time_runnable = runnable,
			.time_blocked = blocked,
			.time_offline = offline,
		},
	};
}

/*
 * One that is accepted, of each type that there is; an area is in the page at @gpa,
 * but that of the runstate ends in the next one.
 */
static inline struct kvm_xen_vcpu_attr xen_good_attr(struct kvm_vm *vm, uint16_t type,
						     uint64_t gpa)
{
	struct kvm_xen_vcpu_attr attr = {};

	switch (type) {
	case KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO:
		attr.u.gpa = gpa;
		break;
	case KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO_HVA:
		attr.u.hva = (uintptr_t)addr_gpa2hva(vm, gpa) + 0x40;
		break;
	case KVM_XEN_VCPU_ATTR_TYPE_VCPU_TIME_INFO:
		attr.u.gpa = gpa + 0x80;
		break;
	case KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR:
		attr.u.gpa = gpa + PAGE_SIZE - 20;
		break;
	case KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_CURRENT:
		attr.u.runstate.state = RUNSTATE_blocked;
		break;
	case KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA:
		attr = runstate_attr(RUNSTATE_blocked, 1000, 400, 300, 200, 100);
		break;
	case KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST:
		attr = runstate_attr(KVM_XEN_RUNSTATE_KEEP, 5, 1, 1, 1, 2);
		break;
	case KVM_XEN_VCPU_ATTR_TYPE_VCPU_ID:
		attr.u.vcpu_id = 42;
		break;
	case KVM_XEN_VCPU_ATTR_TYPE_TIMER:
		attr.u.timer.port = 7;
		attr.u.timer.priority = KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL;
		attr.u.timer.expires_ns = 1ULL << 60;
		break;
	case KVM_XEN_VCPU_ATTR_TYPE_UPCALL_VECTOR:
		attr.u.vector = 0x20;
		break;
	}
	attr.type = type;
	return attr;
}

/* RUNSTATE_ADJUST is the only type that can be set but not got. */
static inline bool xen_attr_has_value(uint16_t type)
{
	return type != KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST;
}

/* All that can be got; nothing where that is refused. */
struct xen_snapshot {
	struct kvm_xen_vcpu_attr attr[ARRAY_SIZE(xen_attrs)];
};

static inline struct xen_snapshot xen_take_snapshot(struct kvm_vcpu *vcpu)
{
	struct xen_snapshot now;

	for (int type = 0; type < ARRAY_SIZE(xen_attrs); type++)
		__xen_get_attr(vcpu, type, &now.attr[type]);
	return now;
}

static inline bool runstate_equal(const struct kvm_xen_vcpu_attr *a,
				  const struct kvm_xen_vcpu_attr *b)
{
	return !memcmp(&a->u.runstate, &b->u.runstate, sizeof(a->u.runstate));
}

/* A guest that does nothing but exit to userspace. */
static inline void runstate_guest_code(void)
{
	for (;;)
		GUEST_SYNC(0);
}

/* One round through the guest, from exit to exit. */
static inline void runstate_vcpu_run(struct kvm_vcpu *vcpu)
{
	vcpu_run(vcpu);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_IO);
}

/* A KVM_RUN that comes back before it enters the guest. */
static inline void run_to_immediate_exit(struct kvm_vcpu *vcpu)
{
	vcpu->run->immediate_exit = 1;
	TEST_ASSERT(__vcpu_run(vcpu) == -1 && errno == EINTR,
		    "immediate_exit did not give EINTR");
	vcpu->run->immediate_exit = 0;
}

#endif /* SELFTEST_KVM_XEN_RUNSTATE_H */
