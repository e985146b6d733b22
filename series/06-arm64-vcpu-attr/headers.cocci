// The declarations of what was dropped, and the fields that the handlers keep.
//
// in arch/arm64/include/asm/kvm_host.h: drop_arch=6 steal=1
// in include/kvm/arm_arch_timer.h: drop_timer=3 claimed=1
// in include/kvm/arm_pmu.h: drop_pmu=3 drop_stubs=3

@drop_arch@
identifier f = {kvm_arm_vcpu_arch_set_attr, kvm_arm_vcpu_arch_get_attr,
		kvm_arm_vcpu_arch_has_attr, kvm_arm_pvtime_set_attr,
		kvm_arm_pvtime_get_attr, kvm_arm_pvtime_has_attr};
parameter list ps;
position p;
@@
- int f@p(ps);

@steal@
position p;
@@
  struct kvm_vcpu_arch {
  ...
  struct {
- 	u64 last_steal@p;
+ 	struct kvm_steal_clock clock;
+ 	u64 pending;
+ 	u64 total;
+ 	bool reset;
  	gpa_t base;
  } steal;
  ...
  };

@drop_timer@
identifier f = {kvm_arm_timer_set_attr, kvm_arm_timer_get_attr, kvm_arm_timer_has_attr};
parameter list ps;
position p;
@@
- int f@p(ps);

@claimed@
position p;
@@
  struct arch_timer_cpu {
  ...
  bool enabled@p;
+
+ /* The timers' PPIs are this vCPU's, see timer_attr.c */
+ bool ppis_claimed;
  };

@drop_pmu@
identifier f = {kvm_arm_pmu_v3_set_attr, kvm_arm_pmu_v3_get_attr, kvm_arm_pmu_v3_has_attr};
parameter list ps;
position p;
@@
- int f@p(ps);

@drop_stubs@
identifier f = {kvm_arm_pmu_v3_set_attr, kvm_arm_pmu_v3_get_attr, kvm_arm_pmu_v3_has_attr};
parameter list ps;
position p;
@@
- static inline int f@p(ps) { ... }
