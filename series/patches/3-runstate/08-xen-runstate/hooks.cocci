// Where KVM_RUN and the scheduler call the runstate.
//
// in arch/x86/kvm/x86.c: enter=1 leave=1 load=1 put=1 before_entry=1

@enter@
identifier f = kvm_arch_vcpu_ioctl_run;
identifier vcpu;
position p;
@@
  int f@p(struct kvm_vcpu *vcpu)
  {
  ... when any
  kvm_load_guest_fpu(vcpu);
  kvm_vcpu_srcu_read_lock(vcpu);
+ kvm_xen_runstate_enter(vcpu);
  ... when any
  }

@leave@
identifier f = kvm_arch_vcpu_ioctl_run;
identifier vcpu;
position p;
@@
  int f@p(struct kvm_vcpu *vcpu)
  {
  ... when any
  vcpu_put(vcpu);
+ kvm_xen_runstate_leave(vcpu);
  return r;
  }

// A vCPU of a Xen guest makes the request only when its runstate needs an update.
@load@
identifier f = kvm_arch_vcpu_load;
identifier vcpu, cpu;
position p;
@@
  void f@p(struct kvm_vcpu *vcpu, int cpu)
  {
  ...
- if (vcpu->scheduled_out && vcpu->wants_to_run && kvm_xen_msr_enabled(vcpu->kvm))
- 	kvm_xen_runstate_set_resumed(vcpu);
- kvm_make_request(KVM_REQ_STEAL_UPDATE, vcpu);
+ kvm_xen_runstate_load(vcpu);
+ if (!kvm_xen_msr_enabled(vcpu->kvm))
+ 	kvm_make_request(KVM_REQ_STEAL_UPDATE, vcpu);
  }

@put@
expression vcpu;
position p;
@@
- kvm_xen_runstate_set_preempted@p(vcpu);
+ kvm_xen_runstate_put(vcpu);

@before_entry@
expression vcpu;
position p;
@@
- kvm_xen_runstate_set_running@p(vcpu);
+ kvm_xen_runstate_sync(vcpu);
