// SPDX-License-Identifier: GPL-2.0-only
/*
 * Xen's timer, which follows the VM's clock, and the table of Xen vCPU attributes.
 */
#include "xen_runstate.h"

#include <kvm/vcpu_attr.h>

/* The timer is about to be started.  The old one must not fire from here on. */
static void xen_timer_cancel_stale(struct kvm_vcpu *vcpu)
{
	if (vcpu->arch.xen.timer_expires)
		hrtimer_cancel(&vcpu->arch.xen.timer);

	/* Before the clock is read, so that no change of it is missed. */
	smp_store_mb(vcpu->arch.xen.timer_stale, false);
}

/* True if the vCPU has a pvclock of the VM's clock as it is set now. */
static bool xen_pvclock_is_current(struct kvm_vcpu *vcpu)
{
	return cpu_feature_enabled(X86_FEATURE_CONSTANT_TSC) &&
	       !kvm_test_request(KVM_REQ_CLOCK_UPDATE, vcpu);
}

/*
 * Called while the VM's clock is being set.  A vCPU that finds its timer stale must
 * find the update of its pvclock pending, too.
 */
void kvm_xen_clock_set(struct kvm *kvm)
{
	struct kvm_vcpu *vcpu;
	unsigned long i;

	lockdep_assert_held(&kvm->arch.tsc_write_lock);

	kvm_for_each_vcpu(i, vcpu, kvm) {
		kvm_make_request(KVM_REQ_CLOCK_UPDATE, vcpu);
		/* After the request, which a vCPU with a stale timer must find. */
		smp_store_release(&vcpu->arch.xen.timer_stale, true);
	}
}

/* Wake vCPUs that wait for a stale timer. */
void kvm_xen_kick_stale_timers(struct kvm *kvm)
{
	struct kvm_vcpu *vcpu;
	unsigned long i;

	kvm_for_each_vcpu(i, vcpu, kvm) {
		if (kvm_xen_timer_enabled(vcpu)) {
			kvm_make_request(KVM_REQ_UNBLOCK, vcpu);
			kvm_vcpu_kick(vcpu);
		}
	}
}

void kvm_xen_restart_stale_timer(struct kvm_vcpu *vcpu)
{
	struct kvm_vcpu_xen *xen = &vcpu->arch.xen;

	if (!READ_ONCE(xen->timer_stale) || !xen->timer_expires)
		return;

	/* If it fires at this moment, by the old clock, it is not to fire again. */
	hrtimer_cancel(&xen->timer);
	if (xen->timer_expires)
		kvm_xen_start_timer(vcpu, xen->timer_expires, false);
}

/* The lowest vector that the APIC accepts; 0 turns an upcall off. */
#define XEN_FIRST_UPCALL_VECTOR	0x10

#define TIMER(payload)	((typeof_member(struct kvm_xen_vcpu_attr, u.timer) *)(payload))

/*
 * Move a cache of one of the guest's clock areas to @gpa, or to @hva if that is
 * none.  A cache that cannot be moved stays where it was.
 */
static int xen_clock_area_set(struct kvm_vcpu *vcpu, struct gfn_to_pfn_cache *gpc,
			      gpa_t gpa, unsigned long hva, size_t len)
{
	unsigned long old_hva = gpc->uhva;
	bool was_active = gpc->active;
	gpa_t old_gpa = gpc->gpa;
	int idx, r;

	idx = srcu_read_lock(&vcpu->kvm->srcu);

	if (kvm_is_error_gpa(gpa))
		r = kvm_gpc_activate_hva(gpc, hva, len);
	else
		r = kvm_gpc_activate(gpc, gpa, len);

	if (!r)
		kvm_make_request(KVM_REQ_CLOCK_UPDATE, vcpu);
	else if (!was_active)
		kvm_gpc_deactivate(gpc);
	else if (kvm_is_error_gpa(old_gpa))
		kvm_gpc_activate_hva(gpc, old_hva, len);
	else
		kvm_gpc_activate(gpc, old_gpa, len);

	srcu_read_unlock(&vcpu->kvm->srcu, idx);
	return r;
}

