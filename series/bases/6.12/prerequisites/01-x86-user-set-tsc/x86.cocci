// in arch/x86/kvm/x86.c: declare=1 set=1 host_write=1 attr=1

@declare@
identifier f = __kvm_synchronize_tsc;
identifier vcpu, offset, tsc, ns, matched;
position p;
@@
- static void f@p(struct kvm_vcpu *vcpu, u64 offset, u64 tsc, u64 ns, bool matched)
+ static void f(struct kvm_vcpu *vcpu, u64 offset, u64 tsc,
+ 	      u64 ns, bool matched, bool user_set_tsc)
  { ... }

@set@
identifier f = __kvm_synchronize_tsc;
identifier vcpu;
expression lock;
position p;
@@
  void f(struct kvm_vcpu *vcpu, ...)
  {
  ...
  lockdep_assert_held@p(lock);
+
+ if (user_set_tsc)
+ 	vcpu->kvm->arch.user_set_tsc = true;
  ...
  }

@host_write@
identifier f = kvm_synchronize_tsc;
identifier user_value, kvm;
expression vcpu, offset, data, ns, matched;
position p;
@@
  void f(...)
  {
  ... when any
- if (user_value)
- 	kvm->arch.user_set_tsc = true;
  ... when any
- __kvm_synchronize_tsc@p(vcpu, offset, data, ns, matched);
+ __kvm_synchronize_tsc(vcpu, offset, data, ns, matched, !!user_value);
  ... when any
  }

@attr@
identifier f = kvm_arch_tsc_set_attr;
expression vcpu, offset, tsc, ns, matched;
identifier kvm;
position p;
@@
  int f(...)
  {
  <...
- kvm->arch.user_set_tsc = true;
- __kvm_synchronize_tsc@p(vcpu, offset, tsc, ns, matched);
+ __kvm_synchronize_tsc(vcpu, offset, tsc, ns, matched, true);
  ...>
  }
