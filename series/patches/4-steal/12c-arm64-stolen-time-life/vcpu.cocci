// Where a vCPU is powered off, and where it is reset.
//
// in arch/arm64/kvm/arm.c: off=1 reset=1

@off@
identifier f = __kvm_arm_vcpu_power_off;
identifier vcpu;
position p;
@@
  static void f@p(struct kvm_vcpu *vcpu)
  {
+ vcpu->arch.steal.was_off = true;
  ...
  }

@reset@
identifier f = kvm_arch_vcpu_ioctl_vcpu_init;
identifier vcpu, init;
position p;
@@
  static int f@p(struct kvm_vcpu *vcpu, struct kvm_vcpu_init *init)
  {
  ... when any
  vcpu_reset_hcr(vcpu);
+ kvm_arm_pvtime_vcpu_reset(vcpu, power_off);
  ... when any
  }
