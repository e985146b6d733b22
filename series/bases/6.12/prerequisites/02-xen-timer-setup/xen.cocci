// in arch/x86/kvm/xen.c: setup=1 lazy=1

@setup@
identifier f = kvm_xen_init_vcpu;
identifier vcpu;
position p;
@@
  void f(struct kvm_vcpu *vcpu)
  {
  ...
  timer_setup@p(...);
+ hrtimer_init(&vcpu->arch.xen.timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_HARD);
+ vcpu->arch.xen.timer.function = xen_timer_callback;
  ...
  }

@lazy@
expression vcpu;
position p;
@@
- if (!vcpu->arch.xen.timer.function)
- 	kvm_xen_init_timer@p(vcpu);
