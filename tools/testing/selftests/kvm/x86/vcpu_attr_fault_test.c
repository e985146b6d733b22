// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * What attributes of vCPUs do when memory runs out, or cannot be copied: a call that
 * is refused for that changes nothing, neither what can be read nor the guest's
 * memory, and the old areas stay in use.
 */
#include <sys/ioctl.h>

#include "kvm_test_harness.h"
#include "vcpu_attr_expect.h"
#include "xen_runstate.h"

#define NR_TYPES	ARRAY_SIZE(xen_attrs)

struct snapshot {
	struct xen_snapshot xen;
	u64 tsc_offset;
};

static void take_snapshot(struct kvm_vcpu *vcpu, void *snapshot)
{
	struct snapshot *now = snapshot;

	now->xen = xen_take_snapshot(vcpu);
	vcpu_device_attr_get(vcpu, KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET, &now->tsc_offset);
}

/*
 * Errors are not noted as reached: the pages have separate rows for a struct
 * kvm_device_attr, or a type, that cannot be read and for a value that cannot be.
 */
static int make_call(const struct faulty_call *call, void *payload)
{
	if (call->ioctl == KVM_XEN_VCPU_GET_ATTR || call->ioctl == KVM_XEN_VCPU_SET_ATTR)
		return ioctl(call->vcpu->fd, call->ioctl, payload) ? -errno : 0;
	return attr_ioctl(call->vcpu, call->ioctl, 0, call->group, call->attr, payload);
}

static const struct faulty_call_ops ops = {
	.make_call = make_call,
	.take_snapshot = take_snapshot,
	.snapshot_size = sizeof(struct snapshot),
};

FIXTURE(vcpu_attr_fault) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_SETUP(vcpu_attr_fault)
{
	self->vm = vm_create_with_one_vcpu(&self->vcpu, runstate_guest_code);
	xen_enable_runstate(self->vm);
}

FIXTURE_TEARDOWN(vcpu_attr_fault)
{
	kvm_vm_free(self->vm);
}

TEST_F(vcpu_attr_fault, tsc_offset)
{
	static const unsigned long ioctls[] = {
		KVM_HAS_DEVICE_ATTR, KVM_GET_DEVICE_ATTR, KVM_SET_DEVICE_ATTR,
	};
	const u64 offset = 12345;
	struct faulty_call call = {
		.name = "TSC_OFFSET",
		.vcpu = self->vcpu,
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.value = &offset,
		.size = sizeof(offset),
	};
	unsigned int faults = 0;

	for (int i = 0; i < ARRAY_SIZE(ioctls); i++) {
		call.ioctl = ioctls[i];
		faults += expect_faults_change_nothing(_metadata, &ops, &call);
	}
	EXPECT_LT(0, faults);
	ksft_print_msg("did %u injected faults\n", faults);
}

/* Nothing is registered when the calls are made first, and other areas the next time. */
TEST_F_TIMEOUT(vcpu_attr_fault, xen, 120)
{
	unsigned int faults = 0;

	for (int i = 0; i < 2 * NR_TYPES; i++) {
		const u64 gpa = i < NR_TYPES ? AREA_GPA : AREA_GPA + PAGE_SIZE;
		const u16 type = i % NR_TYPES;
		const struct kvm_xen_vcpu_attr attr = xen_good_attr(self->vm, type, gpa);
		struct faulty_call call = {
			.name = xen_attrs[type],
			.vcpu = self->vcpu,
			.ioctl = KVM_XEN_VCPU_SET_ATTR,
			.value = &attr,
			.size = sizeof(attr),
			.memory = addr_gpa2hva(self->vm, AREA_GPA),
			.memory_size = AREA_PAGES * PAGE_SIZE,
		};

		faults += expect_faults_change_nothing(_metadata, &ops, &call);
		if (!xen_attr_has_value(type))
			continue;
		call.ioctl = KVM_XEN_VCPU_GET_ATTR;
		faults += expect_faults_change_nothing(_metadata, &ops, &call);
	}
	EXPECT_LT(0, faults);
	ksft_print_msg("did %u injected faults\n", faults);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_check_cap(KVM_CAP_XEN_HVM) & KVM_XEN_HVM_CONFIG_EVTCHN_SEND);
	require_fault_injection();

	return test_harness_run(argc, argv);
}
