// SPDX-License-Identifier: GPL-2.0-only

/*
 * Add stolen time when the vCPU is loaded.  A page with dirty logging is left to where
 * KVM_RUN checks its requests, after it has stopped for a full dirty ring, and so is
 * whatever else is special about a memslot.  The structure of a CPU that is off may be
 * memory that others use.
 */
static bool add_when_loaded(struct kvm_vcpu *vcpu)
{
	struct gfn_to_hva_cache *ghc = &vcpu->arch.steal.cache;
	bool added = false;
	int idx;

	if (kvm_arm_vcpu_stopped(vcpu))
		return false;

	idx = srcu_read_lock(&vcpu->kvm->srcu);

	if (unlikely(ghc->generation != kvm_memslots(vcpu->kvm)->generation))
		kvm_gfn_to_hva_cache_init(vcpu->kvm, ghc, vcpu->arch.steal.base,
					  sizeof(struct pvclock_vcpu_stolen_time));

	if (ghc->memslot && !ghc->memslot->flags && !kvm_is_error_hva(ghc->hva))
		added = add_stolen_time(vcpu, ghc->hva);

	srcu_read_unlock(&vcpu->kvm->srcu, idx);

	return added;
}

static int init_structure(struct kvm_vcpu *vcpu)
{
	struct pvclock_vcpu_stolen_time st = {};
	int r;

	r = fault_in_structure(vcpu);
	if (r)
		return r;

	scoped_guard(preempt) {
		take_stolen_time(vcpu);
		vcpu->arch.steal.pending = 0;
	}

	if (kvm_write_guest(vcpu->kvm, vcpu->arch.steal.base, &st, sizeof(st)))
		return -EFAULT;

	return 0;
}
