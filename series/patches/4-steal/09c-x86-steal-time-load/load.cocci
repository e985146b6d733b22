// Write steal time when the vCPU is loaded.
//
// in arch/x86/kvm/x86.c: load=1

@load@
expression vcpu;
position p;
@@
  if (!kvm_xen_msr_enabled(vcpu->kvm))
- 	kvm_make_request@p(KVM_REQ_STEAL_UPDATE, vcpu);
+ 	kvm_steal_time_load(vcpu);
