/* SPDX-License-Identifier: GPL-2.0-only */

extern const struct kvm_vcpu_attr_group kvm_xen_vcpu_attrs;
int kvm_xen_vcpu_attr_ioctl(struct kvm_vcpu *vcpu, unsigned int ioctl, void __user *argp);
void kvm_xen_clock_set(struct kvm *kvm);
void kvm_xen_kick_stale_timers(struct kvm *kvm);
void kvm_xen_restart_stale_timer(struct kvm_vcpu *vcpu);

static inline void kvm_xen_clock_set(struct kvm *kvm)
{
}

static inline void kvm_xen_kick_stale_timers(struct kvm *kvm)
{
}

static inline void kvm_xen_restart_stale_timer(struct kvm_vcpu *vcpu)
{
}
