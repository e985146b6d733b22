// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2019 Oracle and/or its affiliates. All rights reserved.
// Copyright (C) 2020 Amazon.com, Inc. or its affiliates. All Rights Reserved.
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * Xen vCPU runstate: the accounting and the layout of the guest area.
 *
 * Nothing here depends on a clock, the current thread or the mapping of guest
 * memory, so that KUnit can test all of it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kvm_host.h>
#include <linux/overflow.h>

#include "xen.h"
#include "xen_runstate_core.h"

void xen_runstate_init(struct xen_runstate *rs)
{
	*rs = (struct xen_runstate) { .state = RUNSTATE_offline };
}

/* True if @rs adds up, with an entry time of @latest at the most. */
bool xen_runstate_valid(const struct xen_runstate *rs, u64 latest)
{
	u64 sum = 0;
	int i;

	if (rs->entry_time > latest)
		return false;

	for (i = 0; i < ARRAY_SIZE(rs->time); i++) {
		if (check_add_overflow(sum, rs->time[i], &sum))
			return false;
	}

	return sum == rs->entry_time;
}

/* *total += delta, which is two's complement; false if the result is no u64. */
static bool add_delta(u64 *total, u64 delta)
{
	if ((s64)delta < 0)
		return !check_sub_overflow(*total, -delta, total);

	return !check_add_overflow(*total, delta, total);
}

/*
 * Add the deltas of the totals and of entry_time, and enter @delta's state if it
 * is one.  Returns false, with @rs partially updated, if a sum leaves its range.  Whether
 * the deltas add up is not checked here: then, and only then, do the totals.
 */
bool xen_runstate_adjust(struct xen_runstate *rs, const struct xen_runstate *delta)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(rs->time); i++) {
		if (!add_delta(&rs->time[i], delta->time[i]))
			return false;
	}

	if (delta->state <= RUNSTATE_offline) {
		rs->state = delta->state;
		rs->preempted = false;
	}

	return add_delta(&rs->entry_time, delta->entry_time);
}

/*
 * The clock was set to @now, and the entry time must not stay ahead of it, or no
 * time would pass for the vCPU until then.  Running pays the difference, then
 * blocked: guests read the other two as stolen.  What these cannot pay remains.
 */
void xen_runstate_set_back(struct xen_runstate *rs, u64 now)
{
	static const u8 payers[] = { RUNSTATE_running, RUNSTATE_blocked };
	u64 part;
	int i;

	for (i = 0; i < ARRAY_SIZE(payers) && rs->entry_time > now; i++) {
		part = min(rs->entry_time - now, rs->time[payers[i]]);
		rs->time[payers[i]] -= part;
		rs->entry_time -= part;
	}
}

static_assert(offsetof(struct compat_vcpu_runstate_info, state) == 0);
static_assert(offsetof(struct compat_vcpu_runstate_info, time) == XEN_RUNSTATE_OFS32 + sizeof(u64));
static_assert(sizeof(struct compat_vcpu_runstate_info) == XEN_RUNSTATE_OFS32 + 5 * sizeof(u64));
#ifdef CONFIG_X86_64
static_assert(offsetof(struct vcpu_runstate_info, state) == 0);
static_assert(offsetof(struct vcpu_runstate_info, state_entry_time) == XEN_RUNSTATE_OFS64);
static_assert(offsetof(struct vcpu_runstate_info, time) == XEN_RUNSTATE_OFS64 + sizeof(u64));
static_assert(sizeof(struct vcpu_runstate_info) == XEN_RUNSTATE_OFS64 + 5 * sizeof(u64));
#endif
static_assert(sizeof_field(struct vcpu_runstate_info, state) == sizeof(u32));
static_assert(sizeof_field(struct vcpu_runstate_info, time) ==
	      sizeof_field(struct xen_runstate, time));

/*
 * Read an area in one piece, as a VMM restored it.  Returns false, with @rs in any
 * state, unless that is the complete runstate of a vCPU that has run.
 */
bool xen_runstate_load(struct xen_runstate *rs, const void *area, bool long_mode)
{
	const void *entry_time = area + xen_runstate_entry_ofs(long_mode);

	xen_runstate_init(rs);
	memcpy(&rs->state, area, sizeof(rs->state));
	memcpy(&rs->entry_time, entry_time, sizeof(rs->entry_time));
	memcpy(rs->time, entry_time + sizeof(u64), sizeof(rs->time));

	return rs->state <= RUNSTATE_offline && rs->entry_time &&
	       xen_runstate_valid(rs, XEN_RUNSTATE_UPDATE - 1);
}

