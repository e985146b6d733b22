// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * Steal time, which MSR_KVM_STEAL_TIME shows the guest: it holds what the thread that
 * runs the vCPU has waited for a CPU since it began to do so and the guest asked for
 * it, no more and no less, and it never goes down.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

#include <asm/kvm_para.h>

#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "kvm_test_harness.h"
#include "page_wait.h"
#include "sched_util.h"
#include "vcpu_stats.h"

#define MSEC		1000000L
#define LONG_WAIT	(40 * MSEC)
#define SHORT_WAIT	(10 * MSEC)

/* A memslot of its own, so that tests can delete, move and log it. */
#define ST_SLOT		10
#define ST_GPA		0xc0000000UL
#define ST_PAGES	2
#define ENABLED		(ST_GPA | KVM_MSR_ENABLED)

/* Where the slot is when it is not at ST_GPA. */
#define ELSEWHERE_GPA	0xd0000000UL

/* How long preempters race with KVM_RUN at least. */
#define RACE_SEC	5

/* What the guest is to write to the MSR, if anything. */
#define LEAVE_MSR	(~0UL)
static u64 msr_data = LEAVE_MSR;

/* The guest runs, and will not exit by itself. */
static bool guest_is_in;

static void guest_exits(void)
{
	for (;;) {
		if (READ_ONCE(msr_data) != LEAVE_MSR)
			wrmsr(MSR_KVM_STEAL_TIME, READ_ONCE(msr_data));
		GUEST_SYNC(0);
	}
}

static void guest_spins(void)
{
	WRITE_ONCE(guest_is_in, true);
	for (;;)
		cpu_relax();
}

/* By the protocol of the version. */
static u64 guest_reads_steal(struct kvm_steal_time *st)
{
	u32 version;
	u64 steal;

	do {
		version = READ_ONCE(st->version);
		barrier();
		steal = READ_ONCE(st->steal);
		barrier();
	} while (version & 1 || version != READ_ONCE(st->version));

	return steal;
}

static void guest_reads(void)
{
	struct kvm_steal_time *st = (void *)ST_GPA;
	u64 last = 0, now;

	for (;;) {
		for (int i = 0; i < 10; i++) {
			now = guest_reads_steal(st);
			GUEST_ASSERT(now >= last);
			GUEST_ASSERT_EQ(READ_ONCE(st->preempted), 0);
			last = now;
		}
		GUEST_SYNC(0);
	}
}

static void run(struct kvm_vcpu *vcpu)
{
	struct ucall uc;

	vcpu_run(vcpu);
	if (get_ucall(vcpu, &uc) == UCALL_ABORT)
		REPORT_GUEST_ASSERT(uc);
}

static void guest_sets_msr(struct kvm_vcpu *vcpu, u64 data)
{
	write_guest_global(vcpu->vm, msr_data, data);
	run(vcpu);
	write_guest_global(vcpu->vm, msr_data, LEAVE_MSR);
}

static struct kvm_steal_time *steal_time(struct kvm_vcpu *vcpu)
{
	return addr_gpa2hva(vcpu->vm, ST_GPA);
}

static u64 stolen(struct kvm_vcpu *vcpu)
{
	return READ_ONCE(steal_time(vcpu)->steal);
}

static struct kvm_vm *create_vm(struct kvm_vcpu **vcpu)
{
	struct kvm_vm *vm = vm_create_with_one_vcpu(vcpu, guest_exits);

	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, ST_GPA, ST_SLOT, ST_PAGES, 0);
	virt_map(vm, ST_GPA, ST_GPA, ST_PAGES);
	return vm;
}

FIXTURE(steal_time) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_SETUP(steal_time)
{
	self->vm = create_vm(&self->vcpu);
}

FIXTURE_TEARDOWN(steal_time)
{
	kvm_vm_free(self->vm);
}

/*
 * Threads
 */

/* A turn at running the vCPU: what was stolen by the end, and what bounds it. */
struct turn {
	struct kvm_vcpu *vcpu;
	long past;	/* to be waited before the thread comes to the vCPU */
	long wait;	/* to be waited between two runs */
	long least;	/* between the runs */
	long most;	/* since before the first run */
	u64 before;
	u64 after;
};

