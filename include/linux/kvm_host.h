/* SPDX-License-Identifier: GPL-2.0-only */

/**
 * kvm_gpc_activate_interruptible - kvm_gpc_activate(), unless a signal comes
 *
 * @gpc:	   struct gfn_to_pfn_cache object.
 * @gpa:	   guest physical address to map.
 * @len:	   size of the range, which must lie in a single page.
 *
 * @return:	   -EINTR if a signal came while the page was not there, and otherwise
 *		   as kvm_gpc_activate().
 */
int kvm_gpc_activate_interruptible(struct gfn_to_pfn_cache *gpc, gpa_t gpa,
				   unsigned long len);
