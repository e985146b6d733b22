// SPDX-License-Identifier: GPL-2.0-only
/*
 * Without a statistic, which a later patch adds.
 */

static int pvtime_set_ipa(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			  const void *payload)
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
