// SPDX-License-Identifier: GPL-2.0-only
/*
 * Xen vCPU runstate: the hooks into KVM_RUN and the guest area.
 *
 * What runs where:
 *
 *   kvm_xen_runstate_enter   KVM_RUN, before vcpu_load()
 *   kvm_xen_runstate_load    kvm_arch_vcpu_load(), by KVM_RUN and on sched-in
 *   kvm_xen_runstate_put     kvm_arch_vcpu_put(), on sched-out
 *   kvm_xen_runstate_sync    before guest entry and by attribute calls
 *   kvm_xen_runstate_leave   KVM_RUN, after vcpu_put()
 *
 * Between enter and leave the state is running, or runnable while scheduled out
 * but ready to run.  Other ioctls load the vCPU as well; the hooks leave them
 * alone, hence an attribute call cannot be overtaken by one.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "x86.h"
#include "xen.h"
#include "xen_runstate.h"

#include <linux/sched/stat.h>

static bool area_registered(struct kvm_vcpu *vcpu)
{
	return vcpu->arch.xen.runstate.gpc[0].active;
}

static bool long_mode(struct kvm_vcpu *vcpu)
{
	return IS_ENABLED(CONFIG_64BIT) && READ_ONCE(vcpu->kvm->arch.xen.long_mode);
}

/*
 * Now, by the VM's clock.  The topmost bit belongs to the update flag: a clock
 * that has it set was given nonsense, or was set to 0 and is read just before.
 */
u64 kvm_xen_runstate_clock(struct kvm_vcpu *vcpu)
{
	u64 now = get_kvmclock_ns(vcpu->kvm);

	return now & XEN_RUNSTATE_UPDATE ? 0 : now;
}

/* How many of an area's @size bytes at @gpa fit into its first page? */
static size_t area_head(gpa_t gpa, size_t size)
{
	return min(size, PAGE_SIZE - offset_in_page(gpa));
}

/* Map the area at @gpa, registered or not as yet.  May sleep. */
static int area_map(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	struct gfn_to_pfn_cache *gpc = vcpu->arch.xen.runstate.gpc;
	size_t size = xen_runstate_area_size(long_mode(vcpu));
	size_t head = area_head(gpa, size);
	int r;

	r = kvm_gpc_activate(&gpc[0], gpa, head);
	if (r)
		return r;

	if (head < size)
		return kvm_gpc_activate(&gpc[1], gpa + head, size - head);

	kvm_gpc_deactivate(&gpc[1]);
	return 0;
}

/* What is to be written, and where. */
struct area_write {
	struct xen_runstate_area area;
	const struct xen_runstate *rs;
	size_t size;
	bool long_mode;
	bool update_flag;
};

static void area_store(const struct area_write *w)
{
	xen_runstate_store(&w->area, w->rs, w->long_mode, w->update_flag);
}

/*
 * The second cache has a lock class of its own and is always locked last.  Every
 * byte of the area is written, hence each of its pages is dirty.
 */
static bool area_try_store_crossing(struct gfn_to_pfn_cache *gpc, struct area_write *w)
{
	bool mapped;

	if (!read_trylock(&gpc->lock))
		return false;

	mapped = kvm_gpc_check(gpc, w->size - w->area.len);
	if (mapped) {
		w->area.page[1] = gpc->khva;
		area_store(w);
		kvm_gpc_mark_dirty_in_slot(gpc);
	}

	read_unlock(&gpc->lock);
	return mapped;
}

static bool area_try_store(struct gfn_to_pfn_cache *gpc, struct area_write *w)
{
	bool stored = false;

	if (!read_trylock(&gpc[0].lock))
		return false;

	if (kvm_gpc_check(&gpc[0], w->area.len)) {
		w->area.page[0] = gpc[0].khva;
		if (w->area.len < w->size) {
			stored = area_try_store_crossing(&gpc[1], w);
		} else {
			area_store(w);
			stored = true;
		}
		if (stored)
			kvm_gpc_mark_dirty_in_slot(&gpc[0]);
	}

	read_unlock(&gpc[0].lock);
	return stored;
}

