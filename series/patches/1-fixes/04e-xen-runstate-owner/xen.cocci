// Only the thread that runs the vCPU has its steal.
//
// in arch/x86/kvm/xen.c: take=1 restart=1

@take@
typedef u64, s64;
identifier f = kvm_xen_update_runstate;
identifier v, vx, run_delay, steal_ns;
parameter list ps;
position p;
@@
  void f@p(ps)
  {
  struct kvm_vcpu_xen *vx = &v->arch.xen;
  ...
- u64 run_delay = current->sched_info.run_delay;
  ...
- s64 steal_ns = run_delay - vx->last_steal;
+ s64 steal_ns = xen_take_steal(v);
  ... when any
- vx->last_steal = run_delay;
  ... when any
  }

@restart@
identifier f = kvm_xen_vcpu_set_attr;
identifier vcpu;
position p;
@@
  f(...)
  {
  <...
- vcpu->arch.xen.last_steal@p = current->sched_info.run_delay;
+ xen_take_steal(vcpu);
  ...>
  }
