// SPDX-License-Identifier: GPL-2.0-only
/*
 * Without an attribute that a later patch adds.
 */

static const struct kvm_vcpu_attr kvm_tsc_attrs[] = {
	[KVM_VCPU_TSC_OFFSET] = {
		.size	= KVM_VCPU_ATTR_SIZE(u64),
		.get	= kvm_tsc_get_offset,
		.set	= kvm_tsc_set_offset,
	},
};