/*
 * Write @rs to the area if it is mapped just now, or if there is none.  Never
 * sleeps.
 */
static bool area_try_write(struct kvm_vcpu *vcpu, const struct xen_runstate *rs)
{
	struct kvm_xen_runstate *xr = &vcpu->arch.xen.runstate;
	bool lm = long_mode(vcpu);
	struct area_write w = {
		.rs = rs,
		.size = xen_runstate_area_size(lm),
		.long_mode = lm,
		.update_flag = READ_ONCE(vcpu->kvm->arch.xen.runstate_update_flag),
	};

	/* Interrupts off keep the scheduler's hooks out of a write in KVM_RUN. */
	guard(irqsave)();

	if (area_registered(vcpu)) {
		w.area.len = area_head(xr->gpc[0].gpa, w.size);
		if (!area_try_store(xr->gpc, &w))
			return false;
	}

	xr->long_mode = lm;
	xr->refresh = false;
	return true;
}

/* Write @rs to the area, and wait for its pages if need be. */
static int area_write(struct kvm_vcpu *vcpu, const struct xen_runstate *rs)
{
	int r;

	while (!area_try_write(vcpu, rs)) {
		r = area_map(vcpu, vcpu->arch.xen.runstate.gpc[0].gpa);
		if (r)
			return r;
	}

	return 0;
}

gpa_t kvm_xen_runstate_get_addr(struct kvm_vcpu *vcpu)
{
	return area_registered(vcpu) ? vcpu->arch.xen.runstate.gpc[0].gpa :
				       KVM_XEN_INVALID_GPA;
}

static void area_unregister(struct kvm_vcpu *vcpu)
{
	struct gfn_to_pfn_cache *gpc = vcpu->arch.xen.runstate.gpc;

	kvm_gpc_deactivate(&gpc[0]);
	kvm_gpc_deactivate(&gpc[1]);
}

/*
 * Register the area at @gpa and fill it, or leave the old one registered.
 *
 * The caches keep the old address even if its pages cannot be mapped at the
 * moment, and map them when there is something to write.
 */
int kvm_xen_runstate_set_addr(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	struct kvm_xen_runstate *xr = &vcpu->arch.xen.runstate;
	gpa_t old = kvm_xen_runstate_get_addr(vcpu);
	int r;

	if (gpa == KVM_XEN_INVALID_GPA) {
		area_unregister(vcpu);
		return 0;
	}

	r = area_map(vcpu, gpa);
	if (!r)
		r = area_write(vcpu, &xr->now);

	if (r && old == KVM_XEN_INVALID_GPA)
		area_unregister(vcpu);
	else if (r)
		area_map(vcpu, old);

	xr->refresh = true;
	return r;
}

/*
 * What the calling thread has waited for a CPU since the last account, at most
 * @limit, provided that it is the one which runs the vCPU.
 */
u64 kvm_xen_runstate_take_steal(struct kvm_vcpu *vcpu, u64 limit)
{
	return kvm_steal_clock_take(&vcpu->arch.xen.runstate.steal, task_pid(current),
				    current->sched_info.run_delay, limit);
}

/*
 * Make @next the runstate and show it to the guest, or change nothing.  Only
 * for ioctls other than KVM_RUN.
 */
int kvm_xen_runstate_commit(struct kvm_vcpu *vcpu, const struct xen_runstate *next)
{
	struct kvm_xen_runstate *xr = &vcpu->arch.xen.runstate;
	int r;

	lockdep_assert_held(&vcpu->mutex);

	r = area_write(vcpu, next);
	if (r)
		return r;

	xr->now = *next;
	xr->refresh = true;
	return 0;
}

