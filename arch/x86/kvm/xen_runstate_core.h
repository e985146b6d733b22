/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __KVM_X86_XEN_RUNSTATE_CORE_H
#define __KVM_X86_XEN_RUNSTATE_CORE_H

#include <linux/types.h>

#include <asm/kvm_xen_runstate.h>

/* Guest memory that holds an area: @len bytes at @page[0], the rest at @page[1]. */
struct xen_runstate_area {
	void *page[2];
	size_t len;
};

/* Accounting: pure functions, which are given the time and what was stolen. */
void xen_runstate_init(struct xen_runstate *rs);
u64 xen_runstate_elapsed(const struct xen_runstate *rs, u64 now);
void xen_runstate_account(struct xen_runstate *rs, u32 state, u64 elapsed, u64 steal);
bool xen_runstate_valid(const struct xen_runstate *rs, u64 latest);
bool xen_runstate_adjust(struct xen_runstate *rs, const struct xen_runstate *delta);

/* The area: layout and the order of stores, on whatever memory is given. */
size_t xen_runstate_area_size(bool long_mode);
void xen_runstate_store(const struct xen_runstate_area *area,
			const struct xen_runstate *rs, bool long_mode, bool update_flag);

#endif /* __KVM_X86_XEN_RUNSTATE_CORE_H */
