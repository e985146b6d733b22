// A timer that was started before the clock was set is stale.
//
// in arch/x86/include/asm/kvm_host.h: timer_stale=1
// in arch/x86/kvm/xen.c: fires=1 now=1 cancel=1

@timer_stale@
typedef atomic_t;
position p;
@@
  struct kvm_vcpu_xen {
  ...
  atomic_t timer_pending@p;
+ /* The clock was set since the timer was started. */
+ bool timer_stale;
  ...
  };

@fires@
identifier f = xen_timer_callback;
identifier timer, vcpu;
position p;
@@
  static enum hrtimer_restart f@p(struct hrtimer *timer)
  {
  ...
- if (atomic_read(&vcpu->arch.xen.timer_pending))
+ if (READ_ONCE(vcpu->arch.xen.timer_stale) || atomic_read(&vcpu->arch.xen.timer_pending))
  	return HRTIMER_NORESTART;
  ...
  }

@now@
identifier f = kvm_xen_start_timer;
identifier vcpu;
position p;
@@
  static void f(struct kvm_vcpu *vcpu, ...)
  {
  <...
- \(static_cpu_has@p\|cpu_feature_enabled@p\)(X86_FEATURE_CONSTANT_TSC)
+ xen_pvclock_is_current(vcpu)
  ...>
  }

@cancel@
identifier f = kvm_xen_start_timer;
expression vcpu;
position p;
@@
  static void f(...)
  {
  ... when any
- if (vcpu->arch.xen.timer_expires)
- 	hrtimer_cancel(&vcpu->arch.xen.timer);
  atomic_set(&vcpu->arch.xen.timer_pending@p, 0);
  ... when any
  }
