/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * Recordings: a line for each interval of each vCPU, and a table or a plot of them.
 */
#ifndef KVM_VCPU_TIME_RECORD_H
#define KVM_VCPU_TIME_RECORD_H

#include <stdio.h>

#include "model.h"

struct row {
	__u64 when;		/* the end of the interval, ns since the recording began */
	pid_t pid;
	__u64 born;
	int fd;
	unsigned int vcpu;
	bool halts;
	__u64 time[NR_STATES];
	char name[VM_NAME_SIZE];
};

struct recording {
	struct row *rows;
	unsigned int nr_rows;
	__u64 time;			/* of all vCPUs */
	__u64 missed[NR_MISSING];	/* the part of it that was recorded without */
};

bool row_is_of(const struct row *row, const struct vm *vm, const struct vcpu *vcpu);

void record_begin(FILE *to);
void record_look(FILE *to, const struct model *model, __u64 since);

/* Ends the program if @path is no recording. */
struct recording recording_read(const char *path);
void recording_free(struct recording *recording);

/* The whole of it as one interval. */
struct model recording_model(const struct recording *recording);

/* A script for gnuplot that writes an SVG file. */
void plot_write_script(FILE *to, const struct recording *recording, const char *output);

#endif
