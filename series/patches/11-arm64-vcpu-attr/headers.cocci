// The declarations of what was dropped.
//
// in arch/arm64/include/asm/kvm_host.h: drop_arch=6
// in include/kvm/arm_arch_timer.h: drop_timer=3
// in include/kvm/arm_pmu.h: drop_pmu=3 drop_stubs=3

@drop_arch@
identifier f = {kvm_arm_vcpu_arch_set_attr, kvm_arm_vcpu_arch_get_attr,
		kvm_arm_vcpu_arch_has_attr, kvm_arm_pvtime_set_attr,
		kvm_arm_pvtime_get_attr, kvm_arm_pvtime_has_attr};
parameter list ps;
position p;
@@
- int f@p(ps);

@drop_timer@
identifier f = {kvm_arm_timer_set_attr, kvm_arm_timer_get_attr, kvm_arm_timer_has_attr};
parameter list ps;
position p;
@@
- int f@p(ps);

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
