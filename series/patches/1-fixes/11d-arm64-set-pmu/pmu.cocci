// in arch/arm64/kvm/pmu-emul.c: again=1

@again@
identifier f = kvm_arm_pmu_v3_set_pmu;
expression kvm, arm_pmu;
position p;
@@
  f(...)
  {
  <...
+ if (kvm->arch.arm_pmu != arm_pmu)
  	kvm_arm_set_pmu@p(kvm, arm_pmu);
  ...>
  }
