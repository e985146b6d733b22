// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_XEN_VCPU_SET_ATTR and KVM_XEN_VCPU_GET_ATTR, from one table.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "x86.h"
#include "xen_runstate.h"

#include <linux/nospec.h>
#include <linux/sched/stat.h>

#include <xen/interface/xen.h>

#include <asm/pvclock.h>

/* The lowest vector that the APIC accepts; 0 turns an upcall off. */
#define FIRST_UPCALL_VECTOR	0x10

/* For RUNSTATE_ADJUST, in place of a state. */
#define KEEP_STATE		((u64)-1)

static gpa_t gpc_gpa(struct gfn_to_pfn_cache *gpc)
{
	return kvm_gpc_is_gpa_active(gpc) ? gpc->gpa : KVM_XEN_INVALID_GPA;
}

/*
 * Move a cache of one of the guest's clock areas to @hva, or to @gpa if that is
 * 0.  A cache that cannot be moved stays where it was.
 */
static int clock_area_set(struct kvm_vcpu *vcpu, struct gfn_to_pfn_cache *gpc,
			  gpa_t gpa, unsigned long hva, size_t len)
{
	unsigned long old_hva = gpc->uhva;
	bool was_active = gpc->active;
	gpa_t old_gpa = gpc->gpa;
	int r;

	r = hva ? kvm_gpc_activate_hva(gpc, hva, len) : kvm_gpc_activate(gpc, gpa, len);
	if (!r)
		kvm_make_request(KVM_REQ_CLOCK_UPDATE, vcpu);
	else if (!was_active)
		kvm_gpc_deactivate(gpc);
	else if (kvm_is_error_gpa(old_gpa))
		kvm_gpc_activate_hva(gpc, old_hva, len);
	else
		kvm_gpc_activate(gpc, old_gpa, len);

	return r;
}

/* One layout serves both modes. */
static_assert(sizeof(struct vcpu_info) == sizeof(struct compat_vcpu_info));
static_assert(offsetof(struct vcpu_info, time) == offsetof(struct compat_vcpu_info, time));

static int set_vcpu_info(struct kvm_vcpu *vcpu, const struct kvm_xen_vcpu_attr *attr)
{
	struct gfn_to_pfn_cache *gpc = &vcpu->arch.xen.vcpu_info_cache;

	if (attr->u.gpa == KVM_XEN_INVALID_GPA) {
		kvm_gpc_deactivate(gpc);
		return 0;
	}

	if (!IS_ALIGNED(attr->u.gpa, sizeof(u32)))
		return -ENXIO;

	return clock_area_set(vcpu, gpc, attr->u.gpa, 0, sizeof(struct vcpu_info));
}

static int get_vcpu_info(struct kvm_vcpu *vcpu, struct kvm_xen_vcpu_attr *attr)
{
	attr->u.gpa = gpc_gpa(&vcpu->arch.xen.vcpu_info_cache);
	return 0;
}

static int set_vcpu_info_hva(struct kvm_vcpu *vcpu, const struct kvm_xen_vcpu_attr *attr)
{
	struct gfn_to_pfn_cache *gpc = &vcpu->arch.xen.vcpu_info_cache;

	if (!attr->u.hva) {
		kvm_gpc_deactivate(gpc);
		return 0;
	}

	if (!IS_ALIGNED(attr->u.hva, sizeof(u32)))
		return -ENXIO;

	return clock_area_set(vcpu, gpc, INVALID_GPA, attr->u.hva, sizeof(struct vcpu_info));
}

static int get_vcpu_info_hva(struct kvm_vcpu *vcpu, struct kvm_xen_vcpu_attr *attr)
{
	struct gfn_to_pfn_cache *gpc = &vcpu->arch.xen.vcpu_info_cache;

	attr->u.hva = kvm_gpc_is_hva_active(gpc) ? gpc->uhva : 0;
	return 0;
}

static int set_vcpu_time_info(struct kvm_vcpu *vcpu, const struct kvm_xen_vcpu_attr *attr)
{
	struct gfn_to_pfn_cache *gpc = &vcpu->arch.xen.vcpu_time_info_cache;

	if (attr->u.gpa == KVM_XEN_INVALID_GPA) {
		kvm_gpc_deactivate(gpc);
		return 0;
	}

	return clock_area_set(vcpu, gpc, attr->u.gpa, 0,
			      sizeof(struct pvclock_vcpu_time_info));
}

static int get_vcpu_time_info(struct kvm_vcpu *vcpu, struct kvm_xen_vcpu_attr *attr)
{
	attr->u.gpa = gpc_gpa(&vcpu->arch.xen.vcpu_time_info_cache);
	return 0;
}

