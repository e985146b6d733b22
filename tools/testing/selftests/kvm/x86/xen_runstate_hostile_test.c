// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * Guests and VMMs that put runstate areas where they do harm, or take their memory
 * away.  The harm is the guest's own: what the VMM gets stays right, another VM
 * notices nothing, the kernel has nothing to say, and an area is written again when
 * its memory is back.
 */
#include "kernel_log.h"
#include "kvm_test_harness.h"
#include "xen_runstate.h"

#define AREA_BYTES	(AREA_PAGES * PAGE_SIZE)
#define AREA_SIZE	sizeof(struct vcpu_runstate_info)
#define NR_VCPUS	2

/* In an entry of the guest's page tables. */
#define PTE_WRITABLE	BIT_ULL(1)

/* Where the memslot of the areas is moved to, out of the way. */
#define ELSEWHERE_GPA	(AREA_GPA + 16 * AREA_BYTES)

/* Areas of the vCPUs that lie on two pages each, and share one of them. */
#define SPLIT_GPA(n)	(AREA_GPA + ((n) + 1) * PAGE_SIZE - 10)

/* One that runs each vCPU, and one that makes calls. */
#define NR_WORKERS	(2 * NR_VCPUS)
#define NR_ROUNDS	20

static void guest_reads_area(void)
{
	for (;;) {
		READ_ONCE(*(u64 *)AREA_GVA);
		GUEST_SYNC(0);
	}
}

/* All of the page, over and over. */
static void guest_scribbles(void)
{
	for (u64 n = 0;; n++) {
		for (u64 *word = (u64 *)AREA_GVA; word < (u64 *)(AREA_GVA + PAGE_SIZE); word++)
			WRITE_ONCE(*word, ~n);
		GUEST_SYNC(0);
	}
}

static void guest_writes_what_it_may_not(void)
{
	for (;;)
		GUEST_SYNC(kvm_asm_safe("movq $-1, (%[area])", [area] "r"(AREA_GVA)));
}

/*
 * The memory of the areas
 */

static void *area_memory(struct kvm_vm *vm)
{
	return addr_gpa2hva(vm, AREA_GPA);
}

static void set_slot(struct kvm_vm *vm, u32 flags, u64 gpa, int pages)
{
	vm_set_user_memory_region(vm, AREA_SLOT, flags, gpa, pages * PAGE_SIZE, area_memory(vm));
}

static void take_slot(struct kvm_vm *vm)
{
	delete_slot(vm);
}

static void give_slot_back(struct kvm_vm *vm)
{
	set_slot(vm, 0, AREA_GPA, AREA_PAGES);
}

static void make_slot_read_only(struct kvm_vm *vm)
{
	delete_slot(vm);
	set_slot(vm, KVM_MEM_READONLY, AREA_GPA, AREA_PAGES);
}

static void give_another_slot(struct kvm_vm *vm)
{
	delete_slot(vm);
	give_slot_back(vm);
}

static void shrink_slot(struct kvm_vm *vm)
{
	delete_slot(vm);
	set_slot(vm, 0, AREA_GPA, 1);
}

static void move_slot(struct kvm_vm *vm)
{
	set_slot(vm, 0, ELSEWHERE_GPA, AREA_PAGES);
}

/* Ways to take the areas' memory, or a part that each of them needs. */
static const struct {
	const char *name;
	void (*take)(struct kvm_vm *vm);
	void (*give_back)(struct kvm_vm *vm);
} losses[] = {
	{ "deleted",	take_slot,		give_slot_back },
	{ "read-only",	make_slot_read_only,	give_another_slot },
	{ "shrunk",	shrink_slot,		give_another_slot },
	{ "moved",	move_slot,		give_slot_back },
};

/*
 * Threads at work, each of which goes round until it is stopped.
 */

struct worker {
	struct kvm_vcpu *vcpu;
	u64 gpa;
	void (*work)(struct worker *worker);
	struct steal_watch watch;
	pthread_t thread;
	u64 rounds;
	bool stop;
};

static void *work(void *arg)
{
	struct worker *worker = arg;

	while (!READ_ONCE(worker->stop)) {
		worker->work(worker);
		WRITE_ONCE(worker->rounds, worker->rounds + 1);
	}
	return NULL;
}

