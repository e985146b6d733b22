// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * The runstate area of a Xen guest: at any offset and in both layouts it holds
 * what the VMM gets, nothing around it is touched, a call that returned 0 has
 * written it, and it follows its memslot, its pages and the mode of the guest.
 */
#include <pthread.h>
#include <sys/mman.h>

#include "kvm_test_harness.h"
#include "xen_runstate.h"

#define AREA_SIZE	(AREA_PAGES * PAGE_SIZE)

/* An area that lies on two pages, with the entry time on both of them. */
#define SPLIT_PAGE	1
#define SPLIT_OFFSET	((SPLIT_PAGE + 1) * PAGE_SIZE - 10)

#define FLAG_OFFSET_64	(offsetof(struct vcpu_runstate_info, state_entry_time) + 7)
#define FLAG_OFFSET_32	(offsetof(struct compat_vcpu_runstate_info, state_entry_time) + 7)

static size_t layout_size(bool long_mode)
{
	return long_mode ? sizeof(struct vcpu_runstate_info) :
			   sizeof(struct compat_vcpu_runstate_info);
}

static void paint(uint8_t *pages)
{
	memset(pages, CANARY, AREA_SIZE);
}

/*
 * With an area at @offset of pages that were painted: what is there that ought
 * not to be there?  Padding may have been left alone or cleared.
 */
static const char *damage(const uint8_t *pages, size_t offset, bool long_mode)
{
	const uint8_t *area = pages + offset, *end = area + layout_size(long_mode);
	static const uint32_t zero;

	if (!is_painted(pages, offset))
		return "bytes before the area were written";
	if (!is_painted(end, pages + AREA_SIZE - end))
		return "bytes behind the area were written";
	if (long_mode && !is_painted(area + sizeof(zero), sizeof(zero)) &&
	    memcmp(area + sizeof(zero), &zero, sizeof(zero)))
		return "the padding holds something";
	if (area[long_mode ? FLAG_OFFSET_64 : FLAG_OFFSET_32] & (XEN_RUNSTATE_UPDATE >> 56))
		return "the update flag is set";
	return "";
}

/* The area must be what a GET gives, and the rest of the pages still painted. */
static void expect_area_is_current(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu,
				   size_t offset, bool long_mode, const char *what)
{
	struct kvm_xen_vcpu_attr area = runstate_read_area(vcpu->vm, AREA_GPA + offset, long_mode);
	const char *problem = damage(addr_gpa2hva(vcpu->vm, AREA_GPA), offset, long_mode);
	struct kvm_xen_vcpu_attr rs = runstate_get(vcpu);

	EXPECT_TRUE(runstate_equal(&area, &rs)) {
		TH_LOG("%s, area at %zu: %s", what, offset, runstate_text(&area).s);
		TH_LOG("%s, the VMM gets: %s", what, runstate_text(&rs).s);
	}
	EXPECT_STREQ("", problem) {
		TH_LOG("%s, area at %zu", what, offset);
	}
}

/*
 * True if there is a runstate in the area at all.  KVM_RUN may have accounted more
 * than it had to write; which states and totals it leaves is tested with the accounting.
 */
static bool area_is_written(const struct kvm_xen_vcpu_attr *area)
{
	return area->u.runstate.state <= RUNSTATE_runnable &&
	       area->u.runstate.state_entry_time && runstate_adds_up(area);
}

static void expect_area_is_written(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu,
				   size_t offset, bool long_mode, const char *what)
{
	struct kvm_xen_vcpu_attr area = runstate_read_area(vcpu->vm, AREA_GPA + offset, long_mode);
	const char *problem = damage(addr_gpa2hva(vcpu->vm, AREA_GPA), offset, long_mode);

	EXPECT_TRUE(area_is_written(&area)) {
		TH_LOG("%s, area at %zu: %s", what, offset, runstate_text(&area).s);
	}
	EXPECT_STREQ("", problem) {
		TH_LOG("%s, area at %zu", what, offset);
	}
}

/* Every way for the VMM to change a runstate, from what a base sets. */
struct change {
	const char *name;
	uint16_t type;
	struct kvm_xen_vcpu_attr attr;
};

