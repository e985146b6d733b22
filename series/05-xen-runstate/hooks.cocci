// Where KVM_RUN and the scheduler call the runstate.
//
// in arch/x86/kvm/x86.c: run=1 flush=1 load=1 put=1 before_entry=1

@run@
identifier f = kvm_arch_vcpu_ioctl_run;
identifier vcpu;
position p;
@@
  int f@p(struct kvm_vcpu *vcpu)
  {
  ...
+ kvm_xen_runstate_enter(vcpu);
  vcpu_load(vcpu);
  ...
  vcpu_put(vcpu);
+ kvm_xen_runstate_leave(vcpu);
  return r;
  }

@flush@
identifier f = kvm_arch_vcpu_ioctl_run;
identifier vcpu;
position p;
@@
  int f@p(struct kvm_vcpu *vcpu)
  {
  ... when any
  kvm_load_guest_fpu(vcpu);
  kvm_vcpu_srcu_read_lock(vcpu);
+ kvm_xen_runstate_flush(vcpu);
  ... when any
  }

@load@
identifier f = kvm_arch_vcpu_load;
identifier vcpu, cpu;
position p;
@@
  void f@p(struct kvm_vcpu *vcpu, int cpu)
  {
  ...
  kvm_make_request(KVM_REQ_STEAL_UPDATE, vcpu);
+ kvm_xen_runstate_load(vcpu);
  }

@put@
identifier f = kvm_arch_vcpu_put;
identifier vcpu, idx;
expression E;
position p;
@@
  void f@p(struct kvm_vcpu *vcpu)
  {
  ...
  if (vcpu->preempted) {
  vcpu->arch.preempted_in_kernel = E;
- idx = srcu_read_lock(&vcpu->kvm->srcu);
- if (kvm_xen_msr_enabled(vcpu->kvm))
- 	kvm_xen_runstate_set_preempted(vcpu);
- else
- 	kvm_steal_time_set_preempted(vcpu);
- srcu_read_unlock(&vcpu->kvm->srcu, idx);
+ if (!kvm_xen_msr_enabled(vcpu->kvm)) {
+ 	idx = srcu_read_lock(&vcpu->kvm->srcu);
+ 	kvm_steal_time_set_preempted(vcpu);
+ 	srcu_read_unlock(&vcpu->kvm->srcu, idx);
+ }
  }
+
+ kvm_xen_runstate_put(vcpu);
  ...
  }

@before_entry@
expression vcpu;
position p;
@@
- kvm_xen_runstate_set_running@p(vcpu);
+ kvm_xen_runstate_sync(vcpu);
