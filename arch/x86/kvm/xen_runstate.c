// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2019 Oracle and/or its affiliates. All rights reserved.
// Copyright (C) 2020 Amazon.com, Inc. or its affiliates. All Rights Reserved.
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * Xen vCPU runstate: the hooks into KVM_RUN, the guest area, what userspace sets.
 *
 * What runs where:
 *
 *   kvm_xen_runstate_enter   KVM_RUN, after vcpu_load()
 *   kvm_xen_runstate_put     kvm_arch_vcpu_put(), when preempted
 *   kvm_xen_runstate_load    kvm_arch_vcpu_load(), on sched-in
 *   kvm_xen_runstate_sync    before guest entry, if KVM_REQ_STEAL_UPDATE is set,
 *                            where it may sleep
 *   kvm_xen_runstate_leave   KVM_RUN, after vcpu_put()
 *
 * Between enter and leave the state is running, or runnable while scheduled out
 * but ready to run.  Other ioctls load the vCPU as well; the hooks leave them
 * alone, so that they never interrupt an attribute call.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/sched.h>

#include "x86.h"
#include "trace.h"
#include "xen_runstate.h"

static bool area_registered(struct kvm_vcpu *vcpu)
{
	return vcpu->arch.xen.runstate.gpc[0].active;
}

static bool long_mode(struct kvm_vcpu *vcpu)
{
	return IS_ENABLED(CONFIG_64BIT) && READ_ONCE(vcpu->kvm->arch.xen.long_mode);
}

/*
 * Read the VM's clock, and let @rs, which is the vCPU's, follow it if KVM_SET_CLOCK
 * has set it back.  @offset is for the vCPU to remember when it becomes @rs.
 */
static u64 follow_clock(struct kvm_vcpu *vcpu, struct xen_runstate *rs, s64 *offset)
{
	u64 now;

	*offset = READ_ONCE(vcpu->kvm->arch.kvmclock_offset);
	/* Pairs with write_seqcount_begin(): the clock is not older than the offset. */
	smp_rmb();
	now = get_kvmclock_ns(vcpu->kvm);

	/*
	 * The topmost bit is the update flag's.  A clock that has it set was given
	 * nonsense, or was set to 0 and is read just before: wait for a better one.
	 */
	if (unlikely(now & XEN_RUNSTATE_UPDATE)) {
		*offset = vcpu->arch.xen.runstate.clock_offset;
		return 0;
	}

	if (unlikely(vcpu->arch.xen.runstate.clock_offset != *offset))
		xen_runstate_set_back(rs, now);

	return now;
}

/* The number of an area's @size bytes at @gpa that fit into its first page. */
static size_t area_head(gpa_t gpa, size_t size)
{
	return min(size, PAGE_SIZE - offset_in_page(gpa));
}

static int gpc_activate(struct gfn_to_pfn_cache *gpc, gpa_t gpa, size_t len,
			bool interruptible)
{
	if (interruptible)
		return kvm_gpc_activate_interruptible(gpc, gpa, len);

	return kvm_gpc_activate(gpc, gpa, len);
}

/*
 * Map the area at @gpa, registered or not yet.  Waits for its pages: in KVM_RUN,
 * until a signal comes, and otherwise until the thread is killed.
 */
static int area_map(struct kvm_vcpu *vcpu, gpa_t gpa, bool interruptible)
{
	struct gfn_to_pfn_cache *gpc = vcpu->arch.xen.runstate.gpc;
	size_t size = xen_runstate_area_size(long_mode(vcpu));
	size_t head = area_head(gpa, size);
	int idx, r;

	idx = srcu_read_lock(&vcpu->kvm->srcu);

	r = gpc_activate(&gpc[0], gpa, head, interruptible);
	if (!r && head < size)
		r = gpc_activate(&gpc[1], gpa + head, size - head, interruptible);
	else	/* Not needed, or of another area. */
		kvm_gpc_deactivate(&gpc[1]);

	srcu_read_unlock(&vcpu->kvm->srcu, idx);
	return r;
}

/*
 * kvm_gpc_check(), for a cache that has a guest address and fits into its page.
 * Without the cache's lock, a hint.
 */
