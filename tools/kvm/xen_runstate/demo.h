/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * The VM of the demonstration, its checks, and the three acts.
 */
#ifndef XEN_RUNSTATE_DEMO_H
#define XEN_RUNSTATE_DEMO_H

#include <stdbool.h>

#include "host.h"
#include "image.h"
#include "report.h"
#include "vcpu.h"
#include "vm.h"
#include "watch.h"

struct demo {
	unsigned int seconds;
	int cpu;
	struct report report;
	struct busy busy;
	struct vm vm;
	struct vcpu vcpu[NR_VCPUS];
	struct watch watch[NR_VCPUS];
};

void demo_boot(struct demo *demo);
void demo_start_threads(struct demo *demo, __u64 past);
void demo_order(struct demo *demo, enum vcpu_order order);
void demo_shut_down(struct demo *demo);
void demo_read(struct demo *demo);

/* Returns false if the program was interrupted, as do the acts. */
bool demo_observe_until(struct demo *demo, __u64 end);

bool act_compete(struct demo *demo);
bool act_park(struct demo *demo);
bool act_move(struct demo *demo);

/* Checks of more than one act. */
void check_seen(struct report *report, const struct vcpu *vcpu, const struct seen *seen,
		__u32 state, const char *when);
void check_blocked(struct report *report, const struct vcpu *vcpu, __u64 blocked);

#endif
