// Mark the page dirty only if it was written.
//
// in arch/x86/kvm/x86.c: written=1

@written@
identifier f = kvm_steal_time_set_preempted;
expression failed;
position p;
@@
  static void f@p(struct kvm_vcpu *vcpu)
  {
  ... when any
- if (!failed)
- 	vcpu->arch.st.preempted = KVM_VCPU_PREEMPTED;
+ if (failed)
+ 	return;

+ vcpu->arch.st.preempted = KVM_VCPU_PREEMPTED;
  mark_page_dirty_in_slot(vcpu->kvm, ghc->memslot, gpa_to_gfn(ghc->gpa));
  }
