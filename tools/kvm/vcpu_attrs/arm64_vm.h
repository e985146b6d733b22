/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * Setup of VMs and vCPUs on arm64.
 */
#ifndef VCPU_ATTRS_ARM64_VM_H
#define VCPU_ATTRS_ARM64_VM_H

#include <stdbool.h>

#include "vm.h"

void arm64_vm_create(struct vm *vm);
int arm64_vm_add_vcpu(const struct vm *vm, unsigned int id, bool pmu);
bool arm64_vm_has_pmu(const struct vm *vm);

/* After all vCPUs are created. Returns false if KVM supports no vgic here. */
bool arm64_vm_add_vgic(const struct vm *vm);

#endif
