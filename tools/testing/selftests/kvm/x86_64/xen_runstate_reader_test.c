// SPDX-License-Identifier: GPL-2.0-only
/*
 * A reader of another vCPU's Xen runstate area that follows the guest's
 * protocol never accepts a torn area, wherever the area lies and whatever
 * changes the state just then: preemption, KVM_RUN or an attribute call.
 *
 * XEN_RUNSTATE_SECONDS in the environment sets how long each test lasts.
 */
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

#include <asm/barrier.h>

#include "xen_runstate.h"

#define DEFAULT_SECONDS		3
#define ATTEMPTS_PER_RUN	200

static int seconds = DEFAULT_SECONDS;

/* Where the area lies: so many bytes of it are in the first of two pages. */
static const int splits[] = { 0, 1, 4, 6, 11, 12, 14, 16, 21, 40, 43 };

#define NR_PLACES	((int)(2 * ARRAY_SIZE(splits)))

/* One reader's view of the area, and what it has accepted last. */
struct reader {
	u64 area;
	u64 entry_offset;
	u64 attempts;
	u64 accepted;
	u64 flags_seen;
	u64 torn;
	struct compat_vcpu_runstate_info last;
	struct compat_vcpu_runstate_info bad;
};

static u64 read_entry(const struct reader *reader)
{
	return READ_ONCE(*(u64 *)(reader->area + reader->entry_offset));
}

static bool read_flag(const struct reader *reader)
{
	u64 byte = reader->area + reader->entry_offset + sizeof(u64) - 1;

	return READ_ONCE(*(u8 *)byte) & (XEN_RUNSTATE_UPDATE >> 56);
}

/*
 * The protocol.  An entry time that crosses a cache line is not read in one
 * piece, so the byte with the flag is read once more on the side of the totals.
 */
static bool read_area(struct reader *reader, struct compat_vcpu_runstate_info *rs)
{
	const u64 *field = (u64 *)(reader->area + reader->entry_offset);

	rs->state_entry_time = read_entry(reader);
	/* The flag after the entry time: an update may come between. */
	smp_rmb();
	if ((rs->state_entry_time & XEN_RUNSTATE_UPDATE) || read_flag(reader)) {
		reader->flags_seen++;
		return false;
	}
	/* The rest only when no update was under way. */
	smp_rmb();
	rs->state = READ_ONCE(*(u32 *)reader->area);
	for (int i = 0; i < ARRAY_SIZE(rs->time); i++)
		rs->time[i] = READ_ONCE(field[i + 1]);
	/* Nor may one have begun by now, */
	smp_rmb();
	if (read_flag(reader)) {
		reader->flags_seen++;
		return false;
	}
	/* or have begun and ended, which moved the entry time. */
	smp_rmb();
	return read_entry(reader) == rs->state_entry_time;
}

static bool follows(const struct compat_vcpu_runstate_info *then,
		    const struct compat_vcpu_runstate_info *now)
{
	u64 sum = 0;

	for (int i = 0; i < ARRAY_SIZE(now->time); i++) {
		if (now->time[i] < then->time[i] || now->time[i] > now->state_entry_time)
			return false;
		sum += now->time[i];
	}

	return now->state <= RUNSTATE_offline && sum == now->state_entry_time &&
	       now->state_entry_time >= then->state_entry_time;
}

/* Read the area over and over; runs in the host or the guest alike. */
static void read_many(struct reader *reader, int attempts)
{
	struct compat_vcpu_runstate_info now;

	while (attempts--) {
		reader->attempts++;
		if (!read_area(reader, &now))
			continue;

		reader->accepted++;
		if (!follows(&reader->last, &now)) {
			if (!reader->torn++)
				reader->bad = now;
			continue;
		}
		reader->last = now;
	}
}

static void guest_owner(void)
{
	for (;;)
		GUEST_SYNC(0);
}

static struct reader guest_view;

static void guest_reader(void)
{
	for (;;) {
		read_many(&guest_view, ATTEMPTS_PER_RUN);
		GUEST_SYNC(0);
	}
}

/* The VM and threads of a race between an owner and a reader. */
struct race {
	struct kvm_vm *vm;
	struct kvm_vcpu *owner;
	struct kvm_vcpu *reader;
	struct preempters preempters;
	struct reader view;
	cpu_set_t cpus;
	int cpu;
	bool by_guest;
	bool done;
};

FIXTURE(xen_runstate_reader) {
	struct race race;
};

FIXTURE_SETUP(xen_runstate_reader)
{
	struct race *race = &self->race;

	/* The harness knows one timeout for all; this one fits the test. */
	alarm(2 * seconds + 60);

	race->vm = vm_create(2);
	race->owner = vm_vcpu_add(race->vm, 0, guest_owner);
	race->reader = vm_vcpu_add(race->vm, 1, guest_reader);
	xen_enable_runstate(race->vm);

	/* Everything but the reader shares one CPU. */
	race->cpu = sched_getcpu();
	TEST_ASSERT_EQ(sched_getaffinity(0, sizeof(race->cpus), &race->cpus), 0);
	if (CPU_COUNT(&race->cpus) > 1)
		CPU_CLR(race->cpu, &race->cpus);
	kvm_pin_this_task_to_pcpu(race->cpu);
	start_preempters(&race->preempters, race->cpu);
}

