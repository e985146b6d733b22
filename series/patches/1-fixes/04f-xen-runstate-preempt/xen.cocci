// Set the accounting apart from writing the guest's area.
//
// in arch/x86/kvm/xen.c: account=1

@account@
identifier f = kvm_xen_update_runstate;
identifier v, vx, state, atomic;
position p;
@@
- void f@p(struct kvm_vcpu *v, int state, bool atomic)
+ static void xen_account_runstate(struct kvm_vcpu *v, int state)
  {
  struct kvm_vcpu_xen *vx = &v->arch.xen;
  ... when any
- if (vx->runstate_cache.active)
- 	kvm_xen_update_runstate_guest(v, atomic);
  }