static int set_runstate_addr(struct kvm_vcpu *vcpu, const struct kvm_xen_vcpu_attr *attr)
{
	return kvm_xen_runstate_set_addr(vcpu, attr->u.gpa);
}

static int get_runstate_addr(struct kvm_vcpu *vcpu, struct kvm_xen_vcpu_attr *attr)
{
	attr->u.gpa = kvm_xen_runstate_get_addr(vcpu);
	return 0;
}

static int set_runstate_current(struct kvm_vcpu *vcpu, const struct kvm_xen_vcpu_attr *attr)
{
	if (attr->u.runstate.state > RUNSTATE_offline)
		return -EINVAL;

	return kvm_xen_runstate_set_current(vcpu, attr->u.runstate.state);
}

static int get_runstate_current(struct kvm_vcpu *vcpu, struct kvm_xen_vcpu_attr *attr)
{
	attr->u.runstate.state = vcpu->arch.xen.runstate.now.state;
	return 0;
}

static void runstate_from_attr(struct xen_runstate *rs, const struct kvm_xen_vcpu_attr *attr)
{
	*rs = (struct xen_runstate) {
		.state = attr->u.runstate.state,
		.entry_time = attr->u.runstate.state_entry_time,
		.time = {
			[RUNSTATE_running]  = attr->u.runstate.time_running,
			[RUNSTATE_runnable] = attr->u.runstate.time_runnable,
			[RUNSTATE_blocked]  = attr->u.runstate.time_blocked,
			[RUNSTATE_offline]  = attr->u.runstate.time_offline,
		},
	};
}

static int set_runstate_data(struct kvm_vcpu *vcpu, const struct kvm_xen_vcpu_attr *attr)
{
	struct xen_runstate next;

	if (attr->u.runstate.state > RUNSTATE_offline)
		return -EINVAL;

	runstate_from_attr(&next, attr);
	return kvm_xen_runstate_set_data(vcpu, &next);
}

static int get_runstate_data(struct kvm_vcpu *vcpu, struct kvm_xen_vcpu_attr *attr)
{
	const struct xen_runstate *rs = &vcpu->arch.xen.runstate.now;

	attr->u.runstate.state = rs->state;
	attr->u.runstate.state_entry_time = rs->entry_time;
	attr->u.runstate.time_running = rs->time[RUNSTATE_running];
	attr->u.runstate.time_runnable = rs->time[RUNSTATE_runnable];
	attr->u.runstate.time_blocked = rs->time[RUNSTATE_blocked];
	attr->u.runstate.time_offline = rs->time[RUNSTATE_offline];
	return 0;
}

static int set_runstate_adjust(struct kvm_vcpu *vcpu, const struct kvm_xen_vcpu_attr *attr)
{
	struct xen_runstate delta;

	if (attr->u.runstate.state > RUNSTATE_offline &&
	    attr->u.runstate.state != KEEP_STATE)
		return -EINVAL;

	runstate_from_attr(&delta, attr);
	return kvm_xen_runstate_adjust(vcpu, &delta);
}

static int set_vcpu_id(struct kvm_vcpu *vcpu, const struct kvm_xen_vcpu_attr *attr)
{
	if (attr->u.vcpu_id >= KVM_MAX_VCPUS)
		return -EINVAL;

	vcpu->arch.xen.vcpu_id = attr->u.vcpu_id;
	return 0;
}

static int get_vcpu_id(struct kvm_vcpu *vcpu, struct kvm_xen_vcpu_attr *attr)
{
	attr->u.vcpu_id = vcpu->arch.xen.vcpu_id;
	return 0;
}

static int set_timer(struct kvm_vcpu *vcpu, const struct kvm_xen_vcpu_attr *attr)
{
	u32 port = attr->u.timer.port;

	if (port && attr->u.timer.priority != KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL)
		return -EINVAL;

	if (!vcpu->arch.xen.timer.function)
		kvm_xen_init_timer(vcpu);

	/* A timer that fires now must not be taken for one of the new port. */
	kvm_xen_stop_timer(vcpu);
	vcpu->arch.xen.timer_virq = port;

	if (port && attr->u.timer.expires_ns)
		kvm_xen_start_timer(vcpu, attr->u.timer.expires_ns, false);

	return 0;
}

/*
 * A timer is reported as pending, or its event has been delivered: never as
 * expired with the event still to come.  So it is halted for the look, and an
 * event that waits for the vCPU is delivered first.  If the timer then fires
 * both here and where it is restored, the second event finds the first pending
 * and is lost in it.
 */