static bool gpc_usable(struct gfn_to_pfn_cache *gpc)
{
	u64 generation = kvm_memslots(gpc->kvm)->generation;

	/* Callers that don't hold the lock must recheck under it. */
	return data_race(gpc->valid && gpc->generation == generation);
}

static bool gpc_logged(const struct gfn_to_pfn_cache *gpc)
{
	return gpc->memslot && kvm_slot_dirty_track_enabled(gpc->memslot);
}

static void gpc_mark_dirty(struct gfn_to_pfn_cache *gpc)
{
	if (unlikely(gpc_logged(gpc)))
		kvm_gpc_mark_dirty_in_slot(gpc);
}

static __always_inline void area_store_any(const struct xen_runstate_area *area,
					   const struct xen_runstate *rs, bool long_mode,
					   bool update_flag)
{
	guard(preempt)();	/* See area_try_store(). */
	xen_runstate_store_any(area, rs, long_mode, update_flag);
}

/*
 * Whatever area, in one page or two, its first cache locked.  A function for each cache,
 * so that each lock is dropped where it was taken: sparse cannot follow a lock that is
 * held under a condition.
 */
static __always_inline bool area_try_store_any(struct gfn_to_pfn_cache *gpc,
					       const struct xen_runstate *rs, bool long_mode,
					       bool update_flag)
{
	size_t size = xen_runstate_area_size(long_mode);
	struct xen_runstate_area area = {
		.page = { gpc[0].khva },
		.len = area_head(gpc[0].gpa, size),
	};
	bool usable;

	if (area.len == size) {
		area_store_any(&area, rs, long_mode, update_flag);
		return true;
	}

	if (!read_trylock(&gpc[1].lock))
		return false;

	usable = gpc_usable(&gpc[1]);
	if (usable) {
		area.page[1] = gpc[1].khva;
		area_store_any(&area, rs, long_mode, update_flag);
		gpc_mark_dirty(&gpc[1]);
	}

	read_unlock(&gpc[1].lock);
	return usable;
}

static __always_inline bool area_try_store(struct gfn_to_pfn_cache *gpc,
					   const struct xen_runstate *rs, bool long_mode,
					   bool update_flag)
{
	bool stored = false;

	if (!read_trylock(&gpc->lock))
		return false;

	if (gpc_usable(gpc)) {
		stored = xen_runstate_is_plain(PAGE_SIZE - offset_in_page(gpc->gpa), long_mode,
					       update_flag);
		if (stored) {
			/* The hooks change @rs.  On PREEMPT_RT the lock does not stop them. */
			scoped_guard(preempt)
				xen_runstate_store_plain(gpc->khva, rs, long_mode);
		} else {
			stored = area_try_store_any(gpc, rs, long_mode, update_flag);
		}

		if (stored)
			gpc_mark_dirty(gpc);
	}

	read_unlock(&gpc->lock);
	return stored;
}

/*
 * Write @rs to the area if it is mapped just now, or if there is none; otherwise
 * leave it to be refreshed.  Never sleeps, but on PREEMPT_RT.  Called with SRCU held,
 * for the memslots.
 *
 * While @rs is written, the scheduler's hooks are kept out.  One that changes @rs before
 * or after that writes or requests a refresh by itself.
 */
static __always_inline bool area_try_write(struct kvm_vcpu *vcpu,
					   const struct xen_runstate *rs)
{
	bool update_flag = READ_ONCE(vcpu->kvm->arch.xen.runstate_update_flag);
	struct kvm_xen_runstate *xr = &vcpu->arch.xen.runstate;
	bool lm = long_mode(vcpu);

	xr->refresh = false;
	if (area_registered(vcpu) && !area_try_store(xr->gpc, rs, lm, update_flag)) {
		xr->refresh = true;
		return false;
	}

	xr->long_mode = lm;
	return true;
}

/*
 * True if KVM_RUN would not stop for the vCPU's dirty ring.  The entries above that
 * limit are reserved for what KVM must write before it can exit.
 *
 * KVM_REQ_DIRTY_RING_SOFT_FULL is of no use here: it is clear while it is checked.
 */
static bool dirty_ring_has_room(struct kvm_vcpu *vcpu)
{
	struct kvm_dirty_ring *ring = &vcpu->dirty_ring;

	return !vcpu->kvm->dirty_ring_size ||
	       READ_ONCE(ring->dirty_index) - READ_ONCE(ring->reset_index) < ring->soft_limit;
}

