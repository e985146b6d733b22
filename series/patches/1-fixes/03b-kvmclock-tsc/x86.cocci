// Where a guest's TSC is set.
//
// in arch/x86/kvm/msrs.c: adjust=1 write=1
// in arch/x86/kvm/x86.c: offset=1 frequency=1

@adjust@
identifier f = kvm_set_msr_common;
identifier vcpu, adj;
parameter list ps;
position p;
@@
  int f(ps)
  {
  <...
  adjust_tsc_offset_guest(vcpu, adj);
- kvm_make_request@p(KVM_REQ_CLOCK_UPDATE, vcpu);
+ kvm_guest_tsc_moved(vcpu);
  ...>
  }

@write@
identifier f = kvm_set_msr_common;
expression msr_info;
identifier vcpu, data;
parameter list ps;
position p;
@@
  int f(ps)
  {
  <...
  if (msr_info->host_initiated) {
  	kvm_synchronize_tsc@p(vcpu, &data);
  } else {
  	...
  }
+ kvm_guest_tsc_moved(vcpu);
  ...>
  }

@offset@
identifier f = kvm_arch_tsc_set_attr;
expression lock, flags;
identifier vcpu, attr;
position p;
@@
  static int f(struct kvm_vcpu *vcpu, struct kvm_device_attr *attr)
  {
  <...
  __kvm_synchronize_tsc@p(...);
  raw_spin_unlock_irqrestore(lock, flags);
+ kvm_guest_tsc_moved(vcpu);
  ...>
  }

@frequency@
identifier f = kvm_arch_vcpu_ioctl;
expression user_tsc_khz;
identifier vcpu;
position p;
@@
  long f(...)
  {
  <...
- if (!kvm_set_tsc_khz@p(vcpu, user_tsc_khz))
+ if (!kvm_set_tsc_khz(vcpu, user_tsc_khz)) {
+ 	kvm_guest_tsc_moved(vcpu);
  	r = 0;
+ }
  ...>
  }
