// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <stdio.h>

#include "files.h"
#include "process.h"
#include "sample.h"
#include "stats.h"

/* A kernel without scheduler statistics has three zeros. */
static void read_schedstat(pid_t thread, struct counters *counters)
{
	unsigned long long ran, waited, times;
	char text[128];

	if (file_read(text, sizeof(text), PROC "/%d/schedstat", thread) <= 0 ||
	    sscanf(text, "%llu %llu %llu", &ran, &waited, &times) != 3 || !times)
		return;
	counters->value[COUNTER_RAN] = ran;
	counters->value[COUNTER_WAITED] = waited;
	counters->have |= COUNTERS_THREAD;
}

struct counters sample_vcpu(const struct found_vm *vm, const struct found_vcpu *vcpu)
{
	struct counters counters = { .thread = vcpu->thread };
	struct task_stat stat;

	if (vcpu->thread > 0) {
		/* It may have ended since it was found. */
		if (task_read_stat(vcpu->thread, &stat)) {
			counters.born = stat.born;
			counters.runnable = stat.state == 'R';
		} else {
			counters.thread = THREAD_NONE;
		}
	}
	stats_read_vcpu(vm, vcpu, &counters);
	if (counters.thread > 0)
		read_schedstat(vcpu->thread, &counters);
	counters.when = files_now();

	return counters;
}
