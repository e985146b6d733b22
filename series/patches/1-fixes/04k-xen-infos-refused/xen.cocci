// in arch/x86/kvm/xen.c: by_gpa=2 by_hva=1

@by_gpa@
identifier f = kvm_xen_vcpu_set_attr;
identifier vcpu, data;
identifier gpc = {vcpu_info_cache, vcpu_time_info_cache};
expression len;
position p;
@@
  f(...)
  {
  <...
- kvm_gpc_activate@p(&vcpu->arch.xen.gpc, data->u.gpa, len)
+ xen_set_info(&vcpu->arch.xen.gpc, data->u.gpa, 0, len)
  ...>
  }

@by_hva@
identifier f = kvm_xen_vcpu_set_attr;
identifier vcpu, data;
expression len;
position p;
@@
  f(...)
  {
  <...
- kvm_gpc_activate_hva@p(&vcpu->arch.xen.vcpu_info_cache, data->u.hva, len)
+ xen_set_info(&vcpu->arch.xen.vcpu_info_cache, 0, data->u.hva, len)
  ...>
  }
