// Read the mode of the guest once per event.
//
// in arch/x86/kvm/xen.c: declare=1 bound=1 use=2 store=2 look=2

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
+ /* Read once: a port of a 64-bit guest may be out of bounds in 32-bit mode. */
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

@store@
expression kvm, mode;
position p;
@@
- kvm->arch.xen.long_mode@p = mode
+ WRITE_ONCE(kvm->arch.xen.long_mode, mode)

@look@
identifier f = {max_evtchn_port, kvm_xen_inject_pending_events};
expression kvm;
position p;
@@
  f(...)
  {
  <...
- kvm->arch.xen.long_mode@p
+ READ_ONCE(kvm->arch.xen.long_mode)
  ...>
  }
