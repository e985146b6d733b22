/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __KVM_X86_XEN_RUNSTATE_CORE_H
#define __KVM_X86_XEN_RUNSTATE_CORE_H

#include <linux/stddef.h>
#include <linux/types.h>

#include <asm/kvm_xen_runstate.h>

#include "xen.h"

/* Guest memory that holds an area: @len bytes at @page[0], the rest at @page[1]. */
struct xen_runstate_area {
	void *page[2];
	size_t len;
};

/* Accounting: pure functions, which are given the time and what was stolen. */
void xen_runstate_init(struct xen_runstate *rs);
bool xen_runstate_valid(const struct xen_runstate *rs, u64 latest);
bool xen_runstate_adjust(struct xen_runstate *rs, const struct xen_runstate *delta);
void xen_runstate_set_back(struct xen_runstate *rs, u64 now);

/* The time since @rs was last accounted: none while the clock is behind. */
static inline u64 xen_runstate_elapsed(const struct xen_runstate *rs, u64 now)
{
	return now > rs->entry_time ? now - rs->entry_time : 0;
}

/* True if the vCPU's thread wants a CPU for it, so that a wait for one is steal. */
static inline bool xen_runstate_wants_cpu(const struct xen_runstate *rs)
{
	return rs->state == RUNSTATE_running || rs->preempted;
}

/*
 * Charge @elapsed to the state that ends and enter @state.  Of the time that a
 * vCPU was running, @steal (at most @elapsed) was spent waiting for a CPU.
 *
 * A preempted vCPU is charged like a running one: the scheduler's own figure
 * shows how long it waited, and a total of runnable that never outgrows that
 * figure is worth more than the last microsecond of a context switch.
 */
static inline void xen_runstate_account(struct xen_runstate *rs, u32 state,
					u64 elapsed, u64 steal)
{
	if (xen_runstate_wants_cpu(rs)) {
		rs->time[RUNSTATE_runnable] += steal;
		rs->time[RUNSTATE_running] += elapsed - steal;
	} else {
		rs->time[rs->state] += elapsed;
	}

	rs->entry_time += elapsed;
	rs->state = state;
	rs->preempted = false;
}

/*
 * The area: layout and the order of stores, on whatever memory is given.
 *
 * The 32-bit ABI aligns u64 to four bytes, so that there all but the state
 * stands four bytes earlier.  The times follow the entry time in both.
 */
#define XEN_RUNSTATE_OFS32	offsetof(struct compat_vcpu_runstate_info, state_entry_time)
#define XEN_RUNSTATE_OFS64	(XEN_RUNSTATE_OFS32 + 4)

static inline size_t xen_runstate_entry_ofs(bool long_mode)
{
	return long_mode ? XEN_RUNSTATE_OFS64 : XEN_RUNSTATE_OFS32;
}

#define XEN_RUNSTATE_MAX_SIZE	(XEN_RUNSTATE_OFS64 + 5 * sizeof(u64))

static inline size_t xen_runstate_area_size(bool long_mode)
{
	return xen_runstate_entry_ofs(long_mode) + 5 * sizeof(u64);
}

bool xen_runstate_load(struct xen_runstate *rs, const void *area, bool long_mode);

void xen_runstate_store_whole(const struct xen_runstate_area *area,
			      const struct xen_runstate *rs, bool long_mode);
void xen_runstate_store_any(const struct xen_runstate_area *area,
			    const struct xen_runstate *rs, bool long_mode,
			    bool update_flag);

static inline void xen_runstate_store(const struct xen_runstate_area *area,
				      const struct xen_runstate *rs, bool long_mode,
				      bool update_flag)
{
	/* What most guests have, on the path of every context switch. */
	if (likely(area->len >= xen_runstate_area_size(long_mode) && !update_flag))
		xen_runstate_store_whole(area, rs, long_mode);
	else
		xen_runstate_store_any(area, rs, long_mode, update_flag);
}

#endif /* __KVM_X86_XEN_RUNSTATE_CORE_H */