static const struct change changes[] = {
	{ "CURRENT running", KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_CURRENT, {
		.u.runstate = { RUNSTATE_running } } },
	{ "CURRENT runnable", KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_CURRENT, {
		.u.runstate = { RUNSTATE_runnable } } },
	{ "CURRENT blocked", KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_CURRENT, {
		.u.runstate = { RUNSTATE_blocked } } },
	{ "CURRENT offline", KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_CURRENT, {
		.u.runstate = { RUNSTATE_offline } } },
	{ "DATA running", KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA, {
		.u.runstate = { RUNSTATE_running, 2000, 500, 500, 500, 500 } } },
	{ "DATA runnable", KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA, {
		.u.runstate = { RUNSTATE_runnable, 2001, 501, 500, 500, 500 } } },
	{ "DATA blocked", KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA, {
		.u.runstate = { RUNSTATE_blocked, 2002, 501, 501, 500, 500 } } },
	{ "ADJUST", KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST, {
		.u.runstate = { KVM_XEN_RUNSTATE_KEEP, 0, -100ULL, 0, 100, 0 } } },
	{ "ADJUST to blocked", KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST, {
		.u.runstate = { RUNSTATE_blocked, 7, 7, 0, 0, 0 } } },
	{ "ADJUST to runnable", KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST, {
		.u.runstate = { RUNSTATE_runnable, -7ULL, -7ULL, 0, 0, 0 } } },
};

static void set_base(struct kvm_vcpu *vcpu)
{
	TEST_ASSERT_EQ(__runstate_set(vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA,
				      runstate_attr(RUNSTATE_offline, 1000, 400, 300, 200, 100)),
		       0);
}

/*
 * Each layout, without and with the update flag
 */

FIXTURE(xen_runstate_layout) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	uint8_t *pages;
};

FIXTURE_VARIANT(xen_runstate_layout) {
	bool long_mode;
	bool update_flag;
};

FIXTURE_VARIANT_ADD(xen_runstate_layout, 64bit) {
	.long_mode = true,
};

FIXTURE_VARIANT_ADD(xen_runstate_layout, 64bit_update_flag) {
	.long_mode = true,
	.update_flag = true,
};

FIXTURE_VARIANT_ADD(xen_runstate_layout, 32bit) {
	.long_mode = false,
};

FIXTURE_VARIANT_ADD(xen_runstate_layout, 32bit_update_flag) {
	.long_mode = false,
	.update_flag = true,
};

FIXTURE_SETUP(xen_runstate_layout)
{
	self->vm = vm_create_with_one_vcpu(&self->vcpu, runstate_guest_code);
	xen_enable_runstate(self->vm);
	xen_set_long_mode(self->vm, variant->long_mode);
	xen_set_update_flag(self->vm, variant->update_flag);
	self->pages = addr_gpa2hva(self->vm, AREA_GPA);
}

FIXTURE_TEARDOWN(xen_runstate_layout)
{
	kvm_vm_free(self->vm);
}

TEST_F_TIMEOUT(xen_runstate_layout, every_offset_across_a_page_boundary, 120)
{
	const size_t size = layout_size(variant->long_mode);

	/* From just behind the boundary to a whole area and a byte before it. */
	for (size_t before = 0; before <= size + 1; before++) {
		const size_t offset = (SPLIT_PAGE + 1) * PAGE_SIZE - before;

		paint(self->pages);
		runstate_set_addr(self->vcpu, AREA_GPA + offset);
		expect_area_is_current(_metadata, self->vcpu, offset, variant->long_mode,
				       "ADDR");
		runstate_set_current(self->vcpu, RUNSTATE_blocked);
		expect_area_is_current(_metadata, self->vcpu, offset, variant->long_mode,
				       "CURRENT");
		paint(self->pages);
		runstate_vcpu_run(self->vcpu);
		expect_area_is_written(_metadata, self->vcpu, offset, variant->long_mode,
				       "KVM_RUN");
	}
}

struct reader {
	const uint8_t *area;
	bool long_mode;
	bool stop;
	long accepted, torn, flagged;
};

