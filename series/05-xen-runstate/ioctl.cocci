// One function serves both ioctls of the Xen vCPU attributes.
//
// in arch/x86/kvm/xen.h: drop_declarations=2

@drop_declarations@
identifier f = {kvm_xen_vcpu_get_attr, kvm_xen_vcpu_set_attr};
parameter list ps;
position p;
@@
- int f@p(ps);
