/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __KVM_X86_XEN_VCPU_ATTR_H
#define __KVM_X86_XEN_VCPU_ATTR_H

struct kvm_vcpu;
struct kvm_vcpu_attr_group;

extern const struct kvm_vcpu_attr_group kvm_xen_vcpu_attrs;

int kvm_xen_vcpu_attr_ioctl(struct kvm_vcpu *vcpu, unsigned int ioctl, void __user *argp);

#endif /* __KVM_X86_XEN_VCPU_ATTR_H */
