// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/* The kernel's parameter kvm_mutant=NUMBER makes a mutant active, at boot or later. */
#include <linux/moduleparam.h>
#include <linux/mutex.h>

#include <kvm/mutant.h>

unsigned int kvm_mutant __read_mostly;
core_param(kvm_mutant, kvm_mutant, uint, 0644);

DEFINE_MUTEX(kvm_mutant_lock);
