// A first run that fails releases the interrupts that it has claimed.
//
// in arch/arm64/kvm/arm.c: order=1

// The creation of the VM in pKVM comes last, as it cannot be undone: it covers the
// vCPUs that exist by then.
@order@
identifier f = kvm_arch_vcpu_run_pid_change;
identifier vcpu, kvm, ret;
position p;
@@
  int f@p(struct kvm_vcpu *vcpu)
  {
  ... when any
- ret = kvm_timer_enable(vcpu);
+ ret = kvm_arm_pmu_v3_enable(vcpu);
  if (ret)
  	return ret;
- ret = kvm_arm_pmu_v3_enable(vcpu);
+ ret = kvm_timer_enable(vcpu);
  if (ret)
  	return ret;
  if (is_protected_kvm_enabled()) {
  	ret = pkvm_create_hyp_vm(kvm);
- 	if (ret)
+ 	if (ret) {
+ 		kvm_timer_disable(vcpu);
  		return ret;
+ 	}
  }
  ... when any
  }
