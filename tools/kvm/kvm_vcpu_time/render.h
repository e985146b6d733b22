/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * Prints a model.
 */
#ifndef KVM_VCPU_TIME_RENDER_H
#define KVM_VCPU_TIME_RENDER_H

#include <stdio.h>
#include <time.h>

#include "model.h"

struct screen {
	unsigned int columns;	/* 0: as many as it takes */
	unsigned int lines;	/* 0: likewise */
	bool in_place;		/* it is a terminal */
	bool colors;
};

/* @wall: the time of day, or 0 for none. */
void render_table(FILE *to, const struct model *model, const struct screen *screen, time_t wall);

/* One object, on a line of its own. */
void render_json(FILE *to, const struct model *model, time_t wall);

/* In the text format of Prometheus. */
void render_prometheus(FILE *to, const struct model *model);

#endif
