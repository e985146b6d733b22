// SPDX-License-Identifier: GPL-2.0-only
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "arch.h"
#include "kvm.h"
#include "kvm_x86.h"

/* Newer Linux has these; the headers of an older system do not. */
#ifndef KVM_XEN_INVALID_GPA
#define KVM_XEN_INVALID_GPA			((__u64)-1)
#endif
#ifndef KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO_HVA
#define KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO_HVA	0x9
#endif

static void describe_offset(char *text, size_t size, const void *payload)
{
	snprintf(text, size, "host's TSC %+lld", *(const long long *)payload);
}

static const struct attr tsc_attrs[] = {
	{
		.calls	  = &device_attr_calls,
		.name	  = "KVM_VCPU_TSC_OFFSET",
		.group	  = KVM_VCPU_TSC_CTRL,
		.number	  = KVM_VCPU_TSC_OFFSET,
		.describe = describe_offset,
	},
};

static_assert(sizeof(struct kvm_xen_vcpu_attr) <= PAYLOAD_SIZE, "no room for the payload");

static int xen_get(int vcpu, const struct attr *attr, void *payload)
{
	struct kvm_xen_vcpu_attr *xen = payload;

	xen->type = attr->number;

	return ioctl(vcpu, KVM_XEN_VCPU_GET_ATTR, xen) ? errno : 0;
}

/* There is no call that asks for no more than whether KVM has it. */
static const struct attr_calls xen_attr_calls = { .get = xen_get };

static void describe_gpa(char *text, size_t size, const void *payload)
{
	const struct kvm_xen_vcpu_attr *xen = payload;

	if (xen->u.gpa == KVM_XEN_INVALID_GPA)
		snprintf(text, size, "unset");
	else
		snprintf(text, size, "guest address %#llx", xen->u.gpa);
}

/* Older headers have no u.hva, which is where u.gpa is. */
static void describe_hva(char *text, size_t size, const void *payload)
{
	const struct kvm_xen_vcpu_attr *xen = payload;

	if (xen->u.gpa)
		snprintf(text, size, "address %#llx of the VMM", xen->u.gpa);
	else
		snprintf(text, size, "unset");
}

static const char *state_name(__u64 state)
{
	static const char * const names[] = { "running", "runnable", "blocked", "offline" };

	return state < ARRAY_SIZE(names) ? names[state] : "invalid";
}

static void describe_state(char *text, size_t size, const void *payload)
{
	const struct kvm_xen_vcpu_attr *xen = payload;

	snprintf(text, size, "%s", state_name(xen->u.runstate.state));
}

static void describe_runstate(char *text, size_t size, const void *payload)
{
	const struct kvm_xen_vcpu_attr *xen = payload;

	snprintf(text, size, "%s since %llu ns", state_name(xen->u.runstate.state),
		 xen->u.runstate.state_entry_time);
}

static void describe_vcpu_id(char *text, size_t size, const void *payload)
{
	const struct kvm_xen_vcpu_attr *xen = payload;

	snprintf(text, size, "vCPU %u", xen->u.vcpu_id);
}

static void describe_timer(char *text, size_t size, const void *payload)
{
	const struct kvm_xen_vcpu_attr *xen = payload;

	if (xen->u.timer.port)
		snprintf(text, size, "port %u, expires at %llu ns", xen->u.timer.port,
			 xen->u.timer.expires_ns);
	else
		snprintf(text, size, "unset");
}

static void describe_vector(char *text, size_t size, const void *payload)
{
	const struct kvm_xen_vcpu_attr *xen = payload;

	if (xen->u.vector)
		snprintf(text, size, "vector %#x", xen->u.vector);
	else
		snprintf(text, size, "unset");
}

#define XEN_ATTR(type, what, ...)				\
	{							\
		.calls	  = &xen_attr_calls,			\
		.name	  = "KVM_XEN_VCPU_ATTR_TYPE_" #type,	\
		.number	  = KVM_XEN_VCPU_ATTR_TYPE_##type,	\
		.describe = what,				\
		.reasons  = { __VA_ARGS__ },			\
	}

static const struct attr xen_attrs[] = {
	XEN_ATTR(VCPU_INFO,	   describe_gpa),
	XEN_ATTR(VCPU_TIME_INFO,   describe_gpa),
	XEN_ATTR(RUNSTATE_ADDR,	   describe_gpa),
	XEN_ATTR(RUNSTATE_CURRENT, describe_state),
	XEN_ATTR(RUNSTATE_DATA,	   describe_runstate),
	XEN_ATTR(RUNSTATE_ADJUST,  NULL, { EINVAL, "it can only be set" }),
	XEN_ATTR(VCPU_ID,	   describe_vcpu_id),
	XEN_ATTR(TIMER,		   describe_timer),
	XEN_ATTR(UPCALL_VECTOR,	   describe_vector),
	XEN_ATTR(VCPU_INFO_HVA,	   describe_hva),
};

static bool make_plain(struct subject *subject)
{
	vm_create(&subject->vm, 0);
	subject->vcpu = kvm_do(subject->vm.fd, KVM_CREATE_VCPU, 0);

	return true;
}

static bool make_xen(struct subject *subject)
{
	int caps;

	vm_create(&subject->vm, 0);
	caps = kvm_do(subject->vm.kvm, KVM_CHECK_EXTENSION, KVM_CAP_XEN_HVM);
	if (!(caps & KVM_XEN_HVM_CONFIG_SHARED_INFO)) {
		snprintf(subject->why_not, sizeof(subject->why_not),
			 "KVM_CAP_XEN_HVM is %#x; the kernel needs CONFIG_KVM_XEN", caps);
		vm_destroy(&subject->vm);
		return false;
	}

	kvm_x86_enable_xen(subject->vm.fd);
	subject->vcpu = kvm_do(subject->vm.fd, KVM_CREATE_VCPU, 0);

	return true;
}

static const struct setup setups[] = {
	{
		.name	  = "plain",
		.title	  = "A vCPU as it is created",
		.prefix	  = "KVM_VCPU_",
		.attrs	  = tsc_attrs,
		.nr_attrs = ARRAY_SIZE(tsc_attrs),
		.make	  = make_plain,
	}, {
		.name	  = "xen",
		.title	  = "A vCPU of a Xen guest as it is created (KVM_XEN_VCPU_GET_ATTR)",
		.prefix	  = "KVM_XEN_VCPU_ATTR_TYPE_",
		.attrs	  = xen_attrs,
		.nr_attrs = ARRAY_SIZE(xen_attrs),
		.make	  = make_xen,
	},
};

const struct arch arch = {
	.setups	   = setups,
	.nr_setups = ARRAY_SIZE(setups),
};
