// Where another thread takes a vCPU over, and where a vCPU's life begins again.
//
// in arch/arm64/kvm/arm.c: new_thread=1 reset=1
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

@new_thread@
identifier f = kvm_arch_vcpu_run_pid_change;
identifier vcpu;
position p;
@@
  int f@p(struct kvm_vcpu *vcpu)
  {
  ... when any
+ kvm_arm_pvtime_new_thread(vcpu);
+
  if (likely(vcpu_has_run_once(vcpu)))
  	return 0;
  ... when any
  }

@steal@
position p;
@@
  struct kvm_vcpu_arch {
  ...
  struct {
- 	u64 last_steal@p;
+ 	u64 run_delay;	/* baseline of the steal clock */
+ 	u64 pending;
+ 	u64 total;
+ 	u64 stale;
  	gpa_t base;
  } steal;
  ...
  };
