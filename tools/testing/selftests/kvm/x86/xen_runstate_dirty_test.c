// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * The dirty log of the memslot in which a runstate area lies: each page that
 * KVM writes is in it, and a vCPU that just goes on running dirties its area no
 * more than once a jiffy, however often it exits; news do not wait for that, but
 * for a dirty ring that is full.
 */
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#include <asm/barrier.h>

#include "kvm_test_harness.h"
#include "xen_runstate.h"

#define NR_EXITS	2000
#define NR_REFRESHES	50
#define NR_PAIRS	50

/* At two entries each, more than a ring has left for KVM when it is full. */
#define RING_JIFFIES	50

/* Areas on one page, up to the very end of one, and on two of them. */
static const struct {
	const char *name;
	uint64_t gpa;
	unsigned long pages;
} places[] = {
	{ "within a page",	AREA_GPA + PAGE_SIZE + 0x100,	0x2 },
	{ "at the end of a page", AREA_GPA + 2 * PAGE_SIZE - 48, 0x2 },
	{ "across two pages",	AREA_GPA + 2 * PAGE_SIZE - 10,	0x6 },
};

#define SPLIT_GPA	(places[2].gpa)

/* How long each race with preempters goes on. */
static int seconds = 4;

/* The fastest of exits, since the test is of how many there are in a jiffy. */
static void guest_code(void)
{
	for (;;)
		asm volatile("outb %%al, $0x80" : : "a"(0));
}

