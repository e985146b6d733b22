// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * Plain calls of KVM, as Documentation/virt/kvm/saving-time.rst shows them to authors
 * of VMMs.
 */
#include <errno.h>
#include <sys/ioctl.h>

#include <asm/kvm_para.h>

#include "vcpu_time.h"

#define MSR_IA32_TSC		0x10
#define MSR_IA32_TSC_DEADLINE	0x6e0

/* Example: helpers */

static int call(int fd, unsigned long request, void *arg)
{
	int r = ioctl(fd, request, arg);

	return r < 0 ? -errno : r;
}

static int call_msr(int vcpu, unsigned long request, __u32 index, __u64 *value)
{
	struct {
		struct kvm_msrs list;
		struct kvm_msr_entry entry;
	} msr = {
		.list.nmsrs = 1,
		.entry = { .index = index, .data = *value },
	};
	int r = call(vcpu, request, &msr);

	*value = msr.entry.data;
	return r < 0 ? r : r == 1 ? 0 : -EINVAL;
}

static int set_msr(int vcpu, __u32 index, __u64 value)
{
	return call_msr(vcpu, KVM_SET_MSRS, index, &value);
}

static int call_tsc_offset(int vcpu, unsigned long request, __u64 *offset)
{
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (unsigned long)offset,
	};

	return call(vcpu, request, &attr);
}

static int get_xen_attr(int vcpu, __u16 type, struct kvm_xen_vcpu_attr *attr)
{
	*attr = (struct kvm_xen_vcpu_attr) { .type = type };
	return call(vcpu, KVM_XEN_VCPU_GET_ATTR, attr);
}

static int set_xen_attr(int vcpu, const struct kvm_xen_vcpu_attr *attr)
{
	return call(vcpu, KVM_XEN_VCPU_SET_ATTR, (void *)attr);
}

/* Example: saving */

/* The vCPU must be out of KVM_RUN, and stay out of it. */
int save_vcpu_time(int vm, int vcpu, struct vcpu_time *saved)
{
	int r = call(vcpu, KVM_GET_TSC_KHZ, NULL);

	if (r < 0)
		return r;
	saved->tsc_khz = r;

	r = get_xen_attr(vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR, &saved->runstate_addr);
	if (!r)
		r = get_xen_attr(vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA, &saved->runstate);
	if (!r)
		r = get_xen_attr(vcpu, KVM_XEN_VCPU_ATTR_TYPE_TIMER, &saved->timer);
	if (!r)
		r = call(vcpu, KVM_GET_LAPIC, &saved->lapic);
	if (!r)
		r = call_msr(vcpu, KVM_GET_MSRS, MSR_IA32_TSC_DEADLINE, &saved->tsc_deadline);
	if (!r)
		r = call_msr(vcpu, KVM_GET_MSRS, MSR_IA32_TSC, &saved->tsc);
	if (!r)
		r = call_msr(vcpu, KVM_GET_MSRS, MSR_KVM_WALL_CLOCK_NEW, &saved->wall_clock);
	if (!r)
		r = call_msr(vcpu, KVM_GET_MSRS, MSR_KVM_SYSTEM_TIME_NEW, &saved->system_time);
	if (!r)
		r = call_msr(vcpu, KVM_GET_MSRS, MSR_KVM_STEAL_TIME, &saved->steal_time);
	if (!r)
		r = call_tsc_offset(vcpu, KVM_GET_DEVICE_ATTR, &saved->tsc_offset);
	if (!r)
		r = call(vm, KVM_GET_CLOCK, &saved->clock);
	return r;
}

/* Example: restoring */

/* KVM adds the time since the VM was saved, by CLOCK_REALTIME. */
static int restore_clock(int vm, int vcpu, const struct vcpu_time *saved)
{
	struct kvm_clock_data clock = {
		.clock = saved->clock.clock,
		.realtime = saved->clock.realtime,
		.flags = KVM_CLOCK_REALTIME,
	};

	return call(vm, KVM_SET_CLOCK, &clock);
}

/* KVM computes the wall clock that the guest finds, from the clock of the VM. */
static int restore_kvm_msrs(int vm, int vcpu, const struct vcpu_time *saved)
{
	return set_msr(vcpu, MSR_KVM_WALL_CLOCK_NEW, saved->wall_clock) ?:
	       set_msr(vcpu, MSR_KVM_SYSTEM_TIME_NEW, saved->system_time) ?:
	       set_msr(vcpu, MSR_KVM_STEAL_TIME, saved->steal_time);
}

/* Only for VMMs that restore all MSRs: the offset replaces it. */
static int restore_tsc(int vm, int vcpu, const struct vcpu_time *saved)
{
	return set_msr(vcpu, MSR_IA32_TSC, saved->tsc);
}

/* The TSC advances by as much as the clock has.  It is not scaled, on either host. */
static int restore_tsc_offset(int vm, int vcpu, const struct vcpu_time *saved)
{
	struct kvm_clock_data now = {};
	__s64 elapsed;
	__u64 offset;
	int r;

	r = call(vm, KVM_GET_CLOCK, &now);
	if (r)
		return r;
	if (!(now.flags & KVM_CLOCK_HOST_TSC))
		return -EOPNOTSUPP;

	elapsed = (__int128)(__s64)(now.clock - saved->clock.clock) * saved->tsc_khz / 1000000;
	offset = saved->tsc_offset + elapsed + (saved->clock.host_tsc - now.host_tsc);
	return call_tsc_offset(vcpu, KVM_SET_DEVICE_ATTR, &offset);
}

static int restore_lapic(int vm, int vcpu, const struct vcpu_time *saved)
{
	return call(vcpu, KVM_SET_LAPIC, (void *)&saved->lapic);
}

static int restore_tsc_deadline(int vm, int vcpu, const struct vcpu_time *saved)
{
	return set_msr(vcpu, MSR_IA32_TSC_DEADLINE, saved->tsc_deadline);
}

static int restore_runstate(int vm, int vcpu, const struct vcpu_time *saved)
{
	return set_xen_attr(vcpu, &saved->runstate_addr) ?: set_xen_attr(vcpu, &saved->runstate);
}

/* The guest may have no timer, or it has expired. */
static int restore_xen_timer(int vm, int vcpu, const struct vcpu_time *saved)
{
	return saved->timer.u.timer.expires_ns ? set_xen_attr(vcpu, &saved->timer) : 0;
}

const restore_fn restore_steps[NR_RESTORE_STEPS] = {
	[RESTORE_CLOCK]		= restore_clock,
	[RESTORE_KVM_MSRS]	= restore_kvm_msrs,
	[RESTORE_TSC]		= restore_tsc,
	[RESTORE_TSC_OFFSET]	= restore_tsc_offset,
	[RESTORE_LAPIC]		= restore_lapic,
	[RESTORE_TSC_DEADLINE]	= restore_tsc_deadline,
	[RESTORE_RUNSTATE]	= restore_runstate,
	[RESTORE_XEN_TIMER]	= restore_xen_timer,
};

/* Before the vCPU runs for the first time, with the guest's memory in place. */
int restore_vcpu_time(int vm, int vcpu, const struct vcpu_time *saved)
{
	int r = 0;

	for (int i = 0; !r && i < NR_RESTORE_STEPS; i++)
		r = restore_steps[i](vm, vcpu, saved);
	return r;
}

/* Example: end */