/* The entry time but for its last byte, which holds the flag. */
static uint64_t read_low_entry(const uint8_t *last)
{
	uint64_t entry = 0;

	for (int i = 1; i <= 7; i++)
		entry = entry << 8 | READ_ONCE(last[-i]);
	return entry;
}

/*
 * A guest that reads the area of another vCPU.  An entry time on two pages
 * cannot be read at once: its low bytes are read first and last, the byte of
 * the flag within that, and everything is copied in the middle.
 */
static void *read_all_the_time(void *arg)
{
	const int flag_offset = ((struct reader *)arg)->long_mode ? FLAG_OFFSET_64 :
								    FLAG_OFFSET_32;
	struct reader *reader = arg;
	const uint8_t *flag = reader->area + flag_offset;

	while (!READ_ONCE(reader->stop)) {
		uint8_t copy[sizeof(struct vcpu_runstate_info)];
		uint64_t low = read_low_entry(flag), sum = 0, time[5];
		uint8_t high = READ_ONCE(*flag), last;

		for (int i = 0; i < layout_size(reader->long_mode); i++)
			copy[i] = READ_ONCE(reader->area[i]);

		last = READ_ONCE(*flag);
		if ((high | copy[flag_offset] | last) & (XEN_RUNSTATE_UPDATE >> 56)) {
			reader->flagged++;
			continue;
		}
		if (last != high || read_low_entry(flag) != low)
			continue;

		memcpy(time, copy + flag_offset - 7, sizeof(time));
		for (int i = 1; i < ARRAY_SIZE(time); i++)
			sum += time[i];
		if (sum != time[0] || time[0] != (low | (uint64_t)high << 56))
			reader->torn++;
		WRITE_ONCE(reader->accepted, reader->accepted + 1);
	}
	return NULL;
}

TEST_F_TIMEOUT(xen_runstate_layout, reader_sees_whole_areas_or_no_flag, 120)
{
	struct reader reader = {
		.area = self->pages + SPLIT_OFFSET,
		.long_mode = variant->long_mode,
	};
	pthread_t thread;

	runstate_set_addr(self->vcpu, AREA_GPA + SPLIT_OFFSET);
	TEST_ASSERT_EQ(pthread_create(&thread, NULL, read_all_the_time, &reader), 0);
	for (int i = 0; i < 4000 || READ_ONCE(reader.accepted) < 1000; i++)
		runstate_set_current(self->vcpu, i % 4);
	WRITE_ONCE(reader.stop, true);
	TEST_ASSERT_EQ(pthread_join(thread, NULL), 0);

	EXPECT_EQ(0, variant->update_flag ? reader.torn : reader.flagged);
	ksft_print_msg("did %ld readings accepted\n", reader.accepted);
}

/*
 * What happens to the memory of an area
 */

FIXTURE(xen_runstate_area) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	uint8_t *pages;
};

FIXTURE_SETUP(xen_runstate_area)
{
	self->vm = vm_create_with_one_vcpu(&self->vcpu, runstate_guest_code);
	xen_enable_runstate(self->vm);
	self->pages = addr_gpa2hva(self->vm, AREA_GPA);
}

FIXTURE_TEARDOWN(xen_runstate_area)
{
	kvm_vm_free(self->vm);
}

static void drop_nothing(struct kvm_vm *vm, uint8_t *pages)
{
}

static void drop_first_page(struct kvm_vm *vm, uint8_t *pages)
{
	TEST_ASSERT_EQ(madvise(pages + SPLIT_PAGE * PAGE_SIZE, PAGE_SIZE, MADV_DONTNEED), 0);
}

static void drop_second_page(struct kvm_vm *vm, uint8_t *pages)
{
	TEST_ASSERT_EQ(madvise(pages + (SPLIT_PAGE + 1) * PAGE_SIZE, PAGE_SIZE, MADV_DONTNEED), 0);
}

static void drop_both_pages(struct kvm_vm *vm, uint8_t *pages)
{
	TEST_ASSERT_EQ(madvise(pages, AREA_SIZE, MADV_DONTNEED), 0);
}

