// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "demo.h"
#include "tables.h"
#include "xen.h"

#define PAST_NS		(100 * NSEC_PER_MSEC)
#define SETTLE_NS	(100 * NSEC_PER_MSEC)
#define RESTORED_NS	(2 * NSEC_PER_SEC)

static void replace_vm(struct demo *demo, struct image *image)
{
	image_save(image, &demo->vm, demo->vcpu);
	demo_shut_down(demo);

	demo_boot(demo);
	demo_start_threads(demo, PAST_NS);
}

/* A vCPU in the new VM. */
struct arrival {
	int err;
	struct runstate data;		/* from GET_ATTR, after the restore */
	struct runstate area;		/* as the guest reads it, after the restore */
	__u64 past;			/* run_delay of its thread before the first run */
	__s64 stolen;			/* after the first tenth of a second */
	__u64 waited;			/* by then */
};

/*
 * The saved memory contains the areas.  They are wiped, so that what is read there
 * afterwards was written by KVM.
 */
static void arrive(const struct vcpu_image *saved, struct vcpu *vcpu, struct watch *watch,
		   struct arrival *arrival)
{
	memset(vcpu->vm->mem + saved->area, VM_FILL, sizeof(struct runstate));
	arrival->err = image_restore_runstate(saved, vcpu);
	arrival->data = xen_get_data(vcpu);
	watch_begin(watch, vcpu);
	arrival->area = watch->last;
}

static bool run_on(struct demo *demo, struct arrival *arrivals)
{
	__u64 start = host_now();

	demo_order(demo, VCPU_RUN);
	if (!demo_observe_until(demo, start + SETTLE_NS))
		return false;
	for (int i = 0; i < NR_VCPUS; i++) {
		arrivals[i].past = demo->vcpu[i].waited_before;
		arrivals[i].stolen = watch_stolen(&demo->watch[i]);
		arrivals[i].waited = demo->watch[i].waited;
	}

	if (!demo_observe_until(demo, start + RESTORED_NS))
		return false;
	demo_order(demo, VCPU_STOP);
	demo_read(demo);

	return true;
}

static bool same_times(const struct runstate *a, const struct runstate *b)
{
	return a->state == b->state && a->entry_time == b->entry_time &&
	       !memcmp(a->time, b->time, sizeof(a->time));
}

static void check_arrival(struct report *report, const struct vcpu_image *saved,
			  const struct arrival *arrival, const struct watch *watch)
{
	const struct vcpu *vcpu = watch->vcpu;
	__u64 grown = watch->last.entry_time - saved->runstate.entry_time;
	char past[80];

	report_check(report, !arrival->err, vcpu->id, "KVM takes back what it gave",
		     "expected success; found %s", strerror(-arrival->err));
	report_check(report, same_times(&arrival->data, &saved->runstate), vcpu->id,
		     "RUNSTATE_DATA is restored, to the nanosecond",
		     "expected %.3f ms in all; found %.3f ms", to_ms(saved->runstate.entry_time),
		     to_ms(arrival->data.entry_time));
	report_check(report, same_times(&arrival->area, &saved->runstate), vcpu->id,
		     "its area has the same times, before it runs",
		     "expected %.3f ms in all; found %.3f ms", to_ms(saved->runstate.entry_time),
		     to_ms(arrival->area.entry_time));
	report_check(report, grown + RESTORED_NS / 4 >= RESTORED_NS, vcpu->id,
		     "its time goes on from there",
		     "expected about %.3f ms more; found %.3f ms", to_ms(RESTORED_NS),
		     to_ms(grown));

	snprintf(past, sizeof(past), "its thread's past, a wait of %.1f ms, is not stolen",
		 to_ms(arrival->past));
	report_check(report, arrival->past >= PAST_NS &&
		     arrival->stolen <= (__s64)watch_steal_limit(arrival->waited), vcpu->id, past,
		     "expected at most the %.3f ms since; found %.3f ms",
		     to_ms(arrival->waited), to_ms(arrival->stolen));
	report_check(report, vcpu_rounds(vcpu) > saved->rounds, vcpu->id,
		     "its guest goes on where it stopped",
		     "expected more than %u rounds; found %u", saved->rounds, vcpu_rounds(vcpu));
}

static void show_arrivals(const struct image *image, const struct demo *demo,
			  const struct arrival *arrivals)
{
	print_totals_head();
	for (int i = 0; i < NR_VCPUS; i++) {
		print_totals(i, "saved", &image->vcpu[i].runstate);
		print_totals(-1, "restored", &arrivals[i].area);
		print_totals(-1, "2 s later", &demo->watch[i].last);
	}
	putchar('\n');
}

static bool move(struct demo *demo, struct image *image)
{
	struct arrival arrivals[NR_VCPUS] = { 0 };
	struct report *report = &demo->report;
	__u64 clock;

	replace_vm(demo, image);
	image_restore_machine(image, &demo->vm, demo->vcpu);
	clock = vm_clock(&demo->vm);
	for (int i = 0; i < NR_VCPUS; i++)
		arrive(&image->vcpu[i], &demo->vcpu[i], &demo->watch[i], &arrivals[i]);

	if (!run_on(demo, arrivals))
		return false;

	show_arrivals(image, demo, arrivals);
	report_check(report, clock >= image->clock && clock < image->clock + NSEC_PER_SEC, -1,
		     "the KVM clock goes on from where it was saved",
		     "expected %.3f ms; found %.3f ms", to_ms(image->clock), to_ms(clock));
	for (int i = 0; i < NR_VCPUS; i++)
		check_arrival(report, &image->vcpu[i], &arrivals[i], &demo->watch[i]);

	report_act("Act 3, in %u reads of each area by the guest's protocol:",
		   demo->watch[1].reads);
	for (int i = 0; i < NR_VCPUS; i++) {
		watch_judge(&demo->watch[i], report);
		check_seen(report, &demo->vcpu[i], &demo->vcpu[i].after_run, RUNSTATE_running,
			   "when KVM_RUN returns");
	}

	return true;
}

bool act_move(struct demo *demo)
{
	struct image *image = malloc(sizeof(*image));
	bool done;

	if (!image)
		die("free some memory", "no memory to save a VM of %u bytes", VM_MEMORY);
	report_act("3. The VM is saved and restored as a new one, whose threads have waited for\n"
		   "   the CPU before. It runs on for two seconds.");
	done = move(demo, image);
	free(image);

	return done;
}
