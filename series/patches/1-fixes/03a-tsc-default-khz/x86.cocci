// A vCPU is created with a frequency that the host has.
//
// in arch/x86/kvm/x86.c: default_khz=1

@default_khz@
expression vcpu;
position p;
@@
+ /* The host's frequency is in force if that of the VM is out of reach. */
+ kvm_set_tsc_khz(vcpu, tsc_khz);
  kvm_set_tsc_khz@p(vcpu, vcpu->kvm->arch.default_tsc_khz);
