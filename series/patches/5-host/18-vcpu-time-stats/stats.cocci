// in arch/x86/include/asm/kvm_host.h: x86_fields=1
// in arch/arm64/include/asm/kvm_host.h: arm64_fields=1
// in arch/arm64/kvm/guest.c: arm64_rows=1

@x86_fields@
position p;
@@
  struct kvm_vcpu_stat {
  ...
  u64 notify_window_exits@p;
+ u64 steal_time_ns;
+#ifdef CONFIG_KVM_XEN
+ /* What the guest sees, in the order of RUNSTATE_* */
+ union {
+ 	u64 xen_runstate_ns[4];
+ 	struct {
+ 		u64 xen_runstate_running_ns;
+ 		u64 xen_runstate_runnable_ns;
+ 		u64 xen_runstate_blocked_ns;
+ 		u64 xen_runstate_offline_ns;
+ 	};
+ };
+#endif
  };

@arm64_fields@
position p;
@@
  struct kvm_vcpu_stat {
  ...
  u64 hvc_exit_stat@p;
+ u64 steal_time_ns;
  ...
  };

@arm64_rows@
identifier desc;
position p;
@@
  const struct desc kvm_vcpu_stats_desc@p[] = {
  	...,
  	STATS_DESC_COUNTER(VCPU, hvc_exit_stat),
+ 	STATS_DESC_TIME_NSEC(VCPU, steal_time_ns),
  	...
  };
