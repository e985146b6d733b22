// The attributes of a vCPU are protected by its mutex.
//
// in arch/x86/kvm/xen.c: lock=2 unlock=2

@lock@
identifier f = {kvm_xen_vcpu_set_attr, kvm_xen_vcpu_get_attr};
expression vcpu;
position p;
@@
  f(...)
  {
  <...
- mutex_lock@p(&vcpu->kvm->arch.xen.xen_lock);
  ...>
  }

@unlock@
identifier f = {kvm_xen_vcpu_set_attr, kvm_xen_vcpu_get_attr};
expression vcpu;
position p;
@@
  f(...)
  {
  <...
- mutex_unlock@p(&vcpu->kvm->arch.xen.xen_lock);
  ...>
  }