static void *take_turn(void *arg)
{
	struct turn *turn = arg;
	long begin, first;

	wait_for_cpu(turn->past);
	turn->before = stolen(turn->vcpu);
	begin = get_run_delay();
	run(turn->vcpu);
	first = get_run_delay();
	wait_for_cpu(turn->wait);
	turn->least = get_run_delay() - first;
	run(turn->vcpu);
	turn->most = get_run_delay() - begin;
	turn->after = stolen(turn->vcpu);
	return NULL;
}

static void expect_fair_turn(struct __test_metadata *_metadata, const struct turn *turn)
{
	s64 grown = turn->after - turn->before;

	EXPECT_LE(turn->least, grown) {
		TH_LOG("waited for %ld ns, but steal went from %lu to %lu", turn->least,
		       turn->before, turn->after);
	}
	EXPECT_GE(turn->most, grown) {
		TH_LOG("waited for %ld ns only, but steal went from %lu to %lu", turn->most,
		       turn->before, turn->after);
	}
}

static void expect_fair_in_new_thread(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu,
				      long past, long wait)
{
	struct turn turn = { .vcpu = vcpu, .past = past, .wait = wait };

	in_new_thread(take_turn, &turn);
	expect_fair_turn(_metadata, &turn);
}

static void expect_fair_in_this_thread(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu,
				       long past, long wait)
{
	struct turn turn = { .vcpu = vcpu, .past = past, .wait = wait };

	take_turn(&turn);
	expect_fair_turn(_metadata, &turn);
}

TEST_F(steal_time, thread_with_a_past_is_not_charged)
{
	vcpu_set_msr(self->vcpu, MSR_KVM_STEAL_TIME, ENABLED);
	expect_fair_in_new_thread(_metadata, self->vcpu, LONG_WAIT, SHORT_WAIT);
}

TEST_F(steal_time, change_of_thread_takes_nothing_back)
{
	wait_for_cpu(LONG_WAIT);
	vcpu_set_msr(self->vcpu, MSR_KVM_STEAL_TIME, ENABLED);
	run(self->vcpu);
	expect_fair_in_new_thread(_metadata, self->vcpu, 0, 0);
}

/* Each waits for CPUs while the other one runs the vCPU. */
TEST_F(steal_time, threads_that_come_back_are_not_charged_for_their_absence)
{
	static const long pasts[] = { 0, LONG_WAIT, 0, 2 * LONG_WAIT, SHORT_WAIT, 0 };

	vcpu_set_msr(self->vcpu, MSR_KVM_STEAL_TIME, ENABLED);
	for (int i = 0; i < ARRAY_SIZE(pasts); i++) {
		expect_fair_in_new_thread(_metadata, self->vcpu, pasts[i], SHORT_WAIT);
		expect_fair_in_this_thread(_metadata, self->vcpu, SHORT_WAIT, 0);
	}
}

/* Those of Xen have runstate instead. */
TEST_F(steal_time, vm_with_xen_beside_it_changes_nothing)
{
	struct kvm_xen_hvm_config config = {
		.flags = KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL,
		.msr = 0x40000000,
	};
	struct kvm_vcpu *xen_vcpu;
	struct kvm_vm *xen_vm;

	if (!(kvm_check_cap(KVM_CAP_XEN_HVM) & KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL))
		SKIP(return, "KVM has no Xen support");

	xen_vm = vm_create_with_one_vcpu(&xen_vcpu, guest_exits);
	vm_ioctl(xen_vm, KVM_XEN_HVM_CONFIG, &config);
	run(xen_vcpu);
	vcpu_set_msr(self->vcpu, MSR_KVM_STEAL_TIME, ENABLED);
	expect_fair_in_this_thread(_metadata, self->vcpu, 0, SHORT_WAIT);
	kvm_vm_free(xen_vm);
}

/*
 * The MSR
 */

static void *set_msr_off_and_on(void *arg)
{
	wait_for_cpu(LONG_WAIT);
	vcpu_set_msr((struct kvm_vcpu *)arg, MSR_KVM_STEAL_TIME, 0);
	vcpu_set_msr((struct kvm_vcpu *)arg, MSR_KVM_STEAL_TIME, ENABLED);
	return NULL;
}

static void *set_msr_again(void *arg)
{
	wait_for_cpu(LONG_WAIT);
	vcpu_set_msr((struct kvm_vcpu *)arg, MSR_KVM_STEAL_TIME, ENABLED);
	return NULL;
}

