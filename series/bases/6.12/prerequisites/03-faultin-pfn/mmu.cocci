// x86 has a function of this name.
//
// in arch/x86/kvm/mmu/mmu.c: definition=1 call=1

@definition@
identifier f = __kvm_faultin_pfn;
identifier vcpu, fault;
position p;
@@
- static int f@p(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
+ static int __kvm_mmu_faultin_pfn(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
  { ... }

@call@
expression vcpu, fault;
position p;
@@
- __kvm_faultin_pfn@p(vcpu, fault)
+ __kvm_mmu_faultin_pfn(vcpu, fault)
