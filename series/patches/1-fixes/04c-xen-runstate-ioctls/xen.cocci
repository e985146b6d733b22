// in arch/x86/kvm/xen.h: preempted=1

@preempted@
identifier f = kvm_xen_runstate_set_preempted;
identifier vcpu;
position p;
@@
  void f@p(struct kvm_vcpu *vcpu)
  {
  if (WARN_ON_ONCE(!vcpu->preempted))
- 	return;
+ 	return;
+
+ /* In other ioctls than KVM_RUN the vCPU is in the state that the VMM set. */
+ if (!vcpu->wants_to_run)
+ 	return;
  ...
  }
