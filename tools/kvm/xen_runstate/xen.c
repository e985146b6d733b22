// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <errno.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "runstate.h"
#include "vcpu.h"
#include "vm.h"
#include "xen.h"

/* For RUNSTATE_ADJUST: leave the state as it is. */
#define SAME_STATE	(~0ULL)

static int set_attr(struct vcpu *vcpu, struct kvm_xen_vcpu_attr *attr)
{
	return ioctl(vcpu->fd, KVM_XEN_VCPU_SET_ATTR, attr) ? -errno : 0;
}

void xen_register_area(struct vcpu *vcpu, __u64 gpa)
{
	struct kvm_xen_vcpu_attr attr = {
		.type  = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR,
		.u.gpa = gpa,
	};

	if (set_attr(vcpu, &attr))
		kvm_die("KVM_XEN_VCPU_SET_ATTR(RUNSTATE_ADDR)");
	vcpu->area = vcpu->vm->mem + gpa;
}

__u64 xen_registered_area(struct vcpu *vcpu)
{
	struct kvm_xen_vcpu_attr attr = {
		.type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR,
	};

	if (ioctl(vcpu->fd, KVM_XEN_VCPU_GET_ATTR, &attr))
		kvm_die("KVM_XEN_VCPU_GET_ATTR(RUNSTATE_ADDR)");

	return attr.u.gpa;
}

void xen_set_current(struct vcpu *vcpu, __u64 state)
{
	struct kvm_xen_vcpu_attr attr = {
		.type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_CURRENT,
		.u.runstate.state = state,
	};

	if (set_attr(vcpu, &attr))
		kvm_die("KVM_XEN_VCPU_SET_ATTR(RUNSTATE_CURRENT)");
}

int xen_set_data(struct vcpu *vcpu, const struct runstate *rs)
{
	struct kvm_xen_vcpu_attr attr = {
		.type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA,
		.u.runstate = {
			.state		  = rs->state,
			.state_entry_time = rs->entry_time,
			.time_running	  = rs->time[RUNSTATE_running],
			.time_runnable	  = rs->time[RUNSTATE_runnable],
			.time_blocked	  = rs->time[RUNSTATE_blocked],
			.time_offline	  = rs->time[RUNSTATE_offline],
		},
	};

	return set_attr(vcpu, &attr);
}

struct runstate xen_get_data(struct vcpu *vcpu)
{
	struct kvm_xen_vcpu_attr attr = {
		.type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA,
	};

	if (ioctl(vcpu->fd, KVM_XEN_VCPU_GET_ATTR, &attr))
		kvm_die("KVM_XEN_VCPU_GET_ATTR(RUNSTATE_DATA)");

	return (struct runstate) {
		.state	    = attr.u.runstate.state,
		.entry_time = attr.u.runstate.state_entry_time,
		.time = {
			[RUNSTATE_running]  = attr.u.runstate.time_running,
			[RUNSTATE_runnable] = attr.u.runstate.time_runnable,
			[RUNSTATE_blocked]  = attr.u.runstate.time_blocked,
			[RUNSTATE_offline]  = attr.u.runstate.time_offline,
		},
	};
}

/* Moves time between states; @delta has one number for each, of sum 0. */
int xen_adjust(struct vcpu *vcpu, const __s64 *delta)
{
	struct kvm_xen_vcpu_attr attr = {
		.type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST,
		.u.runstate = {
			.state		= SAME_STATE,
			.time_running	= delta[RUNSTATE_running],
			.time_runnable	= delta[RUNSTATE_runnable],
			.time_blocked	= delta[RUNSTATE_blocked],
			.time_offline	= delta[RUNSTATE_offline],
		},
	};

	return set_attr(vcpu, &attr);
}
