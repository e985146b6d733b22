// Stop for a full dirty ring first.
//
// in arch/arm64/kvm/arm.c: stop=1 late=1

@stop@
expression vcpu;
position p;
@@
+ if (kvm_dirty_ring_check_request(vcpu))
+ 	return 0;
+
  if (kvm_check_request@p(KVM_REQ_RECORD_STEAL, vcpu))
  	kvm_update_stolen_time(vcpu);

@late@
expression vcpu;
position p;
@@
  if (kvm_check_request(KVM_REQ_SUSPEND, vcpu))
  	return kvm_vcpu_suspend(vcpu);
- if (kvm_dirty_ring_check_request@p(vcpu))
- 	return 0;
