// Discard bits that were set for a vCPU in the mode that it has left.
//
// in arch/x86/kvm/xen.c: leave=1

@leave@
identifier pending, pending32, vi, gpc;
position p;
@@
  u32 pending32@p = pending;
  struct compat_vcpu_info *vi = gpc->khva;
+ unsigned long *kept = &v->arch.xen.evtchn_pending_sel;
+
+ /* Discard bits that only a 64-bit guest has, or they stay pending forever. */
+ set_mask_bits(kept, ~(unsigned long)U32_MAX, 0);
