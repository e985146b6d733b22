/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * The events of the subsystem kvm, recorded by an instance of tracefs that this process
 * has for itself, and for its threads only.
 */
#ifndef SELFTEST_KVM_VCPU_TRACE_H
#define SELFTEST_KVM_VCPU_TRACE_H

#include "kvm_util.h"

struct trace {
	char dir[96];
};

/* What an event has to say, behind its name. */
struct trace_line {
	char text[160];
};

/* True if there is a tracefs, and this process may write to it. */
bool trace_is_available(void);

/* Inline, as require_preempters(). */
static inline void require_trace(void)
{
	__TEST_REQUIRE(trace_is_available(),
		       "no tracefs at /sys/kernel/tracing (CONFIG_TRACING), or not root");
}

/* Nothing is recorded until events are enabled. */
struct trace trace_open(void);
void trace_close(struct trace *trace);

/* An event that the kernel does not have is a failure. */
void trace_enable(struct trace *trace, const char *event);

/* Takes what was recorded of @event, oldest first, and drops all other. Returns how many. */
unsigned int trace_take(struct trace *trace, const char *event, struct trace_line *lines,
			unsigned int max);

/* The fields of an event but for the common ones, as "vcpu_id ns". */
struct trace_line trace_fields(const struct trace *trace, const char *event);

#endif /* SELFTEST_KVM_VCPU_TRACE_H */