/* As a VMM does that resets or restores a vCPU from its main thread. */
TEST_F(steal_time, msr_set_by_another_thread)
{
	vcpu_set_msr(self->vcpu, MSR_KVM_STEAL_TIME, ENABLED);
	run(self->vcpu);
	wait_for_cpu(LONG_WAIT);
	in_new_thread(set_msr_off_and_on, self->vcpu);
	expect_fair_in_this_thread(_metadata, self->vcpu, 0, SHORT_WAIT);
}

TEST_F(steal_time, what_was_waited_before_the_ask_is_not_in_it)
{
	struct turn turn = { .vcpu = self->vcpu, .wait = SHORT_WAIT };
	long begin;

	run(self->vcpu);
	wait_for_cpu(LONG_WAIT);
	begin = get_run_delay();
	guest_sets_msr(self->vcpu, ENABLED);
	EXPECT_GE(get_run_delay() - begin, stolen(self->vcpu)) {
		TH_LOG("%lu ns are stolen at first", stolen(self->vcpu));
	}

	/* The turn begins with what was waited since then. */
	take_turn(&turn);
	turn.most = get_run_delay() - begin;
	expect_fair_turn(_metadata, &turn);
}

/* A CPU is taken offline and comes back, or another kernel boots. */
TEST_F(steal_time, what_was_waited_while_it_was_off_is_not_in_it)
{
	long begin;
	u64 before;

	guest_sets_msr(self->vcpu, ENABLED);
	wait_for_cpu(SHORT_WAIT);
	run(self->vcpu);
	guest_sets_msr(self->vcpu, 0);
	before = stolen(self->vcpu);
	EXPECT_LE(SHORT_WAIT, before);

	wait_for_cpu(LONG_WAIT);
	run(self->vcpu);
	EXPECT_EQ(before, stolen(self->vcpu));
	wait_for_cpu(LONG_WAIT);
	begin = get_run_delay();
	guest_sets_msr(self->vcpu, ENABLED);
	EXPECT_LE(before, stolen(self->vcpu));
	EXPECT_GE(get_run_delay() - begin, stolen(self->vcpu) - before) {
		TH_LOG("steal went from %lu to %lu", before, stolen(self->vcpu));
	}
}

/* A write of what the MSR has already, or one that is refused, changes nothing. */
TEST_F(steal_time, msr_set_to_what_it_is_keeps_the_time)
{
	long begin = get_run_delay(), first;

	guest_sets_msr(self->vcpu, ENABLED);
	first = get_run_delay();
	wait_for_cpu(SHORT_WAIT);
	guest_sets_msr(self->vcpu, ENABLED);
	wait_for_cpu(SHORT_WAIT);
	in_new_thread(set_msr_again, self->vcpu);
	wait_for_cpu(SHORT_WAIT);
	EXPECT_EQ(0, _vcpu_set_msr(self->vcpu, MSR_KVM_STEAL_TIME,
				   ENABLED | KVM_STEAL_RESERVED_MASK));
	first = get_run_delay() - first;
	run(self->vcpu);
	EXPECT_LE(first, stolen(self->vcpu));
	EXPECT_GE(get_run_delay() - begin, stolen(self->vcpu));
}

TEST_F(steal_time, another_structure_starts_from_what_it_holds)
{
	struct kvm_steal_time *other = addr_gpa2hva(self->vm, ST_GPA + 0x140);
	long begin, first;

	guest_sets_msr(self->vcpu, ENABLED);
	other->steal = 12345;
	wait_for_cpu(SHORT_WAIT);
	run(self->vcpu);
	begin = get_run_delay();
	guest_sets_msr(self->vcpu, ENABLED + 0x140);
	first = get_run_delay();
	wait_for_cpu(SHORT_WAIT);
	first = get_run_delay() - first;
	run(self->vcpu);
	EXPECT_LE(12345 + first, other->steal);
	EXPECT_GE(12345 + get_run_delay() - begin, other->steal);
}

/*
 * Save and restore
 */

TEST_F(steal_time, save_and_restore)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	u64 msr;

	guest_sets_msr(self->vcpu, ENABLED);
	expect_fair_in_new_thread(_metadata, self->vcpu, 0, LONG_WAIT);
	msr = vcpu_get_msr(self->vcpu, MSR_KVM_STEAL_TIME);
	EXPECT_EQ(ENABLED, msr);

	vm = create_vm(&vcpu);
	*steal_time(vcpu) = *steal_time(self->vcpu);
	EXPECT_LE(LONG_WAIT, stolen(vcpu));
	vcpu_set_msr(vcpu, MSR_KVM_STEAL_TIME, msr);
	expect_fair_in_new_thread(_metadata, vcpu, LONG_WAIT, SHORT_WAIT);
	kvm_vm_free(vm);
}

