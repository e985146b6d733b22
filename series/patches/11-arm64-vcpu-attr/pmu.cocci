// What the attributes need of the PMU's emulation.
//
// in arch/arm64/kvm/pmu-emul.c: share=3 drop=1

@share@
identifier f = {kvm_arm_set_pmu, __kvm_pmu_event_mask, kvm_pmu_perf_overflow_notify_vcpu};
type T;
parameter list ps;
position p;
@@
- static
  T f@p(ps) { ... }

@drop@
identifier f = kvm_arm_pmu_v3_set_pmu;
parameter list ps;
position p;
@@
- static int f@p(ps) { ... }
