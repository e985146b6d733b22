// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <stdio.h>
#include <string.h>

#include "demo.h"
#include "tables.h"
#include "xen.h"

#define PARK_NS		NSEC_PER_SEC
#define ADJUST_NS	(250 * NSEC_PER_MSEC)

/* The runstate of vCPU 0 at three times, and the reads while it is parked. */
struct parking {
	struct runstate parked;
	struct runstate back;
	struct runstate adjusted;
	unsigned int reads;
	unsigned int reads_blocked;
	int err;
};

static struct runstate read_now(struct watch *watch)
{
	watch_read(watch);

	return watch->last;
}

static bool park(struct demo *demo, struct parking *parking)
{
	struct watch *watch = &demo->watch[0];
	struct watch before;

	vcpu_order(&demo->vcpu[0], VCPU_PARK);
	parking->parked = read_now(watch);

	before = *watch;
	if (!demo_observe_until(demo, host_now() + PARK_NS))
		return false;
	parking->reads = watch->reads - before.reads;
	parking->reads_blocked = watch->reads_in[RUNSTATE_blocked] -
				 before.reads_in[RUNSTATE_blocked];

	vcpu_order(&demo->vcpu[0], VCPU_STOP);
	parking->back = read_now(watch);

	return true;
}

/* Move a quarter of the second in which it was parked to offline. */
static void adjust(struct demo *demo, struct parking *parking)
{
	static const __s64 delta[NR_RUNSTATES] = {
		[RUNSTATE_blocked] = -ADJUST_NS,
		[RUNSTATE_offline] = ADJUST_NS,
	};

	parking->err = xen_adjust(&demo->vcpu[0], delta);
	watch_again(&demo->watch[0]);
	parking->adjusted = demo->watch[0].last;
}

static bool is_adjusted(const struct parking *parking)
{
	struct runstate expected = parking->back;

	expected.time[RUNSTATE_blocked] -= ADJUST_NS;
	expected.time[RUNSTATE_offline] += ADJUST_NS;

	return !memcmp(&expected, &parking->adjusted, sizeof(expected));
}

static void check_parking(struct report *report, const struct parking *parking)
{
	const struct runstate *parked = &parking->parked, *back = &parking->back;
	const struct runstate *adjusted = &parking->adjusted;

	report_check(report, parking->reads_blocked == parking->reads, 0,
		     "its area reads blocked all the while",
		     "expected all of %u reads; found %u", parking->reads, parking->reads_blocked);
	report_check(report, parked->time[RUNSTATE_running] == back->time[RUNSTATE_running] &&
		     parked->time[RUNSTATE_runnable] == back->time[RUNSTATE_runnable], 0,
		     "that time does not count as running or runnable",
		     "expected no growth; found %.3f ms and %.3f ms",
		     to_ms(back->time[RUNSTATE_running] - parked->time[RUNSTATE_running]),
		     to_ms(back->time[RUNSTATE_runnable] - parked->time[RUNSTATE_runnable]));
	report_check(report, !parking->err, 0, "RUNSTATE_ADJUST takes 250 ms off blocked",
		     "expected success; found %s", strerror(-parking->err));
	report_check(report, is_adjusted(parking), 0,
		     "they are offline now, to the nanosecond; all else is as it was",
		     "expected 250 ms moved; found blocked by %.3f ms, offline by %.3f ms",
		     to_ms(adjusted->time[RUNSTATE_blocked] - back->time[RUNSTATE_blocked]),
		     to_ms(adjusted->time[RUNSTATE_offline] - back->time[RUNSTATE_offline]));
}

static void check_astray(struct report *report, const struct vcpu *vcpu)
{
	unsigned int astray = vm_bytes_astray(vcpu->vm, vcpu->area, sizeof(struct runstate));

	report_check(report, !astray, vcpu->id, "nothing is written outside its area",
		     "expected no byte; found %u bytes", astray);
}

bool act_park(struct demo *demo)
{
	struct report *report = &demo->report;
	struct parking parking = { 0 };

	report_act("2. vCPU 0 is parked for a second: it is out of KVM_RUN, and set to blocked.\n"
		   "   Then RUNSTATE_ADJUST moves 250 ms of that from blocked to offline.");

	vcpu_order(&demo->vcpu[1], VCPU_RUN);
	if (!park(demo, &parking))
		return false;
	adjust(demo, &parking);
	vcpu_order(&demo->vcpu[1], VCPU_STOP);

	print_totals_head();
	print_totals(0, "parked", &parking.parked);
	print_totals(-1, "back, 1 s later", &parking.back);
	print_totals(-1, "adjusted", &parking.adjusted);
	putchar('\n');
	check_blocked(report, &demo->vcpu[0], parking.back.time[RUNSTATE_blocked]);
	check_parking(report, &parking);

	report_act("Acts 1 and 2, in %u reads of each area by the guest's protocol:",
		   demo->watch[1].reads);
	for (int i = 0; i < NR_VCPUS; i++) {
		watch_judge(&demo->watch[i], report);
		check_astray(report, &demo->vcpu[i]);
	}

	return true;
}