/* Reverted to a snapshot: what was stolen since never was. */
TEST_F(steal_time, memory_restored_in_place_is_where_it_goes_on)
{
	struct kvm_steal_time saved;

	guest_sets_msr(self->vcpu, ENABLED);
	wait_for_cpu(SHORT_WAIT);
	run(self->vcpu);
	saved = *steal_time(self->vcpu);
	for (int i = 0; i < 2; i++) {
		wait_for_cpu(LONG_WAIT);
		run(self->vcpu);
		*steal_time(self->vcpu) = saved;
		expect_fair_in_new_thread(_metadata, self->vcpu, 0, SHORT_WAIT);
		*steal_time(self->vcpu) = saved;
		expect_fair_in_this_thread(_metadata, self->vcpu, 0, SHORT_WAIT);
	}
}

/*
 * Whatever else the memory holds: of a vCPU that was saved as preempted, or in the
 * middle of an update.
 */
TEST_F(steal_time, flags_and_version_are_right_at_once)
{
	struct kvm_steal_time *st = steal_time(self->vcpu);

	guest_sets_msr(self->vcpu, ENABLED);
	for (u32 version = 0; version < 4; version++) {
		st->preempted = KVM_VCPU_PREEMPTED | KVM_VCPU_FLUSH_TLB;
		st->version = version;
		run(self->vcpu);
		EXPECT_EQ(0, st->preempted);
		EXPECT_EQ(0, st->version & 1);
		EXPECT_LE(version, st->version);
	}
}

/*
 * Memory that is away for a while
 */

enum away { DELETED_SLOT, MOVED_SLOT, READ_ONLY_SLOT, READ_ONLY_MEMORY, NO_MEMORY, NR_AWAY };

static const char *const away_names[] = {
	[DELETED_SLOT]		= "deleted memslot",
	[MOVED_SLOT]		= "moved memslot",
	[READ_ONLY_SLOT]	= "read-only memslot",
	[READ_ONLY_MEMORY]	= "read-only memory",
	[NO_MEMORY]		= "no memory",
};

static void set_slot(struct kvm_vm *vm, u32 flags, u64 gpa, int pages)
{
	/* addr_gpa2hva() goes by where the test has put the slot at first. */
	vm_set_user_memory_region(vm, ST_SLOT, flags, gpa, pages * getpagesize(),
				  pages ? addr_gpa2hva(vm, ST_GPA) : NULL);
}

static void take_away(struct kvm_vm *vm, enum away away)
{
	void *memory = addr_gpa2hva(vm, ST_GPA);

	switch (away) {
	case DELETED_SLOT:
		set_slot(vm, 0, ST_GPA, 0);
		break;
	case MOVED_SLOT:
		set_slot(vm, 0, ELSEWHERE_GPA, ST_PAGES);
		break;
	case READ_ONLY_SLOT:
		set_slot(vm, 0, ST_GPA, 0);
		set_slot(vm, KVM_MEM_READONLY, ST_GPA, ST_PAGES);
		break;
	case READ_ONLY_MEMORY:
		TEST_ASSERT_EQ(mprotect(memory, getpagesize(), PROT_READ), 0);
		break;
	default:
		TEST_ASSERT_EQ(mprotect(memory, getpagesize(), PROT_NONE), 0);
		break;
	}
}

static void bring_back(struct kvm_vm *vm, enum away away)
{
	void *memory = addr_gpa2hva(vm, ST_GPA);

	switch (away) {
	case READ_ONLY_SLOT:
		set_slot(vm, 0, ST_GPA, 0);
		fallthrough;
	case DELETED_SLOT:
	case MOVED_SLOT:
		set_slot(vm, 0, ST_GPA, ST_PAGES);
		break;
	default:
		TEST_ASSERT_EQ(mprotect(memory, getpagesize(), PROT_READ | PROT_WRITE), 0);
		break;
	}
}

/* A thread that runs the vCPU, and waits, while the memory is away. */
struct away_run {
	struct kvm_vcpu *vcpu;
	enum away away;
	long least;
	long most;
};

static void *run_while_away(void *arg)
{
	struct away_run *away = arg;
	long begin = get_run_delay(), first;

	run(away->vcpu);
	take_away(away->vcpu->vm, away->away);
	first = get_run_delay();
	for (int i = 0; i < 2; i++) {
		wait_for_cpu(SHORT_WAIT);
		away->least = get_run_delay() - first;
		run(away->vcpu);
	}
	away->most = get_run_delay() - begin;
	bring_back(away->vcpu->vm, away->away);
	return NULL;
}

