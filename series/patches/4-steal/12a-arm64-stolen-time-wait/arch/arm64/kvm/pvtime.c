// SPDX-License-Identifier: GPL-2.0-only

/* Add what is pending to what the structure at @hva shows.  Does not sleep. */
static bool add_stolen_time(struct kvm_vcpu *vcpu, unsigned long hva)
{
	__le64 __user *shown = (void __user *)(hva + STOLEN_TIME_OFS);
	__le64 before;
	u64 stolen;
	int r;

	static_assert(STOLEN_TIME_OFS == 8);
	static_assert(sizeof(struct pvclock_vcpu_stolen_time) == 64);

	pagefault_disable();
	r = get_user(before, shown);
	stolen = le64_to_cpu(before) + vcpu->arch.steal.pending;
	if (!r)		/* In one store: the guest may be reading. */
		r = put_user(cpu_to_le64(stolen), shown);
	pagefault_enable();
	if (r)
		return false;

	vcpu->arch.steal.pending = 0;
	return true;
}

/* Returns false if the page is not there at the moment.  Called with SRCU held. */
static bool update_stolen_time(struct kvm_vcpu *vcpu)
{
	gfn_t gfn = gpa_to_gfn(vcpu->arch.steal.base);
	struct kvm_memory_slot *slot = gfn_to_memslot(vcpu->kvm, gfn);
	unsigned long hva = gfn_to_hva_memslot(slot, gfn);

	take_stolen_time(vcpu);
	if (!vcpu->arch.steal.pending)
		return true;

	if (kvm_is_error_hva(hva) ||
	    !add_stolen_time(vcpu, hva + offset_in_page(vcpu->arch.steal.base)))
		return false;

	mark_page_dirty_in_slot(vcpu->kvm, slot, gfn);
	return true;
}

static int init_structure(struct kvm_vcpu *vcpu)
{
	struct pvclock_vcpu_stolen_time st = {};
	int r;

	r = fault_in_structure(vcpu);
	if (r)
		return r;

	take_stolen_time(vcpu);
	vcpu->arch.steal.pending = 0;
	if (kvm_write_guest(vcpu->kvm, vcpu->arch.steal.base, &st, sizeof(st)))
		return -EFAULT;

	return 0;
}
