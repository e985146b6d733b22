// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * What is done about stolen time beyond reporting it to the guest.
 */
#include <kvm/steal.h>
#include <trace/events/kvm.h>

/**
 * kvm_steal_count - count stolen time in the statistics of a vCPU, and trace it
 * @vcpu: the vCPU
 * @ns: stolen time in nanoseconds
 *
 * Context: any; serialized by the caller.
 */
void kvm_steal_count(struct kvm_vcpu *vcpu, u64 ns)
{
	vcpu->stat.steal_time_ns += ns;
	trace_kvm_steal(vcpu, ns);
}