/*
 * True if the area is mapped in a memslot with dirty logging.  Its memslots stay
 * the ones that are checked here until it is mapped again.  Called with SRCU held.
 */
static bool area_logged(struct kvm_vcpu *vcpu)
{
	struct gfn_to_pfn_cache *gpc = vcpu->arch.xen.runstate.gpc;
	int i;

	for (i = 0; i < ARRAY_SIZE(vcpu->arch.xen.runstate.gpc); i++) {
		if (gpc[i].active && gpc_usable(&gpc[i]) && gpc_logged(&gpc[i]))
			return true;
	}

	return false;
}

/*
 * Write @rs to the area, and wait for its pages if need be.  Dirty pages are logged in
 * the ring of the vCPU, which is loaded.  If that has no room for them, the area is left
 * to the refresh that all callers request: by the next KVM_RUN, which userspace cannot
 * have enter the guest before it has made room.
 */
static int area_write(struct kvm_vcpu *vcpu, const struct xen_runstate *rs,
		      bool interruptible)
{
	int idx, r = 0;

	idx = srcu_read_lock(&vcpu->kvm->srcu);

	do {
		if (area_logged(vcpu) && !dirty_ring_has_room(vcpu))
			break;

		if (area_try_write(vcpu, rs))
			break;

		r = area_map(vcpu, vcpu->arch.xen.runstate.gpc[0].gpa, interruptible);
	} while (!r);

	srcu_read_unlock(&vcpu->kvm->srcu, idx);
	return r;
}

static void area_unregister(struct kvm_vcpu *vcpu)
{
	struct gfn_to_pfn_cache *gpc = vcpu->arch.xen.runstate.gpc;

	kvm_gpc_deactivate(&gpc[0]);
	kvm_gpc_deactivate(&gpc[1]);
}

/* Read the runstate that the area at @gpa shows; false if the area is not in use. */
static bool area_read(struct kvm_vcpu *vcpu, gpa_t gpa, struct xen_runstate *rs)
{
	u8 area[XEN_RUNSTATE_MAX_SIZE];
	bool lm = long_mode(vcpu);
	int idx, r;

	idx = srcu_read_lock(&vcpu->kvm->srcu);
	r = kvm_read_guest(vcpu->kvm, gpa, area, xen_runstate_area_size(lm));
	srcu_read_unlock(&vcpu->kvm->srcu, idx);

	return !r && xen_runstate_load(rs, area, lm);
}

/* Replace the runstate by @next.  Statistics are copies, so they move by as much. */
static void runstate_replace(struct kvm_vcpu *vcpu, const struct xen_runstate *next)
{
	struct xen_runstate *now = &vcpu->arch.xen.runstate.now;
	int i;

	for (i = 0; i < ARRAY_SIZE(now->time); i++)
		vcpu->stat.xen_runstate_ns[i] += next->time[i] - now->time[i];

	*now = *next;
}

/*
 * Register the area at @gpa and fill it, or leave the old one registered.
 *
 * The caches keep the old address even if its pages cannot be mapped at the
 * moment, and map them when there is something to write.
 *
 * A VMM may restore a VM's memory and this address, but no runstate.  A vCPU
 * without an area, whose runstate userspace has not set, therefore continues with
 * what the area shows.  A kernel that boots registers memory that it has cleared.
 */
int kvm_xen_runstate_set_addr(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	struct kvm_xen_runstate *xr = &vcpu->arch.xen.runstate;
	bool was_registered = area_registered(vcpu);
	struct xen_runstate restored;
	gpa_t old = xr->gpc[0].gpa;
	bool take_over = false;
	int r;

	if (gpa == KVM_XEN_INVALID_GPA) {
		if (was_registered)
			xr->set_by_vmm = false;
		area_unregister(vcpu);
		return 0;
	}

	r = area_map(vcpu, gpa, false);
	if (!r) {
		take_over = !was_registered && !xr->set_by_vmm &&
			    area_read(vcpu, gpa, &restored);
		r = area_write(vcpu, take_over ? &restored : &xr->now, false);
	}

	if (r && was_registered) {
		area_map(vcpu, old, false);
	} else if (r) {
		area_unregister(vcpu);
	} else if (take_over) {
		runstate_replace(vcpu, &restored);
		xr->run_delay = KVM_STEAL_RESTART;
		/* Of no clock: the next account is to follow, whichever it finds. */
		xr->clock_offset = ~READ_ONCE(vcpu->kvm->arch.kvmclock_offset);
		xr->clock.khz = 0;
		xr->taken_over = true;
	}

	xr->refresh = true;
	return r;
}

