/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __KVM_X86_XEN_RUNSTATE_ATTR_H
#define __KVM_X86_XEN_RUNSTATE_ATTR_H

#include <linux/types.h>

struct kvm_vcpu;
struct kvm_vcpu_attr;

/* The callbacks of runstate's rows among the Xen vCPU attributes. */
int xen_set_runstate_addr(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			  const void *payload);

int xen_get_runstate_current(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			     void *payload);
int xen_set_runstate_current(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			     const void *payload);

int xen_get_runstate_data(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			  void *payload);
int xen_set_runstate_data(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			  const void *payload);

int xen_get_runstate_adjust(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			    void *payload);
int xen_set_runstate_adjust(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			    const void *payload);

#endif /* __KVM_X86_XEN_RUNSTATE_ATTR_H */
