// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "arch.h"
#include "kvm.h"
#include "kvm_x86.h"
#include "table.h"

/* The headers of older systems lack these. */
#ifndef KVM_XEN_INVALID_GPA
#define KVM_XEN_INVALID_GPA			((__u64)-1)
#endif
#ifndef KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO_HVA
#define KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO_HVA	0x9
#endif
#ifndef KVM_VCPU_TSC_SCALE
#define KVM_VCPU_TSC_SCALE			1
#endif

/* On newer kernels, until it is set. */
#define NO_VCPU_ID				UINT32_MAX

/* The payload of KVM_VCPU_TSC_SCALE. */
struct tsc_scale {
	__u64 ratio;
	__u64 frac_bits;
};

static void describe_offset(char *text, size_t size, const void *payload)
{
	snprintf(text, size, "host's TSC %+lld", *(const long long *)payload);
}

static void print_json_offset(const void *payload)
{
	printf("%lld", *(const long long *)payload);
}

static const struct attr_type offset_type = { describe_offset, print_json_offset };

static void describe_scale(char *text, size_t size, const void *payload)
{
	const struct tsc_scale *scale = payload;

	snprintf(text, size, "host's TSC * %llu / 2^%llu", scale->ratio, scale->frac_bits);
}

static void print_json_scale(const void *payload)
{
	const struct tsc_scale *scale = payload;

	printf("{\"tsc_ratio\": %llu, \"tsc_frac_bits\": %llu}", scale->ratio, scale->frac_bits);
}

static const struct attr_type scale_type = { describe_scale, print_json_scale };

static const struct attr tsc_attrs[] = {
	{
		.calls	  = &device_attr_calls,
		.name	  = "KVM_VCPU_TSC_OFFSET",
		.group	  = KVM_VCPU_TSC_CTRL,
		.number	  = KVM_VCPU_TSC_OFFSET,
		.type	  = &offset_type,
	}, {
		.calls	  = &device_attr_calls,
		.name	  = "KVM_VCPU_TSC_SCALE",
		.group	  = KVM_VCPU_TSC_CTRL,
		.number	  = KVM_VCPU_TSC_SCALE,
		.type	  = &scale_type,
	},
};

static_assert(sizeof(struct kvm_xen_vcpu_attr) <= PAYLOAD_SIZE, "no room for the payload");

static int xen_get(int vcpu, const struct attr *attr, void *payload)
{
	struct kvm_xen_vcpu_attr *xen = payload;

	xen->type = attr->number;

	return ioctl(vcpu, KVM_XEN_VCPU_GET_ATTR, xen) ? errno : 0;
}

/* No call returns just whether KVM has one of these. */
static const struct attr_calls xen_attr_calls = { .get = xen_get };

static void describe_gpa(char *text, size_t size, const void *payload)
{
	const struct kvm_xen_vcpu_attr *xen = payload;

	if (xen->u.gpa == KVM_XEN_INVALID_GPA)
		snprintf(text, size, "unset");
	else
		snprintf(text, size, "guest address %#llx", xen->u.gpa);
}

static void print_json_gpa(const void *payload)
{
	const struct kvm_xen_vcpu_attr *xen = payload;

	json_print_value(xen->u.gpa != KVM_XEN_INVALID_GPA, xen->u.gpa);
}

static const struct attr_type gpa_type = { describe_gpa, print_json_gpa };

/* Older headers lack u.hva, which has the offset of u.gpa. */
static void describe_hva(char *text, size_t size, const void *payload)
{
	const struct kvm_xen_vcpu_attr *xen = payload;

	if (xen->u.gpa)
		snprintf(text, size, "address %#llx of the VMM", xen->u.gpa);
	else
		snprintf(text, size, "unset");
}

static void print_json_hva(const void *payload)
{
	const struct kvm_xen_vcpu_attr *xen = payload;

	json_print_value(xen->u.gpa, xen->u.gpa);
}

static const struct attr_type hva_type = { describe_hva, print_json_hva };

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

static void print_json_state(const void *payload)
{
	const struct kvm_xen_vcpu_attr *xen = payload;

	printf("%llu", xen->u.runstate.state);
}

static const struct attr_type state_type = { describe_state, print_json_state };