/*
 * Make @next the runstate and show it to the guest, or change nothing.  Only
 * for ioctls other than KVM_RUN.
 */
static int runstate_commit(struct kvm_vcpu *vcpu, const struct xen_runstate *next)
{
	struct kvm_xen_runstate *xr = &vcpu->arch.xen.runstate;
	int r;

	lockdep_assert_held(&vcpu->mutex);

	r = area_write(vcpu, next, false);
	if (r)
		return r;

	trace_kvm_xen_runstate(vcpu, xr->now.state, next->state,
			       next->entry_time - xr->now.entry_time,
			       next->time[RUNSTATE_runnable] - xr->now.time[RUNSTATE_runnable]);
	runstate_replace(vcpu, next);
	xr->refresh = true;
	xr->set_by_vmm = true;
	return 0;
}

/* The runstate is by the clock with @offset. */
static void clock_followed(struct kvm_xen_runstate *xr, s64 offset)
{
	xr->clock_offset = offset;
	xr->taken_over = false;
}

/* The runstate that the next account starts from. */
const struct xen_runstate *kvm_xen_runstate_get(struct kvm_vcpu *vcpu)
{
	struct kvm_xen_runstate *xr = &vcpu->arch.xen.runstate;
	struct xen_runstate next = xr->now;
	s64 offset;

	lockdep_assert_held(&vcpu->mutex);

	/* What an area brought may be of a clock that userspace is yet to set. */
	if (!xr->taken_over) {
		follow_clock(vcpu, &next, &offset);
		if (xr->clock_offset != offset) {
			runstate_replace(vcpu, &next);
			xr->refresh = true;
			xr->clock_offset = offset;
		}
	}

	return &xr->now;
}

/* Enter @state now.  Steal is taken and counted if the call succeeds. */
int kvm_xen_runstate_set_current(struct kvm_vcpu *vcpu, u32 state)
{
	struct kvm_xen_runstate *xr = &vcpu->arch.xen.runstate;
	struct xen_runstate next = xr->now;
	u64 run_delay = xr->run_delay;
	u64 now, elapsed, steal;
	s64 offset;
	int r;

	now = follow_clock(vcpu, &next, &offset);
	elapsed = xen_runstate_elapsed(&next, now);
	steal = __kvm_steal_take(vcpu, &run_delay,
				 xen_runstate_steal_limit(xen_runstate_charged(&next), elapsed));
	xen_runstate_account(&next, state, elapsed, steal);

	r = runstate_commit(vcpu, &next);
	if (r)
		return r;

	xr->run_delay = run_delay;
	if (steal)
		kvm_steal_count(vcpu, steal);
	clock_followed(xr, offset);
	return 0;
}

/*
 * Set everything.  An entry time ahead of the clock is accepted if it is the
 * vCPU's own, so that what was read can be written back after the clock was set
 * back.
 */
int kvm_xen_runstate_set_data(struct kvm_vcpu *vcpu, const struct xen_runstate *next)
{
	struct kvm_xen_runstate *xr = &vcpu->arch.xen.runstate;
	struct xen_runstate replaced = xr->now;
	u64 own = xr->now.entry_time;
	s64 offset;
	u64 now;
	int r;

	now = follow_clock(vcpu, &replaced, &offset);
	if (!xen_runstate_valid(next, max(now, own)))
		return -EINVAL;

	r = runstate_commit(vcpu, next);
	if (r)
		return r;

	/* One that is ahead of a new clock is left to the next account. */
	if (next->entry_time <= now)
		clock_followed(xr, offset);

	/* The owner's baseline goes with the entry time, old or new. */
	if (next->entry_time != own)
		kvm_steal_take(vcpu, &xr->run_delay, 0);

	return 0;
}

/*
 * Add @delta to the totals and the entry time, and enter @delta's state, if it is
 * one, as of the adjusted entry time: nothing is accounted up to now.
 */
