// Base steal time on the steal clock.
//
// in arch/x86/include/asm/kvm_host.h: fields=1
// in arch/x86/kvm/x86.c: take=1 add=1
// in arch/x86/kvm/msrs.c: enable=1

@fields@
position p;
@@
  struct kvm_vcpu_arch {
  ...
  struct {
  	u8 preempted;
  	u64 msr_val;
- 	u64 last_steal@p;
+ 	u64 run_delay;
+ 	u64 pending;
  	struct gfn_to_hva_cache cache;
  } st;
  ...
  };

@take@
identifier f = record_steal_time;
expression slots;
position p;
@@
  static void f(struct kvm_vcpu *vcpu)
  {
  ... when any
+ vcpu->arch.st.pending += kvm_steal_take(vcpu, &vcpu->arch.st.run_delay, U64_MAX);
+
  slots@p = kvm_memslots(vcpu->kvm);
  ... when any
  }

@add@
identifier steal, st, out;
position p;
@@
- steal +=@p current->sched_info.run_delay - vcpu->arch.st.last_steal;
- vcpu->arch.st.last_steal = current->sched_info.run_delay;
- unsafe_put_user(steal, &st->steal, out);
+ unsafe_put_user(steal + vcpu->arch.st.pending, &st->steal, out);
+ vcpu->arch.st.pending = 0;

@enable@
identifier data;
position p;
@@
+ /* Waits before this are not charged to the guest. */
+ if (data != vcpu->arch.st.msr_val) {
+ 	vcpu->arch.st.run_delay = KVM_STEAL_RESTART;
+ 	vcpu->arch.st.pending = 0;
+ }
+
  vcpu->arch.st.msr_val@p = data;
