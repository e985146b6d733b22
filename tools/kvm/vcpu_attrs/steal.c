// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch.h"
#include "arm64_vm.h"
#include "host.h"
#include "image.h"
#include "report.h"
#include "turn.h"

#define NR_VCPUS	2

/* How long a new thread has waited before it runs a vCPU, and then runs it. */
#define PAST_NS		(100 * NSEC_PER_MSEC)
#define MOVED_SECONDS	2

struct show {
	const struct steal_options *options;
	struct report report;
	struct busy busy;
	struct vm vm;
	struct vcpu vcpu[NR_VCPUS];
	struct turn turn[NR_VCPUS];
};

static void create(struct show *show)
{
	arm64_vm_create(&show->vm);
	for (int i = 0; i < NR_VCPUS; i++)
		vcpu_create(&show->vcpu[i], &show->vm, i);
}

static void destroy(struct show *show)
{
	for (int i = 0; i < NR_VCPUS; i++) {
		vcpu_stop(&show->vcpu[i]);
		vcpu_destroy(&show->vcpu[i]);
	}
	vm_destroy(&show->vm);
}

static void print_head(void)
{
	puts("                 the guest  -- since this thread runs the vCPU, ms --\n"
	     "second vCPU      reads, ms      stolen    at least     at most");
}

static void print_before(const struct turn *turn)
{
	printf("before %4u %14.3f\n", turn->vcpu->id, to_ms(turn->stolen_before));
}

static void print_sample(unsigned int second, const struct turn *turn)
{
	bool fits = turn_excess(turn) <= 0 && turn_lack(turn) <= 0;

	if (turn->vcpu->id)
		printf("%6s", "");
	else
		printf("%6u", second);
	printf(" %4u %14.3f %11.3f %11.3f %11.3f  %s\n", turn->vcpu->id,
	       to_ms(turn->last.stolen), to_ms(turn_stolen(turn)), to_ms(turn_least(turn)),
	       to_ms(turn->last.waited_max), fits ? "ok" : "BAD");
}

static bool watch(struct show *show, unsigned int seconds)
{
	__u64 start = host_now();

	for (unsigned int second = 1; second <= seconds; second++) {
		if (!host_wait_until(start + second * NSEC_PER_SEC))
			return false;
		for (int i = 0; i < NR_VCPUS; i++) {
			if (!turn_sample(&show->turn[i]))
				return false;
			print_sample(second, &show->turn[i]);
		}
	}
	putchar('\n');

	return true;
}

static bool begin_turn(struct show *show, int i, __u64 past)
{
	return turn_begin(&show->turn[i], &show->vcpu[i], show->options->cpu, past);
}

static void check_address(struct report *report, const struct vcpu *vcpu)
{
	__u64 found = vcpu_mailbox(vcpu)->structure;

	report_check(report, found == GUEST_STRUCTURE(vcpu->id), vcpu->id,
		     "the guest gets the address that the VMM has set",
		     "expected %#x; found %#llx", GUEST_STRUCTURE(vcpu->id), found);
}

/* Three threads that never sleep share a CPU: each gets some, each waits some. */
static void check_competition(struct report *report, const struct turn *turn,
			      unsigned int seconds)
{
	__s64 some = seconds * NSEC_PER_SEC / 20;

	report_check(report, turn_stolen(turn) >= some, turn->vcpu->id, "it waits for the CPU",
		     "expected %.3f ms at least; found %.3f ms stolen", to_ms(some),
		     to_ms(turn_stolen(turn)));
}

