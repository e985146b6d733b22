// A vCPU that was preempted runs again, whether or not it enters the guest.
//
// in arch/x86/kvm/x86.c: load=1

@load@
identifier f = kvm_arch_vcpu_load;
identifier vcpu, cpu;
position p;
@@
  void f@p(struct kvm_vcpu *vcpu, int cpu)
  {
  ...
+ if (vcpu->scheduled_out && vcpu->wants_to_run && kvm_xen_msr_enabled(vcpu->kvm))
+ 	kvm_xen_runstate_set_resumed(vcpu);
+
  kvm_make_request(KVM_REQ_STEAL_UPDATE, vcpu);
  }
