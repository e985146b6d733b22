/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * KVM's statistics: by their names, wherever they can be read.
 */
#ifndef KVM_VCPU_TIME_STATS_H
#define KVM_VCPU_TIME_STATS_H

#include "counters.h"
#include "discover.h"

/* From the binary statistics that can be read from @fd, see KVM_GET_STATS_FD. */
void stats_read_binary(int fd, struct counters *counters);

/* Of a vCPU, with its open file of statistics if its process has one, or from debugfs. */
void stats_read_vcpu(const struct found_vm *vm, const struct found_vcpu *vcpu,
		     struct counters *counters);

/* The sum over the vCPUs of a VM, from debugfs. */
void stats_read_vm(const struct found_vm *vm, struct counters *counters);

#endif
