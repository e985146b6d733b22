// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * Without a tracepoint, which a later patch adds.
 */

/**
 * kvm_steal_count - count stolen time in the statistics of a vCPU
 * @vcpu: the vCPU
 * @ns: stolen time in nanoseconds
 *
 * Context: any; serialized by the caller.
 */
void kvm_steal_count(struct kvm_vcpu *vcpu, u64 ns)
{
	vcpu->stat.steal_time_ns += ns;
}
