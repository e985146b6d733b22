// The switches that the table replaces.
//
// in arch/arm64/kvm/guest.c: drop_arch=3
// in arch/arm64/kvm/arm.c: drop_vcpu=3 drop_local=1
// in arch/arm64/kvm/arch_timer.c: drop_timer=3
// in arch/arm64/kvm/pmu-emul.c: drop_pmu=5
// in arch/arm64/kvm/pvtime.c: drop_pvtime=3

@drop_arch@
identifier f = {kvm_arm_vcpu_arch_set_attr, kvm_arm_vcpu_arch_get_attr,
		kvm_arm_vcpu_arch_has_attr};
parameter list ps;
position p;
@@
- int f@p(ps) { ... }

@drop_vcpu@
identifier f = {kvm_arm_vcpu_set_attr, kvm_arm_vcpu_get_attr, kvm_arm_vcpu_has_attr};
parameter list ps;
position p;
@@
- static int f@p(ps) { ... }

@drop_local@
identifier f = kvm_arch_vcpu_ioctl;
identifier attr;
parameter list ps;
position p;
@@
  long f@p(ps)
  {
  ...
- struct kvm_device_attr attr;
  ... when any
  }

@drop_timer@
identifier f = {kvm_arm_timer_set_attr, kvm_arm_timer_get_attr, kvm_arm_timer_has_attr};
parameter list ps;
position p;
@@
- int f@p(ps) { ... }

@drop_pmu@
identifier f = {kvm_arm_pmu_v3_set_attr, kvm_arm_pmu_v3_get_attr, kvm_arm_pmu_v3_has_attr,
		kvm_arm_pmu_v3_init, pmu_irq_is_valid};
type T;
parameter list ps;
position p;
@@
- T f@p(ps) { ... }

@drop_pvtime@
identifier f = {kvm_arm_pvtime_set_attr, kvm_arm_pvtime_get_attr, kvm_arm_pvtime_has_attr};
parameter list ps;
position p;
@@
- int f@p(ps) { ... }
