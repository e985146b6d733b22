// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <stdio.h>
#include <string.h>

#include "host.h"
#include "report.h"
#include "turn.h"

#define TICK_NS		NSEC_PER_MSEC
#define ROUND_LIMIT_NS	(20 * NSEC_PER_SEC)

/* The first round to end may have begun before now, the second one has not. */
static bool wait_for_read(const struct vcpu *vcpu)
{
	__u64 rounds = vcpu_rounds(vcpu) + 2;
	__u64 limit = host_now() + ROUND_LIMIT_NS;

	while (vcpu_rounds(vcpu) < rounds) {
		if (host_now() > limit)
			die("the host CPU is too busy; choose another one with --cpu",
			    "vCPU %u has not read its stolen time for 20 s", vcpu->id);
		if (!host_wait_until(host_now() + TICK_NS))
			return false;
	}

	return true;
}

static bool take_sample(const struct vcpu *vcpu, struct sample *sample)
{
	sample->waited_min = vcpu_waited(vcpu);
	if (!wait_for_read(vcpu))
		return false;
	sample->stolen = __atomic_load_n(&vcpu_mailbox(vcpu)->stolen, __ATOMIC_RELAXED);
	sample->waited_max = vcpu_waited(vcpu);

	return true;
}

__s64 turn_stolen(const struct turn *turn)
{
	return turn->last.stolen - turn->stolen_before;
}

__s64 turn_excess(const struct turn *turn)
{
	return turn_stolen(turn) - (__s64)turn->last.waited_max;
}

/* The time at which the thread entered KVM_RUN is unknown, so use the first sample. */
__s64 turn_least(const struct turn *turn)
{
	__s64 first = turn->first.stolen - turn->stolen_before;
	__s64 since = turn->last.waited_min - turn->first.waited_max;

	return (first > 0 ? first : 0) + (since > 0 ? since : 0);
}

__s64 turn_lack(const struct turn *turn)
{
	return turn_least(turn) - turn_stolen(turn);
}

static void measure(struct turn *turn)
{
	__s64 excess = turn_excess(turn), lack = turn_lack(turn);

	turn->samples++;
	if (excess > turn->worst_excess)
		turn->worst_excess = excess;
	if (lack > turn->worst_lack)
		turn->worst_lack = lack;
}

bool turn_begin(struct turn *turn, struct vcpu *vcpu, int cpu, __u64 past)
{
	memset(turn, 0, sizeof(*turn));
	turn->vcpu = vcpu;
	turn->stolen_before = vcpu_stolen(vcpu);
	turn->rounds_before = vcpu_rounds(vcpu);
	turn->back_before = vcpu_mailbox(vcpu)->back;

	vcpu_start(vcpu, cpu, past);
	turn->past = vcpu->waited_before;
	if (!take_sample(vcpu, &turn->first))
		return false;
	turn->last = turn->first;
	measure(turn);

	return true;
}

bool turn_sample(struct turn *turn)
{
	if (!take_sample(turn->vcpu, &turn->last))
		return false;
	measure(turn);

	return true;
}

void turn_judge(const struct turn *turn, struct report *report)
{
	const struct vcpu *vcpu = turn->vcpu;
	__u64 reads = vcpu_rounds(vcpu) - turn->rounds_before;
	__u64 back = vcpu_mailbox(vcpu)->back - turn->back_before;
	char what[80];

	report_check(report, turn->worst_excess <= 0, vcpu->id,
		     "no more is stolen than its thread waited since it runs the vCPU",
		     "expected no excess in %u samples; found %.3f ms", turn->samples,
		     to_ms(turn->worst_excess));
	report_check(report, turn->worst_lack <= 0, vcpu->id,
		     "all that its thread waited is stolen",
		     "expected no lack in %u samples; found %.3f ms", turn->samples,
		     to_ms(turn->worst_lack));
	snprintf(what, sizeof(what), "its time never goes back, in %llu reads by the guest", reads);
	report_check(report, reads && !back, vcpu->id, what,
		     "expected none less than the one before; found %llu", back);
}