/* End the current state in a context that cannot sleep. */
static void account(struct kvm_vcpu *vcpu, u32 state)
{
	struct kvm_xen_runstate *xr = &vcpu->arch.xen.runstate;
	u64 elapsed;
	int idx;

	lockdep_assert_preemption_disabled();

	elapsed = xen_runstate_elapsed(&xr->now, kvm_xen_runstate_clock(vcpu));
	xen_runstate_account(&xr->now, state, elapsed,
			     kvm_xen_runstate_take_steal(vcpu, elapsed));

	/* kvm_gpc_check() looks at the memslots. */
	idx = srcu_read_lock(&vcpu->kvm->srcu);
	if (!area_try_write(vcpu, &xr->now))
		xr->refresh = true;
	srcu_read_unlock(&vcpu->kvm->srcu, idx);
}

/*
 * A vCPU that was running and is running, and whose thread has not waited, has
 * nothing new to tell; one account per jiffy keeps state_entry_time near the
 * clock all the same.
 */
void __kvm_xen_runstate_load(struct kvm_vcpu *vcpu)
{
	struct kvm_xen_runstate *xr = &vcpu->arch.xen.runstate;
	u64 run_delay = current->sched_info.run_delay;
	struct pid *thread = task_pid(current);

	if (likely(xr->now.state == RUNSTATE_running && !xr->refresh &&
		   !time_after(jiffies, xr->refreshed) &&
		   xr->long_mode == long_mode(vcpu) &&
		   kvm_steal_clock_idle(&xr->steal, thread, run_delay)))
		return;

	kvm_steal_clock_own(&xr->steal, thread, run_delay);
	account(vcpu, RUNSTATE_running);
	xr->refreshed = jiffies;
}

/* Called with the runqueue locked. */
void __kvm_xen_runstate_put(struct kvm_vcpu *vcpu)
{
	if (!task_is_runnable(current))
		return;

	account(vcpu, RUNSTATE_runnable);
	vcpu->arch.xen.runstate.now.preempted = true;
}

static bool area_mapped(struct kvm_vcpu *vcpu)
{
	struct gfn_to_pfn_cache *gpc = vcpu->arch.xen.runstate.gpc;
	u64 generation = kvm_memslots(vcpu->kvm)->generation;

	/* A hint, as neither cache is locked; who writes looks again. */
	return data_race(gpc[0].valid && gpc[0].generation == generation &&
			 (!gpc[1].active ||
			  (gpc[1].valid && gpc[1].generation == generation)));
}

/*
 * Before guest entry, where sleeping is fine: write what the hooks could not,
 * and fill the area anew if its memory may have changed.
 */
void kvm_xen_runstate_sync(struct kvm_vcpu *vcpu)
{
	struct kvm_xen_runstate *xr = &vcpu->arch.xen.runstate;

	if (!area_registered(vcpu))
		return;

	if (likely(area_mapped(vcpu) && !xr->refresh))
		return;

	/* Even if it can be written as it is: a second page may be left over. */
	if (!area_map(vcpu, xr->gpc[0].gpa))
		area_write(vcpu, &xr->now);
}

/* Have the area follow a switch of the guest between 32-bit and 64-bit mode. */
void kvm_xen_runstate_sync_layout(struct kvm_vcpu *vcpu)
{
	struct kvm_xen_runstate *xr = &vcpu->arch.xen.runstate;

	if (unlikely(xr->long_mode != long_mode(vcpu)) && !area_write(vcpu, &xr->now))
		xr->refresh = true;
}

void kvm_xen_runstate_init_vcpu(struct kvm_vcpu *vcpu)
{
	static struct lock_class_key second_page_key;
	struct kvm_xen_runstate *xr = &vcpu->arch.xen.runstate;

	xen_runstate_init(&xr->now);
	kvm_gpc_init(&xr->gpc[0], vcpu->kvm);
	kvm_gpc_init(&xr->gpc[1], vcpu->kvm);
	lockdep_set_class(&xr->gpc[1].lock, &second_page_key);
}

void kvm_xen_runstate_destroy_vcpu(struct kvm_vcpu *vcpu)
{
	area_unregister(vcpu);
	kvm_steal_clock_destroy(&vcpu->arch.xen.runstate.steal);
}
