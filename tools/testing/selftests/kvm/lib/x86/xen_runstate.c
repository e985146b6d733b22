// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "ucall_common.h"
#include "xen_runstate.h"

void xen_set_long_mode(struct kvm_vm *vm, bool long_mode)
{
	struct kvm_xen_hvm_attr attr = {
		.type = KVM_XEN_ATTR_TYPE_LONG_MODE,
		.u.long_mode = long_mode,
	};

	vm_ioctl(vm, KVM_XEN_HVM_SET_ATTR, &attr);
}

void xen_set_update_flag(struct kvm_vm *vm, bool on)
{
	struct kvm_xen_hvm_attr attr = {
		.type = KVM_XEN_ATTR_TYPE_RUNSTATE_UPDATE_FLAG,
		.u.runstate_update_flag = on,
	};

	vm_ioctl(vm, KVM_XEN_HVM_SET_ATTR, &attr);
}

void xen_configure(struct kvm_vm *vm, u32 msr)
{
	struct kvm_xen_hvm_config config = {
		.flags = KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL,
		.msr = msr,
	};

	vm_ioctl(vm, KVM_XEN_HVM_CONFIG, &config);
}

void __xen_enable_runstate(struct kvm_vm *vm)
{
	xen_configure(vm, XEN_HYPERCALL_MSR);
	xen_set_long_mode(vm, true);

	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, AREA_GPA,
				    AREA_SLOT, AREA_PAGES, 0);
	virt_map(vm, AREA_GVA, AREA_GPA, AREA_PAGES);
}

