// Where another thread takes over a vCPU.
//
// in arch/arm64/kvm/arm.c: new_thread=1

@new_thread@
expression vcpu;
position p;
@@
+ kvm_arm_pvtime_new_thread(vcpu);
+
  if (likely(vcpu_has_run_once@p(vcpu)))
  	return 0;
