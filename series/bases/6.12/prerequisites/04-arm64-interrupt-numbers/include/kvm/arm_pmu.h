/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */

static inline bool kvm_supports_guest_pmuv3(void)
{
	return kvm_arm_support_pmu_v3();
}
