// SPDX-License-Identifier: GPL-2.0-only
/*
 * Without a tracepoint, which a later patch adds.
 */

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
	if (!row)
		return -ENOENT;

	if (ioctl == KVM_XEN_VCPU_SET_ATTR)
		r = kvm_vcpu_attr_set(vcpu, row, &attr->u);
	else
		r = kvm_vcpu_attr_get(vcpu, row, &attr->u);

	/* Last, so that no area is written that the call has replaced. */
	kvm_xen_runstate_sync_layout(vcpu);
	return r;
}
