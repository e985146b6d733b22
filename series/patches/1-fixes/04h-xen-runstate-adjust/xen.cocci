// An adjustment takes effect at once.
//
// in arch/x86/kvm/xen.c: adjust=1

@adjust@
identifier f = kvm_xen_vcpu_set_attr;
identifier vcpu, data;
position p;
@@
  f(...)
  {
  <...
  if (data->u.runstate.state <= RUNSTATE_offline)
- 	kvm_xen_update_runstate@p(vcpu, data->u.runstate.state, false);
- else if (vcpu->arch.xen.runstate_cache.active)
+ 	vcpu->arch.xen.current_runstate = data->u.runstate.state;
+
+ if (vcpu->arch.xen.runstate_cache.active)
  	kvm_xen_update_runstate_guest(vcpu, false);
  ...>
  }
