// The functions of arch/x86/kvm/xen.c whose switches the table replaces, and what
// its handlers need.
//
// in arch/x86/kvm/xen.c: drop=2 share_start=1 share_timer=2
// in arch/x86/kvm/xen.h: drop_declarations=2

@drop@
identifier f = {kvm_xen_vcpu_set_attr, kvm_xen_vcpu_get_attr};
type T;
parameter list ps;
position p;
@@
- T f@p(ps) { ... }

@share_timer@
identifier f = {kvm_xen_stop_timer, kvm_xen_init_timer};
parameter list ps;
position p;
@@
- static
  void f@p(ps) { ... }

// Its own rule, for a parameter list that stays aligned.
@share_start@
identifier f = kvm_xen_start_timer;
identifier vcpu, guest_abs, linux_wa;
position p;
@@
- static void f@p(struct kvm_vcpu *vcpu, u64 guest_abs, bool linux_wa)
+ void f(struct kvm_vcpu *vcpu, u64 guest_abs, bool linux_wa)
  { ... }

@drop_declarations@
identifier f = {kvm_xen_vcpu_get_attr, kvm_xen_vcpu_set_attr};
parameter list ps;
position p;
@@
- int f@p(ps);
