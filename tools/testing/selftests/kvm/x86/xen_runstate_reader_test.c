// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * A reader of another vCPU's Xen runstate area that follows the guest's
 * protocol accepts no torn area, wherever the area lies and whatever changes the
 * state just then: preemption, KVM_RUN or an attribute call.  This goes for one
 * that reads the flag as often as it can, and for those that see no more of it
 * than Linux does, by one load or in two pieces, which both reads of the entry
 * time get in the same order.  Pieces have two bytes or more, so that the value of
 * one hardly recurs within a reading.
 *
 * Where an emulator runs CPUs in turn, an update seldom comes between two loads.
 *
 * XEN_RUNSTATE_SECONDS in the environment sets how long each test lasts.
 */
#include <limits.h>
#include <pthread.h>

#include <asm/barrier.h>

#include "kvm_test_harness.h"
#include "xen_runstate.h"

#define DEFAULT_SECONDS		3
#define ATTEMPTS_PER_RUN	200

/* Of so many attempts, at each place, while the states change. */
#define MIN_ROUNDS		3

/* How many times as long as usual to wait for a reading that sees the flag. */
#define PATIENCE		20

/* The longest pause of a slow reader: enough for an update to pass. */
#define MAX_PAUSE		2048

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
	int bad_protocol;
};

static u64 read_entry(const struct reader *reader)
{
	return READ_ONCE(*(u64 *)(reader->area + reader->entry_offset));
}

/* Another one each time. */
static void pause_reading(const struct reader *reader)
{
	for (int i = reader->attempts % MAX_PAUSE; i; i--)
		barrier();
}

/*
 * Read an entry time on two pages as the hardware does: one piece, then the
 * other.  Pauses make each piece, and what is read next, be of different age.
 */
static u64 read_entry_in_pieces(const struct reader *reader, bool high_first)
{
	const u64 entry_addr = reader->area + reader->entry_offset;
	const int head = PAGE_SIZE - entry_addr % PAGE_SIZE;
	const int first = high_first ? head : 0, second = high_first ? 0 : head;
	u64 entry = 0;

	if (head >= sizeof(entry))
		return read_entry(reader);

	for (int i = 0; i < sizeof(entry); i++) {
		const int byte = (first + i) % sizeof(entry);

		if (byte == second)
			pause_reading(reader);
		entry |= (u64)READ_ONCE(((u8 *)entry_addr)[byte]) << (8 * byte);
	}
	pause_reading(reader);
	return entry;
}

static u64 read_entry_low_first(const struct reader *reader)
{
	return read_entry_in_pieces(reader, false);
}