static void expect_kept(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu,
			void (*in_a_thread)(void *(*fn)(void *), void *arg))
{
	for (enum away kind = 0; kind < NR_AWAY; kind++) {
		struct away_run away = { .vcpu = vcpu, .away = kind };
		long begin = get_run_delay(), more;
		s64 grown = stolen(vcpu);

		in_a_thread(run_while_away, &away);
		run(vcpu);
		more = get_run_delay() - begin;
		grown = stolen(vcpu) - grown;
		EXPECT_LE(away.least, grown) {
			TH_LOG("%s: waited for %ld ns, but %ld are stolen", away_names[kind],
			       away.least, grown);
		}
		EXPECT_GE(away.most + more, grown) {
			TH_LOG("%s: waited for %ld ns only, but %ld are stolen",
			       away_names[kind], away.most + more, grown);
		}
	}
}

static void in_this_thread(void *(*fn)(void *), void *arg)
{
	fn(arg);
}

TEST_F(steal_time, memory_that_comes_back_has_the_time)
{
	guest_sets_msr(self->vcpu, ENABLED);
	expect_kept(_metadata, self->vcpu, in_this_thread);
}

/* What one thread could not write is written when the next one can. */
TEST_F(steal_time, memory_that_comes_back_has_the_time_of_the_thread_before)
{
	guest_sets_msr(self->vcpu, ENABLED);
	expect_kept(_metadata, self->vcpu, in_new_thread);
}

/* The time is one structure's, and not another one's that can be written. */
TEST_F(steal_time, time_of_memory_that_is_away_does_not_go_elsewhere)
{
	const u64 elsewhere = ST_GPA + getpagesize();
	struct kvm_steal_time *other = addr_gpa2hva(self->vm, elsewhere);
	long begin;

	vcpu_set_msr(self->vcpu, MSR_KVM_STEAL_TIME, ENABLED);
	run(self->vcpu);
	take_away(self->vm, NO_MEMORY);
	wait_for_cpu(LONG_WAIT);
	run(self->vcpu);

	begin = get_run_delay();
	vcpu_set_msr(self->vcpu, MSR_KVM_STEAL_TIME, elsewhere | KVM_MSR_ENABLED);
	run(self->vcpu);
	EXPECT_GE(get_run_delay() - begin, other->steal);
	bring_back(self->vm, NO_MEMORY);
}

/* It comes without a wait, but KVM_RUN has to write once more before the guest runs. */
TEST_F(steal_time, page_that_was_dropped_has_the_time)
{
	long waited;

	require_preempters();
	vcpu_set_msr(self->vcpu, MSR_KVM_STEAL_TIME, ENABLED);
	run(self->vcpu);

	for (int i = 0; i < 10; i++) {
		ASSERT_EQ(0, madvise(steal_time(self->vcpu), getpagesize(), MADV_DONTNEED));
		waited = get_run_delay();
		wait_for_cpu(SHORT_WAIT);
		waited = get_run_delay() - waited;

		/* A thread that is preempted writes when it goes on. */
		preempt_on_cpu(sched_getcpu());
		run(self->vcpu);
		stop_preempting();
		EXPECT_LE(waited, stolen(self->vcpu));
	}
}

/*
 * A page that is missing
 */

struct missing_run {
	struct kvm_vcpu *vcpu;
	const struct missing_page *page;
	long least;	/* waited while the page was missing */
	long most;	/* since before the run with the page */
	int r;		/* of the one without */
};

static void *run_with_and_without_page(void *arg)
{
	struct missing_run *missing = arg;
	long begin = get_run_delay(), first;

	run(missing->vcpu);
	first = get_run_delay();
	missing_page_drop(missing->page);
	wait_for_cpu(SHORT_WAIT);
	missing->least = get_run_delay() - first;
	missing->r = __vcpu_run(missing->vcpu) ? -errno : 0;
	missing->most = get_run_delay() - begin;
	return NULL;
}

static void do_nothing(int sig)
{
}

static void catch_signals(void)
{
	const struct sigaction action = { .sa_handler = do_nothing };

	TEST_ASSERT_EQ(sigaction(SIGUSR1, &action, NULL), 0);
}