int kvm_xen_runstate_adjust(struct kvm_vcpu *vcpu, const struct xen_runstate *delta)
{
	struct kvm_xen_runstate *xr = &vcpu->arch.xen.runstate;
	struct xen_runstate next = xr->now;
	s64 offset;
	u64 now;
	int r;

	now = follow_clock(vcpu, &next, &offset);
	if (!xen_runstate_adjust(&next, delta) || !xen_runstate_valid(&next, now))
		return -EINVAL;

	r = runstate_commit(vcpu, &next);
	if (!r)
		clock_followed(xr, offset);

	return r;
}

/* follow_clock() for the runstate itself.  Called with preemption disabled. */
static noinline u64 runstate_follow_clock(struct kvm_vcpu *vcpu)
{
	struct kvm_xen_runstate *xr = &vcpu->arch.xen.runstate;
	struct xen_runstate next = xr->now;
	s64 offset;
	u64 now;

	now = follow_clock(vcpu, &next, &offset);
	runstate_replace(vcpu, &next);
	clock_followed(xr, offset);
	kvmclock_take_snapshot(vcpu->kvm, offset, &xr->clock);
	return now;
}

/*
 * Write the area if that can be done without sleeping.  On PREEMPT_RT the locks of
 * caches sleep.  Taking one that is free does not, but releasing it may wake a writer,
 * which the scheduler cannot do with its runqueue locked.
 */
static bool area_write_atomic(struct kvm_vcpu *vcpu)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT) && area_registered(vcpu))
		return false;

	/* A dirty ring that is about to overflow is for userspace to reap first. */
	return dirty_ring_has_room(vcpu) && area_try_write(vcpu, &vcpu->arch.xen.runstate.now);
}

/* Out of line, so that a caller keeps nothing at hand for it while it is off. */
static noinline __cold void runstate_trace(struct kvm_vcpu *vcpu, u32 state, u64 elapsed, u64 steal)
{
	trace_kvm_xen_runstate(vcpu, vcpu->arch.xen.runstate.now.state, state, elapsed, steal);
}

/*
 * Charge the time so far and enter @state.  Does not sleep; what cannot be
 * written now is left to be refreshed.  Called with SRCU held.
 */
static void runstate_account(struct kvm_vcpu *vcpu, u32 state)
{
	struct kvm_xen_runstate *xr = &vcpu->arch.xen.runstate;
	u64 now, elapsed, steal;
	u32 charged;

	lockdep_assert_preemption_disabled();

	now = kvmclock_read_snapshot(vcpu->kvm, &xr->clock);
	if (unlikely(!now || now & XEN_RUNSTATE_UPDATE))
		now = runstate_follow_clock(vcpu);

	elapsed = xen_runstate_elapsed(&xr->now, now);
	charged = xen_runstate_charged(&xr->now);
	/* kvm_steal_take(), but only the thread that runs the vCPU gets here. */
	steal = kvm_steal_advance(&xr->run_delay, kvm_run_delay(),
				  xen_runstate_steal_limit(charged, elapsed));
	if (unlikely(steal))
		kvm_steal_count(vcpu, steal);

	xen_runstate_charge(vcpu->stat.xen_runstate_ns, charged, elapsed, steal);
	if (trace_kvm_xen_runstate_enabled())
		runstate_trace(vcpu, state, elapsed, steal);

	xen_runstate_account(&xr->now, state, elapsed, steal);
	xr->accounted = jiffies;

	if (!area_write_atomic(vcpu))
		xr->refresh = true;
}

/*
 * A vCPU that was running and is running, and whose thread has not waited, has
 * nothing new to report; one account per jiffy still keeps state_entry_time near
 * the clock.
 */
static bool up_to_date(struct kvm_vcpu *vcpu)
{
	struct kvm_xen_runstate *xr = &vcpu->arch.xen.runstate;
	unsigned long tick = jiffies;

	return xr->now.state == RUNSTATE_running && !xr->refresh && xr->accounted == tick &&
	       xr->long_mode == long_mode(vcpu) &&
	       xr->run_delay == kvm_run_delay();
}