static u64 read_entry_high_first(const struct reader *reader)
{
	return read_entry_in_pieces(reader, true);
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
static bool read_area(struct reader *reader, struct compat_vcpu_runstate_info *rs,
		      u64 (*entry)(const struct reader *reader))
{
	const u64 *field = (u64 *)(reader->area + reader->entry_offset);

	rs->state_entry_time = entry(reader);
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
	return entry(reader) == rs->state_entry_time;
}

/*
 * What a Linux guest does: the flag is in the first of two reads of the entry
 * time, or it is not.  It checks nothing else, on one cache line or two.
 */
static bool read_area_like_linux(struct reader *reader, struct compat_vcpu_runstate_info *rs,
				 u64 (*entry)(const struct reader *reader))
{
	const u64 *field = (u64 *)(reader->area + reader->entry_offset);

	rs->state_entry_time = entry(reader);
	/* All that follows is of this time or later, */
	smp_rmb();
	rs->state = READ_ONCE(*(u32 *)reader->area);
	for (int i = 0; i < ARRAY_SIZE(rs->time); i++)
		rs->time[i] = READ_ONCE(field[i + 1]);
	/* and if it still is that time, of no later one. */
	smp_rmb();
	if (entry(reader) != rs->state_entry_time)
		return false;

	if (rs->state_entry_time & XEN_RUNSTATE_UPDATE) {
		reader->flags_seen++;
		return false;
	}
	return true;
}

static const struct {
	const char *name;
	bool (*read)(struct reader *reader, struct compat_vcpu_runstate_info *rs,
		     u64 (*entry)(const struct reader *reader));
	u64 (*entry)(const struct reader *reader);
} protocols[] = {
	{ "the flag read apart",	read_area,		read_entry },
	{ "as Linux reads it",		read_area_like_linux,	read_entry },
	{ "as Linux, low piece first",	read_area_like_linux,	read_entry_low_first },
	{ "as Linux, high piece first",	read_area_like_linux,	read_entry_high_first },
};

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

/* Read the area over and over, each time by another protocol; in host or guest. */
static void read_many(struct reader *reader, int attempts)
{
	struct compat_vcpu_runstate_info now;

	while (attempts--) {
		const int protocol = attempts % ARRAY_SIZE(protocols);

		reader->attempts++;
		if (!protocols[protocol].read(reader, &now, protocols[protocol].entry))
			continue;

		reader->accepted++;
		if (!follows(&reader->last, &now)) {
			if (!reader->torn++) {
				reader->bad = now;
				reader->bad_protocol = protocol;
			}
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
	u64 rounds;
	bool done;
};

FIXTURE(xen_runstate_reader) {
	struct race race;
};

FIXTURE_SETUP(xen_runstate_reader)
{
	struct race *race = &self->race;

	/*
	 * The harness has one timeout for all tests; set one that fits this test.  Where an
	 * emulator runs CPUs in turn, a reader that is busy takes most of the time.
	 */
	alarm(4 * PATIENCE * seconds + 60);

	race->vm = vm_create(2);
	race->owner = vm_vcpu_add(race->vm, 0, guest_owner);
	race->reader = vm_vcpu_add(race->vm, 1, guest_reader);
	xen_enable_runstate(race->vm);

	/* Everything but the reader shares one CPU. */
	race->cpu = sched_getcpu();
	TEST_ASSERT_EQ(sched_getaffinity(0, sizeof(race->cpus), &race->cpus), 0);
	if (CPU_COUNT(&race->cpus) > 1)
		CPU_CLR(race->cpu, &race->cpus);
	pin_self_to_cpu(race->cpu);
	start_preempters(&race->preempters, race->cpu);
}

FIXTURE_TEARDOWN(xen_runstate_reader)
{
	stop_preempters(&self->race.preempters);
	kvm_vm_free(self->race.vm);
}

/*
 * Enter @state as of now by ADJUST, which charges the time since the last entry
 * to blocked.  The entry time must move, and not back to where it was before: to
 * a reader, the same entry time means that nothing has changed.
 */
static void adjust_to_now(struct kvm_vcpu *vcpu, u64 state)
{
	struct kvm_xen_vcpu_attr rs = runstate_get(vcpu);
	u64 delta = vm_clock(vcpu->vm) - rs.u.runstate.state_entry_time;

	TEST_ASSERT_EQ(__runstate_set(vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST,
				      runstate_attr(state, delta, 0, 0, delta, 0)), 0);
}

/*
 * Change the state by all means that there are, for that long, and until the
 * reader has looked on.  Except DATA, and ADJUST with the entry time left as it
 * is, which no protocol can detect.
 */
static void change_states(const struct race *race, s64 ns)
{
	struct kvm_vcpu *vcpu = race->owner;
	struct timespec start;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		for (int state = RUNSTATE_running; state <= RUNSTATE_offline; state++) {
			vcpu_run(vcpu);
			runstate_set_current(vcpu, state);
			adjust_to_now(vcpu, RUNSTATE_offline - state);
		}
		for (int i = 0; i < 8; i++)
			vcpu_run(vcpu);
	} while (timespec_to_ns(timespec_elapsed(start)) < ns ||
		 READ_ONCE(race->rounds) < MIN_ROUNDS);
}

/* Put the area at one of NR_PLACES and run @read on it while it changes. */
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

	race->rounds = 0;
	race->done = false;
	TEST_ASSERT_EQ(pthread_create(&thread, NULL, read, race), 0);
	change_states(race, seconds * 1000000000LL / NR_PLACES);
	WRITE_ONCE(race->done, true);
	TEST_ASSERT_EQ(pthread_join(thread, NULL), 0);

	TEST_ASSERT(!view->torn,
		    "%lu of %lu accepted areas are wrong, %d bytes of %s layout before the page end\n"
		    "the first, %s: state %u since %lu: running %ld runnable %ld blocked %ld offline %ld",
		    view->torn, view->accepted, splits[place / 2], long_mode ? "64-bit" : "32-bit",
		    protocols[view->bad_protocol].name, view->bad.state,
		    view->bad.state_entry_time, view->bad.time[RUNSTATE_running],
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
		WRITE_ONCE(race->rounds, race->rounds + 1);
	} while (!READ_ONCE(race->done));
	if (race->by_guest) {
		sync_global_from_guest(race->vm, guest_view);
		race->view = guest_view;
	}

	return NULL;
}

/* On the CPU of the owner, a reader comes when the update is over. */
static bool can_see_flag(const struct race *race)
{
	return !race->by_guest && !CPU_ISSET(race->cpu, &race->cpus);
}

static void read_everywhere(struct race *race)
{
	u64 accepted = 0;
	int tries = NR_PLACES;

	xen_set_update_flag(race->vm, true);

	/* Whether a reader hits the middle of an update is chance: go on until one has. */
	if (can_see_flag(race))
		tries *= PATIENCE;

	for (int i = 0; i < NR_PLACES || (i < tries && !race->view.flags_seen); i++) {
		read_at_place(race, i % NR_PLACES, read_until_done);
		TEST_ASSERT(race->view.accepted > accepted,
			    "nothing was accepted of %lu attempts", race->view.attempts);
		accepted = race->view.accepted;
	}
	ksft_print_msg("did %lu readings\n", race->view.attempts);
	ksft_print_msg("did %lu readings accepted\n", race->view.accepted);
	ksft_print_msg("did %lu readings refused by the flag\n", race->view.flags_seen);

	if (can_see_flag(race))
		TEST_ASSERT(race->view.flags_seen, "the flag was never seen");
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
		for (int i = 0; i < ATTEMPTS_PER_RUN; i++)
			race->view.flags_seen += read_flag(&race->view);
		WRITE_ONCE(race->rounds, race->rounds + 1);
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
	seconds = xen_runstate_race_seconds(seconds);

	return test_harness_run(argc, argv);
}
