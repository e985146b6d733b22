// in arch/arm64/kvm/pmu-emul.c: set=1

@set@
identifier f = kvm_arm_pmu_v3_set_pmu;
expression kvm, pmu;
position p;
@@
  f(...)
  {
  <...
- kvm_arm_set_pmu@p(kvm, pmu);
+ if (kvm->arch.arm_pmu != pmu)
+ 	kvm_arm_set_pmu(kvm, pmu);
  ...>
  }
