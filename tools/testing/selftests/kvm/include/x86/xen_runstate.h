/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * What the Xen runstate tests share: a VM with Xen support and a region for
 * the guest areas, wrappers of the attribute calls, and the invariant that
 * every runstate must satisfy.
 */
#ifndef SELFTEST_KVM_XEN_RUNSTATE_H
#define SELFTEST_KVM_XEN_RUNSTATE_H

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "attr_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "sched_util.h"
#include "test_util.h"

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

void xen_set_long_mode(struct kvm_vm *vm, bool long_mode);
void xen_set_update_flag(struct kvm_vm *vm, bool on);

/* An @msr of 0 switches Xen off. */
void xen_configure(struct kvm_vm *vm, u32 msr);

void __xen_enable_runstate(struct kvm_vm *vm);

/* Turn @vm into a 64-bit Xen guest with AREA_PAGES pages for the areas. */
static inline void xen_enable_runstate(struct kvm_vm *vm)
{
	TEST_REQUIRE(kvm_check_cap(KVM_CAP_XEN_HVM) & KVM_XEN_HVM_CONFIG_RUNSTATE);
	__xen_enable_runstate(vm);
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

#define NR_XEN_ATTRS		(KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO_HVA + 1)

/* The names of Xen vCPU attributes, by type. */
extern const char *const xen_attrs[NR_XEN_ATTRS];

/*
 * Do the call.  Returns 0 or a negative errno, and notes that for @type.  The errors
 * that there can be are those of Documentation/virt/kvm/x86/xen-runstate.rst.
 */
int xen_attr_ioctl(struct kvm_vcpu *vcpu, unsigned long ioctl_nr, uint16_t type, void *attr);

/*
 * The calls return 0 or a negative errno.  Those without underscores assert
 * that the call is accepted.
 */
int __xen_get_attr(struct kvm_vcpu *vcpu, uint16_t type, struct kvm_xen_vcpu_attr *attr);

static inline int __xen_set_attr(struct kvm_vcpu *vcpu, struct kvm_xen_vcpu_attr *attr)
{
	return xen_attr_ioctl(vcpu, KVM_XEN_VCPU_SET_ATTR, attr->type, attr);
}

int __runstate_set_addr(struct kvm_vcpu *vcpu, uint64_t gpa);
int __runstate_set_current(struct kvm_vcpu *vcpu, uint64_t state);

/* @attr holds the values; @type is RUNSTATE_DATA or RUNSTATE_ADJUST. */
int __runstate_set(struct kvm_vcpu *vcpu, uint16_t type, struct kvm_xen_vcpu_attr attr);

void runstate_set_addr(struct kvm_vcpu *vcpu, uint64_t gpa);
void runstate_set_current(struct kvm_vcpu *vcpu, uint64_t state);
struct kvm_xen_vcpu_attr runstate_get(struct kvm_vcpu *vcpu);

/* The attribute with the given state, entry time and totals (or deltas). */
struct kvm_xen_vcpu_attr runstate_attr(u64 state, u64 entry,
				       u64 running, u64 runnable,
				       u64 blocked, u64 offline);

/*
 * One that is accepted, of each type that there is; an area is in the page at @gpa,
 * but that of the runstate ends in the next one.
 */
struct kvm_xen_vcpu_attr xen_good_attr(struct kvm_vm *vm, uint16_t type, uint64_t gpa);

/* RUNSTATE_ADJUST is the only type that can be set but not got. */
static inline bool xen_attr_has_value(uint16_t type)
{
	return type != KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST;
}

/* All that can be got; nothing where that is refused. */
struct xen_snapshot {
	struct kvm_xen_vcpu_attr attr[NR_XEN_ATTRS];
};

struct xen_snapshot xen_take_snapshot(struct kvm_vcpu *vcpu);

static inline bool runstate_equal(const struct kvm_xen_vcpu_attr *a,
				  const struct kvm_xen_vcpu_attr *b)
{
	return !memcmp(&a->u.runstate, &b->u.runstate, sizeof(a->u.runstate));
}

/* True if the runstate adds up, without a total that wrapped. */
bool runstate_adds_up(const struct kvm_xen_vcpu_attr *rs);

struct runstate_text {
	char s[192];
};

/* The runstate in words, for the message of a failed assertion. */
struct runstate_text runstate_text(const struct kvm_xen_vcpu_attr *rs);

/*
 * Unless the VMM sets them, no total and no entry time may ever go down, and
 * the totals of @now must add up, as those of @then did.
 */
void runstate_assert_follows(const struct kvm_xen_vcpu_attr *then,
			     const struct kvm_xen_vcpu_attr *now);

/* Setting what was just got must be accepted and change nothing. */
void runstate_assert_roundtrip(struct kvm_vcpu *vcpu);

/* The area at @gpa in the form of a GET, as read by a thread that does not race with KVM. */
struct kvm_xen_vcpu_attr runstate_read_area(struct kvm_vm *vm, u64 gpa, bool long_mode);

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

/* A guest that does nothing but exit to userspace. */
void runstate_guest_code(void);

/* One round through the guest, from exit to exit. */
void runstate_vcpu_run(struct kvm_vcpu *vcpu);

/* A KVM_RUN that comes back before it enters the guest. */
void run_to_immediate_exit(struct kvm_vcpu *vcpu);

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

void steal_watch_start(struct steal_watch *watch, struct kvm_vcpu *vcpu);

/* By how much steal is above the run_delay by now, negative if it is below. */
s64 steal_watch_excess(struct steal_watch *watch);

void steal_watch_check(struct steal_watch *watch);

/*
 * For main() of tests that race with preempters: how long each of them does, which is
 * @seconds, or XEN_RUNSTATE_SECONDS in the environment.  Skips what cannot race.
 */
int xen_runstate_race_seconds(int seconds);

#endif /* SELFTEST_KVM_XEN_RUNSTATE_H */
