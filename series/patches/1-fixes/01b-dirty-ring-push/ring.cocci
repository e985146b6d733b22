// in virt/kvm/dirty_ring.c: push=1

@push@
identifier f = kvm_dirty_ring_push;
identifier entry;
parameter list ps;
position p;
@@
  void f@p(ps)
  {
  ...
  struct kvm_dirty_gfn *entry;
+
+ /* The scheduler's hooks push entries of the same vCPU. */
+ guard(preempt)();
  ...
  }