static void describe_runstate(char *text, size_t size, const void *payload)
{
	const struct kvm_xen_vcpu_attr *xen = payload;

	snprintf(text, size, "%s since %llu ns", state_name(xen->u.runstate.state),
		 xen->u.runstate.state_entry_time);
}

static void print_json_runstate(const void *payload)
{
	const struct kvm_xen_vcpu_attr *xen = payload;

	printf("{\"state\": %llu", xen->u.runstate.state);
	printf(", \"state_entry_time\": %llu", xen->u.runstate.state_entry_time);
	printf(", \"time_running\": %llu", xen->u.runstate.time_running);
	printf(", \"time_runnable\": %llu", xen->u.runstate.time_runnable);
	printf(", \"time_blocked\": %llu", xen->u.runstate.time_blocked);
	printf(", \"time_offline\": %llu}", xen->u.runstate.time_offline);
}

static const struct attr_type runstate_type = { describe_runstate, print_json_runstate };

static void describe_vcpu_id(char *text, size_t size, const void *payload)
{
	const struct kvm_xen_vcpu_attr *xen = payload;

	if (xen->u.vcpu_id == NO_VCPU_ID)
		snprintf(text, size, "unset");
	else
		snprintf(text, size, "vCPU %u", xen->u.vcpu_id);
}

static void print_json_vcpu_id(const void *payload)
{
	const struct kvm_xen_vcpu_attr *xen = payload;

	json_print_value(xen->u.vcpu_id != NO_VCPU_ID, xen->u.vcpu_id);
}

static const struct attr_type vcpu_id_type = { describe_vcpu_id, print_json_vcpu_id };

static void describe_timer(char *text, size_t size, const void *payload)
{
	const struct kvm_xen_vcpu_attr *xen = payload;

	if (xen->u.timer.port)
		snprintf(text, size, "port %u, expires at %llu ns", xen->u.timer.port,
			 xen->u.timer.expires_ns);
	else
		snprintf(text, size, "unset");
}

static void print_json_timer(const void *payload)
{
	const struct kvm_xen_vcpu_attr *xen = payload;

	if (xen->u.timer.port)
		printf("{\"port\": %u, \"priority\": %u, \"expires_ns\": %llu}",
		       xen->u.timer.port, xen->u.timer.priority, xen->u.timer.expires_ns);
	else
		fputs("null", stdout);
}

static const struct attr_type timer_type = { describe_timer, print_json_timer };

static void describe_vector(char *text, size_t size, const void *payload)
{
	const struct kvm_xen_vcpu_attr *xen = payload;

	if (xen->u.vector)
		snprintf(text, size, "vector %#x", xen->u.vector);
	else
		snprintf(text, size, "unset");
}

static void print_json_vector(const void *payload)
{
	const struct kvm_xen_vcpu_attr *xen = payload;

	json_print_value(xen->u.vector, xen->u.vector);
}

static const struct attr_type vector_type = { describe_vector, print_json_vector };

#define XEN_ATTR(_name, _type, ...)				\
	{							\
		.calls	  = &xen_attr_calls,			\
		.name	  = "KVM_XEN_VCPU_ATTR_TYPE_" #_name,	\
		.number	  = KVM_XEN_VCPU_ATTR_TYPE_##_name,	\
		.type	  = _type,				\
		.reasons  = { __VA_ARGS__ },			\
	}

static const struct attr xen_attrs[] = {
	XEN_ATTR(VCPU_INFO,	   &gpa_type),
	XEN_ATTR(VCPU_TIME_INFO,   &gpa_type),
	XEN_ATTR(RUNSTATE_ADDR,	   &gpa_type),
	XEN_ATTR(RUNSTATE_CURRENT, &state_type),
	XEN_ATTR(RUNSTATE_DATA,	   &runstate_type),
	XEN_ATTR(RUNSTATE_ADJUST,  NULL, { EINVAL, "it can only be set" }),
	XEN_ATTR(VCPU_ID,	   &vcpu_id_type),
	XEN_ATTR(TIMER,		   &timer_type),
	XEN_ATTR(UPCALL_VECTOR,	   &vector_type),
	XEN_ATTR(VCPU_INFO_HVA,	   &hva_type),
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
		subject->step = "KVM_CAP_XEN_HVM";
		subject->hint = "the kernel needs CONFIG_KVM_XEN";
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