static void renew_slot(struct kvm_vm *vm, uint8_t *pages)
{
	delete_slot(vm);
	create_slot(vm, AREA_PAGES, pages);
}

static const struct {
	const char *name;
	void (*fn)(struct kvm_vm *vm, uint8_t *pages);
} losses[] = {
	{ "with nothing lost",		drop_nothing },
	{ "first page dropped",		drop_first_page },
	{ "second page dropped",	drop_second_page },
	{ "both pages dropped",		drop_both_pages },
	{ "memslot deleted and created", renew_slot },
};

static void expect_reaches_the_area(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu,
				    uint8_t *pages, uint16_t type)
{
	runstate_set_addr(vcpu, AREA_GPA + SPLIT_OFFSET);

	for (int i = 0; i < ARRAY_SIZE(changes) * ARRAY_SIZE(losses); i++) {
		const struct change *change = &changes[i / ARRAY_SIZE(losses)];
		int loss = i % ARRAY_SIZE(losses);
		struct kvm_xen_vcpu_attr area, rs;

		if (change->type != type)
			continue;

		set_base(vcpu);
		losses[loss].fn(vcpu->vm, pages);
		EXPECT_EQ(0, __runstate_set(vcpu, change->type, change->attr));

		area = runstate_read_area(vcpu->vm, AREA_GPA + SPLIT_OFFSET, true);
		rs = runstate_get(vcpu);
		EXPECT_TRUE(runstate_equal(&area, &rs)) {
			TH_LOG("%s, %s", change->name, losses[loss].name);
			TH_LOG("area: %s", runstate_text(&area).s);
			TH_LOG(" got: %s", runstate_text(&rs).s);
		}
	}
}

TEST_F(xen_runstate_area, current_reaches_the_area)
{
	expect_reaches_the_area(_metadata, self->vcpu, self->pages,
				KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_CURRENT);
}

TEST_F(xen_runstate_area, data_reaches_the_area)
{
	expect_reaches_the_area(_metadata, self->vcpu, self->pages,
				KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA);
}

TEST_F(xen_runstate_area, adjust_reaches_the_area)
{
	expect_reaches_the_area(_metadata, self->vcpu, self->pages,
				KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST);
}

/* Without a place to write to, a change is refused whole. */
static void expect_efault_and_no_change(struct __test_metadata *_metadata,
					struct kvm_vcpu *vcpu)
{
	for (int i = 0; i < ARRAY_SIZE(changes); i++) {
		struct kvm_xen_vcpu_attr before = runstate_get(vcpu), after;

		EXPECT_EQ(-EFAULT, __runstate_set(vcpu, changes[i].type, changes[i].attr)) {
			TH_LOG("%s", changes[i].name);
		}
		after = runstate_get(vcpu);
		EXPECT_TRUE(runstate_equal(&before, &after)) {
			TH_LOG("%s left %s", changes[i].name, runstate_text(&after).s);
		}
	}
}

TEST_F(xen_runstate_area, change_without_a_memslot_is_efault)
{
	runstate_set_addr(self->vcpu, AREA_GPA + SPLIT_OFFSET);
	set_base(self->vcpu);
	delete_slot(self->vm);
	expect_efault_and_no_change(_metadata, self->vcpu);
	create_slot(self->vm, AREA_PAGES, self->pages);

	paint(self->pages);
	runstate_set_current(self->vcpu, RUNSTATE_blocked);
	expect_area_is_current(_metadata, self->vcpu, SPLIT_OFFSET, true, "with the memslot back");
}

TEST_F(xen_runstate_area, change_without_the_second_page_is_efault)
{
	runstate_set_addr(self->vcpu, AREA_GPA + SPLIT_OFFSET);
	set_base(self->vcpu);
	delete_slot(self->vm);
	create_slot(self->vm, SPLIT_PAGE + 1, self->pages);
	paint(self->pages);
	expect_efault_and_no_change(_metadata, self->vcpu);
	EXPECT_TRUE(is_painted(self->pages, AREA_SIZE)) {
		TH_LOG("a part of the area was written");
	}

	delete_slot(self->vm);
	create_slot(self->vm, AREA_PAGES, self->pages);
	runstate_set_current(self->vcpu, RUNSTATE_blocked);
	expect_area_is_current(_metadata, self->vcpu, SPLIT_OFFSET, true, "with the page back");
}

