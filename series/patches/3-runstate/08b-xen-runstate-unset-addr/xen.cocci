// in arch/x86/kvm/xen.c: get_addr=1

@get_addr@
identifier f = kvm_xen_vcpu_get_attr;
identifier data, r;
expression gpc;
position p;
@@
  f(...)
  {
  <...
- if (gpc.active@p) {
- 	data->u.gpa = gpc.gpa;
- 	r = 0;
- }
+ if (gpc.active)
+ 	data->u.gpa = gpc.gpa;
+ else
+ 	data->u.gpa = KVM_XEN_INVALID_GPA;
+ r = 0;
  ...>
  }
