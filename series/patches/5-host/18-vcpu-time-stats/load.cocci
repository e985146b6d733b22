// Count stolen time whether the guest has a structure for it or not.
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
- if (kvm_arm_is_pvtime_enabled(&vcpu->arch) && kvm_arm_stolen_time_due(vcpu))
+ if (kvm_arm_stolen_time_due(vcpu))
  kvm_make_request(KVM_REQ_RECORD_STEAL, vcpu);
  ...
  }
