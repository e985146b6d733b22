// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <stdio.h>

#include "demo.h"
#include "tables.h"

/* The most that a thread has waited since KVM last read run_delay. */
#define NOT_YET_NS	(20 * NSEC_PER_MSEC)

static void show_second(unsigned int number, const struct watch *watch, struct runstate *before)
{
	struct runstate now = runstate_at(&watch->last, watch->clock);
	struct second second = {
		.number	 = number,
		.vcpu	 = watch->vcpu->id,
		.state	 = now.state,
		.stolen	 = watch_stolen(watch),
		.waited	 = watch->waited,
		.adds_up = runstate_sum(&watch->last) == watch->last.entry_time,
	};

	for (int i = 0; i < NR_RUNSTATES; i++)
		second.time[i] = now.time[i] - before->time[i];
	print_second(&second);
	*before = now;
}

static bool show_seconds(struct demo *demo)
{
	struct runstate before[NR_VCPUS];
	__u64 start = host_now();

	demo_read(demo);
	for (int i = 0; i < NR_VCPUS; i++)
		before[i] = runstate_at(&demo->watch[i].last, demo->watch[i].clock);
	print_seconds_head();

	for (unsigned int s = 1; s <= demo->seconds; s++) {
		if (!demo_observe_until(demo, start + s * NSEC_PER_SEC))
			return false;
		for (int i = 0; i < NR_VCPUS; i++)
			show_second(s, &demo->watch[i], &before[i]);
	}
	putchar('\n');

	return true;
}

static void check_never_run(struct report *report, const struct watch *watch)
{
	report_check(report, watch->last.state == RUNSTATE_offline, watch->vcpu->id,
		     "its area reads offline before its first run",
		     "expected offline; found %s", runstate_name(watch->last.state));
}

/* Two threads that never sleep share a CPU: each gets some, each waits some. */
static void check_competition(struct report *report, const struct watch *watch)
{
	__u64 ran = watch->last.time[RUNSTATE_running];
	__u64 stolen = watch_stolen(watch);
	__u64 some = (ran + stolen) / 20;

	report_check(report, ran >= some && stolen >= some, watch->vcpu->id,
		     "it ran, and it waited for the CPU",
		     "expected 5 %% of each at least; found %.3f ms and %.3f ms",
		     to_ms(ran), to_ms(stolen));
	report_check(report, stolen + stolen / 10 + NOT_YET_NS >= watch->waited,
		     watch->vcpu->id, "all that its thread waited is stolen, for it never halts",
		     "expected about %.3f ms; found %.3f ms", to_ms(watch->waited), to_ms(stolen));
}

bool act_compete(struct demo *demo)
{
	struct report *report = &demo->report;
	struct vcpu *vcpu = demo->vcpu;

	report_act("1. vCPU 0 never halts. vCPU 1 works for 100 ms, halts, is blocked for 100 ms.\n"
		   "   stolen: time[runnable], as the guest reads it. waited: run_delay of the\n"
		   "   vCPU's thread, as the host counts it; a wait while blocked is not stolen.\n"
		   "   sum: do the four totals add up to state_entry_time?");

	for (int i = 0; i < NR_VCPUS; i++) {
		watch_begin(&demo->watch[i], &vcpu[i]);
		check_never_run(report, &demo->watch[i]);
	}
	putchar('\n');

	demo_order(demo, VCPU_RUN);
	if (!show_seconds(demo))
		return false;
	demo_order(demo, VCPU_STOP);
	demo_read(demo);

	check_competition(report, &demo->watch[0]);
	check_blocked(report, &vcpu[1], demo->watch[1].last.time[RUNSTATE_blocked]);
	check_seen(report, &vcpu[1], &vcpu[1].after_halt, RUNSTATE_blocked, "once set to blocked");
	for (int i = 0; i < NR_VCPUS; i++)
		check_seen(report, &vcpu[i], &vcpu[i].after_run, RUNSTATE_running,
			   "when KVM_RUN returns");

	return true;
}
