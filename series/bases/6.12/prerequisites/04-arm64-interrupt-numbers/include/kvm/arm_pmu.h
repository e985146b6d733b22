/* SPDX-License-Identifier: GPL-2.0-only */

static inline bool kvm_supports_guest_pmuv3(void)
{
	return kvm_arm_support_pmu_v3();
}
