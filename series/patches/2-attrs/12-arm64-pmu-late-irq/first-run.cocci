// A first run that fails releases the PMU's interrupt.
//
// in arch/arm64/kvm/arm.c: label=1 undo=1

@label@
identifier f = kvm_arch_vcpu_run_pid_change;
identifier vcpu;
position p;
@@
  int f(struct kvm_vcpu *vcpu)
  {
  <...
  kvm_timer_disable@p(vcpu);
+disable_pmu:
+ kvm_arm_pmu_v3_disable(vcpu);
  ...>
  }

@undo@
identifier ret;
expression vcpu;
position p;
@@
  ret = kvm_timer_enable@p(vcpu);
  if (ret)
- 	return ret;
+ 	goto disable_pmu;
