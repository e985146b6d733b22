// in arch/arm64/kvm/arm.c: attr=1

@attr@
identifier f = kvm_arch_vcpu_ioctl;
identifier attr;
parameter list ps;
position p;
@@
  long f@p(ps)
  {
  ...
- struct kvm_device_attr attr;
  ... when any
  }
