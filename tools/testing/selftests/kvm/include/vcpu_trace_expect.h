/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * What holds for the tracepoints of any architecture, as expectations of the test harness.
 */
#ifndef SELFTEST_KVM_VCPU_TRACE_EXPECT_H
#define SELFTEST_KVM_VCPU_TRACE_EXPECT_H

#include <stdio.h>

#include "kvm_test_harness.h"
#include "sched_util.h"
#include "vcpu_stats.h"
#include "vcpu_trace.h"

/* What was taken last of an event. */
#define MAX_LINES	1024
static struct trace_line lines[MAX_LINES];

static inline bool parse_steal(const struct trace_line *line, unsigned int *id,
			       unsigned long long *ns)
{
	return sscanf(line->text, "vcpu %u time %llu ns", id, ns) == 2;
}

/* @run returns when the vCPU has run; its thread waits for @wait ns @nr_waits times. */
static inline void expect_steal_adds_up(struct __test_metadata *_metadata, struct trace *trace,
					struct kvm_vcpu *vcpu, void (*run)(struct kvm_vcpu *vcpu),
					unsigned int nr_waits, long wait)
{
	unsigned int nr, id, waits = 0;
	unsigned long long ns;
	u64 sum = 0;

	trace_enable(trace, "kvm_steal");
	run(vcpu);
	for (unsigned int i = 0; i < nr_waits; i++) {
		wait_for_cpu(wait);
		run(vcpu);
	}

	nr = trace_take(trace, "kvm_steal", lines, MAX_LINES);
	for (unsigned int i = 0; i < nr; i++) {
		ASSERT_TRUE(parse_steal(&lines[i], &id, &ns)) {
			TH_LOG("%s", lines[i].text);
		}
		EXPECT_EQ(vcpu->id, id);
		EXPECT_NE(0, ns);
		waits += ns >= wait;
		sum += ns;
	}
	EXPECT_LE(nr_waits, waits);
	EXPECT_EQ(vcpu_stat(vcpu, "steal_time_ns"), sum);
}

static inline void expect_attr_lines(struct __test_metadata *_metadata, struct trace *trace,
				     const char *const *texts, unsigned int nr)
{
	unsigned int found = trace_take(trace, "kvm_vcpu_attr", lines, MAX_LINES);

	ASSERT_EQ(nr, found);
	for (unsigned int i = 0; i < nr; i++)
		EXPECT_STREQ(texts[i], lines[i].text);
}

#endif /* SELFTEST_KVM_VCPU_TRACE_EXPECT_H */
