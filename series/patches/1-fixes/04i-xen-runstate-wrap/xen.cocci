// Check what an adjustment results in.
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
+ if (!xen_runstate_can_adjust(&vcpu->arch.xen, data)) {
+ 	r = -EINVAL;
+ 	break;
+ }
+
  if (get_kvmclock_ns(vcpu->kvm) <@p
      (vcpu->arch.xen.runstate_entry_time + data->u.runstate.state_entry_time)) {
  ...
  }
  ...>
  }
