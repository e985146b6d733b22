/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For modules that are loaded by a kernel which was built without the series;
 * included in x86.c before all else.
 *
 * If a signal is pending, the kernel's xfer_to_guest_mode_handle_work() writes to
 * the vCPU and to its struct kvm_run, at the offsets of a struct kvm_vcpu without
 * the series.  (7.x leaves this to KVM.)  Give it a vCPU whose every word points
 * to an unused struct kvm_run, and do what it does at the offsets of the module.
 */
#include <linux/entry-kvm.h>
#include <linux/kvm_host.h>

/* Those of the kernel's struct kvm_vcpu, which may be larger than that of the series. */
#define KVM_VCPU_WORDS	(2 * sizeof(struct kvm_vcpu) / sizeof(void *))

static inline int kvm_handle_work(struct kvm_vcpu *vcpu)
{
	static struct kvm_run unused;
	static struct kvm_run *words[KVM_VCPU_WORDS] = {
		[0 ... KVM_VCPU_WORDS - 1] = &unused,
	};
	int ret = xfer_to_guest_mode_handle_work((struct kvm_vcpu *)words);

	if (ret == -EINTR)
		kvm_handle_signal_exit(vcpu);
	return ret;
}

#define xfer_to_guest_mode_handle_work kvm_handle_work
#undef pr_fmt
