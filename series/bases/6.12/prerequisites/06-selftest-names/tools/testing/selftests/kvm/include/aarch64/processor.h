/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */

/* Newer kernels add a vgic to each VM of a test that does not call this. */
static inline void test_disable_default_vgic(void)
{
}