/* True if the memory is still the one that was written last. */
static bool area_mapped(struct kvm_vcpu *vcpu)
{
	struct gfn_to_pfn_cache *gpc = vcpu->arch.xen.runstate.gpc;

	return !area_registered(vcpu) ||
	       (gpc_usable(&gpc[0]) && (!gpc[1].active || gpc_usable(&gpc[1])));
}

/*
 * True if the page at @gpa is there, or could be brought in without a wait, e.g. as
 * one of zeros.  A page that userspace is to supply is not.
 */
static bool page_comes_at_once(struct kvm *kvm, gpa_t gpa)
{
	unsigned long hva = gfn_to_hva(kvm, gpa_to_gfn(gpa));
	struct page *page;

	if (kvm_is_error_hva(hva) ||
	    get_user_pages_unlocked(hva, 1, &page, FOLL_WRITE | FOLL_NOWAIT) != 1)
		return false;

	put_page(page);
	return true;
}

static bool area_comes_at_once(struct kvm_vcpu *vcpu)
{
	gpa_t first = vcpu->arch.xen.runstate.gpc[0].gpa;
	gpa_t last = first + xen_runstate_area_size(long_mode(vcpu)) - 1;

	return page_comes_at_once(vcpu->kvm, first) && page_comes_at_once(vcpu->kvm, last);
}

/* Called with SRCU held.  Does not wait for a page. */
void __kvm_xen_runstate_enter(struct kvm_vcpu *vcpu)
{
	struct kvm_xen_runstate *xr = &vcpu->arch.xen.runstate;

	WRITE_ONCE(xr->in_run, true);

	/* A hook that runs in between leaves it up to date, or requests a refresh. */
	if (likely(data_race(up_to_date(vcpu)) && area_mapped(vcpu)))
		return;

	scoped_guard(preempt) {
		runstate_account(vcpu, RUNSTATE_running);

		/* A second page that only the layout before needed is to be dropped. */
		if (!area_mapped(vcpu))
			xr->refresh = true;
	}

	if (!READ_ONCE(xr->refresh))
		return;

	/* With immediate_exit the vCPU does not get to where the request is handled. */
	if (!vcpu->wants_to_run && area_registered(vcpu) && area_comes_at_once(vcpu))
		kvm_xen_runstate_sync(vcpu);
	else
		kvm_make_request(KVM_REQ_STEAL_UPDATE, vcpu);
}

/* Called in the scheduler, where the area may not be mappable. */
void __kvm_xen_runstate_load(struct kvm_vcpu *vcpu)
{
	int idx;

	if (likely(up_to_date(vcpu)))
		return;

	idx = srcu_read_lock(&vcpu->kvm->srcu);
	runstate_account(vcpu, RUNSTATE_running);
	srcu_read_unlock(&vcpu->kvm->srcu, idx);

	if (unlikely(vcpu->arch.xen.runstate.refresh))
		kvm_make_request(KVM_REQ_STEAL_UPDATE, vcpu);
}

/*
 * Called with the runqueue locked and SRCU held.  Without an area nobody can see the
 * runstate of a vCPU in KVM_RUN, and what it waits is charged when it is loaded.
 */
void __kvm_xen_runstate_put(struct kvm_vcpu *vcpu)
{
	if (!area_registered(vcpu))
		return;

	runstate_account(vcpu, RUNSTATE_runnable);
	vcpu->arch.xen.runstate.now.preempted = true;
}

/*
 * Map and write what the hooks could not.  Called before guest entry, where it may
 * sleep until a signal comes, as for a page that the guest itself touches.
 *
 * An area that cannot be mapped does not keep the vCPU from running: the next
 * KVM_RUN tries again.
 */
void kvm_xen_runstate_sync(struct kvm_vcpu *vcpu)
{
	struct kvm_xen_runstate *xr = &vcpu->arch.xen.runstate;
	int r;

	if (!READ_ONCE(xr->refresh) || !area_registered(vcpu))
		return;

	r = area_map(vcpu, xr->gpc[0].gpa, true);
	if (!r)
		r = area_write(vcpu, &xr->now, true);

	/* Keeps the vCPU from entering the guest until the signal is handled. */
	if (r == -EINTR)
		kvm_make_request(KVM_REQ_STEAL_UPDATE, vcpu);
}

