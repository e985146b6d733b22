// The functions of arch/x86/kvm/xen.c that this series replaces, and the code
// left there that refers to them.
//
// in arch/x86/kvm/xen.c: drop=2 init_areas=1 destroy_areas=1 set=1 get=1 get_addr=2

@drop@
identifier f = {kvm_xen_update_runstate, kvm_xen_update_runstate_guest};
type T;
parameter list ps;
position p;
@@
- T f@p(ps) { ... }

@init_areas@
identifier f = kvm_xen_init_vcpu;
identifier vcpu;
position p;
@@
  void f@p(struct kvm_vcpu *vcpu)
  {
  ...
- kvm_gpc_init(&vcpu->arch.xen.runstate_cache, vcpu->kvm);
- kvm_gpc_init(&vcpu->arch.xen.runstate2_cache, vcpu->kvm);
+ kvm_xen_runstate_init_vcpu(vcpu);
  ...
  }

@destroy_areas@
identifier f = kvm_xen_destroy_vcpu;
identifier vcpu;
position p;
@@
  void f@p(struct kvm_vcpu *vcpu)
  {
  ...
- kvm_gpc_deactivate(&vcpu->arch.xen.runstate_cache);
- kvm_gpc_deactivate(&vcpu->arch.xen.runstate2_cache);
+ kvm_xen_runstate_destroy_vcpu(vcpu);
  ...
  }

@set@
identifier f = kvm_xen_vcpu_set_attr;
identifier vcpu;
position p;
@@
  f(struct kvm_vcpu *vcpu, ...)
  {
  ... when any
+ kvm_xen_runstate_sync_layout(vcpu);
  srcu_read_unlock@p(...);
  ...
  }

@get@
identifier f = kvm_xen_vcpu_get_attr;
identifier vcpu;
position p;
@@
  f(struct kvm_vcpu *vcpu, ...)
  {
  ... when any
+ kvm_xen_runstate_sync_layout(vcpu);
  mutex_unlock@p(...);
  ...
  }

@get_addr@
identifier f = kvm_xen_vcpu_get_attr;
expression vcpu;
position p;
@@
  f(...)
  {
  <...
- vcpu->arch.xen.runstate_cache@p
+ vcpu->arch.xen.runstate.gpc[0]
  ...>
  }
