/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * Without a statistic, which a later patch adds.
 */

/**
 * kvm_steal_take - take what a vCPU's thread has waited since the last reading
 * @vcpu: the vCPU
 * @baseline: the baseline of one user of the steal clock of @vcpu
 * @limit: the most that can have been stolen, in nanoseconds
 *
 * A thread other than the one that runs the vCPU gets 0, and the baseline stays:
 * what it has waited does not concern the vCPU.
 *
 * Context: any; serialized by the caller.
 * Return: stolen time in nanoseconds, at most @limit.
 */
static inline u64 kvm_steal_take(struct kvm_vcpu *vcpu, u64 *baseline, u64 limit)
{
	/* It changes in KVM_RUN only.  In older kernels it is an RCU pointer. */
	if ((struct pid *__force)vcpu->pid != task_pid(current))
		return 0;

	return kvm_steal_advance(baseline, kvm_run_delay(), limit);
}
