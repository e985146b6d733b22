/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The names of Xen vCPU attributes, by which programs tell what errors they
 * reached.  The errors that there can be are those of
 * Documentation/virt/kvm/x86/xen-runstate.rst.
 */
#ifndef SELFTEST_KVM_XEN_ATTR_REACHED_H
#define SELFTEST_KVM_XEN_ATTR_REACHED_H

#include <sys/ioctl.h>

#include "attr_reached.h"

#define XEN_ATTR(type)	\
	[KVM_XEN_VCPU_ATTR_TYPE_##type] = "KVM_XEN_VCPU_ATTR_TYPE_" #type

static const char *const xen_attrs[] = {
	XEN_ATTR(VCPU_INFO),
	XEN_ATTR(VCPU_TIME_INFO),
	XEN_ATTR(RUNSTATE_ADDR),
	XEN_ATTR(RUNSTATE_CURRENT),
	XEN_ATTR(RUNSTATE_DATA),
	XEN_ATTR(RUNSTATE_ADJUST),
	XEN_ATTR(VCPU_ID),
	XEN_ATTR(TIMER),
	XEN_ATTR(UPCALL_VECTOR),
	XEN_ATTR(VCPU_INFO_HVA),
};

static_assert(ARRAY_SIZE(xen_attrs) < MAX_ATTRS);

static const char *xen_attr_name(int attr)
{
	return attr < ARRAY_SIZE(xen_attrs) ? xen_attrs[attr] : "KVM_XEN_VCPU_ATTR_TYPE_*";
}

static struct attr_family xen_attr_family = { .attr_name = xen_attr_name };

static __attribute__((constructor)) void share_xen_attr_errors(void)
{
	share_attr_errors(&xen_attr_family);
}

static __attribute__((destructor)) void tell_xen_attr_errors(void)
{
	tell_attr_errors(&xen_attr_family);
}

/* Do the call.  Returns 0 or a negative errno, and notes that for @type. */
static inline int xen_attr_ioctl(struct kvm_vcpu *vcpu, unsigned long ioctl_nr, uint16_t type,
				 void *attr)
{
	int r = ioctl(vcpu->fd, ioctl_nr, attr) ? -errno : 0;

	return note_attr_error(&xen_attr_family,
			       ioctl_nr == KVM_XEN_VCPU_SET_ATTR ? ATTR_SET : ATTR_GET,
			       min_t(int, type, ARRAY_SIZE(xen_attrs)), r);
}

#endif /* SELFTEST_KVM_XEN_ATTR_REACHED_H */
