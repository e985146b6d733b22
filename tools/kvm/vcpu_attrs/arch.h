/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * The architecture that the program is built for.
 */
#ifndef VCPU_ATTRS_ARCH_H
#define VCPU_ATTRS_ARCH_H

#include "attr.h"

struct steal_options {
	unsigned int seconds;
	int cpu;
};

struct arch {
	const struct setup *setups;
	unsigned int nr_setups;
	/* Returns an exit status; NULL if no vCPU attribute is for stolen time. */
	int (*show_steal)(const struct steal_options *options);
};

extern const struct arch arch;

/* arm64 only. */
int steal_show(const struct steal_options *options);

#endif
