/* SPDX-License-Identifier: GPL-2.0 */

#ifdef CONFIG_KVM_XEN
/* The numbers are Xen's, so that they may stand here for tools that parse this. */
#define kvm_trace_xen_runstates						\
	{ 0, "running" }, { 1, "runnable" }, { 2, "blocked" }, { 3, "offline" }

/*
 * What has passed in a vCPU's runstate, and is charged as another one begins, or what
 * the VMM adds to it: ns.
 */
TRACE_EVENT(kvm_xen_runstate,
	TP_PROTO(struct kvm_vcpu *vcpu, u32 old, u32 new, s64 elapsed, s64 steal),
	TP_ARGS(vcpu, old, new, elapsed, steal),

	TP_STRUCT__entry(
		__field(unsigned int, vcpu_id)
		__field(u32, old)
		__field(u32, new)
		__field(s64, elapsed)
		__field(s64, steal)
	),

	TP_fast_assign(
		__entry->vcpu_id	= vcpu->vcpu_id;
		__entry->old		= old;
		__entry->new		= new;
		__entry->elapsed	= elapsed;
		__entry->steal		= steal;
	),

	TP_printk("vcpu %u %s -> %s elapsed %lld steal %lld",
		  __entry->vcpu_id,
		  __print_symbolic(__entry->old, kvm_trace_xen_runstates),
		  __print_symbolic(__entry->new, kvm_trace_xen_runstates),
		  __entry->elapsed, __entry->steal)
);
#endif /* CONFIG_KVM_XEN */
