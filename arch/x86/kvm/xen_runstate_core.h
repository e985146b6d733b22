/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
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

/*
 * The state that time in @rs is charged to.  A preempted vCPU is charged like a running
 * one: the scheduler's own figure shows how long it waited, and a total of runnable that
 * never outgrows that figure is worth more than the last microsecond of a context switch.
 */
static inline u32 xen_runstate_charged(const struct xen_runstate *rs)
{
	return rs->preempted ? RUNSTATE_running : rs->state;
}

/*
 * Of @elapsed in a state, what can have been spent waiting for a CPU, which is steal: only
 * who runs wants a CPU.
 */
static inline u64 xen_runstate_steal_limit(u32 charged, u64 elapsed)
{
	return charged == RUNSTATE_running ? elapsed : 0;
}

/* Charge @elapsed, @steal of which was spent waiting for a CPU, to @totals. */
static inline void xen_runstate_charge(u64 *totals, u32 charged, u64 elapsed, u64 steal)
{
	totals[charged] += elapsed - steal;
	totals[RUNSTATE_runnable] += steal;
}

/* Charge @elapsed to the state that ends and enter @state. */
static inline void xen_runstate_account(struct xen_runstate *rs, u32 state,
					u64 elapsed, u64 steal)
{
	xen_runstate_charge(rs->time, xen_runstate_charged(rs), elapsed, steal);
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

/* Write @rs to an area in one page whose guest wants no update flag. */
static __always_inline void xen_runstate_store_plain(void *area, const struct xen_runstate *rs,
						     bool long_mode)
{
	void *entry = area + xen_runstate_entry_ofs(long_mode);
	u64 entry_time = rs->entry_time & ~XEN_RUNSTATE_UPDATE;

	memcpy(area, &rs->state, sizeof(rs->state));
	memcpy(entry + sizeof(u64), rs->time, sizeof(rs->time));
	/* State and totals before their entry time. */
	smp_wmb();
	memcpy(entry, &entry_time, sizeof(entry_time));
}

void xen_runstate_store_any(const struct xen_runstate_area *area,
			    const struct xen_runstate *rs, bool long_mode,
			    bool update_flag);

/*
 * True if an area, of which @len bytes can be in its first page, is written by
 * xen_runstate_store_plain().  What most guests have, on the path of every context switch.
 */
static inline bool xen_runstate_is_plain(size_t len, bool long_mode, bool update_flag)
{
	return likely(!update_flag && len >= xen_runstate_area_size(long_mode));
}

/* Whatever area.  For tests: area_try_store() locks what is mapped in between. */
static inline void xen_runstate_store(const struct xen_runstate_area *area,
				      const struct xen_runstate *rs, bool long_mode,
				      bool update_flag)
{
	if (xen_runstate_is_plain(area->len, long_mode, update_flag))
		xen_runstate_store_plain(area->page[0], rs, long_mode);
	else
		xen_runstate_store_any(area, rs, long_mode, update_flag);
}

#endif /* __KVM_X86_XEN_RUNSTATE_CORE_H */
