// What the first run of a vCPU claims, and what it leaves if it fails.
//
// in arch/arm64/kvm/arm.c: order=1
// in arch/arm64/kvm/arch_timer.c: drop=1 share=1 callers=4 timer_enable=1
// in include/kvm/arm_arch_timer.h: claimed=1

// pKVM's part comes last, as it cannot be undone: it is made for the vCPUs that
// there are.
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

@drop@
identifier f = timer_irqs_are_valid;
type T;
parameter list ps;
position p;
@@
- T f@p(ps) { ... }

@share@
identifier f = nr_timers;
parameter list ps;
position p;
@@
- static
  int
- f@p
+ kvm_nr_timers
  (ps) { ... }

@callers@
identifier f = nr_timers;
expression vcpu;
position p;
@@
- f@p
+ kvm_nr_timers
  (vcpu)

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

@claimed@
position p;
@@
  struct arch_timer_cpu {
  ...
  bool enabled@p;
+
+ /* The timers' PPIs are this vCPU's, see timer_ppis.c */
+ bool ppis_claimed;
  };