TEST_F(xen_runstate_area, run_without_the_second_page_leaves_the_first_alone)
{
	runstate_set_addr(self->vcpu, AREA_GPA + SPLIT_OFFSET);
	runstate_vcpu_run(self->vcpu);
	delete_slot(self->vm);
	create_slot(self->vm, SPLIT_PAGE + 1, self->pages);
	paint(self->pages);

	for (int i = 0; i < 10; i++)
		runstate_vcpu_run(self->vcpu);
	EXPECT_TRUE(is_painted(self->pages, AREA_SIZE));

	delete_slot(self->vm);
	create_slot(self->vm, AREA_PAGES, self->pages);
	runstate_vcpu_run(self->vcpu);
	expect_area_is_written(_metadata, self->vcpu, SPLIT_OFFSET, true, "with the page back");
}

/* vcpu_run() makes another KVM_RUN, with immediate_exit, which may write the area as well. */
static void run_once(struct kvm_vcpu *vcpu)
{
	TEST_ASSERT_EQ(__vcpu_run(vcpu), 0);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_IO);
}

TEST_F(xen_runstate_area, run_writes_a_page_that_was_dropped)
{
	runstate_set_addr(self->vcpu, AREA_GPA + SPLIT_OFFSET);
	runstate_vcpu_run(self->vcpu);

	/* So would one that is preempted. */
	if (can_preempt())
		preempt_on_cpu(sched_getcpu());

	/* Often, for KVM_RUN also to find it right after it has written it. */
	for (int i = 0; i < 20 * ARRAY_SIZE(losses); i++) {
		struct kvm_xen_vcpu_attr area;

		losses[i % ARRAY_SIZE(losses)].fn(self->vm, self->pages);
		run_once(self->vcpu);

		area = runstate_read_area(self->vm, AREA_GPA + SPLIT_OFFSET, true);
		EXPECT_TRUE(area_is_written(&area)) {
			TH_LOG("%s: %s", losses[i % ARRAY_SIZE(losses)].name,
			       runstate_text(&area).s);
		}
	}
}

/* Another vCPU may read the area of one that never gets to the guest. */
TEST_F(xen_runstate_area, immediate_exit_writes_a_page_that_was_dropped)
{
	runstate_set_addr(self->vcpu, AREA_GPA + SPLIT_OFFSET);

	for (int i = 0; i < ARRAY_SIZE(losses); i++) {
		struct kvm_xen_vcpu_attr area;

		runstate_set_current(self->vcpu, RUNSTATE_blocked);
		losses[i].fn(self->vm, self->pages);
		run_to_immediate_exit(self->vcpu);

		area = runstate_read_area(self->vm, AREA_GPA + SPLIT_OFFSET, true);
		EXPECT_TRUE(area_is_written(&area) &&
			    area.u.runstate.state == RUNSTATE_running) {
			TH_LOG("%s: %s", losses[i].name, runstate_text(&area).s);
		}
	}
}