static int get_timer(struct kvm_vcpu *vcpu, struct kvm_xen_vcpu_attr *attr)
{
	struct kvm_vcpu_xen *xen = &vcpu->arch.xen;

	if (xen->timer_expires) {
		hrtimer_cancel(&xen->timer);
		kvm_xen_inject_timer_irqs(vcpu);
	}

	attr->u.timer.port = xen->timer_virq;
	attr->u.timer.priority = KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL;
	attr->u.timer.expires_ns = xen->timer_expires;

	if (xen->timer_expires)
		hrtimer_start_expires(&xen->timer, HRTIMER_MODE_ABS_HARD);

	return 0;
}

static int set_upcall_vector(struct kvm_vcpu *vcpu, const struct kvm_xen_vcpu_attr *attr)
{
	if (attr->u.vector && attr->u.vector < FIRST_UPCALL_VECTOR)
		return -EINVAL;

	vcpu->arch.xen.upcall_vector = attr->u.vector;
	return 0;
}

static int get_upcall_vector(struct kvm_vcpu *vcpu, struct kvm_xen_vcpu_attr *attr)
{
	attr->u.vector = vcpu->arch.xen.upcall_vector;
	return 0;
}

/*
 * A row of the table.  All callbacks run with vcpu->mutex and SRCU held, those
 * of a row that is not @runstate with the VM's xen_lock as well.  Runstate rows
 * need the scheduler's figures and fail with EOPNOTSUPP if there are none.
 */
struct xen_vcpu_attr {
	int (*set)(struct kvm_vcpu *vcpu, const struct kvm_xen_vcpu_attr *attr);
	int (*get)(struct kvm_vcpu *vcpu, struct kvm_xen_vcpu_attr *attr);	/* NULL: EINVAL */
	bool runstate;
};

#define XEN_ATTR(type, _name)						\
	[KVM_XEN_VCPU_ATTR_TYPE_##type] = {				\
		.set = set_##_name,					\
		.get = get_##_name,					\
	}
#define RUNSTATE_ATTR(type, _set, _get)					\
	[KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_##type] = {			\
		.set = _set,						\
		.get = _get,						\
		.runstate = true,					\
	}

static const struct xen_vcpu_attr attrs[] = {
	XEN_ATTR(VCPU_INFO,		vcpu_info),
	XEN_ATTR(VCPU_INFO_HVA,		vcpu_info_hva),
	XEN_ATTR(VCPU_TIME_INFO,	vcpu_time_info),
	RUNSTATE_ATTR(ADDR,		set_runstate_addr,	get_runstate_addr),
	RUNSTATE_ATTR(CURRENT,		set_runstate_current,	get_runstate_current),
	RUNSTATE_ATTR(DATA,		set_runstate_data,	get_runstate_data),
	RUNSTATE_ATTR(ADJUST,		set_runstate_adjust,	NULL),
	XEN_ATTR(VCPU_ID,		vcpu_id),
	XEN_ATTR(TIMER,			timer),
	XEN_ATTR(UPCALL_VECTOR,		upcall_vector),
};

static const struct xen_vcpu_attr *find_attr(u16 type)
{
	const struct xen_vcpu_attr *row;

	if (type >= ARRAY_SIZE(attrs))
		return NULL;

	row = &attrs[array_index_nospec(type, ARRAY_SIZE(attrs))];
	return row->set ? row : NULL;
}

static int attr_call(struct kvm_vcpu *vcpu, const struct xen_vcpu_attr *row,
		     struct kvm_xen_vcpu_attr *attr, bool set)
{
	int idx, r;

	idx = srcu_read_lock(&vcpu->kvm->srcu);
	r = set ? row->set(vcpu, attr) : row->get(vcpu, attr);

	/* Last, lest an area be written that the call has replaced. */
	kvm_xen_runstate_sync_layout(vcpu);
	srcu_read_unlock(&vcpu->kvm->srcu, idx);

	return r;
}

static int attr_dispatch(struct kvm_vcpu *vcpu, struct kvm_xen_vcpu_attr *attr, bool set)
{
	const struct xen_vcpu_attr *row = find_attr(attr->type);

	if (!row)
		return -ENOENT;

	if (row->runstate && !sched_info_on())
		return -EOPNOTSUPP;

	if (!set && !row->get)
		return -EINVAL;

	if (row->runstate)
		return attr_call(vcpu, row, attr, set);

	guard(mutex)(&vcpu->kvm->arch.xen.xen_lock);

	return attr_call(vcpu, row, attr, set);
}

int kvm_xen_vcpu_set_attr(struct kvm_vcpu *vcpu, struct kvm_xen_vcpu_attr *data)
{
	return attr_dispatch(vcpu, data, true);
}

int kvm_xen_vcpu_get_attr(struct kvm_vcpu *vcpu, struct kvm_xen_vcpu_attr *data)
{
	return attr_dispatch(vcpu, data, false);
}
