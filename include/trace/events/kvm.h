/* SPDX-License-Identifier: GPL-2.0 */

#ifdef CONFIG_HAVE_KVM_STEAL_TIME
TRACE_EVENT(kvm_steal,
	    TP_PROTO(struct kvm_vcpu *vcpu, __u64 ns),
	    TP_ARGS(vcpu, ns),

	TP_STRUCT__entry(
		__field(unsigned int, vcpu_id)
		__field(__u64, ns)
	),

	TP_fast_assign(
		__entry->vcpu_id	= vcpu->vcpu_id;
		__entry->ns		= ns;
	),

	TP_printk("vcpu %u time %llu ns", __entry->vcpu_id, __entry->ns)
);
#endif /* CONFIG_HAVE_KVM_STEAL_TIME */

#ifdef CONFIG_HAVE_KVM_VCPU_ATTR
/* By number, so that tools that parse this need no headers. */
#define kvm_trace_attr_ioctls						\
	{ 0x80, "RUN" }, { 0xca, "XEN_GET" }, { 0xcb, "XEN_SET" },	\
	{ 0xe1, "SET" }, { 0xe2, "GET" }, { 0xe3, "HAS" }

TRACE_EVENT(kvm_vcpu_attr,
	    TP_PROTO(struct kvm_vcpu *vcpu, unsigned int ioctl, __u32 group, __u64 attr,
		     int result, const char *reason),
	    TP_ARGS(vcpu, ioctl, group, attr, result, reason),

	TP_STRUCT__entry(
		__field(unsigned int, vcpu_id)
		__field(unsigned int, ioctl)
		__field(__u32, group)
		__field(__u64, attr)
		__field(int, result)
		__string(reason, reason)
	),

	TP_fast_assign(
		__entry->vcpu_id	= vcpu->vcpu_id;
		__entry->ioctl		= _IOC_NR(ioctl);
		__entry->group		= group;
		__entry->attr		= attr;
		__entry->result		= result;
		__assign_str(reason);
	),

	TP_printk("vcpu %u %s group %d attr %llu result %d %s",
		  __entry->vcpu_id,
		  __print_symbolic(__entry->ioctl, kvm_trace_attr_ioctls),
		  __entry->group, __entry->attr, __entry->result, __get_str(reason))
);
#endif /* CONFIG_HAVE_KVM_VCPU_ATTR */
