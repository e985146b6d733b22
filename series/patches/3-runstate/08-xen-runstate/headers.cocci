// The vCPU's fields, and the declarations that go with the dropped functions.
//
// in arch/x86/include/asm/kvm_host.h: vcpu_fields=1
// in arch/x86/kvm/xen.h: drop_setters=3 drop_declaration=1

@vcpu_fields@
position p;
@@
  struct kvm_vcpu_xen {
  ...
- u32 current_runstate@p;
  ...
- struct gfn_to_pfn_cache runstate_cache;
- struct gfn_to_pfn_cache runstate2_cache;
- u64 last_steal;
- u64 runstate_entry_time;
- u64 runstate_times[4];
+ struct kvm_xen_runstate runstate;
  ...
  };

@drop_setters@
identifier f = {kvm_xen_runstate_set_running, kvm_xen_runstate_set_preempted, kvm_xen_runstate_set_resumed};
identifier vcpu;
position p;
@@
- static inline void f@p(struct kvm_vcpu *vcpu) { ... }

@drop_declaration@
identifier f = kvm_xen_update_runstate;
parameter list ps;
position p;
@@
- void f@p(ps);