/* One layout serves both modes. */
static_assert(sizeof(struct vcpu_info) == sizeof(struct compat_vcpu_info));
static_assert(offsetof(struct vcpu_info, time) == offsetof(struct compat_vcpu_info, time));
static int xen_set_vcpu_info(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			     const void *payload)
{
	struct gfn_to_pfn_cache *gpc = &vcpu->arch.xen.vcpu_info_cache;
	gpa_t gpa = *(const u64 *)payload;

	if (gpa == KVM_XEN_INVALID_GPA) {
		kvm_gpc_deactivate(gpc);
		return 0;
	}

	if (!IS_ALIGNED(gpa, sizeof(u32)))
		return -ENXIO;

	return xen_clock_area_set(vcpu, gpc, gpa, 0, sizeof(struct vcpu_info));
}

static int xen_set_vcpu_info_hva(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
				 const void *payload)
{
	struct gfn_to_pfn_cache *gpc = &vcpu->arch.xen.vcpu_info_cache;
	u64 hva = *(const u64 *)payload;

	if (!hva) {
		kvm_gpc_deactivate(gpc);
		return 0;
	}

	if (!IS_ALIGNED(hva, sizeof(u32)))
		return -ENXIO;

	/* Beyond the user space of a 32-bit host. */
	if (hva > ULONG_MAX)
		return -EINVAL;

	return xen_clock_area_set(vcpu, gpc, INVALID_GPA, hva, sizeof(struct vcpu_info));
}

static int xen_get_vcpu_info_hva(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
				 void *payload)
{
	struct gfn_to_pfn_cache *gpc = &vcpu->arch.xen.vcpu_info_cache;

	*(u64 *)payload = kvm_gpc_is_hva_active(gpc) ? gpc->uhva : 0;
	return 0;
}

static int xen_set_vcpu_time_info(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
				  const void *payload)
{
	struct gfn_to_pfn_cache *gpc = &vcpu->arch.xen.vcpu_time_info_cache;
	gpa_t gpa = *(const u64 *)payload;

	if (gpa == KVM_XEN_INVALID_GPA) {
		kvm_gpc_deactivate(gpc);
		return 0;
	}

	return xen_clock_area_set(vcpu, gpc, gpa, 0, sizeof(struct pvclock_vcpu_time_info));
}

/* Where an area is that was registered by a guest address. */
static int xen_get_area_gpa(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, void *payload)
{
	struct gfn_to_pfn_cache *gpc = (void *)&vcpu->arch.xen + row->data;

	*(u64 *)payload = kvm_gpc_is_gpa_active(gpc) ? gpc->gpa : KVM_XEN_INVALID_GPA;
	return 0;
}

static int xen_set_vcpu_id(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			   const void *payload)
{
	u32 id = *(const u32 *)payload;

	if (id >= KVM_MAX_VCPUS)
		return -EINVAL;

	vcpu->arch.xen.vcpu_id = id;
	return 0;
}

static int xen_get_vcpu_id(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, void *payload)
{
	*(u32 *)payload = vcpu->arch.xen.vcpu_id;
	return 0;
}

static int xen_set_timer(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			 const void *payload)
{
	u32 priority = TIMER(payload)->priority;
	u64 expires_ns = TIMER(payload)->expires_ns;
	u32 port = TIMER(payload)->port;

	if (port && priority != KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL)
		return -EINVAL;

	/* A timer that fires now must not be taken for one of the new port. */
	kvm_xen_stop_timer(vcpu);
	vcpu->arch.xen.timer_virq = port;

	if (port && expires_ns)
		kvm_xen_start_timer(vcpu, expires_ns, false);

	return 0;
}

/*
 * A timer is reported as pending, or its event has been delivered: never as
 * expired with the event still to come.  So it is halted for the look, and an
 * event that waits for the vCPU is delivered first.  If the timer then fires
 * both here and where it is restored, the second event finds the first pending
 * and is lost in it.
 */
static int xen_get_timer(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, void *payload)
{
	struct kvm_vcpu_xen *xen = &vcpu->arch.xen;

	if (xen->timer_expires) {
		hrtimer_cancel(&xen->timer);
		kvm_xen_inject_timer_irqs(vcpu);
	}

	TIMER(payload)->port = xen->timer_virq;
	TIMER(payload)->priority = KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL;
	TIMER(payload)->expires_ns = xen->timer_expires;

	if (xen->timer_expires)
		hrtimer_start_expires(&xen->timer, HRTIMER_MODE_ABS_HARD);

	return 0;
}

