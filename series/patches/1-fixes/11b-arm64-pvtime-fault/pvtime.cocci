// Keep stolen time until it is written.
//
// in arch/arm64/kvm/pvtime.c: declare=1 write=1

@declare@
identifier f = kvm_update_stolen_time;
position p;
@@
  f@p(...)
  {
  ...
  u64 steal = 0;
+ u64 run_delay;
  ...
  }

@write@
identifier f = kvm_update_stolen_time;
identifier vcpu, steal, last_steal;
expression kvm, gpa;
position p;
@@
  f(struct kvm_vcpu *vcpu)
  {
  <...
- vcpu->arch.steal.last_steal = READ_ONCE(current->sched_info.run_delay);
- steal += vcpu->arch.steal.last_steal - last_steal;
- kvm_put_guest@p(kvm, gpa, cpu_to_le64(steal));
+ run_delay = READ_ONCE(current->sched_info.run_delay);
+ steal += run_delay - last_steal;
+ if (!kvm_put_guest(kvm, gpa, cpu_to_le64(steal)))
+ 	vcpu->arch.steal.last_steal = run_delay;
  ...>
  }
