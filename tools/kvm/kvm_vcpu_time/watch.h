/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * Samples the host over and over, and shows or records what it sees.
 */
#ifndef KVM_VCPU_TIME_WATCH_H
#define KVM_VCPU_TIME_WATCH_H

#include "options.h"

/* Returns the program's exit status. */
int watch(const struct options *options);

#endif
