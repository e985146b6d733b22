// The functions of arch/x86/kvm/xen.c that this series replaces, and the code
// left there that refers to them.
//
// in arch/x86/kvm/xen.c: drop=2 init_areas=1 destroy_areas=1

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
