// What the first run of a vCPU claims, and what it leaves if it fails; what the
// attributes need of the PMU's emulation.
//
// in arch/arm64/kvm/arm.c: order=1 reset=1 destroy=1
// in arch/arm64/kvm/arch_timer.c: timer_enable=1
// in arch/arm64/kvm/pmu-emul.c: share=3 drop=1

// All else that can fail comes first: what the timers claim is then kept.
@order@
identifier f = kvm_arch_vcpu_run_pid_change;
identifier vcpu, ret;
position p;
@@
  int f@p(struct kvm_vcpu *vcpu)
  {
  ... when any
- ret = kvm_timer_enable(vcpu);
- if (ret)
- 	return ret;
  ret = kvm_arm_pmu_v3_enable(vcpu);
  if (ret)
  	return ret;
  if (is_protected_kvm_enabled()) {
  ...
  }
+
+ ret = kvm_timer_enable(vcpu);
+ if (ret)
+ 	return ret;
  ... when any
  }

@reset@
identifier f = kvm_arch_vcpu_ioctl_vcpu_init;
identifier vcpu, init;
position p;
@@
  static int f@p(struct kvm_vcpu *vcpu, struct kvm_vcpu_init *init)
  {
  ... when any
  if (vcpu_has_run_once(vcpu)) {
+ kvm_arm_pvtime_vcpu_reset(vcpu);
+
  ...
  }
  ... when any
  }

@destroy@
identifier f = kvm_arch_vcpu_destroy;
identifier vcpu;
position p;
@@
  void f@p(struct kvm_vcpu *vcpu)
  {
  ...
  kvm_timer_vcpu_terminate(vcpu);
+ kvm_arm_pvtime_vcpu_destroy(vcpu);
  ...
  }

@timer_enable@
identifier f = kvm_timer_enable;
identifier vcpu, map, ret;
position p;
@@
  int f@p(struct kvm_vcpu *vcpu)
  {
  ... when any
- if (!timer_irqs_are_valid(vcpu)) { ... }
+ ret = kvm_timer_claim_ppis(vcpu);
+ if (ret)
+ 	return ret;
  get_timer_map(vcpu, &map);
  ... when any
- if (ret)
- 	return ret;
- if (map.direct_ptimer) {
+ if (!ret && map.direct_ptimer) {
  ...
  }
- if (ret)
- 	return ret;
+ if (ret) {
+ 	kvm_timer_release_ppis(vcpu);
+ 	return ret;
+ }
  ... when any
  }

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
