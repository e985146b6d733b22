// Call the dispatcher.
//
// in arch/x86/kvm/x86.c: ioctl=1

@ioctl@
expression r, vcpu, ioctl, argp;
position p;
@@
- r = kvm_vcpu_ioctl_device_attr@p(vcpu, ioctl, argp);
+ r = kvm_vcpu_attr_ioctl(vcpu, ioctl, argp);
