// No event from an interrupt handler on PREEMPT_RT.
//
// in arch/x86/kvm/xen.c: block=1

@block@
identifier f = kvm_xen_set_evtchn_fast;
identifier rc, idx, xe, kvm;
position p;
@@
  int f(struct kvm_xen_evtchn *xe, struct kvm *kvm)
  {
  ... when any
+ /* On PREEMPT_RT the locks of caches sleep, so interrupt handlers cannot take them. */
  rc@p = -EWOULDBLOCK;
+
+ if (IS_ENABLED(CONFIG_PREEMPT_RT) && in_hardirq())
+ 	return rc;
  idx = srcu_read_lock(&kvm->srcu);
  ... when any
  }
