// Store a frequency once it is in force.
//
// in arch/x86/kvm/x86.c: set=1

@set@
identifier f = kvm_set_tsc_khz;
identifier vcpu, user_tsc_khz, use_scaling;
position p;
@@
  static int f@p(struct kvm_vcpu *vcpu, u32 user_tsc_khz)
  {
  ...
- kvm_get_time_scale(user_tsc_khz * 1000LL, NSEC_PER_SEC,
- 		   &vcpu->arch.virtual_tsc_shift,
- 		   &vcpu->arch.virtual_tsc_mult);
- vcpu->arch.virtual_tsc_khz = user_tsc_khz;
  ...
- return set_tsc_khz(vcpu, user_tsc_khz, use_scaling);
+ return kvm_switch_tsc_khz(vcpu, user_tsc_khz, use_scaling);
  }