/* A new thread and a new VM must not change the stolen time. */
static void check_move(struct report *report, const struct turn *turn)
{
	__s64 step = turn->first.stolen - turn->stolen_before;
	int id = turn->vcpu->id;
	char what[80];

	report_check(report, step >= 0, id, "its time goes on from where it was",
		     "expected %.3f ms at least; found %.3f ms", to_ms(turn->stolen_before),
		     to_ms(turn->first.stolen));
	snprintf(what, sizeof(what), "its thread's past, a wait of %.1f ms, is not stolen",
		 to_ms(turn->past));
	report_check(report,
		     turn->past >= PAST_NS && step <= (__s64)turn->first.waited_max, id, what,
		     "expected a step of at most %.3f ms; found %.3f ms",
		     to_ms(turn->first.waited_max), to_ms(step));
}

static bool act_compete(struct show *show)
{
	unsigned int seconds = show->options->seconds;

	report_act("1. Two vCPUs compete for host CPU %d, with a busy thread. The guest reads\n"
		   "   its stolen time over and over. At least and at most: run_delay of the\n"
		   "   vCPU's thread, before and after a read of the guest's.",
		   show->options->cpu);

	for (int i = 0; i < NR_VCPUS; i++) {
		vcpu_boot(&show->vcpu[i]);
		vcpu_set_structure(&show->vcpu[i], GUEST_STRUCTURE(i));
		if (!begin_turn(show, i, 0))
			return false;
	}
	print_head();
	if (!watch(show, seconds))
		return false;

	for (int i = 0; i < NR_VCPUS; i++) {
		check_address(&show->report, &show->vcpu[i]);
		check_competition(&show->report, &show->turn[i], seconds);
		turn_judge(&show->turn[i], &show->report);
	}

	return true;
}

static bool act_move(struct show *show)
{
	report_act("2. vCPU 0 moves to a new thread, which has waited for the CPU before.");

	vcpu_stop(&show->vcpu[0]);
	if (!begin_turn(show, 0, PAST_NS))
		return false;
	print_head();
	print_before(&show->turn[0]);
	if (!watch(show, MOVED_SECONDS))
		return false;

	check_move(&show->report, &show->turn[0]);
	for (int i = 0; i < NR_VCPUS; i++)
		turn_judge(&show->turn[i], &show->report);

	return true;
}

/* The guest moves: its registers, memory, and the addresses of its stolen time. */
static void replace_vm(struct show *show)
{
	struct image images[NR_VCPUS];
	unsigned char mem[VM_MEMORY];

	for (int i = 0; i < NR_VCPUS; i++) {
		vcpu_stop(&show->vcpu[i]);
		image_save(&images[i], &show->vcpu[i]);
	}
	memcpy(mem, show->vm.mem, VM_MEMORY);
	destroy(show);

	create(show);
	memcpy(show->vm.mem, mem, VM_MEMORY);
	for (int i = 0; i < NR_VCPUS; i++) {
		image_restore(&images[i], &show->vcpu[i]);
		image_free(&images[i]);
	}
}

static bool act_restore(struct show *show)
{
	report_act("3. All is saved and restored into a new VM, whose threads have waited before.");

	replace_vm(show);
	for (int i = 0; i < NR_VCPUS; i++) {
		if (!begin_turn(show, i, PAST_NS))
			return false;
	}
	print_head();
	for (int i = 0; i < NR_VCPUS; i++)
		print_before(&show->turn[i]);
	if (!watch(show, MOVED_SECONDS))
		return false;

	for (int i = 0; i < NR_VCPUS; i++) {
		check_address(&show->report, &show->vcpu[i]);
		check_move(&show->report, &show->turn[i]);
		turn_judge(&show->turn[i], &show->report);
	}

	return true;
}

int steal_show(const struct steal_options *options)
{
	struct show show = { .options = options };
	bool done;

	host_catch_signals();
	create(&show);
	busy_start(&show.busy, options->cpu);
	done = act_compete(&show) && act_move(&show) && act_restore(&show);
	busy_stop(&show.busy);
	destroy(&show);

	if (!done) {
		puts("\ninterrupted");
		return EXIT_INTERRUPTED;
	}
	report_verdict(&show.report);

	return show.report.failed ? EXIT_FAILED : EXIT_SUCCESS;
}
