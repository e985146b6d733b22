// in arch/x86/kvm/xen.c: show=1

@show@
identifier f = kvm_xen_vcpu_set_attr;
identifier vcpu;
position p;
@@
  f(...)
  {
  <...
  xen_take_steal@p(vcpu);
+ if (vcpu->arch.xen.runstate_cache.active)
+ 	kvm_xen_update_runstate_guest(vcpu, false);
  ...>
  }