static void start_workers(struct worker *workers, int nr)
{
	for (int i = 0; i < nr; i++)
		TEST_ASSERT_EQ(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
}

/* @rounds of each, beside those that they are in. */
static void wait_for_workers(struct worker *workers, int nr, u64 rounds)
{
	u64 last[NR_WORKERS];

	for (int i = 0; i < nr; i++)
		last[i] = READ_ONCE(workers[i].rounds) + rounds;
	for (int i = 0; i < nr; i++) {
		while (READ_ONCE(workers[i].rounds) <= last[i])
			sched_yield();
	}
}

static void stop_workers(struct worker *workers, int nr)
{
	for (int i = 0; i < nr; i++)
		WRITE_ONCE(workers[i].stop, true);
	for (int i = 0; i < nr; i++)
		TEST_ASSERT_EQ(pthread_join(workers[i].thread, NULL), 0);
}

/* A guest that reads from memory which is not there has userspace answer. */
static void run_vcpu(struct kvm_vcpu *vcpu)
{
	vcpu_run(vcpu);
	TEST_ASSERT(vcpu->run->exit_reason == KVM_EXIT_IO ||
		    vcpu->run->exit_reason == KVM_EXIT_MMIO, "exit reason %s",
		    exit_reason_str(vcpu->run->exit_reason));
}

static void run_and_watch(struct worker *worker)
{
	if (!worker->rounds)
		steal_watch_start(&worker->watch, worker->vcpu);
	run_vcpu(worker->vcpu);
	steal_watch_check(&worker->watch);
}

/* What needs the area may fail, but then leaves everything as it was. */
static void call_and_check(struct worker *worker)
{
	struct kvm_vcpu *vcpu = worker->vcpu;
	struct kvm_xen_vcpu_attr then = runstate_get(vcpu), now;
	int r;

	r = __runstate_set_current(vcpu, RUNSTATE_blocked);
	TEST_ASSERT(!r || r == -EFAULT, "RUNSTATE_CURRENT: %s", strerror(-r));
	r = __runstate_set_addr(vcpu, worker->gpa);
	TEST_ASSERT(!r || r == -EFAULT, "RUNSTATE_ADDR: %s", strerror(-r));

	now = runstate_get(vcpu);
	runstate_assert_follows(&then, &now);
	TEST_ASSERT_EQ(__xen_get_attr(vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR, &now), 0);
	TEST_ASSERT_EQ(now.u.gpa, worker->gpa);
}

/*
 * What must hold whatever has happened
 */

/* The VMM's figures are sound, and what it sets gets to the area. */
static void assert_vcpu_is_sound(struct kvm_vcpu *vcpu, u64 gpa)
{
	struct kvm_xen_vcpu_attr rs, area;

	runstate_assert_roundtrip(vcpu);
	runstate_set_current(vcpu, RUNSTATE_blocked);
	rs = runstate_get(vcpu);
	area = runstate_read_area(vcpu->vm, gpa, true);
	TEST_ASSERT(runstate_equal(&rs, &area), "the area has %s\nnot %s",
		    runstate_text(&area).s, runstate_text(&rs).s);
}

/*
 * KVM_RUN by itself writes the area, which it has to if the state or the memory is
 * no longer that of the last time.
 */
static void assert_run_writes(struct kvm_vcpu *vcpu, u64 gpa)
{
	struct kvm_xen_vcpu_attr area;

	memset(addr_gpa2hva(vcpu->vm, gpa), CANARY, AREA_SIZE);
	run_vcpu(vcpu);
	area = runstate_read_area(vcpu->vm, gpa, true);
	TEST_ASSERT(area.u.runstate.state <= RUNSTATE_runnable && runstate_adds_up(&area),
		    "the area has %s", runstate_text(&area).s);
}

FIXTURE(xen_runstate_hostile) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpus[NR_VCPUS];
	struct kvm_vcpu *bystander;
	int kernel_log;
};

FIXTURE_SETUP(xen_runstate_hostile)
{
	self->vm = vm_create_with_vcpus(NR_VCPUS, runstate_guest_code, self->vcpus);
	xen_enable_runstate(self->vm);

	xen_enable_runstate(vm_create_with_one_vcpu(&self->bystander, runstate_guest_code));
	runstate_set_addr(self->bystander, SPLIT_GPA(0));
	self->kernel_log = kernel_log_open();
}

FIXTURE_TEARDOWN(xen_runstate_hostile)
{
	assert_run_writes(self->bystander, SPLIT_GPA(0));
	assert_vcpu_is_sound(self->bystander, SPLIT_GPA(0));
	kernel_log_assert_silent(self->kernel_log);
	close(self->kernel_log);
	kvm_vm_free(self->bystander->vm);
	kvm_vm_free(self->vm);
}