/* Convert the area when the guest switches between 32-bit and 64-bit mode. */
void kvm_xen_runstate_sync_layout(struct kvm_vcpu *vcpu)
{
	struct kvm_xen_runstate *xr = &vcpu->arch.xen.runstate;

	if (likely(xr->long_mode == long_mode(vcpu)))
		return;

	if (!area_write(vcpu, &xr->now, false))
		xr->refresh = true;
}

void kvm_xen_runstate_init_vcpu(struct kvm_vcpu *vcpu)
{
	struct kvm_xen_runstate *xr = &vcpu->arch.xen.runstate;

	xen_runstate_init(&xr->now);
	kvm_gpc_init(&xr->gpc[0], vcpu->kvm);
	kvm_gpc_init(&xr->gpc[1], vcpu->kvm);
}

void kvm_xen_runstate_destroy_vcpu(struct kvm_vcpu *vcpu)
{
	area_unregister(vcpu);
}

/* What userspace passes and gets is stored, and shown to the guest, as it is. */
static_assert(RUNSTATE_running == KVM_XEN_RUNSTATE_RUNNING);
static_assert(RUNSTATE_runnable == KVM_XEN_RUNSTATE_RUNNABLE);
static_assert(RUNSTATE_blocked == KVM_XEN_RUNSTATE_BLOCKED);
static_assert(RUNSTATE_offline == KVM_XEN_RUNSTATE_OFFLINE);
static_assert(XEN_RUNSTATE_UPDATE == KVM_XEN_RUNSTATE_UPDATE);

#define RUNSTATE(payload)	\
	((typeof_member(struct kvm_xen_vcpu_attr, u.runstate) *)(payload))

int xen_set_runstate_addr(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			  const void *payload)
{
	return kvm_xen_runstate_set_addr(vcpu, *(const u64 *)payload);
}

int xen_get_runstate_current(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			     void *payload)
{
	*(u64 *)payload = vcpu->arch.xen.runstate.now.state;
	return 0;
}

int xen_set_runstate_current(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			     const void *payload)
{
	u64 state = *(const u64 *)payload;

	if (state > RUNSTATE_offline)
		return -EINVAL;

	return kvm_xen_runstate_set_current(vcpu, state);
}

static struct xen_runstate runstate_of_payload(const void *payload)
{
	return (struct xen_runstate) {
		.state = RUNSTATE(payload)->state,
		.entry_time = RUNSTATE(payload)->state_entry_time,
		.time = {
			[RUNSTATE_running]  = RUNSTATE(payload)->time_running,
			[RUNSTATE_runnable] = RUNSTATE(payload)->time_runnable,
			[RUNSTATE_blocked]  = RUNSTATE(payload)->time_blocked,
			[RUNSTATE_offline]  = RUNSTATE(payload)->time_offline,
		},
	};
}

int xen_get_runstate_data(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			  void *payload)
{
	const struct xen_runstate *rs = kvm_xen_runstate_get(vcpu);

	RUNSTATE(payload)->state = rs->state;
	RUNSTATE(payload)->state_entry_time = rs->entry_time;
	RUNSTATE(payload)->time_running = rs->time[RUNSTATE_running];
	RUNSTATE(payload)->time_runnable = rs->time[RUNSTATE_runnable];
	RUNSTATE(payload)->time_blocked = rs->time[RUNSTATE_blocked];
	RUNSTATE(payload)->time_offline = rs->time[RUNSTATE_offline];
	return 0;
}

int xen_set_runstate_data(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			  const void *payload)
{
	struct xen_runstate next = runstate_of_payload(payload);

	if (RUNSTATE(payload)->state > RUNSTATE_offline)
		return -EINVAL;

	return kvm_xen_runstate_set_data(vcpu, &next);
}

/* There is nothing to get; the core would return ENXIO, but this ioctl never did. */
int xen_get_runstate_adjust(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			    void *payload)
{
	return -EINVAL;
}

int xen_set_runstate_adjust(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			    const void *payload)
{
	struct xen_runstate delta = runstate_of_payload(payload);

	if (RUNSTATE(payload)->state > RUNSTATE_offline &&
	    RUNSTATE(payload)->state != KVM_XEN_RUNSTATE_KEEP)
		return -EINVAL;

	return kvm_xen_runstate_adjust(vcpu, &delta);
}
