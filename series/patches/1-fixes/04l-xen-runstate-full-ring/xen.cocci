// in arch/x86/kvm/xen.c: write=1

@write@
identifier f = kvm_xen_update_runstate_guest;
identifier v, atomic;
position p;
@@
  static void f@p(struct kvm_vcpu *v, bool atomic)
  {
  ...
- int *rs_state;
+ int *rs_state;
+
+ /* The next KVM_RUN writes it, when userspace has made room in the ring. */
+ if (!v->wants_to_run && kvm_test_request(KVM_REQ_DIRTY_RING_SOFT_FULL, v))
+ 	return;
  ...
  }