/*
 * Memory that goes
 */

TEST_F(xen_runstate_hostile, area_is_left_alone_while_its_memory_is_gone)
{
	struct kvm_vcpu *vcpu = self->vcpus[0];
	struct steal_watch watch;

	runstate_set_addr(vcpu, SPLIT_GPA(0));
	steal_watch_start(&watch, vcpu);

	for (int i = 0; i < ARRAY_SIZE(losses); i++) {
		losses[i].take(self->vm);
		memset(area_memory(self->vm), CANARY, AREA_BYTES);
		EXPECT_EQ(-EFAULT, __runstate_set_current(vcpu, RUNSTATE_blocked));
		for (int n = 0; n < 10; n++)
			run_vcpu(vcpu);
		steal_watch_check(&watch);
		EXPECT_TRUE(is_painted(area_memory(self->vm), AREA_BYTES)) {
			TH_LOG("written while the memslot was %s", losses[i].name);
		}

		losses[i].give_back(self->vm);
		assert_run_writes(vcpu, SPLIT_GPA(0));
		assert_vcpu_is_sound(vcpu, SPLIT_GPA(0));
	}
}

TEST_F(xen_runstate_hostile, memory_may_go_and_come_while_the_guest_runs)
{
	struct worker workers[] = {
		{ .vcpu = self->vcpus[0], .work = run_and_watch },
		{ .vcpu = self->vcpus[1], .work = run_and_watch },
		{ .vcpu = self->vcpus[0], .work = call_and_check, .gpa = SPLIT_GPA(0) },
		{ .vcpu = self->vcpus[1], .work = call_and_check, .gpa = SPLIT_GPA(1) },
	};

	xen_set_update_flag(self->vm, true);
	for (int i = 0; i < NR_VCPUS; i++) {
		vcpu_arch_set_entry_point(self->vcpus[i], guest_reads_area);
		runstate_set_addr(self->vcpus[i], SPLIT_GPA(i));
	}
	start_workers(workers, ARRAY_SIZE(workers));

	/* Each of them gets to see each loss, and its end. */
	for (int n = 0; n < 2 * ARRAY_SIZE(losses); n++) {
		losses[n % ARRAY_SIZE(losses)].take(self->vm);
		wait_for_workers(workers, ARRAY_SIZE(workers), 1);
		losses[n % ARRAY_SIZE(losses)].give_back(self->vm);
		wait_for_workers(workers, ARRAY_SIZE(workers), 1);
	}
	stop_workers(workers, ARRAY_SIZE(workers));
	for (int i = 0; i < NR_VCPUS; i++) {
		assert_vcpu_is_sound(self->vcpus[i], SPLIT_GPA(i));
		assert_run_writes(self->vcpus[i], SPLIT_GPA(i));
	}
}

TEST_F(xen_runstate_hostile, area_ends_where_memory_ends)
{
	const u64 end = AREA_GPA + (AREA_PAGES - 1) * PAGE_SIZE;
	struct kvm_vcpu *vcpu = self->vcpus[0];
	u8 *behind = addr_gpa2hva(self->vm, end);

	delete_slot(self->vm);
	set_slot(self->vm, 0, AREA_GPA, AREA_PAGES - 1);
	memset(behind, CANARY, PAGE_SIZE);

	runstate_set_addr(vcpu, end - AREA_SIZE);
	for (u64 excess = 1; excess <= AREA_SIZE; excess++) {
		EXPECT_EQ(-EFAULT, __runstate_set_addr(vcpu, end - AREA_SIZE + excess)) {
			TH_LOG("%lu bytes beyond the end", excess);
		}
	}
	assert_run_writes(vcpu, end - AREA_SIZE);
	assert_vcpu_is_sound(vcpu, end - AREA_SIZE);
	EXPECT_TRUE(is_painted(behind, PAGE_SIZE));
}

/*
 * Memory that is used for something else
 */

TEST_F(xen_runstate_hostile, area_may_be_read_only_for_the_guest)
{
	u64 *pte = vm_get_pte(self->vm, AREA_GVA);
	struct kvm_vcpu *vcpu = self->vcpus[0];
	struct kvm_sregs sregs;
	struct ucall uc;

	vcpu_arch_set_entry_point(vcpu, guest_writes_what_it_may_not);
	vcpu_sregs_get(vcpu, &sregs);
	sregs.cr0 |= X86_CR0_WP;
	vcpu_sregs_set(vcpu, &sregs);
	*pte &= ~PTE_WRITABLE;

	runstate_set_addr(vcpu, AREA_GPA);
	for (int n = 0; n < 10; n++) {
		assert_run_writes(vcpu, AREA_GPA);
		ASSERT_EQ(UCALL_SYNC, get_ucall(vcpu, &uc));
		EXPECT_EQ(PF_VECTOR, uc.args[1]);
		assert_vcpu_is_sound(vcpu, AREA_GPA);
	}
}

