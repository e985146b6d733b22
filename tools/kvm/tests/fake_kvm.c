// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * A KVM for tests of what vcpu_attrs prints on x86. Linked into the program, these
 * functions replace those of libc. FAKE_KVM=NAME in the environment selects a host.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "util.h"

/* An errno of the kernel that user space has no name for. */
#define ENOTSUPP	524

static const struct host {
	const char *name;
	int xen_caps;
	bool set;	/* all attributes have a value */
	int odd_err;	/* of GET, by the number of the attribute */
	int even_err;
} hosts[] = {
	{ .name = "set", .xen_caps = KVM_XEN_HVM_CONFIG_SHARED_INFO, .set = true },
	{ .name = "unset", .xen_caps = KVM_XEN_HVM_CONFIG_SHARED_INFO },
	{ .name = "no-xen" },
	{
		.name	  = "errors",
		.xen_caps = KVM_XEN_HVM_CONFIG_SHARED_INFO,
		.odd_err  = EINVAL,
		.even_err = ENOTSUPP,
	},
};

static const struct host *find_host(void)
{
	const char *name = getenv("FAKE_KVM") ?: "";

	for (unsigned int i = 0; i < ARRAY_SIZE(hosts); i++) {
		if (!strcmp(hosts[i].name, name))
			return &hosts[i];
	}
	die("see fake_kvm.c", "FAKE_KVM=%s: no such host", name);
}

static int result(int err)
{
	errno = err;

	return err ? -1 : 0;
}

static int get_tsc(const struct host *host, const struct kvm_device_attr *dev)
{
	__u64 *payload = (__u64 *)(uintptr_t)dev->addr;

	if (dev->attr == KVM_VCPU_TSC_OFFSET) {
		payload[0] = host->set ? 1ULL << 63 : 0;
	} else {
		/* KVM_VCPU_TSC_SCALE, which older headers lack. */
		payload[0] = host->set ? UINT64_MAX : 1ULL << 32;
		payload[1] = host->set ? 48 : 32;
	}

	return result(dev->attr % 2 ? host->odd_err : host->even_err);
}

static int get_xen(const struct host *host, struct kvm_xen_vcpu_attr *attr)
{
	switch (attr->type) {
	case KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_CURRENT:
	case KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA:
		attr->u.runstate.state = host->set ? 2 : 3;
		attr->u.runstate.state_entry_time = host->set ? UINT64_MAX : 0;
		attr->u.runstate.time_running = host->set ? 1 : 0;
		attr->u.runstate.time_runnable = host->set ? 20 : 0;
		attr->u.runstate.time_blocked = host->set ? 300 : 0;
		attr->u.runstate.time_offline = host->set ? 4000 : 0;
		break;
	case KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST:
		return result(EINVAL);
	case KVM_XEN_VCPU_ATTR_TYPE_VCPU_ID:
		attr->u.vcpu_id = host->set ? 7 : UINT32_MAX;
		break;
	case KVM_XEN_VCPU_ATTR_TYPE_TIMER:
		attr->u.timer.port = host->set ? 5 : 0;
		attr->u.timer.priority = 2;
		attr->u.timer.expires_ns = 1000000007;
		break;
	case KVM_XEN_VCPU_ATTR_TYPE_UPCALL_VECTOR:
		attr->u.vector = host->set ? 0xf3 : 0;
		break;
	case KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO:
	case KVM_XEN_VCPU_ATTR_TYPE_VCPU_TIME_INFO:
	case KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR:
		attr->u.gpa = host->set ? 0x4100 : UINT64_MAX;
		break;
	default:
		/* VCPU_INFO_HVA, which older headers lack. */
		attr->u.gpa = host->set ? 0x7f0000004100 : 0;
	}

	return result(attr->type % 2 ? host->odd_err : host->even_err);
}

/* For /dev/kvm only. */
int open(const char *path, int flags, ...)
{
	(void)path;
	(void)flags;

	return dup(STDERR_FILENO);
}

int ioctl(int fd, unsigned long request, ...)
{
	const struct host *host = find_host();
	unsigned long arg;
	va_list args;

	va_start(args, request);
	arg = va_arg(args, unsigned long);
	va_end(args);

	switch (request) {
	case KVM_CREATE_VM:
	case KVM_CREATE_VCPU:
		return dup(fd);
	case KVM_SET_USER_MEMORY_REGION:
	case KVM_XEN_HVM_CONFIG:
		return 0;
	case KVM_CHECK_EXTENSION:
		return arg == KVM_CAP_XEN_HVM ? host->xen_caps : 0;
	case KVM_HAS_DEVICE_ATTR:
		return result(host->even_err ? ENXIO : 0);
	case KVM_GET_DEVICE_ATTR:
		return get_tsc(host, (const struct kvm_device_attr *)arg);
	case KVM_XEN_VCPU_GET_ATTR:
		return get_xen(host, (struct kvm_xen_vcpu_attr *)arg);
	default:
		return result(ENOTTY);
	}
}
