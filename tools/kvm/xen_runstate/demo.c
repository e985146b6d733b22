// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <stdio.h>

#include "demo.h"

#define TICK_NS		(10 * NSEC_PER_MSEC)

void demo_boot(struct demo *demo)
{
	vm_create(&demo->vm);
	for (int i = 0; i < NR_VCPUS; i++)
		vcpu_create(&demo->vcpu[i], &demo->vm, i);
	demo->vcpu[1].halts = true;
}

void demo_start_threads(struct demo *demo, __u64 past)
{
	for (int i = 0; i < NR_VCPUS; i++)
		vcpu_start(&demo->vcpu[i], demo->cpu, past);
}

void demo_order(struct demo *demo, enum vcpu_order order)
{
	for (int i = 0; i < NR_VCPUS; i++)
		vcpu_order(&demo->vcpu[i], order);
}

void demo_shut_down(struct demo *demo)
{
	demo_order(demo, VCPU_QUIT);
	for (int i = 0; i < NR_VCPUS; i++)
		vcpu_destroy(&demo->vcpu[i]);
	vm_destroy(&demo->vm);
}

void demo_read(struct demo *demo)
{
	for (int i = 0; i < NR_VCPUS; i++)
		watch_read(&demo->watch[i]);
}

bool demo_observe_until(struct demo *demo, __u64 end)
{
	for (;;) {
		__u64 next = host_now() + TICK_NS;

		if (!host_wait_until(next < end ? next : end))
			return false;
		demo_read(demo);
		if (next >= end)
			return true;
	}
}

void check_seen(struct report *report, const struct vcpu *vcpu, const struct seen *seen,
		__u32 state, const char *when)
{
	char what[80];

	snprintf(what, sizeof(what), "its area reads %s %s (%u times)", runstate_name(state), when,
		 seen->times);
	report_check(report, !seen->wrong, vcpu->id, what,
		     "expected always; found %u times not, the last time %s",
		     seen->wrong, runstate_name(seen->last_wrong));
}

void check_blocked(struct report *report, const struct vcpu *vcpu, __u64 blocked)
{
	struct span span = vcpu_blocked_span(vcpu);

	report_check(report, blocked >= span.min && blocked <= span.max, vcpu->id,
		     "it was blocked for as long as the VMM said",
		     "expected %.3f to %.3f ms; found %.3f ms",
		     to_ms(span.min), to_ms(span.max), to_ms(blocked));
}
