/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * Output of the programs that show KVM at work: acts, and checks, which are counted.
 */
#ifndef KVM_LIB_REPORT_H
#define KVM_LIB_REPORT_H

#include <linux/types.h>
#include <stdbool.h>

#include "util.h"

struct report {
	unsigned int checks;
	unsigned int failed;
};

static inline double to_ms(__s64 ns)
{
	return ns / 1e6;
}

void __printf(1, 2) report_act(const char *fmt, ...);
bool __printf(5, 6) report_check(struct report *report, bool held, int vcpu,
				 const char *what, const char *fmt, ...);
void report_verdict(const struct report *report);

#endif
