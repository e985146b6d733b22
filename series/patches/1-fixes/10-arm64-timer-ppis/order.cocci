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
- if (ret)
- 	return ret;
  if (kvm_vcpu_has_pmu(vcpu)) {
  	...
  }
+
+ ret = kvm_timer_enable(vcpu);
+ if (ret)
+ 	return ret;
  ret = vgic_v5_finalize_ppi_state(kvm);
  if (ret)
- 	return ret;
+ 	goto disable_timer;
  if (is_protected_kvm_enabled()) {
  	...
  	ret = pkvm_create_hyp_vm(kvm);
  	if (ret)
- 		return ret;
+ 		goto disable_timer;
  	ret = pkvm_create_hyp_vcpu(vcpu);
  	if (ret)
- 		return ret;
+ 		goto disable_timer;
  }
  ... when any
  return ret;
+
+disable_timer:
+ kvm_timer_disable(vcpu);
+ return ret;
  }
