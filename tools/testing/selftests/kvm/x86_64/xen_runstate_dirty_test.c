// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dirty log of the memslot in which a runstate area lies: each page that
 * KVM writes is in it, and a vCPU that just goes on running dirties its area no
 * more than once a jiffy, however often it exits; news do not wait for that.
 */
#include <sys/mman.h>
#include <time.h>

#include "xen_runstate.h"

#define NR_EXITS	2000
#define NR_REFRESHES	50

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
	struct kvm_xen_vcpu_attr to_blocked = runstate_attr(~0ULL, 0, -100ULL, 0, 100, 0);

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

static uint64_t clock_ns(clockid_t id)
{
	struct timespec now;

	TEST_ASSERT_EQ(clock_gettime(id, &now), 0);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

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
	start = clock_ns(CLOCK_MONOTONIC);

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

	elapsed = clock_ns(CLOCK_MONOTONIC) - start;
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
	expect_dirtied_once_a_jiffy(_metadata, self->vcpu, gpa, false);
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
	struct kvm_xen_vcpu_attr back = runstate_attr(~0ULL, -1ULL, 0, 0, 0, -1ULL);

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

int main(int argc, char *argv[])
{
	int caps = KVM_XEN_HVM_CONFIG_RUNSTATE | KVM_XEN_HVM_CONFIG_RUNSTATE_UPDATE_FLAG;

	TEST_REQUIRE((kvm_check_cap(KVM_CAP_XEN_HVM) & caps) == caps);

	return test_harness_run(argc, argv);
}