/* What KVM_RUN could not write without the page, another thread's does with it. */
static void expect_kept_for_page(struct __test_metadata *_metadata,
				 const struct missing_run *missing)
{
	const struct kvm_steal_time content = { .steal = 12345, .version = 6 };
	long begin = get_run_delay(), more;
	u64 least, most;

	missing_page_supply(missing->page, &content, sizeof(content));
	run(missing->vcpu);
	more = get_run_delay() - begin;
	least = content.steal + missing->least;
	most = content.steal + missing->most + more;
	EXPECT_LE(least, stolen(missing->vcpu));
	EXPECT_GE(most, stolen(missing->vcpu));
}

/* As a VMM kicks its vCPUs, in post-copy for one. */
TEST_F(steal_time, signal_ends_the_wait_for_the_page)
{
	struct missing_page page = missing_page_register(steal_time(self->vcpu));
	struct missing_run missing = { .vcpu = self->vcpu, .page = &page };
	pthread_t thread;
	bool ended;

	catch_signals();
	missing_page_supply(&page, "", 0);
	vcpu_set_msr(self->vcpu, MSR_KVM_STEAL_TIME, ENABLED);

	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, pthread_create(&thread, NULL, run_with_and_without_page, &missing));
		ASSERT_TRUE(missing_page_is_wanted(&page));
		ASSERT_EQ(0, pthread_kill(thread, SIGUSR1));
		ended = thread_ends(thread);
		if (!ended) {
			missing_page_supply(&page, "", 0);
			ASSERT_EQ(0, pthread_join(thread, NULL));
		}
		ASSERT_TRUE(ended);
		EXPECT_EQ(-EINTR, missing.r);
		expect_kept_for_page(_metadata, &missing);
	}
	missing_page_unregister(&page);
}

TEST_F(steal_time, immediate_exit_does_not_wait_for_the_page)
{
	struct missing_page page = missing_page_register(steal_time(self->vcpu));

	vcpu_set_msr(self->vcpu, MSR_KVM_STEAL_TIME, ENABLED);
	self->vcpu->run->immediate_exit = 1;
	ASSERT_EQ(-1, __vcpu_run(self->vcpu));
	EXPECT_EQ(EINTR, errno);
	self->vcpu->run->immediate_exit = 0;
	missing_page_unregister(&page);
}

/* Userspace has saved memory, and calls what loads the vCPU. */
TEST_F(steal_time, nothing_but_a_run_of_the_guest_touches_the_page)
{
	struct kvm_steal_time before, *st = steal_time(self->vcpu);
	struct kvm_regs regs;

	guest_sets_msr(self->vcpu, ENABLED);
	run(self->vcpu);
	st->preempted = KVM_VCPU_PREEMPTED;
	before = *st;

	wait_for_cpu(SHORT_WAIT);
	vcpu_regs_get(self->vcpu, &regs);
	self->vcpu->run->immediate_exit = 1;
	ASSERT_EQ(-1, __vcpu_run(self->vcpu));
	self->vcpu->run->immediate_exit = 0;
	EXPECT_EQ(0, memcmp(&before, st, sizeof(before)));

	run(self->vcpu);
	EXPECT_LE(before.steal + SHORT_WAIT, st->steal);
	EXPECT_EQ(0, st->preempted);
}

/*
 * The dirty log
 */

/* True if the structure's page is dirty since the last call. */
static bool take_dirty(struct kvm_vm *vm)
{
	unsigned long bitmap = 0;

	kvm_vm_get_dirty_log(vm, ST_SLOT, &bitmap);
	return bitmap & 1;
}

