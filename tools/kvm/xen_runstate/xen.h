/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * The vCPU attributes of Xen runstate.  The calls that KVM may refuse return a
 * negative errno; the others end the program if they fail.
 */
#ifndef XEN_RUNSTATE_XEN_H
#define XEN_RUNSTATE_XEN_H

#include <linux/types.h>

#include "runstate.h"

struct vcpu;

void xen_register_area(struct vcpu *vcpu, __u64 gpa);
__u64 xen_registered_area(struct vcpu *vcpu);
void xen_set_current(struct vcpu *vcpu, __u64 state);
struct runstate xen_get_data(struct vcpu *vcpu);
int xen_set_data(struct vcpu *vcpu, const struct runstate *rs);
int xen_adjust(struct vcpu *vcpu, const __s64 *delta);

#endif
