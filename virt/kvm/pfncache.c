// SPDX-License-Identifier: GPL-2.0-only
/*
 * A cache whose page may be waited for until a signal comes.
 */

int kvm_gpc_activate_interruptible(struct gfn_to_pfn_cache *gpc, gpa_t gpa, unsigned long len)
{
	/* INVALID_GPA would turn it into a cache of an HVA. */
	if (WARN_ON_ONCE(kvm_is_error_gpa(gpa)))
		return -EINVAL;

	return __kvm_gpc_activate(gpc, gpa, KVM_HVA_ERR_BAD, len, true);
}
