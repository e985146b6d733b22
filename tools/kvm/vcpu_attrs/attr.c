// SPDX-License-Identifier: GPL-2.0-only
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

const char *errno_name(int err)
{
	return strerrorname_np(err) ?: "unknown errno";
}

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

struct answer attr_ask(int vcpu, const struct attr *attr)
{
	const struct attr_calls *calls = attr->calls;
	__u64 payload[PAYLOAD_SIZE / sizeof(__u64)] = { 0 };
	struct answer answer = {
		.has = calls->has ? calls->has(vcpu, attr) : 0,
		.get = calls->get(vcpu, attr, payload),
	};

	if (answer.get)
		snprintf(answer.words, sizeof(answer.words), "%s",
			 reason(attr, answer.has, answer.get));
	else if (attr->describe)
		attr->describe(answer.words, sizeof(answer.words), payload);
	else
		snprintf(answer.words, sizeof(answer.words), "unexpected: it has no value");

	return answer;
}
