// Where a vCPU is scheduled in.
//
// in arch/x86/kvm/x86.c: load=1

@load@
identifier f = kvm_arch_vcpu_load;
identifier vcpu, cpu;
expression moved;
position p;
@@
  void f@p(struct kvm_vcpu *vcpu, int cpu)
  {
  ...
  if (moved || kvm_check_tsc_unstable()) {
  ...
  }
+
+ if (vcpu->scheduled_out && vcpu->wants_to_run && kvm_xen_msr_enabled(vcpu->kvm))
+ 	kvm_xen_runstate_set_resumed(vcpu);
  ...
  }
