// SPDX-License-Identifier: GPL-2.0-only

/* Register memory by its GPA, or by its HVA if that is set, or keep what was there. */
static int xen_set_info(struct gfn_to_pfn_cache *gpc, gpa_t gpa, unsigned long hva, size_t len)
{
	unsigned long old_hva = gpc->uhva;
	bool was_active = gpc->active;
	gpa_t old_gpa = gpc->gpa;
	int r;

	r = hva ? kvm_gpc_activate_hva(gpc, hva, len) : kvm_gpc_activate(gpc, gpa, len);
	if (!r)
		return 0;

	if (!was_active)
		kvm_gpc_deactivate(gpc);
	else if (kvm_is_error_gpa(old_gpa))
		kvm_gpc_activate_hva(gpc, old_hva, len);
	else
		kvm_gpc_activate(gpc, old_gpa, len);
	return r;
}
