/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * Reads the counters of a vCPU and its thread.
 */
#ifndef KVM_VCPU_TIME_SAMPLE_H
#define KVM_VCPU_TIME_SAMPLE_H

#include "counters.h"
#include "discover.h"

struct counters sample_vcpu(const struct found_vm *vm, const struct found_vcpu *vcpu);

#endif