static int xen_set_upcall_vector(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
				 const void *payload)
{
	u8 vector = *(const u8 *)payload;

	if (vector && vector < XEN_FIRST_UPCALL_VECTOR)
		return -EINVAL;

	vcpu->arch.xen.upcall_vector = vector;
	return 0;
}

static int xen_get_upcall_vector(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
				 void *payload)
{
	*(u8 *)payload = vcpu->arch.xen.upcall_vector;
	return 0;
}

#define XEN_ATTR(type, member, _get, _set)				\
	[KVM_XEN_VCPU_ATTR_TYPE_##type] = {				\
		.size	= KVM_VCPU_ATTR_SIZE(typeof_member(struct kvm_xen_vcpu_attr, u.member)), \
		.get	= _get,						\
		.set	= _set,						\
	}
#define XEN_ADDR_ATTR(type, cache, _set)				\
	[KVM_XEN_VCPU_ATTR_TYPE_##type] = {				\
		.size	= KVM_VCPU_ATTR_SIZE(u64),			\
		.data	= offsetof(struct kvm_vcpu_xen, cache),		\
		.get	= xen_get_area_gpa,					\
		.set	= _set,						\
	}

static const struct kvm_vcpu_attr xen_attrs[] = {
	XEN_ADDR_ATTR(VCPU_INFO, vcpu_info_cache, xen_set_vcpu_info),
	XEN_ADDR_ATTR(VCPU_TIME_INFO, vcpu_time_info_cache, xen_set_vcpu_time_info),
	XEN_ADDR_ATTR(RUNSTATE_ADDR, runstate.gpc[0], xen_set_runstate_addr),
	XEN_ATTR(RUNSTATE_CURRENT, runstate.state, xen_get_runstate_current,
		 xen_set_runstate_current),
	XEN_ATTR(RUNSTATE_DATA,	runstate, xen_get_runstate_data, xen_set_runstate_data),
	XEN_ATTR(RUNSTATE_ADJUST, runstate, xen_get_runstate_adjust, xen_set_runstate_adjust),
	XEN_ATTR(VCPU_ID,	vcpu_id,  xen_get_vcpu_id,		 xen_set_vcpu_id),
	XEN_ATTR(TIMER,		timer,	  xen_get_timer,		 xen_set_timer),
	XEN_ATTR(UPCALL_VECTOR,	vector,	  xen_get_upcall_vector,	 xen_set_upcall_vector),
	XEN_ATTR(VCPU_INFO_HVA,	hva,	  xen_get_vcpu_info_hva,	 xen_set_vcpu_info_hva),
};

const struct kvm_vcpu_attr_group kvm_xen_vcpu_attrs = {
	.rows	= xen_attrs,
	.nr	= ARRAY_SIZE(xen_attrs),
};

/*
 * KVM_XEN_VCPU_GET_ATTR and KVM_XEN_VCPU_SET_ATTR, with the vCPU loaded.  What they
 * set is the vCPU's own, under vcpu->mutex, so that no vCPU waits for another one's
 * xen_lock.
 */
int kvm_xen_vcpu_attr_ioctl(struct kvm_vcpu *vcpu, unsigned int ioctl, void __user *argp)
{
	struct kvm_xen_vcpu_attr __user *attr = argp;
	const struct kvm_vcpu_attr *row;
	u16 type;
	int r;

	if (get_user(type, &attr->type))
		return -EFAULT;

	row = kvm_vcpu_attr_find(&kvm_xen_vcpu_attrs, type);
	if (!row) {
		r = -ENOENT;
		goto out;
	}

	if (ioctl == KVM_XEN_VCPU_SET_ATTR)
		r = kvm_vcpu_attr_set(vcpu, row, &attr->u);
	else
		r = kvm_vcpu_attr_get(vcpu, row, &attr->u);

	/* Last, so that no area is written that the call has replaced. */
	kvm_xen_runstate_sync_layout(vcpu);
out:
	trace_kvm_vcpu_attr(vcpu, ioctl, 0, type, r, "");
	return r;
}
