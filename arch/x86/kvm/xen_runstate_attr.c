// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_*: from and to the payloads of userspace.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kvm_host.h>

#include <xen/interface/xen.h>

#include "xen_runstate.h"
#include "xen_runstate_attr.h"

/* For RUNSTATE_ADJUST, in place of a state. */
#define KEEP_STATE	((u64)-1)

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

/* There is nothing to get; the core would say ENXIO, this ioctl never did. */
int xen_get_runstate_adjust(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			    void *payload)
{
	return -EINVAL;
}

int xen_set_runstate_adjust(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			    const void *payload)
{
	struct xen_runstate delta = runstate_of_payload(payload);

	if (RUNSTATE(payload)->state > RUNSTATE_offline && RUNSTATE(payload)->state != KEEP_STATE)
		return -EINVAL;

	return kvm_xen_runstate_adjust(vcpu, &delta);
}