TEST_F(steal_time, page_is_dirty_when_there_is_time_to_add)
{
	guest_sets_msr(self->vcpu, ENABLED);
	vm_mem_region_set_flags(self->vm, ST_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	take_dirty(self->vm);
	wait_for_cpu(SHORT_WAIT);
	run(self->vcpu);
	EXPECT_TRUE(take_dirty(self->vm));
}

TEST_F(steal_time, page_is_not_dirty_when_there_is_nothing_to_add)
{
	int quiet = 0, dirty = 0;

	guest_sets_msr(self->vcpu, ENABLED);
	vm_mem_region_set_flags(self->vm, ST_SLOT, KVM_MEM_LOG_DIRTY_PAGES);

	/* The machine may be busy: only rounds without any waiting count. */
	for (int i = 0; i < 1000 && quiet < 20; i++) {
		long begin = get_run_delay();
		bool is_dirty;

		run(self->vcpu);
		take_dirty(self->vm);
		run(self->vcpu);
		is_dirty = take_dirty(self->vm);
		if (get_run_delay() != begin)
			continue;
		quiet++;
		dirty += is_dirty;
	}
	if (!quiet)
		SKIP(return, "the machine is too busy");
	EXPECT_EQ(0, dirty) {
		TH_LOG("dirty after %d of %d runs", dirty, quiet);
	}
}

/*
 * The preempted flag
 */

/* A vCPU that spins on CPU 0, for a test that is on CPU 1. */
struct spinner {
	struct kvm_vcpu *vcpu;
	pthread_t thread;
	int r;
};

static void *run_on_cpu_0(void *arg)
{
	struct spinner *spinner = arg;

	pin_self_to_cpu(0);
	spinner->r = __vcpu_run(spinner->vcpu) ? -errno : 0;
	return NULL;
}

/* Returns when the guest runs. */
static void start_spinner(struct spinner *spinner)
{
	bool *is_in = addr_gva2hva(spinner->vcpu->vm, (gva_t)&guest_is_in);

	catch_signals();
	pin_self_to_cpu(1);
	WRITE_ONCE(*is_in, false);
	vcpu_arch_set_entry_point(spinner->vcpu, guest_spins);
	TEST_ASSERT_EQ(pthread_create(&spinner->thread, NULL, run_on_cpu_0, spinner), 0);
	while (!READ_ONCE(*is_in))
		cpu_relax();
}

static void stop_spinner(struct spinner *spinner)
{
	TEST_ASSERT_EQ(pthread_kill(spinner->thread, SIGUSR1), 0);
	TEST_ASSERT_EQ(pthread_join(spinner->thread, NULL), 0);
	TEST_ASSERT_EQ(spinner->r, -EINTR);
}

static void *spin_on_cpu_0(void *stop)
{
	pin_self_to_cpu(0);
	return spin_until_set(stop);
}

/* Another vCPU leaves its TLB flush to the preempted one, as Linux does. */
TEST_F(steal_time, preempted_vcpu_is_shown_as_such)
{
	struct spinner spinner = { .vcpu = self->vcpu };
	u8 *preempted = &steal_time(self->vcpu)->preempted;
	u8 flag = KVM_VCPU_PREEMPTED;
	struct timespec start;
	bool stop = false;
	int rounds = 0;
	pthread_t rival;

	if (get_nprocs() < 2)
		SKIP(return, "one CPU is not enough");

	vcpu_set_msr(self->vcpu, MSR_KVM_STEAL_TIME, ENABLED);
	start_spinner(&spinner);
	ASSERT_EQ(0, pthread_create(&rival, NULL, spin_on_cpu_0, &stop));

	clock_gettime(CLOCK_MONOTONIC, &start);
	while (rounds < 5 && timespec_elapsed(start).tv_sec < PATIENCE_SEC) {
		flag = KVM_VCPU_PREEMPTED;
		if (!__atomic_compare_exchange_n(preempted, &flag, flag | KVM_VCPU_FLUSH_TLB,
						 false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
			ASSERT_EQ(0, flag);
			continue;
		}
		while (READ_ONCE(*preempted) & KVM_VCPU_FLUSH_TLB &&
		       timespec_elapsed(start).tv_sec < PATIENCE_SEC)
			cpu_relax();
		rounds++;
	}
	WRITE_ONCE(stop, true);
	ASSERT_EQ(0, pthread_join(rival, NULL));
	stop_spinner(&spinner);
	EXPECT_EQ(5, rounds);
	EXPECT_EQ(0, *preempted & KVM_VCPU_FLUSH_TLB);
}

/* Of a page with dirty logging and of one without, which KVM_RUN writes at different points. */
TEST_F(steal_time, flush_that_was_left_to_the_vcpu_is_done)
{
	static const u32 flags[] = { 0, KVM_MEM_LOG_DIRTY_PAGES };
	u64 before;

	/* A vCPU that moves to another CPU may flush by itself. */
	pin_self_to_cpu(sched_getcpu());
	guest_sets_msr(self->vcpu, ENABLED);

	for (int i = 0; i < ARRAY_SIZE(flags); i++) {
		vm_mem_region_set_flags(self->vm, ST_SLOT, flags[i]);
		run(self->vcpu);

		before = vcpu_stat(self->vcpu, "tlb_flush");
		steal_time(self->vcpu)->preempted = KVM_VCPU_PREEMPTED;
		run(self->vcpu);
		EXPECT_EQ(before, vcpu_stat(self->vcpu, "tlb_flush"));

		steal_time(self->vcpu)->preempted = KVM_VCPU_PREEMPTED | KVM_VCPU_FLUSH_TLB;
		run(self->vcpu);
		EXPECT_EQ(before + 1, vcpu_stat(self->vcpu, "tlb_flush"));
	}
}

/* Preempted while the page is missing, it cannot be shown. */
TEST_F(steal_time, preempted_flag_that_is_not_written_dirties_nothing)
{
	struct missing_page page = missing_page_register(steal_time(self->vcpu));
	struct spinner spinner = { .vcpu = self->vcpu };
	struct preempters preempters;

	if (get_nprocs() < 2)
		SKIP(return, "one CPU is not enough");
	require_preempters();

	missing_page_supply(&page, "", 0);
	vcpu_set_msr(self->vcpu, MSR_KVM_STEAL_TIME, ENABLED);
	vm_mem_region_set_flags(self->vm, ST_SLOT, KVM_MEM_LOG_DIRTY_PAGES);

	for (int i = 0; i < 10; i++) {
		start_spinner(&spinner);
		missing_page_drop(&page);
		take_dirty(self->vm);
		start_preempters(&preempters, 0);
		ASSERT_TRUE(missing_page_is_wanted(&page));
		stop_preempters(&preempters);
		EXPECT_FALSE(take_dirty(self->vm));
		missing_page_supply(&page, "", 0);
		stop_spinner(&spinner);
	}
	missing_page_unregister(&page);
}

/*
 * Preemption at any point of KVM_RUN
 */

static void expect_no_more_than_waited(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu,
				       void (*between)(struct kvm_vcpu *vcpu))
{
	struct preempters preempters;
	struct timespec start;
	long begin, runs = 0;
	u64 first, last, now;
	s64 excess = 0;

	require_preempters();
	pin_self_to_cpu(sched_getcpu());
	vcpu_set_msr(vcpu, MSR_KVM_STEAL_TIME, ENABLED);
	begin = get_run_delay();
	run(vcpu);
	first = stolen(vcpu);
	last = first;
	start_preempters(&preempters, sched_getcpu());
	clock_gettime(CLOCK_MONOTONIC, &start);

	while (timespec_elapsed(start).tv_sec < RACE_SEC || !preempted_often(&preempters)) {
		between(vcpu);
		run(vcpu);
		runs++;
		now = stolen(vcpu);
		ASSERT_LE(last, now);
		ASSERT_EQ(0, steal_time(vcpu)->version & 1);
		last = now;
		excess = max_t(s64, excess, now - first - (get_run_delay() - begin));
	}
	stop_preempters(&preempters);

	begin = get_run_delay() - begin;
	ksft_print_msg("did %ld KVM_RUNs, %ld us of steal\n", runs, (long)(last - first) / 1000);
	EXPECT_LT(0, last - first) {
		TH_LOG("nothing preempted the vCPU");
	}
	EXPECT_GE(0, excess) {
		TH_LOG("%ld ns more of steal than the thread waited for", excess);
	}
}

static void nothing(struct kvm_vcpu *vcpu)
{
}

TEST_F(steal_time, never_more_than_was_waited)
{
	vcpu_arch_set_entry_point(self->vcpu, guest_reads);
	expect_no_more_than_waited(_metadata, self->vcpu, nothing);
}

static void move_there_and_back(struct kvm_vcpu *vcpu)
{
	take_away(vcpu->vm, MOVED_SLOT);
	bring_back(vcpu->vm, MOVED_SLOT);
}

TEST_F(steal_time, never_more_than_was_waited_while_the_slot_changes)
{
	vcpu_arch_set_entry_point(self->vcpu, guest_reads);
	expect_no_more_than_waited(_metadata, self->vcpu, move_there_and_back);
}

static void set_msr_again_at_once(struct kvm_vcpu *vcpu)
{
	vcpu_set_msr(vcpu, MSR_KVM_STEAL_TIME, ENABLED);
}

TEST_F(steal_time, never_more_than_was_waited_while_the_msr_is_set)
{
	vcpu_arch_set_entry_point(self->vcpu, guest_reads);
	expect_no_more_than_waited(_metadata, self->vcpu, set_msr_again_at_once);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_cpu_has(X86_FEATURE_KVM_STEAL_TIME));

	return test_harness_run(argc, argv);
}
