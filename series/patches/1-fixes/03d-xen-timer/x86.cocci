// When the VM's clock is set, and when a stale timer is started again.
//
// in arch/x86/kvm/x86.c: set=1 kick=1 entry=1 block=1

@set@
identifier f = kvm_vm_ioctl_set_clock;
identifier kvm, ka;
expression e;
position p;
@@
  static int f(struct kvm *kvm, ...)
  {
  ... when any
  ka->kvmclock_offset = e;
+ kvm_xen_clock_set(kvm);
  kvm_end_pvclock_update@p(kvm);
  ... when any
  }

@kick@
identifier f = kvm_vm_ioctl_set_clock;
identifier kvm;
position p;
@@
  static int f(struct kvm *kvm, ...)
  {
  ... when any
  kvm_end_pvclock_update@p(kvm);
+ kvm_xen_kick_stale_timers(kvm);
  ... when any
  }

@entry@
expression vcpu, r;
identifier out;
position p;
@@
  r = kvm_guest_time_update@p(vcpu);
  if (unlikely(r))
  	goto out;
+ kvm_xen_restart_stale_timer(vcpu);

@block@
identifier f = vcpu_block;
identifier vcpu, hv_timer;
position p;
@@
  static inline int f@p(struct kvm_vcpu *vcpu)
  {
  ...
  bool hv_timer;
+
+ /* The request to update the pvclock is handled only before guest entry. */
+ kvm_xen_restart_stale_timer(vcpu);
  ...
  }
