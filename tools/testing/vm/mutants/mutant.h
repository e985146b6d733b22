/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/* What a file with mutants includes first: the number of the active one, or 0. */
#ifndef __KVM_MUTANT_H
#define __KVM_MUTANT_H

struct mutex;

extern unsigned int kvm_mutant;

/* For those that take the wrong lock. */
extern struct mutex kvm_mutant_lock;

#endif /* __KVM_MUTANT_H */
