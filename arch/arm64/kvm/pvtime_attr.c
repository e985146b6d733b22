// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_ARM_VCPU_PVTIME_CTRL: where the guest finds its stolen time.
 */
#include <linux/kvm_host.h>

#include <asm/kvm_mmu.h>
#include <asm/pvclock-abi.h>

#include <kvm/vcpu_attr.h>

#include "vcpu_attr.h"

static int get_ipa(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, void *payload)
{
	*(u64 *)payload = vcpu->arch.steal.base;
	return 0;
}

static int set_ipa(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, const void *payload)
{
	u64 ipa = *(const u64 *)payload;
	bool writable;
	int idx;

	if (!IS_ALIGNED(ipa, sizeof(struct pvclock_vcpu_stolen_time)))
		return -EINVAL;

	if (vcpu->arch.steal.base != INVALID_GPA)
		return -EEXIST;

	idx = srcu_read_lock(&vcpu->kvm->srcu);
	writable = !kvm_is_error_hva(gfn_to_hva(vcpu->kvm, gpa_to_gfn(ipa)));
	srcu_read_unlock(&vcpu->kvm->srcu, idx);

	if (!writable)
		return -EINVAL;

	vcpu->arch.steal.base = ipa;
	return 0;
}

static const struct kvm_vcpu_attr pvtime_attrs[] = {
	[KVM_ARM_VCPU_PVTIME_IPA] = {
		.size	= KVM_VCPU_ATTR_SIZE(u64),
		.get	= get_ipa,
		.set	= set_ipa,
	},
};

/* Every host offers it: KVM selects the scheduler's statistics that it takes. */
const struct kvm_vcpu_attr_group kvm_arm_pvtime_attrs = {
	.rows	= pvtime_attrs,
	.nr	= ARRAY_SIZE(pvtime_attrs),
};
