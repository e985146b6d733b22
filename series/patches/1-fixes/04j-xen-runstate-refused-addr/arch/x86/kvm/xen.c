// SPDX-License-Identifier: GPL-2.0-only

/* Map the runstate area at @gpa.  A guest that switches to 64-bit mode may need more. */
static int xen_map_runstate(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	bool long_mode = IS_ENABLED(CONFIG_64BIT) && vcpu->kvm->arch.xen.long_mode;
	size_t size = long_mode ? sizeof(struct vcpu_runstate_info) :
				  sizeof(struct compat_vcpu_runstate_info);
	size_t head = PAGE_SIZE - offset_in_page(gpa);
	int r;

	r = kvm_gpc_activate(&vcpu->arch.xen.runstate_cache, gpa, head);
	if (r)
		return r;

	if (head < size)
		return kvm_gpc_activate(&vcpu->arch.xen.runstate2_cache, gpa + head, size - head);

	kvm_gpc_deactivate(&vcpu->arch.xen.runstate2_cache);
	return 0;
}
