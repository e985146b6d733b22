/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/* The guest's ABI, of which the kernel's own xen.h is full of KVM. */
#ifndef READER_XEN_H
#define READER_XEN_H

#include <linux/types.h>

enum {
	RUNSTATE_running,
	RUNSTATE_runnable,
	RUNSTATE_blocked,
	RUNSTATE_offline,
};

#define XEN_RUNSTATE_UPDATE	(1ULL << 63)

struct vcpu_runstate_info {
	s32 state;
	u64 state_entry_time;
	u64 time[4];
};

struct compat_vcpu_runstate_info {
	s32 state;
	u64 state_entry_time;
	u64 time[4];
} __packed;

#endif /* READER_XEN_H */
