/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * What one sample of a vCPU finds: counters of its thread and of KVM, and what they
 * say about its time.
 */
#ifndef KVM_VCPU_TIME_COUNTERS_H
#define KVM_VCPU_TIME_COUNTERS_H

#include <linux/types.h>
#include <stdbool.h>
#include <sys/types.h>

/* Of a vCPU's time. The order is that of the output. */
enum state {
	STATE_RUNNING,
	STATE_STEAL,
	STATE_HALTED,
	STATE_BLOCKED,
	STATE_OFFLINE,
	NR_STATES,
};

/* All in ns and since the thread, or the vCPU, was created. */
enum counter {
	/* Of the thread */
	COUNTER_RAN,
	COUNTER_WAITED,

	/* Of the vCPU */
	COUNTER_STEAL,
	COUNTER_XEN_RUNNING,
	COUNTER_XEN_RUNNABLE,
	COUNTER_XEN_BLOCKED,
	COUNTER_XEN_OFFLINE,
	COUNTER_HALT_WAIT,
	COUNTER_HALT_POLL_SUCCESS,
	COUNTER_HALT_POLL_FAIL,
	NR_COUNTERS,
};

#define COUNTER_BIT(counter)	(1U << (counter))
#define COUNTERS_THREAD		(COUNTER_BIT(COUNTER_RAN) | COUNTER_BIT(COUNTER_WAITED))
#define COUNTERS_XEN		(COUNTER_BIT(COUNTER_XEN_RUNNING) |  \
				 COUNTER_BIT(COUNTER_XEN_RUNNABLE) | \
				 COUNTER_BIT(COUNTER_XEN_BLOCKED) |  \
				 COUNTER_BIT(COUNTER_XEN_OFFLINE))

/* Instead of a thread's ID. */
#define THREAD_NONE		0	/* the vCPU has none, or it is gone */
#define THREAD_UNKNOWN		-1

struct counters {
	__u64 when;		/* CLOCK_MONOTONIC, ns */
	pid_t thread;
	__u64 born;		/* when the thread was created, as @when */
	bool runnable;		/* the thread runs, or waits for a CPU */
	bool blocking;		/* the vCPU is halted, in KVM */
	unsigned int have;	/* a COUNTER_BIT() for each that has a value */
	__u64 value[NR_COUNTERS];
};

#endif
