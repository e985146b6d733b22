// One look at the guest's mode for all of an event.
//
// in arch/x86/kvm/xen.c: declare=1 bound=1 use=2

@declare@
identifier f = kvm_xen_set_evtchn_fast;
identifier xe, kvm, kick;
position p;
@@
  int f@p(struct kvm_xen_evtchn *xe, struct kvm *kvm)
  {
  ...
  bool kick = false;
+ bool long_mode;
  ...
  }

@bound@
identifier f = kvm_xen_set_evtchn_fast;
identifier xe, kvm;
position p;
@@
  int f(struct kvm_xen_evtchn *xe, struct kvm *kvm)
  {
  ...
- if (xe->port@p >= max_evtchn_port(kvm))
+ /* Read once: what is a port of a 64-bit guest is out of bounds for another. */
+ long_mode = IS_ENABLED(CONFIG_64BIT) && READ_ONCE(kvm->arch.xen.long_mode);
+ if (xe->port >= (long_mode ? EVTCHN_2L_NR_CHANNELS : COMPAT_EVTCHN_2L_NR_CHANNELS))
  	return -EINVAL;
  ...
  }

@use@
identifier f = kvm_xen_set_evtchn_fast;
identifier xe, kvm;
position p;
@@
  int f(struct kvm_xen_evtchn *xe, struct kvm *kvm)
  {
  <...
- IS_ENABLED(CONFIG_64BIT) && kvm->arch.xen.long_mode@p
+ long_mode
  ...>
  }