TEST_F(xen_runstate_area, run_writes_the_memory_of_a_new_memslot)
{
	uint8_t *pages = mmap(NULL, AREA_SIZE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *old = self->pages;
	struct kvm_xen_vcpu_attr area;
	uint64_t entry;

	TEST_ASSERT(pages != MAP_FAILED, "mmap: %s", strerror(errno));
	runstate_set_addr(self->vcpu, AREA_GPA + SPLIT_OFFSET);
	runstate_vcpu_run(self->vcpu);
	area = runstate_read_area(self->vm, AREA_GPA + SPLIT_OFFSET, true);
	entry = area.u.runstate.state_entry_time;

	/* The VM keeps the name of the old pages, so new and old change places. */
	memcpy(pages, old, AREA_SIZE);
	delete_slot(self->vm);
	create_slot(self->vm, AREA_PAGES, pages);
	paint(old);
	paint(pages);
	runstate_vcpu_run(self->vcpu);

	EXPECT_TRUE(is_painted(old, AREA_SIZE)) {
		TH_LOG("memory that is no longer in the memslot was written");
	}
	EXPECT_STREQ("", damage(pages, SPLIT_OFFSET, true));
	memcpy(old, pages, AREA_SIZE);
	area = runstate_read_area(self->vm, AREA_GPA + SPLIT_OFFSET, true);
	EXPECT_TRUE(area_is_written(&area));
	EXPECT_LE(entry, area.u.runstate.state_entry_time);
}

/*
 * Registering
 */

static void expect_nothing_written(struct __test_metadata *_metadata, uint8_t *pages,
				   size_t offset, size_t size, const char *what)
{
	EXPECT_TRUE(is_painted(pages + offset, size)) {
		TH_LOG("the old area is still written by %s", what);
	}
	memset(pages + offset, CANARY, size);
}

static void expect_not_written_any_more(struct __test_metadata *_metadata,
					struct kvm_vcpu *vcpu, uint8_t *pages,
					size_t offset, size_t size)
{
	expect_nothing_written(_metadata, pages, offset, size, "ADDR");
	for (int i = 0; i < ARRAY_SIZE(changes); i++) {
		set_base(vcpu);
		TEST_ASSERT_EQ(__runstate_set(vcpu, changes[i].type, changes[i].attr), 0);
		expect_nothing_written(_metadata, pages, offset, size, changes[i].name);
		runstate_vcpu_run(vcpu);
		expect_nothing_written(_metadata, pages, offset, size, "KVM_RUN");
	}
}

TEST_F(xen_runstate_area, unregistered_area_is_not_written)
{
	runstate_set_addr(self->vcpu, AREA_GPA + SPLIT_OFFSET);
	runstate_vcpu_run(self->vcpu);
	paint(self->pages);
	runstate_set_addr(self->vcpu, KVM_XEN_INVALID_GPA);
	expect_not_written_any_more(_metadata, self->vcpu, self->pages, 0, AREA_SIZE);
}

TEST_F(xen_runstate_area, area_registered_elsewhere_is_written_only_there)
{
	static const struct {
		size_t from, to;
	} moves[] = {
		{ SPLIT_OFFSET, SPLIT_OFFSET + 48 },
		{ SPLIT_OFFSET, SPLIT_OFFSET - 48 },
		{ SPLIT_OFFSET, SPLIT_OFFSET + PAGE_SIZE },
		{ 0, 48 },
		{ 3 * PAGE_SIZE + 17, 2 * PAGE_SIZE },
	};

	for (int i = 0; i < ARRAY_SIZE(moves); i++) {
		runstate_set_addr(self->vcpu, AREA_GPA + moves[i].from);
		runstate_vcpu_run(self->vcpu);
		paint(self->pages);
		runstate_set_addr(self->vcpu, AREA_GPA + moves[i].to);
		expect_area_is_current(_metadata, self->vcpu, moves[i].to, true, "moved");
		expect_not_written_any_more(_metadata, self->vcpu, self->pages, moves[i].from,
					    layout_size(true));
		expect_area_is_written(_metadata, self->vcpu, moves[i].to, true, "moved");
	}
}

/*
 * A guest that changes its mode, after it has registered an area
 */

static void get_data(struct kvm_vcpu *vcpu)
{
	runstate_get(vcpu);
}

static void get_current(struct kvm_vcpu *vcpu)
{
	struct kvm_xen_vcpu_attr attr;

	__xen_get_attr(vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_CURRENT, &attr);
}

static void get_addr(struct kvm_vcpu *vcpu)
{
	struct kvm_xen_vcpu_attr attr;

	__xen_get_attr(vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR, &attr);
}

static void set_blocked(struct kvm_vcpu *vcpu)
{
	runstate_set_current(vcpu, RUNSTATE_blocked);
}

static void set_runnable(struct kvm_vcpu *vcpu)
{
	runstate_set_current(vcpu, RUNSTATE_runnable);
}

static void set_adjust(struct kvm_vcpu *vcpu)
{
	TEST_ASSERT_EQ(__runstate_set(vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST,
				      runstate_attr(KVM_XEN_RUNSTATE_KEEP, 0, 0, 0, 0, 0)), 0);
}

static void expect_switch_seen(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu,
			       void (*call)(struct kvm_vcpu *), const char *name)
{
	static const size_t offsets[] = {
		/* Aligned, and on two pages in either mode. */
		0, SPLIT_OFFSET, 2 * PAGE_SIZE - 1, 2 * PAGE_SIZE - 43,
		/* On two pages as 64 bit only. */
		2 * PAGE_SIZE - 44, 2 * PAGE_SIZE - 45, 2 * PAGE_SIZE - 46, 2 * PAGE_SIZE - 47,
		/* On one page, to its end. */
		2 * PAGE_SIZE - 48,
	};
	uint8_t *pages = addr_gpa2hva(vcpu->vm, AREA_GPA);

	for (int i = 0; i < 2 * ARRAY_SIZE(offsets); i++) {
		const size_t offset = offsets[i / 2];
		const bool to = i % 2;

		xen_set_long_mode(vcpu->vm, !to);
		runstate_set_addr(vcpu, AREA_GPA + offset);
		runstate_vcpu_run(vcpu);
		paint(pages);
		xen_set_long_mode(vcpu->vm, to);
		call(vcpu);
		if (call == runstate_vcpu_run || call == run_to_immediate_exit)
			expect_area_is_written(_metadata, vcpu, offset, to, name);
		else
			expect_area_is_current(_metadata, vcpu, offset, to, name);
	}
}

TEST_F(xen_runstate_area, mode_switch_is_seen_after_run)
{
	expect_switch_seen(_metadata, self->vcpu, runstate_vcpu_run, "KVM_RUN");
}

TEST_F(xen_runstate_area, mode_switch_is_seen_after_immediate_exit)
{
	expect_switch_seen(_metadata, self->vcpu, run_to_immediate_exit, "immediate_exit");
}

TEST_F(xen_runstate_area, mode_switch_is_seen_after_set)
{
	expect_switch_seen(_metadata, self->vcpu, set_blocked, "CURRENT");
	expect_switch_seen(_metadata, self->vcpu, set_adjust, "ADJUST");
}

TEST_F(xen_runstate_area, mode_switch_is_seen_after_set_of_data)
{
	expect_switch_seen(_metadata, self->vcpu, set_base, "DATA");
}

TEST_F(xen_runstate_area, mode_switch_is_seen_after_set_of_runnable)
{
	expect_switch_seen(_metadata, self->vcpu, set_runnable, "CURRENT runnable");
}

TEST_F(xen_runstate_area, mode_switch_is_seen_after_get)
{
	expect_switch_seen(_metadata, self->vcpu, get_data, "get of DATA");
	expect_switch_seen(_metadata, self->vcpu, get_current, "get of CURRENT");
	expect_switch_seen(_metadata, self->vcpu, get_addr, "get of ADDR");
}

/* An area that the new mode makes longer than its memory is left alone. */
TEST_F(xen_runstate_area, mode_switch_beyond_the_memory_writes_nothing)
{
	const size_t offset = AREA_SIZE - layout_size(false);

	xen_set_long_mode(self->vm, false);
	runstate_set_addr(self->vcpu, AREA_GPA + offset);
	runstate_vcpu_run(self->vcpu);
	paint(self->pages);
	xen_set_long_mode(self->vm, true);
	runstate_vcpu_run(self->vcpu);
	EXPECT_TRUE(is_painted(self->pages, AREA_SIZE));

	xen_set_long_mode(self->vm, false);
	runstate_vcpu_run(self->vcpu);
	expect_area_is_written(_metadata, self->vcpu, offset, false, "back as 32 bit");
}

int main(int argc, char *argv[])
{
	int caps = KVM_XEN_HVM_CONFIG_RUNSTATE | KVM_XEN_HVM_CONFIG_RUNSTATE_UPDATE_FLAG;

	TEST_REQUIRE((kvm_check_cap(KVM_CAP_XEN_HVM) & caps) == caps);

	return test_harness_run(argc, argv);
}
