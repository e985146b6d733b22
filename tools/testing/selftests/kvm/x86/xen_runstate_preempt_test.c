// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * An update of the Xen vCPU runstate is atomic against preemption of itself:
 * real-time threads preempt the vCPU's thread again and again, at every point
 * of KVM_RUN and of the attribute calls, and the totals stay sound.
 *
 * XEN_RUNSTATE_SECONDS in the environment sets how long each test lasts.
 */
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/resource.h>

#include "kvm_test_harness.h"
#include "xen_runstate.h"

#define DEFAULT_SECONDS	5
#define NR_OWNERS	3

/* What a test must have done at least, however long it takes. */
#define MIN_RUNS	100
#define MIN_SWITCHES	100

/* Off the start of a page, and across the middle of two. */
#define AREA_ADDR	(AREA_GPA + PAGE_SIZE - 20)

static int seconds = DEFAULT_SECONDS;

/* Of the vCPU, in one test. */
static u64 nr_runs;

static void guest_code(void)
{
	for (;;)
		GUEST_SYNC(0);
}

FIXTURE(xen_runstate_preempt) {
	struct kvm_vcpu *vcpu;
	struct preempters preempters;
	struct timespec start;
};

FIXTURE_SETUP(xen_runstate_preempt)
{
	int cpu = sched_getcpu();

	/* The harness has one timeout for all tests; set one that fits this test. */
	alarm(2 * seconds + 60);

	xen_enable_runstate(vm_create_with_one_vcpu(&self->vcpu, guest_code));
	xen_set_update_flag(self->vcpu->vm, true);
	runstate_set_addr(self->vcpu, AREA_ADDR);

	pin_self_to_cpu(cpu);
	vcpu_run(self->vcpu);
	start_preempters(&self->preempters, cpu);
	clock_gettime(CLOCK_MONOTONIC, &self->start);
}

FIXTURE_TEARDOWN(xen_runstate_preempt)
{
	struct rusage usage;

	stop_preempters(&self->preempters);
	kvm_vm_free(self->vcpu->vm);

	TEST_ASSERT_EQ(getrusage(RUSAGE_SELF, &usage), 0);
	ksft_print_msg("did %lu KVM_RUNs\n", nr_runs);
	ksft_print_msg("did %ld preemptions\n", usage.ru_nivcsw);
}

static bool goes_on(const struct preempters *preempters, struct timespec start)
{
	return timespec_elapsed(start).tv_sec < seconds || nr_runs < MIN_RUNS ||
	       !preempted_often(preempters);
}

/*
 * Checks that hold whenever the owner is back from KVM_RUN.  Steal out of bounds
 * is reported at the end only, as totals that do not add up are worse.
 */
static void check_after_run(struct steal_watch *watch, s64 *excess)
{
	struct kvm_xen_vcpu_attr area;

	nr_runs++;
	*excess = max(*excess, steal_watch_excess(watch));

	/* Preempted while one cannot sleep, KVM may leave the area as it was. */
	area = runstate_read_area(watch->vcpu->vm, AREA_ADDR, true);
	TEST_ASSERT(runstate_adds_up(&area), "the area does not add up: %s",
		    runstate_text(&area).s);
}

static void check_at_end(s64 excess)
{
	TEST_ASSERT(excess <= 0, "%ld ns more of steal than the owner waited for", excess);
}

TEST_F_TIMEOUT(xen_runstate_preempt, exits, INT_MAX)
{
	struct steal_watch watch;
	s64 excess = 0;

	steal_watch_start(&watch, self->vcpu);
	while (goes_on(&self->preempters, self->start)) {
		vcpu_run(self->vcpu);
		check_after_run(&watch, &excess);
	}
	check_at_end(excess);
	runstate_assert_roundtrip(self->vcpu);
}

/* Xen goes off and on for the VM whose vCPU runs, though no VMM would. */
struct switcher {
	struct kvm_vm *vm;
	pthread_t thread;
	u64 rounds;
	bool stop;
};

static void *switch_xen(void *arg)
{
	struct switcher *switcher = arg;

	while (!READ_ONCE(switcher->stop)) {
		xen_configure(switcher->vm, 0);
		xen_configure(switcher->vm, XEN_HYPERCALL_MSR);
		WRITE_ONCE(switcher->rounds, switcher->rounds + 1);
	}
	return NULL;
}

