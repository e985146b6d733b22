// A first run that fails releases the PMU's interrupt.
//
// in arch/arm64/kvm/arm.c: undo=1

@undo@
identifier f = kvm_arch_vcpu_run_pid_change;
identifier vcpu, kvm, ret;
position p;
@@
  int f@p(struct kvm_vcpu *vcpu)
  {
  ... when any
  ret = kvm_timer_enable(vcpu);
- if (ret)
+ if (ret) {
+ 	kvm_arm_pmu_v3_disable(vcpu);
  	return ret;
+ }
  if (is_protected_kvm_enabled()) {
  	ret = pkvm_create_hyp_vm(kvm);
  	if (ret) {
  		kvm_timer_disable(vcpu);
+ 		kvm_arm_pmu_v3_disable(vcpu);
  		return ret;
  	}
  }
  ... when any
  }
