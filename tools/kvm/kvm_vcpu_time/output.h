/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * Where looks are shown: on a terminal, as lines, or in a file.
 */
#ifndef KVM_VCPU_TIME_OUTPUT_H
#define KVM_VCPU_TIME_OUTPUT_H

#include <stdio.h>

#include "options.h"
#include "render.h"

struct output {
	const struct options *options;
	FILE *to;
	bool in_place;
	unsigned int looks;
	unsigned int missing;	/* as it was shown last */
	__u64 began;		/* the first look of a recording */
};

void output_open(struct output *output, const struct options *options);
void output_look(struct output *output, struct model *model);
void output_resized(struct output *output, const struct model *model);
void output_close(struct output *output);

#endif