#define XEN_ATTR(type)	\
	[KVM_XEN_VCPU_ATTR_TYPE_##type] = "KVM_XEN_VCPU_ATTR_TYPE_" #type

const char *const xen_attrs[NR_XEN_ATTRS] = {
	XEN_ATTR(VCPU_INFO),
	XEN_ATTR(VCPU_TIME_INFO),
	XEN_ATTR(RUNSTATE_ADDR),
	XEN_ATTR(RUNSTATE_CURRENT),
	XEN_ATTR(RUNSTATE_DATA),
	XEN_ATTR(RUNSTATE_ADJUST),
	XEN_ATTR(VCPU_ID),
	XEN_ATTR(TIMER),
	XEN_ATTR(UPCALL_VECTOR),
	XEN_ATTR(VCPU_INFO_HVA),
};

static_assert(ARRAY_SIZE(xen_attrs) < MAX_ATTRS);

static const char *xen_attr_name(int attr)
{
	return attr < ARRAY_SIZE(xen_attrs) ? xen_attrs[attr] : "KVM_XEN_VCPU_ATTR_TYPE_*";
}

static struct attr_family xen_attr_family = { .attr_name = xen_attr_name };

static __attribute__((constructor)) void share_xen_attr_errors(void)
{
	share_attr_errors(&xen_attr_family);
}

static __attribute__((destructor)) void print_xen_attr_errors(void)
{
	print_attr_errors(&xen_attr_family);
}

int xen_attr_ioctl(struct kvm_vcpu *vcpu, unsigned long ioctl_nr, uint16_t type, void *attr)
{
	int r = ioctl(vcpu->fd, ioctl_nr, attr) ? -errno : 0;

	return note_attr_error(&xen_attr_family,
			       ioctl_nr == KVM_XEN_VCPU_SET_ATTR ? ATTR_SET : ATTR_GET,
			       min_t(int, type, ARRAY_SIZE(xen_attrs)), r);
}

int __xen_get_attr(struct kvm_vcpu *vcpu, uint16_t type, struct kvm_xen_vcpu_attr *attr)
{
	memset(attr, 0, sizeof(*attr));
	attr->type = type;

	return xen_attr_ioctl(vcpu, KVM_XEN_VCPU_GET_ATTR, type, attr);
}

int __runstate_set_addr(struct kvm_vcpu *vcpu, uint64_t gpa)
{
	struct kvm_xen_vcpu_attr attr = {
		.type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR,
		.u.gpa = gpa,
	};

	return __xen_set_attr(vcpu, &attr);
}

int __runstate_set_current(struct kvm_vcpu *vcpu, uint64_t state)
{
	struct kvm_xen_vcpu_attr attr = {
		.type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_CURRENT,
		.u.runstate.state = state,
	};

	return __xen_set_attr(vcpu, &attr);
}

int __runstate_set(struct kvm_vcpu *vcpu, uint16_t type, struct kvm_xen_vcpu_attr attr)
{
	attr.type = type;

	return __xen_set_attr(vcpu, &attr);
}

void runstate_set_addr(struct kvm_vcpu *vcpu, uint64_t gpa)
{
	int r = __runstate_set_addr(vcpu, gpa);

	TEST_ASSERT(!r, "RUNSTATE_ADDR 0x%lx: %s", gpa, strerror(-r));
}

void runstate_set_current(struct kvm_vcpu *vcpu, uint64_t state)
{
	int r = __runstate_set_current(vcpu, state);

	TEST_ASSERT(!r, "RUNSTATE_CURRENT %lu: %s", state, strerror(-r));
}

struct kvm_xen_vcpu_attr runstate_get(struct kvm_vcpu *vcpu)
{
	struct kvm_xen_vcpu_attr attr;
	int r = __xen_get_attr(vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA, &attr);

	TEST_ASSERT(!r, "get RUNSTATE_DATA: %s", strerror(-r));
	return attr;
}

struct kvm_xen_vcpu_attr runstate_attr(u64 state, u64 entry,
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

struct kvm_xen_vcpu_attr xen_good_attr(struct kvm_vm *vm, uint16_t type, uint64_t gpa)
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

struct xen_snapshot xen_take_snapshot(struct kvm_vcpu *vcpu)
{
	struct xen_snapshot now;

	for (int type = 0; type < ARRAY_SIZE(xen_attrs); type++)
		__xen_get_attr(vcpu, type, &now.attr[type]);
	return now;
}

bool runstate_adds_up(const struct kvm_xen_vcpu_attr *rs)
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

struct runstate_text runstate_text(const struct kvm_xen_vcpu_attr *rs)
{
	struct runstate_text text;

	snprintf(text.s, sizeof(text.s),
		 "state %llu since %llu: running %lld runnable %lld blocked %lld offline %lld",
		 rs->u.runstate.state, rs->u.runstate.state_entry_time,
		 rs->u.runstate.time_running, rs->u.runstate.time_runnable,
		 rs->u.runstate.time_blocked, rs->u.runstate.time_offline);
	return text;
}

void runstate_assert_follows(const struct kvm_xen_vcpu_attr *then,
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

void runstate_assert_roundtrip(struct kvm_vcpu *vcpu)
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

struct kvm_xen_vcpu_attr runstate_read_area(struct kvm_vm *vm, u64 gpa, bool long_mode)
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

void runstate_guest_code(void)
{
	for (;;)
		GUEST_SYNC(0);
}

void runstate_vcpu_run(struct kvm_vcpu *vcpu)
{
	vcpu_run(vcpu);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_IO);
}

void run_to_immediate_exit(struct kvm_vcpu *vcpu)
{
	vcpu->run->immediate_exit = 1;
	TEST_ASSERT(__vcpu_run(vcpu) == -1 && errno == EINTR,
		    "immediate_exit did not give EINTR");
	vcpu->run->immediate_exit = 0;
}

void steal_watch_start(struct steal_watch *watch, struct kvm_vcpu *vcpu)
{
	watch->vcpu = vcpu;
	watch->run_delay = get_run_delay();
	vcpu_run(vcpu);
	watch->first = runstate_get(vcpu);
	watch->last = watch->first;
	TEST_ASSERT(runstate_adds_up(&watch->first), "the totals do not add up: %s",
		    runstate_text(&watch->first).s);
}

s64 steal_watch_excess(struct steal_watch *watch)
{
	struct kvm_xen_vcpu_attr now = runstate_get(watch->vcpu);
	long delay = get_run_delay() - watch->run_delay;

	runstate_assert_follows(&watch->last, &now);
	watch->last = now;

	return now.u.runstate.time_runnable - watch->first.u.runstate.time_runnable - delay;
}

void steal_watch_check(struct steal_watch *watch)
{
	s64 excess = steal_watch_excess(watch);

	TEST_ASSERT(excess <= 0,
		    "%ld ns more of steal than the thread waited for\nfrom %s\n  to %s", excess,
		    runstate_text(&watch->first).s, runstate_text(&watch->last).s);
}

int xen_runstate_race_seconds(int seconds)
{
	const char *env = getenv("XEN_RUNSTATE_SECONDS");

	TEST_REQUIRE(kvm_check_cap(KVM_CAP_XEN_HVM) & KVM_XEN_HVM_CONFIG_RUNSTATE_UPDATE_FLAG);
	require_preempters();

	return env ? atoi_positive("XEN_RUNSTATE_SECONDS", env) : seconds;
}
