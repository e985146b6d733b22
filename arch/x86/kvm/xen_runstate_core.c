// SPDX-License-Identifier: GPL-2.0-only
/*
 * Xen vCPU runstate: the accounting and the layout of the guest area.
 *
 * Nothing here knows a clock, the current thread or how guest memory is mapped,
 * which is what lets KUnit drive all of it.
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

/* The time since @rs was last accounted: none while the clock is set back. */
u64 xen_runstate_elapsed(const struct xen_runstate *rs, u64 now)
{
	return now > rs->entry_time ? now - rs->entry_time : 0;
}

/*
 * Charge @elapsed to the state that ends and enter @state.  Of the time that a
 * vCPU was running, @steal (at most @elapsed) was spent waiting for a CPU.
 *
 * A preempted vCPU is charged like a running one: the scheduler's own figure
 * says how long it waited, and a total of runnable that never outgrows that
 * figure is worth more than the last microsecond of a context switch.
 */
void xen_runstate_account(struct xen_runstate *rs, u32 state, u64 elapsed, u64 steal)
{
	if (rs->state == RUNSTATE_running || rs->preempted) {
		rs->time[RUNSTATE_runnable] += steal;
		rs->time[RUNSTATE_running] += elapsed - steal;
	} else {
		rs->time[rs->state] += elapsed;
	}

	rs->entry_time += elapsed;
	rs->state = state;
	rs->preempted = false;
}

/* Does @rs add up, with an entry time of @latest at the most? */
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
 * is one.  Returns false, with @rs in shreds, if a sum leaves its range.  Whether
 * the deltas add up is not asked here: then, and only then, do the totals.
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
 * The 32-bit ABI aligns u64 to four bytes, so that there all but the state
 * stands four bytes earlier.  The times follow the entry time in both.
 */
#define COMPAT_ENTRY_OFS	offsetof(struct compat_vcpu_runstate_info, state_entry_time)
#define LONG_MODE_ENTRY_OFS	(COMPAT_ENTRY_OFS + 4)

static_assert(offsetof(struct compat_vcpu_runstate_info, state) == 0);
static_assert(offsetof(struct compat_vcpu_runstate_info, time) == COMPAT_ENTRY_OFS + sizeof(u64));
static_assert(sizeof(struct compat_vcpu_runstate_info) == COMPAT_ENTRY_OFS + 5 * sizeof(u64));
#ifdef CONFIG_X86_64
static_assert(offsetof(struct vcpu_runstate_info, state) == 0);
static_assert(offsetof(struct vcpu_runstate_info, state_entry_time) == LONG_MODE_ENTRY_OFS);
static_assert(offsetof(struct vcpu_runstate_info, time) == LONG_MODE_ENTRY_OFS + sizeof(u64));
static_assert(sizeof(struct vcpu_runstate_info) == LONG_MODE_ENTRY_OFS + 5 * sizeof(u64));
#endif
static_assert(sizeof_field(struct vcpu_runstate_info, state) == sizeof(u32));
static_assert(sizeof_field(struct vcpu_runstate_info, time) ==
	      sizeof_field(struct xen_runstate, time));

static size_t entry_ofs(bool long_mode)
{
	return long_mode ? LONG_MODE_ENTRY_OFS : COMPAT_ENTRY_OFS;
}

size_t xen_runstate_area_size(bool long_mode)
{
	return entry_ofs(long_mode) + 5 * sizeof(u64);
}

static __always_inline void area_put(const struct xen_runstate_area *area,
				     size_t ofs, const void *src, size_t len)
{
	size_t head;

	if (likely(ofs + len <= area->len)) {
		memcpy(area->page[0] + ofs, src, len);
	} else if (ofs >= area->len) {
		memcpy(area->page[1] + ofs - area->len, src, len);
	} else {
		head = area->len - ofs;
		memcpy(area->page[0] + ofs, src, head);
		memcpy(area->page[1], src + head, len - head);
	}
}

static u8 area_byte(const struct xen_runstate_area *area, size_t ofs)
{
	u8 *byte = ofs < area->len ? area->page[0] + ofs : area->page[1] + ofs - area->len;

	return READ_ONCE(*byte);
}

/* A value that is neither @a nor @b. */
static u8 third_value(u8 a, u8 b)
{
	u8 c = ~a;

	return c == b ? c ^ 1 : c;
}

/*
 * Write @rs to the guest.  A reader takes what it read for good if it found the
 * same state_entry_time before and after, both times without the update flag.
 *
 * Aligned to nothing, that u64 may lie in two cache lines or pages, and then is
 * not read in one piece either.  The flag lives in its last byte, which is hence
 * stored alone, first and last.  But a reader that gets one half before an
 * update and the other after it has not seen the flag.  Two more rules keep it
 * from taking torn totals for good, whichever half it reads first:
 *
 *  - The entry time is stored after the totals, so that who sees it in the first
 *    read finds them complete.
 *  - Meanwhile its first byte is neither the old nor the new one, so that the
 *    second read cannot find what the first one did.
 *
 * Nothing helps a reader if the update leaves state_entry_time as it was.
 *
 * The padding is left alone.
 */
void xen_runstate_store(const struct xen_runstate_area *area,
			const struct xen_runstate *rs, bool long_mode, bool update_flag)
{
	size_t ofs = entry_ofs(long_mode), flag_ofs = ofs + sizeof(u64) - 1;
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
		/* What is none of the two entry times before the totals. */
		smp_wmb();
	}

	area_put(area, 0, &rs->state, sizeof(rs->state));
	area_put(area, ofs + sizeof(u64), rs->time, sizeof(rs->time));
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
