// Whether the guest's area can be mapped is known to the caller.
//
// in arch/x86/kvm/xen.h: declare=1 running=1 preempted=1
// in arch/x86/kvm/xen.c: update=1 guest=1 attr=2

@declare@
position p;
@@
- void kvm_xen_update_runstate@p(struct kvm_vcpu *vcpu, int state);
+ void kvm_xen_update_runstate(struct kvm_vcpu *vcpu, int state, bool atomic);

@running@
identifier f = kvm_xen_runstate_set_running;
expression vcpu, state;
position p;
@@
  void f(...)
  {
  <...
- kvm_xen_update_runstate@p(vcpu, state);
+ kvm_xen_update_runstate(vcpu, state, false);
  ...>
  }

@preempted@
identifier f = kvm_xen_runstate_set_preempted;
expression vcpu, state;
position p;
@@
  void f(...)
  {
  <...
- kvm_xen_update_runstate@p(vcpu, state);
+ kvm_xen_update_runstate(vcpu, state, true);
  ...>
  }

@update@
identifier f = kvm_xen_update_runstate;
identifier v, state;
position p;
@@
- void f@p(struct kvm_vcpu *v, int state)
+ void f(struct kvm_vcpu *v, int state, bool atomic)
  { ... }

@guest@
expression v;
position p;
@@
- kvm_xen_update_runstate_guest@p(v, state == RUNSTATE_runnable)
+ kvm_xen_update_runstate_guest(v, atomic)

@attr@
expression vcpu, data;
position p;
@@
- kvm_xen_update_runstate@p(vcpu, data->u.runstate.state);
+ kvm_xen_update_runstate(vcpu, data->u.runstate.state, false);
