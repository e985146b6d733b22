// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <sys/ioctl.h>
#include <unistd.h>

#include "arm64_vm.h"
#include "kvm.h"

/* The minimum, because not all hosts support the default of 40. */
#define IPA_BITS	32

void arm64_vm_create(struct vm *vm)
{
	int kvm = kvm_open();
	bool sized = kvm_do(kvm, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);

	close(kvm);
	vm_create(vm, sized ? KVM_VM_TYPE_ARM_IPA_SIZE(IPA_BITS) : 0);
}

int arm64_vm_add_vcpu(const struct vm *vm, unsigned int id, bool pmu)
{
	int vcpu = kvm_do(vm->fd, KVM_CREATE_VCPU, id);
	struct kvm_vcpu_init init = { 0 };

	kvm_do(vm->fd, KVM_ARM_PREFERRED_TARGET, &init);
	if (pmu)
		init.features[0] |= 1U << KVM_ARM_VCPU_PMU_V3;
	kvm_do(vcpu, KVM_ARM_VCPU_INIT, &init);

	return vcpu;
}

bool arm64_vm_has_pmu(const struct vm *vm)
{
	return kvm_do(vm->kvm, KVM_CHECK_EXTENSION, KVM_CAP_ARM_PMU_V3);
}

bool arm64_vm_add_vgic(const struct vm *vm)
{
	struct kvm_create_device vgic = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	struct kvm_device_attr init = {
		.group = KVM_DEV_ARM_VGIC_GRP_CTRL,
		.attr  = KVM_DEV_ARM_VGIC_CTRL_INIT,
	};

	if (ioctl(vm->fd, KVM_CREATE_DEVICE, &vgic)) {
		vgic.type = KVM_DEV_TYPE_ARM_VGIC_V2;
		if (ioctl(vm->fd, KVM_CREATE_DEVICE, &vgic))
			return false;
	}
	kvm_do(vgic.fd, KVM_SET_DEVICE_ATTR, &init);
	close(vgic.fd);

	return true;
}
