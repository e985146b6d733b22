// A first run that fails releases the interrupts that it has claimed.
//
// in arch/arm64/kvm/arch_timer.c: immutable=1 timer_enable=1
// in include/kvm/arm_arch_timer.h: claimed=1

@immutable@
identifier f = kvm_arm_timer_set_attr;
identifier vcpu, attr;
position p;
@@
  int f(struct kvm_vcpu *vcpu, struct kvm_device_attr *attr)
  {
  <...
- test_bit@p(KVM_ARCH_FLAG_TIMER_PPIS_IMMUTABLE, &vcpu->kvm->arch.flags)
+ timer_ppis_claimed(vcpu->kvm)
  ...>
  }

@timer_enable@
identifier f = kvm_timer_enable;
identifier vcpu, map, ret;
statement S;
position p;
@@
  int f@p(struct kvm_vcpu *vcpu)
  {
  ... when any
- if (!timer_irqs_are_valid(vcpu)) { ... }
+ ret = timer_claim_ppis(vcpu);
+ if (ret)
+ 	return ret;
  get_timer_map(vcpu, &map);
  ... when any
- if (ret)
- 	return ret;
  if (
- 	map.direct_ptimer
+ 	!ret && map.direct_ptimer
  	)
  	S
- if (ret)
- 	return ret;
+ if (ret) {
+ 	timer_release_ppis(vcpu);
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
+ /* The timers' PPIs are this vCPU's, see timer_claim_ppis() */
+ bool ppis_claimed;
  };