FIXTURE(xen_runstate_dirty) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_SETUP(xen_runstate_dirty)
{
	self->vm = vm_create_with_one_vcpu(&self->vcpu, guest_code);
	xen_enable_runstate(self->vm);
	vm_mem_region_set_flags(self->vm, AREA_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
}

FIXTURE_TEARDOWN(xen_runstate_dirty)
{
	kvm_vm_free(self->vm);
}

/* A bit for each page that was dirtied since the last call. */
static unsigned long dirtied_pages(struct kvm_vm *vm)
{
	unsigned long pages = 0;

	kvm_vm_get_dirty_log(vm, AREA_SLOT, &pages);
	return pages;
}

static int set_base(struct kvm_vcpu *vcpu)
{
	return __runstate_set(vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA,
			      runstate_attr(RUNSTATE_running, 1000, 400, 300, 200, 100));
}

/*
 * What is written is marked
 */

static void expect_marked(struct __test_metadata *_metadata, struct kvm_vm *vm,
			  int place, const char *what)
{
	EXPECT_EQ(places[place].pages, dirtied_pages(vm)) {
		TH_LOG("%s, area %s", what, places[place].name);
	}
}

TEST_F(xen_runstate_dirty, addr_marks_the_area)
{
	for (int i = 0; i < ARRAY_SIZE(places); i++) {
		dirtied_pages(self->vm);
		runstate_set_addr(self->vcpu, places[i].gpa);
		expect_marked(_metadata, self->vm, i, "ADDR");
		runstate_set_addr(self->vcpu, places[i].gpa);
		expect_marked(_metadata, self->vm, i, "ADDR again");
	}
}

TEST_F(xen_runstate_dirty, current_marks_the_area)
{
	static const char * const names[] = { "running", "runnable", "blocked", "offline" };

	for (int i = 0; i < ARRAY_SIZE(places); i++) {
		runstate_set_addr(self->vcpu, places[i].gpa);
		dirtied_pages(self->vm);
		for (int state = 0; state < ARRAY_SIZE(names); state++) {
			runstate_set_current(self->vcpu, state);
			expect_marked(_metadata, self->vm, i, names[state]);
		}
	}
}

TEST_F(xen_runstate_dirty, adjust_marks_the_area)
{
	struct kvm_xen_vcpu_attr to_blocked = runstate_attr(KVM_XEN_RUNSTATE_KEEP, 0,
							    -100ULL, 0, 100, 0);

	for (int i = 0; i < ARRAY_SIZE(places); i++) {
		runstate_set_addr(self->vcpu, places[i].gpa);
		TEST_ASSERT_EQ(set_base(self->vcpu), 0);
		dirtied_pages(self->vm);
		EXPECT_EQ(0, __runstate_set(self->vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST,
					    to_blocked));
		expect_marked(_metadata, self->vm, i, "ADJUST");
	}
}

TEST_F(xen_runstate_dirty, data_marks_the_area)
{
	for (int i = 0; i < ARRAY_SIZE(places); i++) {
		runstate_set_addr(self->vcpu, places[i].gpa);
		dirtied_pages(self->vm);
		EXPECT_EQ(0, set_base(self->vcpu));
		expect_marked(_metadata, self->vm, i, "DATA");
	}
}

TEST_F(xen_runstate_dirty, run_of_a_blocked_vcpu_marks_the_area)
{
	for (int i = 0; i < ARRAY_SIZE(places); i++) {
		runstate_set_addr(self->vcpu, places[i].gpa);
		runstate_set_current(self->vcpu, RUNSTATE_blocked);
		dirtied_pages(self->vm);
		runstate_vcpu_run(self->vcpu);
		expect_marked(_metadata, self->vm, i, "KVM_RUN");
	}
}

TEST_F(xen_runstate_dirty, update_flag_marks_no_more_and_no_less)
{
	xen_set_update_flag(self->vm, true);

	for (int i = 0; i < ARRAY_SIZE(places); i++) {
		runstate_set_addr(self->vcpu, places[i].gpa);
		dirtied_pages(self->vm);
		runstate_set_current(self->vcpu, RUNSTATE_blocked);
		expect_marked(_metadata, self->vm, i, "CURRENT with the flag");
		runstate_vcpu_run(self->vcpu);
		expect_marked(_metadata, self->vm, i, "KVM_RUN with the flag");
	}
}

TEST_F(xen_runstate_dirty, refused_calls_mark_nothing)
{
	const uint64_t beyond = AREA_GPA + AREA_PAGES * PAGE_SIZE - 10;

	runstate_set_addr(self->vcpu, SPLIT_GPA);
	dirtied_pages(self->vm);

	EXPECT_NE(0, __runstate_set_addr(self->vcpu, beyond));
	EXPECT_EQ(0, dirtied_pages(self->vm));
	EXPECT_NE(0, __runstate_set_current(self->vcpu, RUNSTATE_offline + 1));
	EXPECT_NE(0, __runstate_set(self->vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA,
				    runstate_attr(RUNSTATE_blocked, 1, 0, 0, 0, 0)));
	EXPECT_NE(0, __runstate_set(self->vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST,
				    runstate_attr(RUNSTATE_blocked, 1, 0, 0, 0, 0)));
	EXPECT_EQ(0, dirtied_pages(self->vm));
}

TEST_F(xen_runstate_dirty, unregistered_area_is_not_marked)
{
	runstate_set_addr(self->vcpu, SPLIT_GPA);
	runstate_vcpu_run(self->vcpu);
	runstate_set_addr(self->vcpu, KVM_XEN_INVALID_GPA);
	dirtied_pages(self->vm);

	runstate_set_current(self->vcpu, RUNSTATE_blocked);
	TEST_ASSERT_EQ(set_base(self->vcpu), 0);
	runstate_vcpu_run(self->vcpu);
	EXPECT_EQ(0, dirtied_pages(self->vm));
}

/*
 * What has not changed is not written
 */

/* The coarse clocks go by jiffies. */
static uint64_t jiffy_ns(void)
{
	struct timespec res;

	TEST_ASSERT_EQ(clock_getres(CLOCK_MONOTONIC_COARSE, &res), 0);
	return res.tv_nsec;
}

/*
 * Exit often and see which exits dirtied the area.  Those are excused that
 * bring new steal, because the thread had to wait for a CPU; of all others
 * there may be one for each jiffy, and one for where the loop starts and ends.
 */
static void expect_dirtied_once_a_jiffy(struct __test_metadata *_metadata,
					struct kvm_vcpu *vcpu, uint64_t gpa, bool long_mode)
{
	struct kvm_xen_vcpu_attr before, after;
	uint64_t start, elapsed;
	int dirtied = 0;

	runstate_vcpu_run(vcpu);
	dirtied_pages(vcpu->vm);
	before = runstate_read_area(vcpu->vm, gpa, long_mode);
	start = now_ns();

	for (int i = 0; i < NR_EXITS; i++) {
		runstate_vcpu_run(vcpu);
		after = runstate_read_area(vcpu->vm, gpa, long_mode);
		if (dirtied_pages(vcpu->vm)) {
			dirtied += after.u.runstate.time_runnable ==
				   before.u.runstate.time_runnable;
			before = after;
			continue;
		}
		ASSERT_TRUE(runstate_equal(&before, &after)) {
			TH_LOG("exit %d changed the area, but dirtied no page", i);
		}
	}

	elapsed = now_ns() - start;
	EXPECT_LE(dirtied, elapsed / jiffy_ns() + 2) {
		TH_LOG("%d of %d exits within %lu us, without new steal",
		       dirtied, NR_EXITS, elapsed / 1000);
	}
}

TEST_F_TIMEOUT(xen_runstate_dirty, running_on_dirties_once_a_jiffy, 120)
{
	runstate_set_addr(self->vcpu, places[0].gpa);
	expect_dirtied_once_a_jiffy(_metadata, self->vcpu, places[0].gpa, true);
}

TEST_F_TIMEOUT(xen_runstate_dirty, running_on_across_pages_dirties_once_a_jiffy, 120)
{
	xen_set_update_flag(self->vm, true);
	runstate_set_addr(self->vcpu, SPLIT_GPA);
	expect_dirtied_once_a_jiffy(_metadata, self->vcpu, SPLIT_GPA, true);
}

/*
 * The second of two exits in a jiffy leaves the area as the first one has written it,
 * unless it brings new steal.  Of most: the coarse clock may be late for its jiffy.
 */
static void expect_second_exit_writes_nothing(struct __test_metadata *_metadata,
					      struct kvm_vcpu *vcpu, uint64_t gpa, bool long_mode)
{
	struct kvm_xen_vcpu_attr first, second;
	int pairs = 0, written = 0;

	for (int i = 0; i < NR_EXITS && pairs < NR_PAIRS; i++) {
		const uint64_t jiffy = clock_ns(CLOCK_MONOTONIC_COARSE);

		runstate_vcpu_run(vcpu);
		first = runstate_read_area(vcpu->vm, gpa, long_mode);
		runstate_vcpu_run(vcpu);
		second = runstate_read_area(vcpu->vm, gpa, long_mode);
		if (clock_ns(CLOCK_MONOTONIC_COARSE) != jiffy ||
		    first.u.runstate.time_runnable != second.u.runstate.time_runnable)
			continue;

		pairs++;
		written += !runstate_equal(&first, &second);
	}

	if (!pairs)
		SKIP(return, "the machine is too slow for two exits in a jiffy");
	EXPECT_LE(written, pairs / 2) {
		TH_LOG("%d of %d times", written, pairs);
	}
}

/* An area that grew short has nothing to do with what was its second page. */
TEST_F_TIMEOUT(xen_runstate_dirty, running_on_as_32bit_forgets_the_second_page, 120)
{
	const uint64_t gpa = AREA_GPA + 2 * PAGE_SIZE - 44;

	runstate_set_addr(self->vcpu, gpa);
	runstate_vcpu_run(self->vcpu);
	xen_set_long_mode(self->vm, false);
	runstate_vcpu_run(self->vcpu);
	TEST_ASSERT_EQ(madvise(addr_gpa2hva(self->vm, AREA_GPA + 2 * PAGE_SIZE),
			       PAGE_SIZE, MADV_DONTNEED), 0);
	expect_second_exit_writes_nothing(_metadata, self->vcpu, gpa, false);
}

/*
 * What has changed does not wait
 */

/* KVM_RUN must bring the entry time up to when it was called, or later. */
static void expect_refreshed_by_run(struct __test_metadata *_metadata,
				    struct kvm_vcpu *vcpu, uint64_t gpa, bool long_mode,
				    const char *after)
{
	struct kvm_xen_vcpu_attr area;
	uint64_t called;

	dirtied_pages(vcpu->vm);
	called = vm_clock(vcpu->vm);
	runstate_vcpu_run(vcpu);
	area = runstate_read_area(vcpu->vm, gpa, long_mode);
	EXPECT_LE(called, area.u.runstate.state_entry_time) {
		TH_LOG("not refreshed after %s: %s", after, runstate_text(&area).s);
	}
	EXPECT_NE(0, dirtied_pages(vcpu->vm));
}

TEST_F(xen_runstate_dirty, run_after_a_jiffy_refreshes)
{
	runstate_set_addr(self->vcpu, SPLIT_GPA);

	for (int i = 0; i < NR_REFRESHES / 5; i++) {
		uint64_t written;

		runstate_vcpu_run(self->vcpu);
		written = clock_ns(CLOCK_MONOTONIC_COARSE);
		while (clock_ns(CLOCK_MONOTONIC_COARSE) < written + 2 * jiffy_ns())
			;
		expect_refreshed_by_run(_metadata, self->vcpu, SPLIT_GPA, true, "a jiffy");
	}
}

TEST_F(xen_runstate_dirty, run_after_data_refreshes)
{
	runstate_set_addr(self->vcpu, SPLIT_GPA);

	for (int i = 0; i < NR_REFRESHES; i++) {
		runstate_vcpu_run(self->vcpu);
		TEST_ASSERT_EQ(set_base(self->vcpu), 0);
		expect_refreshed_by_run(_metadata, self->vcpu, SPLIT_GPA, true, "DATA");
	}
}

TEST_F(xen_runstate_dirty, run_after_adjust_refreshes)
{
	struct kvm_xen_vcpu_attr back = runstate_attr(KVM_XEN_RUNSTATE_KEEP, -1ULL, 0, 0, 0, -1ULL);

	runstate_set_addr(self->vcpu, SPLIT_GPA);

	for (int i = 0; i < NR_REFRESHES; i++) {
		runstate_vcpu_run(self->vcpu);
		TEST_ASSERT_EQ(__runstate_set(self->vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST,
					      back), 0);
		expect_refreshed_by_run(_metadata, self->vcpu, SPLIT_GPA, true, "ADJUST");
	}
}

TEST_F(xen_runstate_dirty, run_after_addr_refreshes)
{
	for (int i = 0; i < NR_REFRESHES; i++) {
		const uint64_t gpa = places[i % ARRAY_SIZE(places)].gpa;

		runstate_set_addr(self->vcpu, gpa);
		expect_refreshed_by_run(_metadata, self->vcpu, gpa, true, "ADDR");
	}
}

TEST_F(xen_runstate_dirty, run_after_a_mode_switch_refreshes)
{
	runstate_set_addr(self->vcpu, SPLIT_GPA);

	for (int i = 0; i < NR_REFRESHES; i++) {
		runstate_vcpu_run(self->vcpu);
		xen_set_long_mode(self->vm, i % 2);
		expect_refreshed_by_run(_metadata, self->vcpu, SPLIT_GPA, i % 2, "a mode switch");
	}
}

/*
 * The dirty ring of a VMM that runs its vCPU again and again, but does not reap
 */

FIXTURE(xen_runstate_ring) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

/* How small it can be depends on what the CPU logs by itself. */
static void enable_smallest_ring(struct kvm_vm *vm)
{
	uint32_t max = vm_check_cap(vm, KVM_CAP_DIRTY_LOG_RING);
	uint32_t size = PAGE_SIZE;

	while (__vm_enable_cap(vm, KVM_CAP_DIRTY_LOG_RING, size)) {
		size *= 2;
		TEST_ASSERT(size <= max, "no size of the dirty ring is accepted");
	}
	vm->dirty_ring_size = size;
}

FIXTURE_SETUP(xen_runstate_ring)
{
	self->vm = vm_create(1);
	if (!vm_check_cap(self->vm, KVM_CAP_DIRTY_LOG_RING))
		SKIP(return, "KVM_CAP_DIRTY_LOG_RING is not available");

	enable_smallest_ring(self->vm);
	self->vcpu = vm_vcpu_add(self->vm, 0, guest_code);
	vcpu_map_dirty_ring(self->vcpu);
	xen_enable_runstate(self->vm);
	vm_mem_region_set_flags(self->vm, AREA_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
}

FIXTURE_TEARDOWN(xen_runstate_ring)
{
	kvm_vm_free(self->vm);
}

static bool entry_is_dirty(const struct kvm_dirty_gfn *entry)
{
	/* KVM sets the flag when the entry is complete. */
	return smp_load_acquire(&entry->flags) & KVM_DIRTY_GFN_F_DIRTY;
}

static bool run_says_full(struct kvm_vcpu *vcpu)
{
	vcpu_run(vcpu);
	return vcpu->run->exit_reason == KVM_EXIT_DIRTY_RING_FULL;
}

static struct kvm_dirty_gfn *ring_entry(struct kvm_vcpu *vcpu, int i)
{
	return &vcpu->dirty_gfns[i % vcpu->dirty_gfns_count];
}

/* The number of entries in use, if @from is the first. */
static int ring_used(struct kvm_vcpu *vcpu, int from)
{
	int n = 0;

	while (n < vcpu->dirty_gfns_count && entry_is_dirty(ring_entry(vcpu, from + n)))
		n++;
	return n;
}

static void reap_some(struct kvm_vcpu *vcpu, int from, int n)
{
	for (int i = from; i < from + n; i++) {
		/* KVM may use an entry again as soon as it sees that. */
		smp_store_release(&ring_entry(vcpu, i)->flags, KVM_DIRTY_GFN_F_RESET);
	}
	TEST_ASSERT_EQ(kvm_vm_reset_dirty_ring(vcpu->vm), n);
}

/* Reap all from the entry @from on. */
static int reap(struct kvm_vcpu *vcpu, int from)
{
	int n = ring_used(vcpu, from);

	reap_some(vcpu, from, n);
	return n;
}

/*
 * Fill the ring with entries of places[0], and have the area elsewhere then.
 * Returns the first entry that is in use.
 */
static int fill_ring(struct kvm_vcpu *vcpu)
{
	int rounds = 0;

	runstate_set_addr(vcpu, places[0].gpa);
	do {
		TEST_ASSERT(rounds++ < vcpu->dirty_gfns_count, "the ring does not get full");
		runstate_set_current(vcpu, RUNSTATE_blocked);
	} while (!run_says_full(vcpu));

	/* Let it be written there. */
	reap_some(vcpu, 0, 1);
	runstate_set_addr(vcpu, SPLIT_GPA);
	return 1;
}

/* Run on by calls of @run, a jiffy at a time, and reap the ring at last. */
static void expect_full_ring_is_kept(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu,
				     void (*run)(struct __test_metadata *_metadata,
						 struct kvm_vcpu *vcpu, int round))
{
	const int size = vcpu->dirty_gfns_count;
	struct kvm_dirty_gfn *before = calloc(size, sizeof(*before));
	struct kvm_xen_vcpu_attr area;
	int first, used, reaped;
	uint64_t called;

	TEST_ASSERT(before, "no memory");
	first = fill_ring(vcpu);
	used = ring_used(vcpu, first);
	memcpy(before, vcpu->dirty_gfns, size * sizeof(*before));

	for (int i = 0; i < RING_JIFFIES; i++) {
		uint64_t start = clock_ns(CLOCK_MONOTONIC_COARSE);

		run(_metadata, vcpu, i);
		while (clock_ns(CLOCK_MONOTONIC_COARSE) == start)
			;
	}
	EXPECT_EQ(0, memcmp(before + first, ring_entry(vcpu, first), used * sizeof(*before))) {
		TH_LOG("entries that were not reaped are overwritten");
	}
	free(before);

	reaped = reap(vcpu, first);
	called = vm_clock(vcpu->vm);
	runstate_vcpu_run(vcpu);
	area = runstate_read_area(vcpu->vm, SPLIT_GPA, true);
	EXPECT_LE(called, area.u.runstate.state_entry_time) {
		TH_LOG("not refreshed after reaping: %s", runstate_text(&area).s);
	}
	EXPECT_EQ(RUNSTATE_running, area.u.runstate.state);
	EXPECT_LE(2, reap(vcpu, first + reaped));
}

static void run_both_ways(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu, int round)
{
	run_to_immediate_exit(vcpu);
	ASSERT_TRUE(run_says_full(vcpu));
}

/* With changes, too: a layout that the area does not have yet. */
static void run_in_another_mode(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu,
				int round)
{
	xen_set_long_mode(vcpu->vm, round % 2);
	run_both_ways(_metadata, vcpu, round);
}

TEST_F(xen_runstate_ring, full_ring_is_kept)
{
	expect_full_ring_is_kept(_metadata, self->vcpu, run_both_ways);
}

TEST_F(xen_runstate_ring, full_ring_is_kept_over_mode_switches)
{
	expect_full_ring_is_kept(_metadata, self->vcpu, run_in_another_mode);
}

/*
 * A change is made even if the ring has no room for the area, which KVM_RUN then
 * writes when there is some.  What is left of a ring that stops KVM_RUN is for KVM,
 * which may have to write before it stops.
 */
TEST_F(xen_runstate_ring, change_without_room_is_written_by_kvm_run)
{
	struct kvm_xen_vcpu_attr set = runstate_attr(RUNSTATE_blocked, 1000, 400, 300, 200, 100);
	const int first = fill_ring(self->vcpu);
	const int used = ring_used(self->vcpu, first);
	struct kvm_xen_vcpu_attr rs, area;
	int reaped;

	EXPECT_EQ(0, __runstate_set_current(self->vcpu, RUNSTATE_offline));
	rs = runstate_get(self->vcpu);
	EXPECT_EQ(RUNSTATE_offline, rs.u.runstate.state);
	EXPECT_EQ(0, __runstate_set(self->vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST,
				    runstate_attr(RUNSTATE_running, 0, 0, 0, 0, 0)));
	rs = runstate_get(self->vcpu);
	EXPECT_EQ(RUNSTATE_running, rs.u.runstate.state);
	EXPECT_EQ(0, __runstate_set(self->vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA, set));
	rs = runstate_get(self->vcpu);
	EXPECT_TRUE(runstate_equal(&set, &rs));

	EXPECT_EQ(0, __runstate_set_addr(self->vcpu, KVM_XEN_INVALID_GPA));
	EXPECT_EQ(0, __runstate_set_addr(self->vcpu, places[1].gpa));
	EXPECT_TRUE(run_says_full(self->vcpu));
	EXPECT_EQ(used, ring_used(self->vcpu, first));

	reaped = reap(self->vcpu, first);
	EXPECT_EQ(used, reaped);
	runstate_vcpu_run(self->vcpu);
	rs = runstate_get(self->vcpu);
	area = runstate_read_area(self->vm, places[1].gpa, true);
	EXPECT_EQ(RUNSTATE_running, area.u.runstate.state);
	EXPECT_TRUE(runstate_equal(&rs, &area));
	EXPECT_LE(1, reap(self->vcpu, first + reaped));
}

/* An area in two memslots is logged if one of them is, the second too. */
TEST_F(xen_runstate_ring, change_that_is_logged_in_the_second_slot_needs_room)
{
	const uint64_t gpa = AREA_GPA + AREA_PAGES * PAGE_SIZE;
	const int first = fill_ring(self->vcpu);
	const int used = ring_used(self->vcpu, first);

	vm_userspace_mem_region_add(self->vm, VM_MEM_SRC_ANONYMOUS, gpa, AREA_SLOT + 1, 1,
				    KVM_MEM_LOG_DIRTY_PAGES);
	vm_mem_region_set_flags(self->vm, AREA_SLOT, 0);

	runstate_set_addr(self->vcpu, gpa - 10);
	runstate_set_current(self->vcpu, RUNSTATE_offline);
	EXPECT_EQ(used, reap(self->vcpu, first));
}

/*
 * Preempted at any moment
 */

static long preemptions(void)
{
	struct rusage usage;

	TEST_ASSERT_EQ(getrusage(RUSAGE_THREAD, &usage), 0);
	return usage.ru_nivcsw;
}

/* Race @step with preempters; none of them would be no race. */
static void step_under_preemption(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu,
				  bool (*step)(struct kvm_vcpu *vcpu, void *arg), void *arg)
{
	uint64_t end = now_ns() + seconds * NSEC_PER_SEC;
	struct preempters preempters;
	long before, steps = 0;

	pin_self_to_cpu(sched_getcpu());
	start_preempters(&preempters, sched_getcpu());
	before = preemptions();
	while (now_ns() < end && step(vcpu, arg))
		steps++;
	EXPECT_LT(10, preemptions() - before);
	EXPECT_LT(0, steps);
	stop_preempters(&preempters);
	TH_LOG("%ld steps, %ld preemptions", steps, preemptions() - before);
}

static bool run_full(struct kvm_vcpu *vcpu, void *arg)
{
	return run_says_full(vcpu);
}

TEST_F_TIMEOUT(xen_runstate_ring, full_ring_is_kept_under_preemption, 900)
{
	const int first = fill_ring(self->vcpu);
	const int used = ring_used(self->vcpu, first);

	require_preempters();
	step_under_preemption(_metadata, self->vcpu, run_full, NULL);
	EXPECT_EQ(used, ring_used(self->vcpu, first)) {
		TH_LOG("a ring that was full grew");
	}
}

/*
 * A guest that has KVM write to memory which is logged: it reads the mask of the
 * PIC, which KVM emulates, by a string instruction, into one page after the other.
 */
#define LOG_SLOT	(AREA_SLOT + 1)
#define LOG_GPA		(AREA_GPA + 0x1000000)
#define LOG_PAGES	1024

/* Pages before the one of this number have been written. */
static uint64_t next_write;

static void guest_has_kvm_write(void)
{
	for (;;) {
		void *page = (void *)(LOG_GPA + next_write % LOG_PAGES * PAGE_SIZE);

		asm volatile("insb" : "+D"(page) : "d"(0x21) : "memory");
		WRITE_ONCE(next_write, next_write + 1);
	}
}

struct writes {
	uint64_t checked;
	int entry;
	bool reported[LOG_PAGES];
	int lost;
	int holes;
};

/* Fill the ring, reap it, and see that all pages are in it that were written. */
static bool check_writes(struct kvm_vcpu *vcpu, void *arg)
{
	struct writes *writes = arg;
	uint64_t written;
	int n;

	TEST_ASSERT(run_says_full(vcpu), "KVM_RUN ends, and the ring is not full");
	n = ring_used(vcpu, writes->entry);
	for (int i = 0; i < n; i++) {
		struct kvm_dirty_gfn *gfn = ring_entry(vcpu, writes->entry + i);

		if (gfn->slot == LOG_SLOT)
			writes->reported[gfn->offset] = true;
	}
	writes->holes += entry_is_dirty(ring_entry(vcpu, writes->entry + n + 1));
	reap_some(vcpu, writes->entry, n);
	writes->entry += n;

	sync_global_from_guest(vcpu->vm, next_write);
	written = next_write;
	for (; writes->checked < written; writes->checked++) {
		bool *reported = &writes->reported[writes->checked % LOG_PAGES];

		writes->lost += !*reported;
		*reported = false;
	}
	return !writes->holes;
}

TEST_F_TIMEOUT(xen_runstate_ring, emulated_writes_are_all_in_the_ring, 900)
{
	struct writes writes = {};

	require_preempters();
	vcpu_arch_set_entry_point(self->vcpu, guest_has_kvm_write);
	vm_userspace_mem_region_add(self->vm, VM_MEM_SRC_ANONYMOUS, LOG_GPA, LOG_SLOT,
				    LOG_PAGES, KVM_MEM_LOG_DIRTY_PAGES);
	virt_map(self->vm, LOG_GPA, LOG_GPA, LOG_PAGES);
	runstate_set_addr(self->vcpu, SPLIT_GPA);

	step_under_preemption(_metadata, self->vcpu, check_writes, &writes);
	EXPECT_EQ(0, writes.holes) {
		TH_LOG("the ring has a hole after %lu writes", writes.checked);
	}
	EXPECT_EQ(0, writes.lost) {
		TH_LOG("of %lu pages that were written", writes.checked);
	}
	EXPECT_LT(0, writes.checked);
}

/* Its writer does not matter. */
TEST_F(xen_runstate_ring, change_in_memory_that_is_not_logged_needs_no_room)
{
	const int first = fill_ring(self->vcpu);
	const int used = ring_used(self->vcpu, first);

	vm_mem_region_set_flags(self->vm, AREA_SLOT, 0);
	EXPECT_EQ(0, __runstate_set_current(self->vcpu, RUNSTATE_offline));
	EXPECT_EQ(used, reap(self->vcpu, first));
}

int main(int argc, char *argv[])
{
	int caps = KVM_XEN_HVM_CONFIG_RUNSTATE | KVM_XEN_HVM_CONFIG_RUNSTATE_UPDATE_FLAG;

	const char *env = getenv("XEN_RUNSTATE_SECONDS");

	TEST_REQUIRE((kvm_check_cap(KVM_CAP_XEN_HVM) & caps) == caps);

	if (env)
		seconds = atoi_positive("XEN_RUNSTATE_SECONDS", env);

	return test_harness_run(argc, argv);
}
