// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <string.h>

#include "host.h"
#include "report.h"
#include "vcpu.h"
#include "vm.h"
#include "watch.h"

/*
 * The scheduler's clock and KVM's clock are two clocks, read one after the
 * other: allow a difference of 1 % and a millisecond for the same wait.
 */
__u64 watch_steal_limit(__u64 waited)
{
	return waited + waited / 100 + NSEC_PER_MSEC;
}

static const struct {
	const char *what;
	const char *expected;
} rules[NR_RULES] = {
	[RULE_READ]  = { "no read has to be given up",
			 "the update flag to clear" },
	[RULE_SUM]   = { "the totals add up to state_entry_time",
			 "no difference" },
	[RULE_BACK]  = { "no total and no state_entry_time ever goes down",
			 "no loss" },
	[RULE_AHEAD] = { "state_entry_time is not past the KVM clock",
			 "none later than the clock" },
	[RULE_STEAL] = { "no more is stolen than its thread waited",
			 "no excess" },
};

static __u64 distance(__u64 a, __u64 b)
{
	return a > b ? a - b : b - a;
}

static __u64 excess(__u64 value, __u64 limit)
{
	return value > limit ? value - limit : 0;
}

/* The largest decrease of any number since the last read. */
static __u64 loss(const struct runstate *last, const struct runstate *now)
{
	__u64 most = excess(last->entry_time, now->entry_time);

	for (int i = 0; i < NR_RUNSTATES; i++) {
		__u64 lost = excess(last->time[i], now->time[i]);

		if (lost > most)
			most = lost;
	}

	return most;
}

static __u64 excess_steal(const struct watch *watch)
{
	__s64 stolen = watch_stolen(watch);

	return stolen > 0 ? excess(stolen, watch_steal_limit(watch->waited)) : 0;
}

static void measure(struct watch *watch, int rule, __u64 wrong)
{
	if (!wrong)
		return;
	watch->broken[rule].times++;
	if (wrong > watch->broken[rule].worst)
		watch->broken[rule].worst = wrong;
}

/* The area is read first, so that the clock and run_delay are not behind it. */
void watch_read(struct watch *watch)
{
	struct runstate now;

	watch->reads++;
	if (!runstate_read(watch->vcpu->area, &now)) {
		measure(watch, RULE_READ, 1);
		return;
	}
	watch->clock = vm_clock(watch->vcpu->vm);
	watch->waited = watch->vcpu->entered ? vcpu_waited(watch->vcpu) : 0;

	measure(watch, RULE_SUM, distance(runstate_sum(&now), now.entry_time));
	measure(watch, RULE_BACK, loss(&watch->last, &now));
	measure(watch, RULE_AHEAD, excess(now.entry_time, watch->clock));

	watch->last = now;
	measure(watch, RULE_STEAL, excess_steal(watch));
	if (now.state < NR_RUNSTATES)
		watch->reads_in[now.state]++;
}

void watch_begin(struct watch *watch, const struct vcpu *vcpu)
{
	memset(watch, 0, sizeof(*watch));
	watch->vcpu = vcpu;
	runstate_read(vcpu->area, &watch->last);
	watch->stolen_before = watch->last.time[RUNSTATE_runnable];
}

/* For when the VMM has set totals, which may then be less than at the last read. */
void watch_again(struct watch *watch)
{
	runstate_read(watch->vcpu->area, &watch->last);
}

/* Negative if the total has gone down, which is an error. */
__s64 watch_stolen(const struct watch *watch)
{
	return watch->last.time[RUNSTATE_runnable] - watch->stolen_before;
}

void watch_judge(const struct watch *watch, struct report *report)
{
	for (int i = 0; i < NR_RULES; i++) {
		report_check(report, !watch->broken[i].times, watch->vcpu->id, rules[i].what,
			     "expected %s; found %u of %u reads off, by up to %.3f ms",
			     rules[i].expected, watch->broken[i].times, watch->reads,
			     to_ms(watch->broken[i].worst));
	}
}
