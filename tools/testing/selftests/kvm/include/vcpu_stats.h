/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * The statistics of a vCPU, by name.
 */
#ifndef SELFTEST_KVM_VCPU_STATS_H
#define SELFTEST_KVM_VCPU_STATS_H

#include "kvm_util.h"

/* What KVM_GET_STATS_FD has; a name that is not there is a failure. */
struct kvm_stats_desc vcpu_stat_desc(struct kvm_vcpu *vcpu, const char *name);
u64 vcpu_stat(struct kvm_vcpu *vcpu, const char *name);

/* The file in debugfs, which has the sum of all vCPUs of @vm. */
u64 debugfs_stat(struct kvm_vm *vm, const char *name);
void debugfs_clear_stat(struct kvm_vm *vm, const char *name);
bool has_debugfs_stats(struct kvm_vm *vm);

#endif /* SELFTEST_KVM_VCPU_STATS_H */
