/* SPDX-License-Identifier: GPL-2.0-only */

kvm_pfn_t __kvm_faultin_pfn(const struct kvm_memory_slot *slot, gfn_t gfn, unsigned int foll,
			    bool *writable, struct page **refcounted_page);