TEST_F_TIMEOUT(xen_runstate_preempt, exits_while_xen_is_switched, INT_MAX)
{
	struct switcher switcher = { .vm = self->vcpu->vm };
	struct kvm_xen_vcpu_attr rs;

	TEST_ASSERT_EQ(pthread_create(&switcher.thread, NULL, switch_xen, &switcher), 0);
	while (goes_on(&self->preempters, self->start) ||
	       READ_ONCE(switcher.rounds) < MIN_SWITCHES) {
		vcpu_run(self->vcpu);
		nr_runs++;
		rs = runstate_get(self->vcpu);
		TEST_ASSERT(rs.u.runstate.state == RUNSTATE_running && runstate_adds_up(&rs),
			    "after KVM_RUN there is %s", runstate_text(&rs).s);
	}
	WRITE_ONCE(switcher.stop, true);
	TEST_ASSERT_EQ(pthread_join(switcher.thread, NULL), 0);
}

/* CURRENT and ADJUST; nothing in them moves time into runnable. */
static void call_attributes(struct kvm_vcpu *vcpu, unsigned int *seed)
{
	static const u64 states[] = { RUNSTATE_running, RUNSTATE_blocked, RUNSTATE_offline };
	struct kvm_xen_vcpu_attr adjust = {};
	int r;

	runstate_set_current(vcpu, states[rand_r(seed) % ARRAY_SIZE(states)]);

	adjust.u.runstate.state = -1;
	r = __runstate_set(vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST, adjust);
	TEST_ASSERT(!r, "RUNSTATE_ADJUST by nothing: %s", strerror(-r));

	adjust.u.runstate.state = states[rand_r(seed) % ARRAY_SIZE(states)];
	r = __runstate_set(vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST, adjust);
	TEST_ASSERT(!r, "RUNSTATE_ADJUST to state %llu: %s", adjust.u.runstate.state,
		    strerror(-r));
}

TEST_F_TIMEOUT(xen_runstate_preempt, exits_and_attribute_calls, INT_MAX)
{
	struct steal_watch watch;
	unsigned int seed = 1;
	s64 excess = 0;

	steal_watch_start(&watch, self->vcpu);
	while (goes_on(&self->preempters, self->start)) {
		call_attributes(self->vcpu, &seed);
		runstate_assert_roundtrip(self->vcpu);
		vcpu_run(self->vcpu);
		check_after_run(&watch, &excess);
	}
	check_at_end(excess);
}

struct owner {
	struct kvm_vcpu *vcpu;
	const struct preempters *preempters;
	struct timespec start;
	struct kvm_xen_vcpu_attr *last;
	s64 excess;
	pthread_t thread;
	sem_t turn;
	struct owner *next;
};

/* In its turn, an owner runs the vCPU a few times and hands it on. */
static void *take_turns(void *arg)
{
	struct owner *owner = arg;
	unsigned int seed = (unsigned long)owner >> 4;
	struct steal_watch watch;
	bool again;

	do {
		sem_wait(&owner->turn);
		again = goes_on(owner->preempters, owner->start);

		/* The first run is watched, too: it may charge no one's past. */
		steal_watch_start(&watch, owner->vcpu);
		watch.first = *owner->last;
		watch.last = *owner->last;
		check_after_run(&watch, &owner->excess);
		for (int runs = rand_r(&seed) % 4; runs; runs--) {
			vcpu_run(owner->vcpu);
			check_after_run(&watch, &owner->excess);
		}
		runstate_assert_roundtrip(owner->vcpu);
		*owner->last = watch.last;

		sem_post(&owner->next->turn);
	} while (again);

	return NULL;
}

TEST_F_TIMEOUT(xen_runstate_preempt, owners_in_turn, INT_MAX)
{
	struct kvm_xen_vcpu_attr last = runstate_get(self->vcpu);
	struct owner owners[NR_OWNERS] = {};
	int i;

	for (i = 0; i < NR_OWNERS; i++) {
		owners[i].vcpu = self->vcpu;
		owners[i].preempters = &self->preempters;
		owners[i].start = self->start;
		owners[i].last = &last;
		owners[i].next = &owners[(i + 1) % NR_OWNERS];
		sem_init(&owners[i].turn, 0, !i);
	}
	for (i = 0; i < NR_OWNERS; i++)
		TEST_ASSERT_EQ(pthread_create(&owners[i].thread, NULL, take_turns, &owners[i]), 0);
	for (i = 0; i < NR_OWNERS; i++) {
		TEST_ASSERT_EQ(pthread_join(owners[i].thread, NULL), 0);
		check_at_end(owners[i].excess);
	}
}

int main(int argc, char *argv[])
{
	seconds = xen_runstate_race_seconds(seconds);

	return test_harness_run(argc, argv);
}
