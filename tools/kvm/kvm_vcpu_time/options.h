/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
#ifndef KVM_VCPU_TIME_OPTIONS_H
#define KVM_VCPU_TIME_OPTIONS_H

#include <linux/types.h>
#include <stdbool.h>
#include <sys/types.h>

struct options {
	enum { ACTION_WATCH, ACTION_RECORD, ACTION_REPORT, ACTION_PLOT } action;
	enum { FORMAT_TABLE, FORMAT_JSON, FORMAT_PROMETHEUS } format;
	__u64 interval;		/* ns */
	unsigned int count;	/* 0: no end */
	bool once;		/* what was counted so far */
	pid_t pid;		/* 0: all */
	const char *output;
	const char *file;	/* a recording */
	char **command;
	char **roots;		/* one for each look, instead of the host */
	unsigned int nr_roots;
};

/* Ends the program if it cannot do what they say. */
struct options options_parse(int argc, char **argv);

#endif
