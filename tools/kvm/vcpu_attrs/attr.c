// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <errno.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

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

static const char *reason(const struct attr *attr, int has, int err)
{
	if (err == ENXIO && has == ENXIO)
		return "not offered to this vCPU";

	for (int i = 0; i < MAX_REASONS && attr->reasons[i].err; i++) {
		if (attr->reasons[i].err == err)
			return attr->reasons[i].words;
	}

	switch (err) {
	case ENXIO:
	case ENOENT:
		return "no such attribute on this host";
	case ENODEV:
		return "the vCPU lacks the feature";
	case ENOTTY:
		return "this kernel's vCPUs have no such attributes";
	default:
		return strerror(err);
	}
}

void subject_destroy(struct subject *subject)
{
	close(subject->vcpu);
	vm_destroy(&subject->vm);
}

struct answer attr_query(int vcpu, const struct attr *attr)
{
	const struct attr_calls *calls = attr->calls;
	struct answer answer = { 0 };

	if (calls->has)
		answer.has = calls->has(vcpu, attr);
	answer.get = calls->get(vcpu, attr, answer.payload);

	return answer;
}

void attr_describe(const struct attr *attr, const struct answer *answer, char *text, size_t size)
{
	if (answer->get)
		snprintf(text, size, "%s", reason(attr, answer->has, answer->get));
	else if (attr->type)
		attr->type->describe(text, size, answer->payload);
	else
		snprintf(text, size, "unexpected: it has no value");
}
