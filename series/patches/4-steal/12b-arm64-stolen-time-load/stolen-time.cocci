// Add stolen time when there may be some.
//
// in arch/arm64/kvm/arm.c: due=1

@due@
identifier f = kvm_arch_vcpu_load;
identifier vcpu, cpu;
position p;
@@
  void f@p(struct kvm_vcpu *vcpu, int cpu)
  {
  ...
- if (kvm_arm_is_pvtime_enabled(&vcpu->arch))
- kvm_make_request(KVM_REQ_RECORD_STEAL, vcpu);
+ kvm_arm_load_stolen_time(vcpu);
  ...
  }
