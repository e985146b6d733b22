// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include "attr.h"

static int call(int vcpu, unsigned long request, const struct attr *attr, void *payload)
{
	struct kvm_device_attr dev = {
		.group = attr->group,
		.attr  = attr->number,
		.addr  = (uintptr_t)payload,
	};

	return ioctl(vcpu, request, &dev) ? errno : 0;
}

static int has(int vcpu, const struct attr *attr)
{
	return call(vcpu, KVM_HAS_DEVICE_ATTR, attr, NULL);
}

static int get(int vcpu, const struct attr *attr, void *payload)
{
	return call(vcpu, KVM_GET_DEVICE_ATTR, attr, payload);
}

const struct attr_calls device_attr_calls = { has, get };
