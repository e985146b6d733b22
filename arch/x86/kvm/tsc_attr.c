// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_VCPU_TSC_CTRL: the offset of a vCPU's TSC from the host's.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kvm_host.h>

#include <asm/msr.h>
#include <asm/tsc.h>

#include <kvm/vcpu_attr.h>

#include "x86.h"

static int get_tsc_offset(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			  void *payload)
{
	/* What is to be made up for is made up for when the vCPU is loaded. */
	if (unlikely(vcpu->arch.tsc_offset_adjustment || check_tsc_unstable())) {
		vcpu_load(vcpu);
		vcpu_put(vcpu);
	}

	*(u64 *)payload = vcpu->arch.l1_tsc_offset;
	return 0;
}

/*
 * vCPUs of one frequency and one offset are matched: their TSCs are the same, and
 * the VM may go on using the master clock.
 */
static int set_tsc_offset(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			  const void *payload)
{
	struct kvm_arch *ka = &vcpu->kvm->arch;
	u64 offset = *(const u64 *)payload;
	u32 khz = vcpu->arch.virtual_tsc_khz;
	unsigned long flags;
	bool matched;
	u64 tsc;

	/* VMX keeps the offset in the VMCS, which only the CPU it is loaded on writes. */
	vcpu_load(vcpu);
	raw_spin_lock_irqsave(&ka->tsc_write_lock, flags);

	tsc = kvm_scale_tsc(rdtsc(), vcpu->arch.l1_tsc_scaling_ratio) + offset;
	matched = khz && ka->last_tsc_khz == khz && ka->last_tsc_offset == offset;

	ka->user_set_tsc = true;
	__kvm_synchronize_tsc(vcpu, offset, tsc, get_kvmclock_base_ns(), matched);

	raw_spin_unlock_irqrestore(&ka->tsc_write_lock, flags);

	/* Kvmclock stays, and a deadline is met at the TSC that it names. */
	kvm_guest_tsc_moved(vcpu);
	vcpu_put(vcpu);
	return 0;
}

static const struct kvm_vcpu_attr tsc_attrs[] = {
	[KVM_VCPU_TSC_OFFSET] = {
		.size	= KVM_VCPU_ATTR_SIZE(u64),
		.get	= get_tsc_offset,
		.set	= set_tsc_offset,
	},
};

static const struct kvm_vcpu_attr_group tsc_group = {
	.rows	= tsc_attrs,
	.nr	= ARRAY_SIZE(tsc_attrs),
};

static const struct kvm_vcpu_attr_group *const groups[] = {
	[KVM_VCPU_TSC_CTRL] = &tsc_group,
};

const struct kvm_vcpu_attr_table kvm_arch_vcpu_attrs = { groups, ARRAY_SIZE(groups) };