TEST_F(xen_runstate_hostile, area_that_the_guest_scribbles_on_misleads_nobody)
{
	struct worker workers[] = {
		{ .vcpu = self->vcpus[0], .work = run_and_watch },
		{ .vcpu = self->vcpus[1], .work = run_and_watch },
		{ .vcpu = self->vcpus[0], .work = call_and_check, .gpa = AREA_GPA },
	};

	xen_set_update_flag(self->vm, true);
	runstate_set_addr(self->vcpus[0], AREA_GPA);
	vcpu_arch_set_entry_point(self->vcpus[1], guest_scribbles);

	start_workers(workers, ARRAY_SIZE(workers));
	wait_for_workers(workers, ARRAY_SIZE(workers), NR_ROUNDS);
	stop_workers(workers, ARRAY_SIZE(workers));

	assert_vcpu_is_sound(self->vcpus[0], AREA_GPA);
}

TEST_F(xen_runstate_hostile, area_of_two_vcpus_holds_what_was_written_last)
{
	struct worker workers[] = {
		{ .vcpu = self->vcpus[0], .work = run_and_watch },
		{ .vcpu = self->vcpus[1], .work = run_and_watch },
		{ .vcpu = self->vcpus[0], .work = call_and_check, .gpa = SPLIT_GPA(0) },
		{ .vcpu = self->vcpus[1], .work = call_and_check, .gpa = SPLIT_GPA(0) },
	};

	xen_set_update_flag(self->vm, true);
	for (int i = 0; i < NR_VCPUS; i++)
		runstate_set_addr(self->vcpus[i], SPLIT_GPA(0));

	start_workers(workers, ARRAY_SIZE(workers));
	wait_for_workers(workers, ARRAY_SIZE(workers), NR_ROUNDS);
	stop_workers(workers, ARRAY_SIZE(workers));

	for (int i = 0; i < NR_VCPUS; i++) {
		assert_vcpu_is_sound(self->vcpus[i], SPLIT_GPA(0));
		assert_run_writes(self->vcpus[i], SPLIT_GPA(0));
	}
}

/* The state takes the place of the pending upcall, the totals that of the time. */
TEST_F(xen_runstate_hostile, area_may_be_the_vcpu_info)
{
	const struct kvm_xen_hvm_attr upcall = {
		.type = KVM_XEN_ATTR_TYPE_UPCALL_VECTOR,
		.u.vector = 0x20,
	};
	struct kvm_xen_vcpu_attr vcpu_info = {
		.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO,
		.u.gpa = AREA_GPA,
	};
	struct kvm_vcpu *vcpu = self->vcpus[0];
	struct steal_watch watch;

	vm_ioctl(self->vm, KVM_XEN_HVM_SET_ATTR, &upcall);
	runstate_set_addr(vcpu, AREA_GPA);
	steal_watch_start(&watch, vcpu);
	for (int n = 0; n < NR_ROUNDS; n++) {
		runstate_set_current(vcpu, n % 2 ? RUNSTATE_blocked : RUNSTATE_offline);
		TEST_ASSERT_EQ(__xen_set_attr(vcpu, &vcpu_info), 0);
		run_vcpu(vcpu);
		steal_watch_check(&watch);
	}
	assert_vcpu_is_sound(vcpu, AREA_GPA);
}

/* The state, which is 0 when the vCPU runs, makes the guest's first entry absent. */
TEST_F(xen_runstate_hostile, area_in_the_page_tables_ends_the_guest_only)
{
	struct kvm_vcpu *vcpu = self->vcpus[0];
	struct kvm_sregs sregs;

	vcpu_sregs_get(vcpu, &sregs);
	runstate_set_addr(vcpu, sregs.cr3);
	vcpu_run(vcpu);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_SHUTDOWN);
	assert_vcpu_is_sound(vcpu, sregs.cr3);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_check_cap(KVM_CAP_XEN_HVM) & KVM_XEN_HVM_CONFIG_RUNSTATE_UPDATE_FLAG);

	return test_harness_run(argc, argv);
}
