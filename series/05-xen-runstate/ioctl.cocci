// The ioctls of the Xen vCPU attributes, which copy from and to user memory by
// the table.
//
// in arch/x86/kvm/x86.c: call=2
// in arch/x86/kvm/xen.h: drop_declarations=2

@call@
identifier f = {kvm_xen_vcpu_get_attr, kvm_xen_vcpu_set_attr};
identifier attr;
expression r, vcpu, argp;
position p;
@@
  {
- struct kvm_xen_vcpu_attr attr;
- r = -EFAULT;
- if (copy_from_user(&attr, argp, sizeof(attr)))
- 	goto out;
- r = f@p(vcpu, &attr);
- ...
+ r = kvm_xen_vcpu_attr_ioctl(vcpu, ioctl, argp);
  break;
  }

@drop_declarations@
identifier f = {kvm_xen_vcpu_get_attr, kvm_xen_vcpu_set_attr};
parameter list ps;
position p;
@@
- int f@p(ps);
