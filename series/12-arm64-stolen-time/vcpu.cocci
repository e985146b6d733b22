// Where a vCPU's life begins anew, and where it ends.
//
// in arch/arm64/kvm/arm.c: reset=1 destroy=1
// in arch/arm64/include/asm/kvm_host.h: steal=1

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
+ 	u64 stale;
  	gpa_t base;
  } steal;
  ...
  };