/* Put @head bytes at the end of the first page, and the others into the second. */
static noinline void put_split(void *first, size_t head, void *second, const void *src,
			       size_t len)
{
	memcpy(first, src, head);
	memcpy(second, src + head, len - head);
}

static __always_inline void area_put(struct xen_runstate_area area, size_t ofs,
				     const void *src, size_t len)
{
	if (ofs + len <= area.len)
		memcpy(area.page[0] + ofs, src, len);
	else if (ofs >= area.len)
		memcpy(area.page[1] + ofs - area.len, src, len);
	else
		put_split(area.page[0] + ofs, area.len - ofs, area.page[1], src, len);
}

static __always_inline void put_total(struct xen_runstate_area area, size_t ofs,
				      const struct xen_runstate *rs, u32 state)
{
	area_put(area, ofs + (1 + state) * sizeof(u64), &rs->time[state], sizeof(u64));
}

static u8 area_byte(struct xen_runstate_area area, size_t ofs)
{
	u8 *byte = ofs < area.len ? area.page[0] + ofs : area.page[1] + ofs - area.len;

	return READ_ONCE(*byte);
}

/* A value that is neither @a nor @b. */
static u8 third_value(u8 a, u8 b)
{
	u8 c = ~a;

	return c == b ? c ^ 1 : c;
}

/*
 * Write @rs to the guest.  A reader accepts what it read if it found the same
 * state_entry_time before and after, both times without the update flag.
 *
 * A reader that gets that u64 by one load accepts no torn area.  But it may lie in
 * two cache lines or pages, as it is aligned to nothing, or be read by halves, and
 * is then read in pieces.  The flag is in the last byte, which is therefore stored
 * alone, first and last.  A reader that gets one piece before an update and the
 * other one after it has not seen the flag, so that there are two more rules:
 *
 *  - The entry time is stored after the totals, so that a reader that finds it in
 *    its first look finds them complete.
 *  - Meanwhile its first byte is neither the old nor the new one, so that the
 *    second look cannot find what the first one did.
 *
 * This protects a reader that gets the piece with the flag at least once between
 * the two times that it gets the other piece: both looks low then high, or high
 * then low, or high, low and high again.  It does not protect one that gets the
 * flag at the beginning and at the end only, and no order of stores does.
 *
 * A piece may recur: after two updates within one reading, the low piece may be
 * what it was before, or a third byte may make it so.  Where the reader or this
 * function handles less than a piece at once, as memcpy() may at the end of a page,
 * one update with the same first byte is enough.  Then a torn area is accepted.
 * Nothing protects a reader from an update that leaves state_entry_time as it was.
 *
 * The padding is left alone.
 */
static __always_inline void store(struct xen_runstate_area area, const struct xen_runstate *rs,
				  bool long_mode, bool update_flag)
{
	size_t ofs = xen_runstate_entry_ofs(long_mode), flag_ofs = ofs + sizeof(u64) - 1;
	u64 entry_time = rs->entry_time & ~XEN_RUNSTATE_UPDATE;
	u64 stored = entry_time;
	u8 first, last;

	if (update_flag) {
		stored |= XEN_RUNSTATE_UPDATE;
		last = stored >> 56;
		area_put(area, flag_ofs, &last, sizeof(last));
		/* The flag before anything else changes. */
		smp_wmb();

		first = third_value(area_byte(area, ofs), stored);
		area_put(area, ofs, &first, sizeof(first));
		/* A value that is neither entry time, before the totals. */
		smp_wmb();
	}

	area_put(area, 0, &rs->state, sizeof(rs->state));
	put_total(area, ofs, rs, RUNSTATE_running);
	put_total(area, ofs, rs, RUNSTATE_runnable);
	put_total(area, ofs, rs, RUNSTATE_blocked);
	put_total(area, ofs, rs, RUNSTATE_offline);
	/* State and totals before their entry time. */
	smp_wmb();
	area_put(area, ofs, &stored, sizeof(stored));

	if (update_flag) {
		/* All of it before the flag goes. */
		smp_wmb();
		last = entry_time >> 56;
		area_put(area, flag_ofs, &last, sizeof(last));
	}
}

/* All offsets are constants if the layout is one. */
void xen_runstate_store_any(const struct xen_runstate_area *area,
			    const struct xen_runstate *rs, bool long_mode,
			    bool update_flag)
{
	if (long_mode)
		store(*area, rs, true, update_flag);
	else
		store(*area, rs, false, update_flag);
}
