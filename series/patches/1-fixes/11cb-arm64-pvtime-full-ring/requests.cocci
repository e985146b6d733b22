// It is checked before stolen time is added, see lines.
//
// in arch/arm64/kvm/arm.c: late=1

@late@
expression vcpu;
position p;
@@
  if (kvm_check_request(KVM_REQ_SUSPEND, vcpu))
  	return kvm_vcpu_suspend(vcpu);
- if (kvm_dirty_ring_check_request@p(vcpu))
- 	return 0;