FIXTURE_TEARDOWN(xen_runstate_reader)
{
	stop_preempters(&self->race.preempters);
	kvm_vm_free(self->race.vm);
}

/* Change the state by all means that there are, but for DATA, for that long. */
static void change_states(struct kvm_vcpu *vcpu, s64 ns)
{
	struct timespec start;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		for (int state = RUNSTATE_running; state <= RUNSTATE_offline; state++) {
			vcpu_run(vcpu);
			runstate_set_current(vcpu, state);
		}
		for (int i = 0; i < 8; i++)
			vcpu_run(vcpu);
	} while (timespec_to_ns(timespec_elapsed(start)) < ns);
}

/* Put the area at one of NR_PLACES and let @read look at it while it changes. */
static void read_at_place(struct race *race, int place, void *(*read)(void *))
{
	u64 offset = AREA_PAGES / 2 * PAGE_SIZE - splits[place / 2];
	struct reader *view = &race->view;
	bool long_mode = place & 1;
	pthread_t thread;

	xen_set_long_mode(race->vm, long_mode);
	runstate_set_addr(race->owner, AREA_GPA + offset);

	if (race->by_guest)
		view->area = AREA_GVA + offset;
	else
		view->area = (uintptr_t)addr_gpa2hva(race->vm, AREA_GPA + offset);
	if (long_mode)
		view->entry_offset = offsetof(struct vcpu_runstate_info, state_entry_time);
	else
		view->entry_offset = offsetof(struct compat_vcpu_runstate_info, state_entry_time);

	race->done = false;
	TEST_ASSERT_EQ(pthread_create(&thread, NULL, read, race), 0);
	change_states(race->owner, seconds * 1000000000LL / NR_PLACES);
	WRITE_ONCE(race->done, true);
	TEST_ASSERT_EQ(pthread_join(thread, NULL), 0);

	TEST_ASSERT(!view->torn,
		    "%lu of %lu accepted areas are wrong, %d bytes of %s layout before the page end\n"
		    "the first: state %u since %lu: running %ld runnable %ld blocked %ld offline %ld",
		    view->torn, view->accepted, splits[place / 2], long_mode ? "64-bit" : "32-bit",
		    view->bad.state, view->bad.state_entry_time, view->bad.time[RUNSTATE_running],
		    view->bad.time[RUNSTATE_runnable], view->bad.time[RUNSTATE_blocked],
		    view->bad.time[RUNSTATE_offline]);
}

static void *read_until_done(void *arg)
{
	struct race *race = arg;

	TEST_ASSERT_EQ(sched_setaffinity(0, sizeof(race->cpus), &race->cpus), 0);

	if (race->by_guest) {
		guest_view = race->view;
		sync_global_to_guest(race->vm, guest_view);
	}
	do {
		if (race->by_guest)
			vcpu_run(race->reader);
		else
			read_many(&race->view, ATTEMPTS_PER_RUN);
	} while (!READ_ONCE(race->done));
	if (race->by_guest) {
		sync_global_from_guest(race->vm, guest_view);
		race->view = guest_view;
	}

	return NULL;
}

static void read_everywhere(struct race *race)
{
	u64 accepted = 0;

	xen_set_update_flag(race->vm, true);

	for (int place = 0; place < NR_PLACES; place++) {
		read_at_place(race, place, read_until_done);
		TEST_ASSERT(race->view.accepted > accepted,
			    "nothing was accepted of %lu attempts", race->view.attempts);
		accepted = race->view.accepted;
	}
	ksft_print_msg("%lu attempts, %lu accepted, %lu saw the flag\n",
		       race->view.attempts, race->view.accepted, race->view.flags_seen);
}

TEST_F_TIMEOUT(xen_runstate_reader, host_accepts_no_torn_area, INT_MAX)
{
	read_everywhere(&self->race);
}

TEST_F_TIMEOUT(xen_runstate_reader, guest_accepts_no_torn_area, INT_MAX)
{
	self->race.by_guest = true;
	read_everywhere(&self->race);
}

/* Without the flag a reader has no protection, and so no claim to a sum. */
static void *look_for_flag(void *arg)
{
	struct race *race = arg;

	TEST_ASSERT_EQ(sched_setaffinity(0, sizeof(race->cpus), &race->cpus), 0);
	do {
		race->view.flags_seen += read_flag(&race->view);
	} while (!READ_ONCE(race->done));

	return NULL;
}

TEST_F_TIMEOUT(xen_runstate_reader, flag_is_never_seen_when_off, INT_MAX)
{
	struct race *race = &self->race;

	for (int place = 0; place < NR_PLACES; place++) {
		read_at_place(race, place, look_for_flag);
		TEST_ASSERT(!race->view.flags_seen, "the flag was seen %lu times",
			    race->view.flags_seen);
	}
}

int main(int argc, char *argv[])
{
	const char *env = getenv("XEN_RUNSTATE_SECONDS");

	TEST_REQUIRE(kvm_check_cap(KVM_CAP_XEN_HVM) & KVM_XEN_HVM_CONFIG_RUNSTATE_UPDATE_FLAG);
	__TEST_REQUIRE(can_preempt(), "SCHED_FIFO needs CAP_SYS_NICE");

	if (env)
		seconds = atoi_positive("XEN_RUNSTATE_SECONDS", env);

	return test_harness_run(argc, argv);
}
