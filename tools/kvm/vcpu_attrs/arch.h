/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the program knows of the architecture that it is built for.
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
	/* Returns an exit status; NULL if no attribute of vCPUs is for stolen time. */
	int (*show_steal)(const struct steal_options *options);
};

extern const struct arch arch;

/* Of arm64. */
int steal_show(const struct steal_options *options);

#endif
