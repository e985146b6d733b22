// The switches that the table replaces, and what its handlers need.
//
// in arch/x86/kvm/x86.c: drop=4 share_clock=2 share_moved=1 share_synchronize=1

@drop@
identifier f = {kvm_arch_tsc_has_attr, kvm_arch_tsc_get_attr, kvm_arch_tsc_set_attr,
		kvm_vcpu_ioctl_device_attr};
type T;
parameter list ps;
position p;
@@
- T f@p(ps) { ... }

@share_clock@
identifier f = get_kvmclock_base_ns;
type T;
position p;
@@
- static
  T f@p(void) { ... }

@share_moved@
identifier f = kvm_guest_tsc_moved;
parameter list ps;
position p;
@@
- static
  void f@p(ps) { ... }

@share_synchronize@
identifier f = __kvm_synchronize_tsc;
identifier vcpu, offset, tsc, ns, matched;
position p;
@@
- static void f@p(struct kvm_vcpu *vcpu, u64 offset, u64 tsc, u64 ns, bool matched)
+ void f(struct kvm_vcpu *vcpu, u64 offset, u64 tsc, u64 ns, bool matched)
  { ... }
