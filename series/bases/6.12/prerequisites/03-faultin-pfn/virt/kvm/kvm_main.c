// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series

kvm_pfn_t __kvm_faultin_pfn(const struct kvm_memory_slot *slot, gfn_t gfn, unsigned int foll,
			    bool *writable, struct page **refcounted_page)
{
	kvm_pfn_t pfn;

	pfn = __gfn_to_pfn_memslot(slot, gfn, false, foll & FOLL_INTERRUPTIBLE, NULL,
				   foll & FOLL_WRITE, writable, NULL);
	*refcounted_page = is_error_noslot_pfn(pfn) ? NULL : kvm_pfn_to_refcounted_page(pfn);
	return pfn;
}
