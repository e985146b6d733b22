// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * bench count		what KVM's ioctls cost, on a machine with a single CPU whose
 *			clock counts instructions
 * bench contend CALL	how often a second CALL can be made on several CPUs at once
 *
 * Each result is a line of stdout:
 *
 *	count CALL:KIND@VCPUS MEDIAN MEAN	instructions per vCPU
 *	dirty KIND SUM MOST JIFFIES		times that pages were dirtied; that the one
 *						most often dirtied was; jiffies that passed
 *	contend CALL CALLS-PER-SECOND
 */
#include <sched.h>
#include <string.h>

#include "bench.h"
#include "host.h"

static const struct call run = { "run", KVM_RUN, NULL };

static void count_crowds(const struct call *call, const struct kind *kind)
{
	unsigned int nr;

	for (nr = 8; nr <= MAX_VCPUS; nr *= 8)
		count_call(call, kind, nr);
}

static void count_all(void)
{
	const struct kind *kind;
	const struct call *call;

	/* Nobody makes a vCPU wait, unless that is what is counted. */
	set_policy(SCHED_FIFO);

	for (kind = kinds; kind->name; kind++) {
		count_call(&run, kind, 1);
		count_preemption(kind);
		if (kind->set_up_vcpu)
			count_dirtied(kind);
		if (kind == kinds || kind == full_kind)
			count_crowds(&run, kind);
	}
	for (call = calls; call->name; call++)
		count_call(call, full_kind, 1);
	count_crowds(&calls[0], full_kind);
}

static const struct call *find_call(const char *name)
{
	const struct call *call;

	for (call = calls; call->name; call++) {
		if (!strcmp(call->name, name))
			return call;
	}
	die("it counts those that there are", "no call %s", name);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "count"))
		count_all();
	else if (argc == 3 && !strcmp(argv[1], "contend"))
		time_contended(find_call(argv[2]), full_kind);
	else
		die("usage: bench count | contend CALL", "wrong arguments");

	return 0;
}
