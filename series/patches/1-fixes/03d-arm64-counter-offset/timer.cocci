// in arch/arm64/kvm/arch_timer.c: lock=1 offset=1

@lock@
identifier f = kvm_timer_vcpu_init;
identifier vcpu, i;
position p;
@@
  void f@p(struct kvm_vcpu *vcpu)
  {
  ...
+ guard(mutex)(&vcpu->kvm->arch.config_lock);
+
  for (int i = 0; i < NR_KVM_TIMERS; i++)
  	timer_context_init(vcpu, i);
  ...
  }

@offset@
identifier f = kvm_timer_vcpu_init;
identifier vcpu;
position p;
@@
  void f(struct kvm_vcpu *vcpu)
  {
  <...
- test_bit@p(KVM_ARCH_FLAG_VM_COUNTER_OFFSET, &vcpu->kvm->arch.flags)
+ timer_offset_is_set(vcpu->kvm)
  ...>
  }
