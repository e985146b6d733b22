// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * KVM_ARM_VCPU_PVTIME_CTRL and stolen time: where the structure can be, when the
 * guest gets its address, and that it shows how long the thread that runs the vCPU
 * has waited for a CPU since it does so: exactly, and never less than before.
 */
#include <signal.h>
#include <sys/time.h>

#include "arm_vcpu_attr.h"
#include "kernel_log.h"
#include "kvm_test_harness.h"
#include "page_wait.h"
#include "sched_util.h"

#define SMCCC_ARCH_FEATURES	0x80000001
#define PV_TIME_FEATURES	0xc5000020
#define NOT_SUPPORTED		(-1)

/* No function of SMCCC: the guest reads its memory. */
#define PEEK			1

#define UNSET			(~0ULL)
#define MSEC			1000000L
#define LONG_WAIT		(40 * MSEC)
#define SHORT_WAIT		(10 * MSEC)

struct stolen_time {
	u32 revision;
	u32 attributes;
	u64 stolen;
	u64 padding[6];
};

/* What a vCPU's guest is to do, and what came of it. */
static struct command {
	u64 function;
	u64 argument;
	u64 entry;
	u64 result;
} commands[3];

static void guest_runs_commands(void)
{
	struct command *command = &commands[guest_get_vcpuid()];
	struct arm_smccc_res res;

	for (;;) {
		if (READ_ONCE(command->function) == PEEK) {
			command->result = READ_ONCE(*(u64 *)READ_ONCE(command->argument));
		} else if (READ_ONCE(command->function)) {
			smccc_hvc(command->function, command->argument, command->entry,
				  0, 0, 0, 0, 0, &res);
			command->result = res.a0;
		}
		GUEST_SYNC(0);
	}
}

static struct command *command_of(struct kvm_vcpu *vcpu)
{
	return &((struct command *)addr_gva2hva(vcpu->vm, (gva_t)commands))[vcpu->id];
}

static void command_guest(struct kvm_vcpu *vcpu, u64 fn, u64 arg, u64 entry)
{
	*command_of(vcpu) = (struct command) { .function = fn, .argument = arg, .entry = entry };
}

/* What this thread had waited when it last ran each of the vCPUs. */
static __thread long last_run[ARRAY_SIZE(commands)];

/* In and out of the guest. */
static void run(struct kvm_vcpu *vcpu)
{
	long delay = get_run_delay();
	int r = run_to_sync(vcpu);

	TEST_ASSERT(!r, "KVM_RUN: %s", strerror(-r));
	last_run[vcpu->id] = delay;
}

static u64 guest_does(struct kvm_vcpu *vcpu, u64 fn, u64 arg)
{
	command_guest(vcpu, fn, arg, 0);
	run(vcpu);
	command_of(vcpu)->function = 0;
	return command_of(vcpu)->result;
}

/* Where the structures of the vCPUs are. */
static u64 structures[ARRAY_SIZE(commands)] = { ST_GPA, ST_GPA + 64, ST_GPA + 128 };

static struct stolen_time *stolen_time(struct kvm_vcpu *vcpu)
{
	return addr_gpa2hva(vcpu->vm, structures[vcpu->id]);
}

static u64 stolen(struct kvm_vcpu *vcpu)
{
	return READ_ONCE(stolen_time(vcpu)->stolen);
}

FIXTURE(vcpu_attr_pvtime) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct kvm_vcpu *other;
};

FIXTURE_SETUP(vcpu_attr_pvtime)
{
	/* One more may come later. */
	self->vm = create_vm_without_vgic(3);
	self->vcpu = add_vcpu(self->vm, 0, false, guest_runs_commands);
	self->other = add_vcpu(self->vm, 1, false, guest_runs_commands);
	add_st_slot(self->vm, 0);
}

FIXTURE_TEARDOWN(vcpu_attr_pvtime)
{
	kvm_vm_free(self->vm);
}

/*
 * The attribute
 */

TEST_F(vcpu_attr_pvtime, ipa_is_all_ones_until_it_is_set)
{
	EXPECT_EQ(0, attr_has(self->vcpu, PVTIME, PVTIME_IPA));
	EXPECT_EQ(UNSET, pvtime_get_ipa(self->vcpu));
	EXPECT_EQ(0, pvtime_set_ipa(self->vcpu, ST_GPA));
	EXPECT_EQ(ST_GPA, pvtime_get_ipa(self->vcpu));
	EXPECT_EQ(UNSET, pvtime_get_ipa(self->other));
}

TEST_F(vcpu_attr_pvtime, bad_address_is_efault)
{
	EXPECT_EQ(-EFAULT, attr_get(self->vcpu, PVTIME, PVTIME_IPA, NULL));
	EXPECT_EQ(-EFAULT, attr_set(self->vcpu, PVTIME, PVTIME_IPA, NULL));
	EXPECT_EQ(UNSET, pvtime_get_ipa(self->vcpu));
	ASSERT_EQ(0, pvtime_set_ipa(self->vcpu, ST_GPA));
	EXPECT_EQ(-EFAULT, attr_set(self->vcpu, PVTIME, PVTIME_IPA, NULL));
	EXPECT_EQ(-EFAULT, attr_get(self->vcpu, PVTIME, PVTIME_IPA, NULL));
}

TEST_F(vcpu_attr_pvtime, ipa_that_is_not_aligned_is_einval)
{
	for (int i = 1; i < 64; i++) {
		EXPECT_EQ(-EINVAL, pvtime_set_ipa(self->vcpu, ST_GPA + i)) {
			TH_LOG("off by %d", i);
		}
	}
	EXPECT_EQ(-EINVAL, pvtime_set_ipa(self->vcpu, UNSET));
	EXPECT_EQ(UNSET, pvtime_get_ipa(self->vcpu));
	EXPECT_EQ(0, pvtime_set_ipa(self->vcpu, ST_GPA + 64));
}

TEST_F(vcpu_attr_pvtime, ipa_that_is_set_is_eexist)
{
	ASSERT_EQ(0, pvtime_set_ipa(self->vcpu, ST_GPA));
	EXPECT_EQ(-EEXIST, pvtime_set_ipa(self->vcpu, ST_GPA));
	EXPECT_EQ(-EEXIST, pvtime_set_ipa(self->vcpu, ST_GPA + 64));
	/* The value comes before that, the memslot after. */
	EXPECT_EQ(-EINVAL, pvtime_set_ipa(self->vcpu, ST_GPA + 32));
	EXPECT_EQ(-EEXIST, pvtime_set_ipa(self->vcpu, 2 * ST_GPA));
	EXPECT_EQ(ST_GPA, pvtime_get_ipa(self->vcpu));
}

TEST_F(vcpu_attr_pvtime, ipa_outside_of_memslots_is_einval)
{
	const u64 end = ST_GPA + ST_PAGES * self->vm->page_size;
	const u64 ipas[] = {
		end, ST_GPA - 64, 2 * ST_GPA, ST_GPA | BIT_ULL(63), UNSET & ~63ULL,
	};

	for (int i = 0; i < ARRAY_SIZE(ipas); i++) {
		EXPECT_EQ(-EINVAL, pvtime_set_ipa(self->vcpu, ipas[i])) {
			TH_LOG("IPA 0x%lx", ipas[i]);
		}
	}
	EXPECT_EQ(UNSET, pvtime_get_ipa(self->vcpu));
	EXPECT_EQ(0, pvtime_set_ipa(self->vcpu, end - 64));
}

TEST_F(vcpu_attr_pvtime, ipa_in_a_read_only_memslot_is_einval)
{
	delete_st_slot(self->vm);
	restore_st_slot(self->vm, KVM_MEM_READONLY);
	EXPECT_EQ(-EINVAL, pvtime_set_ipa(self->vcpu, ST_GPA));
	EXPECT_EQ(UNSET, pvtime_get_ipa(self->vcpu));
}

TEST_F(vcpu_attr_pvtime, ipa_can_be_set_before_vcpu_init)
{
	struct kvm_vcpu *bare = add_bare_vcpu(self->vm, 2);

	EXPECT_EQ(0, attr_has(bare, PVTIME, PVTIME_IPA));
	EXPECT_EQ(UNSET, pvtime_get_ipa(bare));
	ASSERT_EQ(0, pvtime_set_ipa(bare, ST_GPA));
	finish_vcpu(bare, false, guest_runs_commands);
	EXPECT_EQ(ST_GPA, pvtime_get_ipa(bare));
	EXPECT_EQ(ST_GPA, guest_does(bare, PV_TIME_ST, 0));
}

TEST_F(vcpu_attr_pvtime, ipa_can_be_set_before_and_after_the_vgic)
{
	int gic_fd;

	ASSERT_EQ(0, pvtime_set_ipa(self->vcpu, ST_GPA));
	gic_fd = create_vgic(self->vm);
	set_vgic_lines(gic_fd);
	place_vgic(self->vm, gic_fd);
	init_vgic(gic_fd);
	ASSERT_EQ(0, pvtime_set_ipa(self->other, ST_GPA + 64));
	EXPECT_EQ(ST_GPA, guest_does(self->vcpu, PV_TIME_ST, 0));
	EXPECT_EQ(ST_GPA + 64, guest_does(self->other, PV_TIME_ST, 0));
}

/*
 * The hypercalls
 */

TEST_F(vcpu_attr_pvtime, guest_gets_no_structure_without_an_ipa)
{
	EXPECT_EQ(0, guest_does(self->vcpu, SMCCC_ARCH_FEATURES, PV_TIME_FEATURES));
	EXPECT_EQ(NOT_SUPPORTED, guest_does(self->vcpu, PV_TIME_FEATURES, PV_TIME_FEATURES));
	EXPECT_EQ(NOT_SUPPORTED, guest_does(self->vcpu, PV_TIME_FEATURES, PV_TIME_ST));
	EXPECT_EQ(NOT_SUPPORTED, guest_does(self->vcpu, PV_TIME_ST, 0));
}

TEST_F(vcpu_attr_pvtime, guest_gets_the_structure)
{
	ASSERT_EQ(0, pvtime_set_ipa(self->vcpu, ST_GPA));
	EXPECT_EQ(0, guest_does(self->vcpu, PV_TIME_FEATURES, PV_TIME_FEATURES));
	EXPECT_EQ(0, guest_does(self->vcpu, PV_TIME_FEATURES, PV_TIME_ST));
	EXPECT_EQ(NOT_SUPPORTED, guest_does(self->vcpu, PV_TIME_FEATURES, 0));
	EXPECT_EQ(ST_GPA, guest_does(self->vcpu, PV_TIME_ST, 0));
}

/* It is all zeroes at first, whatever was there, and nothing around it changes. */
TEST_F(vcpu_attr_pvtime, structure_is_initialized)
{
	unsigned char *page = addr_gpa2hva(self->vm, ST_GPA);
	long delay = get_run_delay();

	memset(page, 0xa5, self->vm->page_size);
	ASSERT_EQ(0, pvtime_set_ipa(self->vcpu, ST_GPA + 64));
	ASSERT_EQ(ST_GPA + 64, guest_does(self->vcpu, PV_TIME_ST, 0));
	delay = get_run_delay() - delay;

	EXPECT_GE(delay, ((struct stolen_time *)(page + 64))->stolen);
	for (int i = 64; i < 128; i++) {
		/* The time is in the second eight bytes. */
		if (i / 8 == 9)
			continue;
		EXPECT_EQ(0, page[i]) {
			TH_LOG("byte %d of the structure", i - 64);
		}
	}
	EXPECT_EQ(0xa5, page[63]);
	EXPECT_EQ(0xa5, page[128]);
}

TEST_F(vcpu_attr_pvtime, guest_gets_no_structure_in_a_deleted_memslot)
{
	ASSERT_EQ(0, pvtime_set_ipa(self->vcpu, ST_GPA));
	delete_st_slot(self->vm);
	EXPECT_EQ(NOT_SUPPORTED, guest_does(self->vcpu, PV_TIME_ST, 0));
	restore_st_slot(self->vm, 0);
	EXPECT_EQ(ST_GPA, guest_does(self->vcpu, PV_TIME_ST, 0));
}

TEST_F(vcpu_attr_pvtime, guest_gets_no_structure_in_a_read_only_memslot)
{
	ASSERT_EQ(0, pvtime_set_ipa(self->vcpu, ST_GPA));
	delete_st_slot(self->vm);
	restore_st_slot(self->vm, KVM_MEM_READONLY);
	EXPECT_EQ(NOT_SUPPORTED, guest_does(self->vcpu, PV_TIME_ST, 0));
}

TEST_F(vcpu_attr_pvtime, guest_gets_no_structure_that_kvm_cannot_write)
{
	struct stolen_time *st = stolen_time(self->vcpu);

	ASSERT_EQ(0, pvtime_set_ipa(self->vcpu, ST_GPA));
	ASSERT_EQ(0, mprotect(st, self->vm->page_size, PROT_READ));
	EXPECT_EQ(NOT_SUPPORTED, guest_does(self->vcpu, PV_TIME_ST, 0));
	ASSERT_EQ(0, mprotect(st, self->vm->page_size, PROT_READ | PROT_WRITE));
	EXPECT_EQ(ST_GPA, guest_does(self->vcpu, PV_TIME_ST, 0));
}

TEST_F(vcpu_attr_pvtime, guest_reads_what_the_vmm_reads)
{
	u64 before, read;

	ASSERT_EQ(0, pvtime_set_ipa(self->vcpu, ST_GPA));
	ASSERT_EQ(ST_GPA, guest_does(self->vcpu, PV_TIME_ST, 0));
	run(self->vcpu);

	/* The run that makes the guest read may have waited, too. */
	before = stolen(self->vcpu);
	read = guest_does(self->vcpu, PEEK, ST_GPA + offsetof(struct stolen_time, stolen));
	EXPECT_LE(before, read);
	EXPECT_GE(stolen(self->vcpu), read);
}

/*
 * Time.  All bounds are differences of run_delay: if a thread runs the vCPU
 * between two reads of its run_delay, no more than the difference was stolen.
 */

FIXTURE(vcpu_attr_stolen) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_SETUP(vcpu_attr_stolen)
{
	self->vm = create_vm_without_vgic(1);
	self->vcpu = add_vcpu(self->vm, 0, false, guest_runs_commands);
	add_st_slot(self->vm, 0);
	TEST_ASSERT_EQ(pvtime_set_ipa(self->vcpu, ST_GPA), 0);
}

FIXTURE_TEARDOWN(vcpu_attr_stolen)
{
	kvm_vm_free(self->vm);
}

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
	if (turn->wait)
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
		TH_LOG("waited for %ld ns, but stolen went from %lu to %lu", turn->least,
		       turn->before, turn->after);
	}
	EXPECT_GE(turn->most, grown) {
		TH_LOG("waited for %ld ns only, but stolen went from %lu to %lu", turn->most,
		       turn->before, turn->after);
	}
}

static struct turn turn_in_new_thread(struct kvm_vcpu *vcpu, long past, long wait)
{
	struct turn turn = { .vcpu = vcpu, .past = past, .wait = wait };

	in_new_thread(take_turn, &turn);
	return turn;
}

static struct turn turn_in_this_thread(struct kvm_vcpu *vcpu, long past, long wait)
{
	struct turn turn = { .vcpu = vcpu, .past = past, .wait = wait };

	take_turn(&turn);
	return turn;
}

TEST_F(vcpu_attr_stolen, is_what_the_thread_has_waited_for)
{
	long begin = get_run_delay(), first;

	ASSERT_EQ(ST_GPA, guest_does(self->vcpu, PV_TIME_ST, 0));
	first = get_run_delay();
	for (int i = 0; i < 5; i++) {
		long least, most;

		wait_for_cpu(SHORT_WAIT);
		least = get_run_delay() - first;
		run(self->vcpu);
		most = get_run_delay() - begin;
		EXPECT_LE(least, stolen(self->vcpu));
		EXPECT_GE(most, stolen(self->vcpu)) {
			TH_LOG("waited for %ld to %ld ns, but %lu are stolen", least, most,
			       stolen(self->vcpu));
		}
	}
}

/* The guest asks, and all that it finds was waited for since. */
static void expect_to_start_from_0(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu)
{
	long begin = get_run_delay();

	ASSERT_EQ(structures[vcpu->id], guest_does(vcpu, PV_TIME_ST, 0));
	EXPECT_GE(get_run_delay() - begin, stolen(vcpu)) {
		TH_LOG("vCPU %u: %lu ns are stolen", vcpu->id, stolen(vcpu));
	}
}

/* The guest asks, and finds what the structure shows and what was waited since the last run. */
static void expect_to_go_on_at_once(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu)
{
	const long begin = last_run[vcpu->id];
	const u64 before = stolen(vcpu);

	ASSERT_EQ(structures[vcpu->id], guest_does(vcpu, PV_TIME_ST, 0));
	EXPECT_LE(before, stolen(vcpu)) {
		TH_LOG("vCPU %u: from %lu to %lu", vcpu->id, before, stolen(vcpu));
	}
	EXPECT_GE(before + get_run_delay() - begin, stolen(vcpu)) {
		TH_LOG("vCPU %u: from %lu to %lu", vcpu->id, before, stolen(vcpu));
	}
}

/* The thread ran the vCPU, waits, and runs it. */
static void expect_to_grow_by_a_wait(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu)
{
	const long begin = last_run[vcpu->id];
	const u64 before = stolen(vcpu);
	long wait = get_run_delay();

	wait_for_cpu(SHORT_WAIT);
	wait = get_run_delay() - wait;
	run(vcpu);
	EXPECT_LE(before + wait, stolen(vcpu)) {
		TH_LOG("waited for %ld ns, but stolen went from %lu to %lu", wait, before,
		       stolen(vcpu));
	}
	EXPECT_GE(before + get_run_delay() - begin, stolen(vcpu)) {
		TH_LOG("waited for %ld ns only, but stolen went from %lu to %lu",
		       get_run_delay() - begin, before, stolen(vcpu));
	}
}

/* The vCPU's thread waits while the guest runs, for a distinguishable time. */
static void wait_as_it_runs(struct kvm_vcpu *vcpu)
{
	const u64 before = stolen(vcpu);

	run(vcpu);
	wait_for_cpu(LONG_WAIT);
	run(vcpu);
	TEST_ASSERT(stolen(vcpu) >= before + LONG_WAIT, "from %lu to %lu", before, stolen(vcpu));
}

static void set_power(struct kvm_vcpu *vcpu, bool on)
{
	struct kvm_mp_state state = {
		.mp_state = on ? KVM_MP_STATE_RUNNABLE : KVM_MP_STATE_STOPPED,
	};

	vcpu_mp_state_set(vcpu, &state);
}

/* The CPU is off, and on again. */
static void power_cycle(struct kvm_vcpu *vcpu)
{
	set_power(vcpu, false);
	set_power(vcpu, true);
}

/* Before the guest asks, anything may be where the structure is to be. */
TEST_F(vcpu_attr_stolen, does_not_count_what_was_there_before)
{
	memset(stolen_time(self->vcpu), 0x5a, sizeof(struct stolen_time));
	run(self->vcpu);
	expect_to_start_from_0(_metadata, self->vcpu);
}

TEST_F(vcpu_attr_stolen, does_not_count_a_value_that_was_there_before)
{
	stolen_time(self->vcpu)->stolen = 123456789;
	expect_to_start_from_0(_metadata, self->vcpu);
}

/* What its firmware waited for is not stolen from a kernel. */
TEST_F(vcpu_attr_stolen, does_not_count_what_was_waited_before_the_first_ask)
{
	wait_as_it_runs(self->vcpu);
	wait_for_cpu(LONG_WAIT);
	expect_to_start_from_0(_metadata, self->vcpu);
}

TEST_F(vcpu_attr_stolen, counts_from_the_first_ask_on)
{
	wait_as_it_runs(self->vcpu);
	expect_to_start_from_0(_metadata, self->vcpu);
	expect_to_grow_by_a_wait(_metadata, self->vcpu);
}

/* A CPU that goes offline and comes back has the same kernel. */
TEST_F(vcpu_attr_stolen, goes_on_when_a_cpu_comes_back)
{
	expect_to_start_from_0(_metadata, self->vcpu);
	for (int i = 0; i < 2; i++) {
		wait_as_it_runs(self->vcpu);
		power_cycle(self->vcpu);
		expect_to_go_on_at_once(_metadata, self->vcpu);
	}
}

static void on_tick(int sig)
{
}

/* KVM_RUN of a vCPU that stays in it until a signal arrives, @times times. */
static void interrupt_often(struct kvm_vcpu *vcpu, int times)
{
	const struct sigaction action = { .sa_handler = on_tick };
	struct itimerval timer = {
		.it_interval.tv_usec = 1000,
		.it_value.tv_usec = 1000,
	};

	TEST_ASSERT_EQ(sigaction(SIGALRM, &action, NULL), 0);
	TEST_ASSERT_EQ(setitimer(ITIMER_REAL, &timer, NULL), 0);
	while (times--)
		TEST_ASSERT_EQ(run_to_sync(vcpu), -EINTR);

	timer = (struct itimerval) { };
	TEST_ASSERT_EQ(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

/* Then its structure may be memory that other CPUs use for something else. */
TEST_F(vcpu_attr_stolen, is_not_written_while_the_cpu_is_off)
{
	struct stolen_time used, *structure = stolen_time(self->vcpu);
	long delay;

	expect_to_start_from_0(_metadata, self->vcpu);
	wait_as_it_runs(self->vcpu);
	set_power(self->vcpu, false);
	memset(structure, 0x5a, sizeof(*structure));
	used = *structure;

	delay = get_run_delay();
	interrupt_often(self->vcpu, 20);
	ASSERT_LT(delay, get_run_delay());
	EXPECT_EQ(0, memcmp(&used, structure, sizeof(used)));
}

/* One that asks again without that has another, which was started by kexec. */
TEST_F(vcpu_attr_stolen, starts_over_when_the_guest_asks_again)
{
	expect_to_start_from_0(_metadata, self->vcpu);
	for (int i = 0; i < 2; i++) {
		wait_as_it_runs(self->vcpu);
		expect_to_start_from_0(_metadata, self->vcpu);
	}
	/* To have been off once does not count twice. */
	power_cycle(self->vcpu);
	expect_to_go_on_at_once(_metadata, self->vcpu);
	wait_as_it_runs(self->vcpu);
	expect_to_start_from_0(_metadata, self->vcpu);
}

/* What comes back is no structure of KVM's: the guest wrote there. */
TEST_F(vcpu_attr_stolen, starts_over_if_the_padding_is_not_empty)
{
	expect_to_start_from_0(_metadata, self->vcpu);
	for (int i = 0; i < ARRAY_SIZE(stolen_time(self->vcpu)->padding); i++) {
		wait_as_it_runs(self->vcpu);
		stolen_time(self->vcpu)->padding[i] = 1;
		power_cycle(self->vcpu);
		expect_to_start_from_0(_metadata, self->vcpu);
	}
}

TEST_F(vcpu_attr_stolen, starts_over_with_a_thread_that_is_younger)
{
	struct turn turn;

	wait_for_cpu(LONG_WAIT);
	ASSERT_EQ(ST_GPA, guest_does(self->vcpu, PV_TIME_ST, 0));
	run(self->vcpu);

	turn = turn_in_new_thread(self->vcpu, 0, 0);
	expect_fair_turn(_metadata, &turn);
}

TEST_F(vcpu_attr_stolen, starts_over_with_a_thread_that_is_older)
{
	struct turn turn;

	ASSERT_EQ(ST_GPA, guest_does(self->vcpu, PV_TIME_ST, 0));
	run(self->vcpu);

	turn = turn_in_new_thread(self->vcpu, get_run_delay() + LONG_WAIT, SHORT_WAIT);
	expect_fair_turn(_metadata, &turn);
}

/* The first thread waits for CPUs while another one runs the vCPU. */
TEST_F(vcpu_attr_stolen, starts_over_with_a_thread_that_comes_back)
{
	struct turn turn;

	ASSERT_EQ(ST_GPA, guest_does(self->vcpu, PV_TIME_ST, 0));
	run(self->vcpu);
	turn = turn_in_new_thread(self->vcpu, 0, SHORT_WAIT);
	expect_fair_turn(_metadata, &turn);
	turn = turn_in_this_thread(self->vcpu, LONG_WAIT, SHORT_WAIT);
	expect_fair_turn(_metadata, &turn);
}

TEST_F(vcpu_attr_stolen, never_goes_down)
{
	static const long pasts[] = { 0, LONG_WAIT, 0, 2 * LONG_WAIT, SHORT_WAIT, 0 };
	struct turn turn;
	u64 last = 0;

	wait_for_cpu(LONG_WAIT);
	ASSERT_EQ(ST_GPA, guest_does(self->vcpu, PV_TIME_ST, 0));
	for (int i = 0; i < ARRAY_SIZE(pasts); i++) {
		turn = turn_in_new_thread(self->vcpu, pasts[i], 0);
		EXPECT_LE(last, turn.before);
		EXPECT_LE(turn.before, turn.after) {
			TH_LOG("from %lu to %lu", turn.before, turn.after);
		}
		last = turn.after;
	}
	/* It went over the top, or the threads had waited for more than a minute. */
	EXPECT_GE(60UL * NSEC_PER_SEC, last);
}

/* The guest asked on another host; its structure came with its memory. */
TEST_F(vcpu_attr_stolen, goes_on_after_a_restore)
{
	struct turn turn;

	stolen_time(self->vcpu)->stolen = 123456789;
	turn = turn_in_new_thread(self->vcpu, LONG_WAIT, SHORT_WAIT);
	EXPECT_EQ(123456789, turn.before);
	expect_fair_turn(_metadata, &turn);
}

/*
 * Resets and restores
 */

/* KVM_ARM_VCPU_INIT of a vCPU that has run, and waited as it ran. */
static void wait_and_reset(struct kvm_vcpu *vcpu)
{
	TEST_ASSERT_EQ(guest_does(vcpu, PV_TIME_ST, 0), ST_GPA);
	wait_as_it_runs(vcpu);
	finish_vcpu(vcpu, false, guest_runs_commands);
}

/* What boots has the vCPU's thread wait, too, and then asks for the structure. */
static void expect_to_start_over(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu)
{
	run(vcpu);
	wait_for_cpu(SHORT_WAIT);
	run(vcpu);
	expect_to_start_from_0(_metadata, vcpu);
}

/* Its thread is a new one, and later on the CPU goes offline and comes back. */
static void expect_to_go_on(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu)
{
	struct turn turn = turn_in_new_thread(vcpu, 0, SHORT_WAIT);

	expect_fair_turn(_metadata, &turn);
	for (int i = 0; i < 2; i++) {
		power_cycle(vcpu);
		expect_to_go_on_at_once(_metadata, vcpu);
	}
}

/* Else a rebooted kernel would take all that the last one had for its own. */
TEST_F(vcpu_attr_stolen, starts_over_after_a_reset)
{
	wait_and_reset(self->vcpu);
	expect_to_start_over(_metadata, self->vcpu);
	expect_to_go_on(_metadata, self->vcpu);
}

TEST_F(vcpu_attr_stolen, starts_over_after_a_reset_that_clears_memory)
{
	wait_and_reset(self->vcpu);
	memset(stolen_time(self->vcpu), 0, sizeof(struct stolen_time));
	expect_to_start_over(_metadata, self->vcpu);
	expect_to_go_on(_metadata, self->vcpu);
}

TEST_F(vcpu_attr_stolen, starts_over_after_a_reset_of_a_cpu_that_was_off)
{
	ASSERT_EQ(ST_GPA, guest_does(self->vcpu, PV_TIME_ST, 0));
	wait_as_it_runs(self->vcpu);
	power_cycle(self->vcpu);
	finish_vcpu(self->vcpu, false, guest_runs_commands);
	expect_to_start_over(_metadata, self->vcpu);
}

TEST_F(vcpu_attr_stolen, does_not_count_what_was_waited_for_before_a_reset)
{
	struct turn turn;

	wait_and_reset(self->vcpu);
	wait_for_cpu(LONG_WAIT);
	finish_vcpu(self->vcpu, false, guest_runs_commands);
	turn = turn_in_this_thread(self->vcpu, 0, SHORT_WAIT);
	expect_fair_turn(_metadata, &turn);
}

/* What could not be written before the reset is not of the kernel that boots, nor restored. */
TEST_F(vcpu_attr_stolen, does_not_count_what_was_pending_at_a_reset)
{
	struct stolen_time *st = stolen_time(self->vcpu);
	struct turn turn;

	ASSERT_EQ(ST_GPA, guest_does(self->vcpu, PV_TIME_ST, 0));
	run(self->vcpu);
	ASSERT_EQ(0, mprotect(st, self->vm->page_size, PROT_READ));
	wait_for_cpu(LONG_WAIT);
	run(self->vcpu);
	finish_vcpu(self->vcpu, false, guest_runs_commands);
	ASSERT_EQ(0, mprotect(st, self->vm->page_size, PROT_READ | PROT_WRITE));
	turn = turn_in_this_thread(self->vcpu, 0, SHORT_WAIT);
	expect_fair_turn(_metadata, &turn);
}

TEST_F(vcpu_attr_stolen, starts_over_after_a_reset_when_it_was_unreadable)
{
	struct stolen_time *st = stolen_time(self->vcpu);

	ASSERT_EQ(ST_GPA, guest_does(self->vcpu, PV_TIME_ST, 0));
	wait_as_it_runs(self->vcpu);
	ASSERT_EQ(0, mprotect(st, self->vm->page_size, PROT_NONE));
	finish_vcpu(self->vcpu, false, guest_runs_commands);
	ASSERT_EQ(0, mprotect(st, self->vm->page_size, PROT_READ | PROT_WRITE));
	expect_to_start_over(_metadata, self->vcpu);
}

/* A VMM resets the vCPU, and then loads what it had saved. */
TEST_F(vcpu_attr_stolen, goes_on_after_a_restore_in_place)
{
	wait_and_reset(self->vcpu);
	stolen_time(self->vcpu)->stolen = 123456789;
	expect_to_go_on(_metadata, self->vcpu);
	EXPECT_LE(123456789, stolen(self->vcpu));
}

/* Time after time, or it just loads: what KVM has added since has not happened. */
TEST_F(vcpu_attr_stolen, goes_on_after_a_restore_in_place_without_a_reset)
{
	u64 saved;

	ASSERT_EQ(ST_GPA, guest_does(self->vcpu, PV_TIME_ST, 0));
	wait_as_it_runs(self->vcpu);
	saved = stolen(self->vcpu);

	for (int i = 0; i < 3; i++) {
		wait_as_it_runs(self->vcpu);
		stolen_time(self->vcpu)->stolen = saved;
		expect_to_grow_by_a_wait(_metadata, self->vcpu);
	}
	expect_to_go_on(_metadata, self->vcpu);
}

/* To a time before the guest asked, even: it has less than KVM has added. */
TEST_F(vcpu_attr_stolen, goes_on_after_a_restore_in_place_of_zeros)
{
	ASSERT_EQ(ST_GPA, guest_does(self->vcpu, PV_TIME_ST, 0));
	wait_as_it_runs(self->vcpu);
	memset(stolen_time(self->vcpu), 0, sizeof(struct stolen_time));
	expect_to_grow_by_a_wait(_metadata, self->vcpu);
}

/* A VMM that resets the vCPU for a kernel that goes on gives the time back to it. */
TEST_F(vcpu_attr_stolen, goes_on_if_it_is_taken_away_over_a_reset)
{
	u64 before;

	wait_and_reset(self->vcpu);
	before = stolen(self->vcpu);
	stolen_time(self->vcpu)->stolen = 0;
	finish_vcpu(self->vcpu, false, guest_runs_commands);
	stolen_time(self->vcpu)->stolen = before;
	expect_to_go_on(_metadata, self->vcpu);
	EXPECT_LE(before, stolen(self->vcpu));
}

/* The guest asked on another host, where the CPU was online. */
TEST_F(vcpu_attr_stolen, goes_on_when_a_cpu_comes_back_after_a_restore)
{
	stolen_time(self->vcpu)->stolen = 123456789;
	power_cycle(self->vcpu);
	expect_to_go_on_at_once(_metadata, self->vcpu);
	EXPECT_LE(123456789, stolen(self->vcpu));
}

TEST_F(vcpu_attr_stolen, starts_over_when_the_guest_asks_again_after_a_restore)
{
	stolen_time(self->vcpu)->stolen = 123456789;
	wait_as_it_runs(self->vcpu);
	expect_to_start_from_0(_metadata, self->vcpu);
}

/*
 * Kernels of more than one CPU.  The first vCPU boots, the other one is off until it
 * is brought up.
 */

FIXTURE(vcpu_attr_stolen_smp) {
	struct kvm_vm *vm;
	struct kvm_vcpu *boot;
	struct kvm_vcpu *other;
};

FIXTURE_SETUP(vcpu_attr_stolen_smp)
{
	self->vm = create_vm_without_vgic(2);
	self->boot = add_vcpu(self->vm, 0, false, guest_runs_commands);
	self->other = add_vcpu(self->vm, 1, false, guest_runs_commands);
	set_power(self->other, false);
	add_st_slot(self->vm, 0);
	TEST_ASSERT_EQ(pvtime_set_ipa(self->boot, structures[0]), 0);
	TEST_ASSERT_EQ(pvtime_set_ipa(self->other, structures[1]), 0);
}

FIXTURE_TEARDOWN(vcpu_attr_stolen_smp)
{
	kvm_vm_free(self->vm);
}

/* Each CPU asks as it comes up, and its firmware does not count. */
static void boot(struct __test_metadata *_metadata, struct kvm_vcpu *first, struct kvm_vcpu *second)
{
	wait_as_it_runs(first);
	expect_to_start_from_0(_metadata, first);
	set_power(second, true);
	wait_as_it_runs(second);
	expect_to_start_from_0(_metadata, second);
}

static void wait_as_all_run(struct kvm_vcpu *first, struct kvm_vcpu *second)
{
	wait_as_it_runs(first);
	wait_as_it_runs(second);
}

static void expect_both_come_back(struct __test_metadata *_metadata, struct kvm_vcpu *first,
				  struct kvm_vcpu *second)
{
	wait_as_all_run(first, second);
	power_cycle(first);
	expect_to_go_on_at_once(_metadata, first);
	power_cycle(second);
	expect_to_go_on_at_once(_metadata, second);
}

TEST_F(vcpu_attr_stolen_smp, starts_from_0_at_boot)
{
	boot(_metadata, self->boot, self->other);
	expect_both_come_back(_metadata, self->boot, self->other);
}

/* The memory of a CPU that has not been up in this VM may hold anything. */
TEST_F(vcpu_attr_stolen_smp, does_not_count_what_was_there_at_boot)
{
	stolen_time(self->boot)->stolen = 123456789;
	stolen_time(self->other)->stolen = 987654321;
	boot(_metadata, self->boot, self->other);
}

/* All CPUs but the one that runs the new kernel are off. */
TEST_F(vcpu_attr_stolen_smp, starts_over_after_kexec)
{
	boot(_metadata, self->boot, self->other);
	for (int i = 0; i < 2; i++) {
		wait_as_all_run(self->boot, self->other);
		set_power(self->other, false);
		boot(_metadata, self->boot, self->other);
		expect_both_come_back(_metadata, self->boot, self->other);
	}
}

TEST_F(vcpu_attr_stolen_smp, starts_over_after_kexec_on_another_cpu)
{
	boot(_metadata, self->boot, self->other);
	wait_as_all_run(self->boot, self->other);
	set_power(self->boot, false);
	boot(_metadata, self->other, self->boot);
	expect_both_come_back(_metadata, self->boot, self->other);
}

/* The CPU that did not crash stays where it is, and its time with it. */
TEST_F(vcpu_attr_stolen_smp, starts_over_after_kdump_and_a_reboot)
{
	boot(_metadata, self->boot, self->other);
	wait_as_all_run(self->boot, self->other);
	expect_to_start_from_0(_metadata, self->other);
	wait_as_it_runs(self->other);

	finish_vcpu(self->boot, false, guest_runs_commands);
	finish_vcpu(self->other, false, guest_runs_commands);
	set_power(self->other, false);
	boot(_metadata, self->boot, self->other);
	expect_both_come_back(_metadata, self->boot, self->other);
}

TEST_F(vcpu_attr_stolen_smp, starts_over_after_a_reset)
{
	boot(_metadata, self->boot, self->other);
	for (int i = 0; i < 2; i++) {
		wait_as_all_run(self->boot, self->other);
		finish_vcpu(self->boot, false, guest_runs_commands);
		finish_vcpu(self->other, false, guest_runs_commands);
		set_power(self->other, false);
		boot(_metadata, self->boot, self->other);
		expect_both_come_back(_metadata, self->boot, self->other);
	}
}

/* CPUs that are brought up by e.g. a spin table were never off. */
TEST_F(vcpu_attr_stolen_smp, goes_on_when_cpus_that_were_not_off_at_boot_come_back)
{
	set_power(self->other, true);
	finish_vcpu(self->other, false, guest_runs_commands);
	expect_to_start_from_0(_metadata, self->boot);
	expect_to_start_from_0(_metadata, self->other);
	expect_both_come_back(_metadata, self->boot, self->other);
}

/* The guest asked on another host, and neither CPU asks here. */
TEST_F(vcpu_attr_stolen_smp, goes_on_after_a_restore)
{
	set_power(self->other, true);
	stolen_time(self->boot)->stolen = 123456789;
	stolen_time(self->other)->stolen = 987654321;
	expect_both_come_back(_metadata, self->boot, self->other);
}

TEST_F(vcpu_attr_stolen_smp, starts_over_after_kexec_after_a_restore)
{
	set_power(self->other, true);
	stolen_time(self->boot)->stolen = 123456789;
	stolen_time(self->other)->stolen = 987654321;
	wait_as_all_run(self->boot, self->other);
	set_power(self->other, false);
	boot(_metadata, self->boot, self->other);
	expect_both_come_back(_metadata, self->boot, self->other);
}

/* What was saved is of a kernel before the one that only one CPU has come to. */
TEST_F(vcpu_attr_stolen_smp, goes_on_after_a_restore_in_place_during_kexec)
{
	u64 saved[2];

	for (int runs = 0; runs < 2; runs++) {
		boot(_metadata, self->boot, self->other);
		wait_as_all_run(self->boot, self->other);
		saved[0] = stolen(self->boot);
		saved[1] = stolen(self->other);
		wait_as_all_run(self->boot, self->other);
		set_power(self->other, false);
		expect_to_start_from_0(_metadata, self->boot);

		stolen_time(self->boot)->stolen = saved[0];
		stolen_time(self->other)->stolen = saved[1];
		set_power(self->other, true);
		/* It comes back at once, or after KVM has added something. */
		if (runs)
			wait_as_it_runs(self->other);
		power_cycle(self->other);
		expect_to_go_on_at_once(_metadata, self->other);
		EXPECT_LE(saved[1], stolen(self->other));

		/* For the next time */
		set_power(self->other, false);
	}
}

/*
 * The same by PSCI 0.1, as the guest does it.  A CPU that is turned on has the state
 * of a reset, so it has code that leaves the guest at once.
 */

#define UNUSED_GPA	0x3f000000
#define CODE_GPA	(ST_GPA + SZ_4K * (ST_PAGES - 1))

static const u32 store_to_unused_gpa[] = {
	0xd2a7e001,	/* movz	x1, #0x3f00, lsl #16 */
	0xf900003f,	/* str	xzr, [x1] */
};

static const u64 cpu_regs[] = {
	KVM_ARM64_SYS_REG(SYS_CPACR_EL1), KVM_ARM64_SYS_REG(SYS_SCTLR_EL1),
	KVM_ARM64_SYS_REG(SYS_TCR_EL1), KVM_ARM64_SYS_REG(SYS_MAIR_EL1),
	KVM_ARM64_SYS_REG(SYS_TTBR0_EL1), KVM_ARM64_SYS_REG(SYS_TPIDR_EL1),
	ARM64_CORE_REG(sp_el1), ARM64_CORE_REG(regs.pstate),
};

static void *run_until_it_stores(void *arg)
{
	struct kvm_vcpu *vcpu = arg;

	vcpu_run(vcpu);
	TEST_ASSERT_EQ(vcpu->run->exit_reason, KVM_EXIT_MMIO);
	TEST_ASSERT_EQ(vcpu->run->mmio.phys_addr, UNUSED_GPA);
	return (void *)get_run_delay();
}

/* CPU_OFF by the guest of @vcpu, then CPU_ON by that of @by, which may ask in between. */
static void psci_cycle(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu,
		       struct kvm_vcpu *by, bool asks)
{
	u64 values[ARRAY_SIZE(cpu_regs)];
	pthread_t runner;
	void *waited;

	for (int i = 0; i < ARRAY_SIZE(cpu_regs); i++)
		values[i] = get_reg(vcpu, cpu_regs[i]);
	memcpy(addr_gpa2hva(vcpu->vm, CODE_GPA), store_to_unused_gpa, sizeof(store_to_unused_gpa));

	command_guest(vcpu, KVM_PSCI_FN_CPU_OFF, 0, 0);
	ASSERT_EQ(0, pthread_create(&runner, NULL, run_until_it_stores, vcpu));
	if (asks)
		expect_to_start_from_0(_metadata, by);
	/* As long as it is on, it cannot be turned on. */
	do {
		command_guest(by, KVM_PSCI_FN_CPU_ON, vcpu->id, CODE_GPA);
		run(by);
	} while (command_of(by)->result);
	command_of(by)->function = 0;
	ASSERT_EQ(0, pthread_join(runner, &waited));
	/* What the runner has waited since the CPU was turned on is stolen as well. */
	last_run[vcpu->id] -= (long)waited;

	/* The store is over with the next run, then the guest begins again. */
	ASSERT_EQ(-EINTR, run_immediate_exit(vcpu));
	for (int i = 0; i < ARRAY_SIZE(cpu_regs); i++)
		vcpu_set_reg(vcpu, cpu_regs[i], values[i]);
	vcpu_arch_set_entry_point(vcpu, guest_runs_commands);
	command_of(vcpu)->function = 0;
}

TEST_F(vcpu_attr_stolen_smp, goes_on_when_psci_brings_a_cpu_back)
{
	boot(_metadata, self->boot, self->other);
	wait_as_all_run(self->boot, self->other);
	psci_cycle(_metadata, self->other, self->boot, false);
	expect_to_go_on_at_once(_metadata, self->other);
	EXPECT_LE(LONG_WAIT, stolen(self->other));
}

TEST_F(vcpu_attr_stolen_smp, starts_over_when_psci_brings_a_cpu_to_a_new_kernel)
{
	boot(_metadata, self->boot, self->other);
	wait_as_all_run(self->boot, self->other);
	psci_cycle(_metadata, self->other, self->boot, true);
	expect_to_start_from_0(_metadata, self->other);
	expect_both_come_back(_metadata, self->boot, self->other);
}

/*
 * Time that KVM cannot write for a while.  A turn begins and ends with writable
 * memory, in between the vCPU runs without.
 */

enum fault {
	DELETED_SLOT,
	READ_ONLY_SLOT,
	READ_ONLY_MEMORY,
	NO_MEMORY,
};

static const char * const fault_names[] = {
	"deleted memslot", "read-only memslot", "read-only memory", "no memory",
};

static void begin_fault(struct kvm_vcpu *vcpu, enum fault fault)
{
	struct kvm_vm *vm = vcpu->vm;

	if (fault == DELETED_SLOT || fault == READ_ONLY_SLOT)
		delete_st_slot(vm);
	if (fault == READ_ONLY_SLOT)
		restore_st_slot(vm, KVM_MEM_READONLY);
	if (fault == READ_ONLY_MEMORY)
		TEST_ASSERT_EQ(mprotect(stolen_time(vcpu), vm->page_size, PROT_READ), 0);
	if (fault == NO_MEMORY)
		TEST_ASSERT_EQ(mprotect(stolen_time(vcpu), vm->page_size, PROT_NONE), 0);
}

static void end_fault(struct kvm_vcpu *vcpu, enum fault fault)
{
	struct kvm_vm *vm = vcpu->vm;

	if (fault == READ_ONLY_SLOT)
		delete_st_slot(vm);
	if (fault == DELETED_SLOT || fault == READ_ONLY_SLOT)
		restore_st_slot(vm, 0);
	else
		TEST_ASSERT_EQ(mprotect(stolen_time(vcpu), vm->page_size,
					PROT_READ | PROT_WRITE), 0);
}

/* Returns what the thread has waited before the last run under the fault. */
static long run_during_fault(struct kvm_vcpu *vcpu, enum fault fault)
{
	long waited, begin = get_run_delay();

	begin_fault(vcpu, fault);
	wait_for_cpu(SHORT_WAIT);
	run(vcpu);
	wait_for_cpu(SHORT_WAIT);
	waited = get_run_delay() - begin;
	run(vcpu);
	end_fault(vcpu, fault);
	return waited;
}

static void expect_nothing_is_lost(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu,
				   enum fault fault)
{
	long begin, waited;

	begin = get_run_delay();
	ASSERT_EQ(ST_GPA, guest_does(vcpu, PV_TIME_ST, 0));
	run(vcpu);

	waited = run_during_fault(vcpu, fault);
	run(vcpu);
	EXPECT_LE(waited, stolen(vcpu)) {
		TH_LOG("%s: waited for %ld ns, but %lu are stolen", fault_names[fault],
		       waited, stolen(vcpu));
	}
	EXPECT_GE(get_run_delay() - begin, stolen(vcpu)) {
		TH_LOG("%s: time was counted twice", fault_names[fault]);
	}
}

TEST_F(vcpu_attr_stolen, is_not_lost_over_a_deleted_memslot)
{
	expect_nothing_is_lost(_metadata, self->vcpu, DELETED_SLOT);
}

TEST_F(vcpu_attr_stolen, is_not_lost_over_a_read_only_memslot)
{
	expect_nothing_is_lost(_metadata, self->vcpu, READ_ONLY_SLOT);
}

TEST_F(vcpu_attr_stolen, is_not_lost_over_read_only_memory)
{
	expect_nothing_is_lost(_metadata, self->vcpu, READ_ONLY_MEMORY);
}

TEST_F(vcpu_attr_stolen, is_not_lost_over_missing_memory)
{
	expect_nothing_is_lost(_metadata, self->vcpu, NO_MEMORY);
}

/*
 * A page that was not accessed lately.  Where the CPU does not set the access flag of a
 * page table entry itself, an access faults once more, although the page is there.
 */
TEST_F(vcpu_attr_stolen, is_added_to_a_page_that_was_not_used_lately)
{
	struct stolen_time *st = stolen_time(self->vcpu);
	long wait;
	u64 before;

	ASSERT_EQ(ST_GPA, guest_does(self->vcpu, PV_TIME_ST, 0));
	run(self->vcpu);
	before = stolen(self->vcpu);

	wait = get_run_delay();
	wait_for_cpu(SHORT_WAIT);
	wait = get_run_delay() - wait;
	/* From here to the run, nothing but KVM accesses the page. */
	ASSERT_EQ(0, madvise(st, self->vm->page_size, MADV_COLD));
	run(self->vcpu);
	EXPECT_LE(before + wait, stolen(self->vcpu)) {
		TH_LOG("waited for %ld ns, but stolen went from %lu to %lu", wait, before,
		       stolen(self->vcpu));
	}
}

struct fault_run {
	struct kvm_vcpu *vcpu;
	enum fault fault;
	long begin;
	long waited;
	long end;
};

static void *wait_during_fault(void *arg)
{
	struct fault_run *fault = arg;

	fault->begin = get_run_delay();
	run(fault->vcpu);
	fault->waited = run_during_fault(fault->vcpu, fault->fault);
	fault->end = get_run_delay();
	return NULL;
}

/* What one thread could not write is written when the next one can. */
static void expect_next_thread_writes(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu,
				      enum fault kind)
{
	struct fault_run fault = { .vcpu = vcpu, .fault = kind };
	long begin = get_run_delay();

	ASSERT_EQ(ST_GPA, guest_does(vcpu, PV_TIME_ST, 0));
	in_new_thread(wait_during_fault, &fault);
	run(vcpu);
	EXPECT_LE(fault.waited, stolen(vcpu)) {
		TH_LOG("%s: waited for %ld ns, but %lu are stolen", fault_names[kind],
		       fault.waited, stolen(vcpu));
	}
	EXPECT_GE(fault.end - fault.begin + get_run_delay() - begin, stolen(vcpu)) {
		TH_LOG("%s: time was counted twice", fault_names[kind]);
	}
}

TEST_F(vcpu_attr_stolen, is_not_lost_over_a_deleted_memslot_and_another_thread)
{
	expect_next_thread_writes(_metadata, self->vcpu, DELETED_SLOT);
}

TEST_F(vcpu_attr_stolen, is_not_lost_over_read_only_memory_and_another_thread)
{
	expect_next_thread_writes(_metadata, self->vcpu, READ_ONLY_MEMORY);
}

/*
 * Dirty pages
 */

static void log_dirty_pages(struct kvm_vm *vm)
{
	vm_mem_region_set_flags(vm, ST_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
}

/* True if the structure's page is dirty since the last call. */
static bool take_dirty(struct kvm_vm *vm)
{
	unsigned long bitmap[1] = {};

	kvm_vm_get_dirty_log(vm, ST_SLOT, bitmap);
	return bitmap[0] & 1;
}

TEST_F(vcpu_attr_stolen, page_is_dirty_when_time_was_added)
{
	ASSERT_EQ(ST_GPA, guest_does(self->vcpu, PV_TIME_ST, 0));
	run(self->vcpu);
	log_dirty_pages(self->vm);
	take_dirty(self->vm);
	wait_for_cpu(SHORT_WAIT);
	run(self->vcpu);
	EXPECT_TRUE(take_dirty(self->vm));
}

TEST_F(vcpu_attr_stolen, page_is_not_dirty_when_there_is_nothing_to_add)
{
	int quiet = 0, dirty = 0;

	ASSERT_EQ(ST_GPA, guest_does(self->vcpu, PV_TIME_ST, 0));
	run(self->vcpu);
	log_dirty_pages(self->vm);

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
 * A dirty ring that is full, of a VMM that runs its vCPU again and again, but does
 * not reap: what is left of the ring is for pages that KVM must write.
 */

FIXTURE(vcpu_attr_stolen_ring) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_SETUP(vcpu_attr_stolen_ring)
{
	self->vm = create_vm_without_vgic(1);
	if (!vm_check_cap(self->vm, KVM_CAP_DIRTY_LOG_RING_ACQ_REL))
		SKIP(return, "KVM_CAP_DIRTY_LOG_RING_ACQ_REL is not available");

	vm_enable_dirty_ring(self->vm, self->vm->page_size);
	self->vcpu = add_vcpu(self->vm, 0, false, guest_runs_commands);
	vcpu_map_dirty_ring(self->vcpu);
	add_st_slot(self->vm, 0);
	TEST_ASSERT_EQ(pvtime_set_ipa(self->vcpu, ST_GPA), 0);
}

FIXTURE_TEARDOWN(vcpu_attr_stolen_ring)
{
	kvm_vm_free(self->vm);
}

/* The number of entries in use; none was reaped. */
static int ring_used(struct kvm_vcpu *vcpu)
{
	int n = 0;

	while (n < vcpu->dirty_gfns_count && vcpu->dirty_gfns[n].flags & KVM_DIRTY_GFN_F_DIRTY)
		n++;
	return n;
}

static bool run_says_full(struct kvm_vcpu *vcpu)
{
	vcpu_run(vcpu);
	return vcpu->run->exit_reason == KVM_EXIT_DIRTY_RING_FULL;
}

TEST_F(vcpu_attr_stolen_ring, is_not_added_while_the_ring_is_full)
{
	u64 before;
	int used;

	/* Each call writes the structure. */
	log_dirty_pages(self->vm);
	command_guest(self->vcpu, PV_TIME_ST, 0, 0);
	while (!run_says_full(self->vcpu))
		TEST_ASSERT(ring_used(self->vcpu) < self->vcpu->dirty_gfns_count,
			    "the ring does not get full");

	used = ring_used(self->vcpu);
	before = stolen(self->vcpu);
	for (int i = 0; i < 5; i++) {
		wait_for_cpu(MSEC);
		ASSERT_TRUE(run_says_full(self->vcpu));
		EXPECT_EQ(used, ring_used(self->vcpu)) {
			TH_LOG("after %d runs", i + 1);
		}
		EXPECT_EQ(before, stolen(self->vcpu));
	}
}

/* A new thread has nothing to add either. */
TEST_F(vcpu_attr_stolen, is_not_changed_by_a_thread_that_did_not_wait)
{
	struct turn turn = {};
	int i;

	ASSERT_EQ(ST_GPA, guest_does(self->vcpu, PV_TIME_ST, 0));
	wait_for_cpu(LONG_WAIT);
	run(self->vcpu);

	for (i = 0; i < 100; i++) {
		turn = turn_in_new_thread(self->vcpu, 0, 0);
		if (!turn.most)
			break;
	}
	if (turn.most)
		SKIP(return, "the machine is too busy");
	EXPECT_EQ(turn.before, turn.after);
}

/*
 * Guests and VMMs that put the structure where it does harm, or take its memory
 * away: time stays right, and the kernel has nothing to say.
 */

/* In one structure, the time of two vCPUs adds up. */
TEST_F(vcpu_attr_pvtime, ipa_of_two_vcpus_holds_the_sum)
{
	struct kvm_vcpu *vcpus[] = { self->vcpu, self->other };
	int kernel_log = kernel_log_open();

	structures[1] = ST_GPA;
	for (int i = 0; i < ARRAY_SIZE(vcpus); i++) {
		ASSERT_EQ(0, pvtime_set_ipa(vcpus[i], ST_GPA));
		ASSERT_EQ(ST_GPA, guest_does(vcpus[i], PV_TIME_ST, 0));
	}
	for (int i = 0; i < 2 * ARRAY_SIZE(vcpus); i++) {
		struct turn turn = turn_in_new_thread(vcpus[i % ARRAY_SIZE(vcpus)], 0, SHORT_WAIT);

		expect_fair_turn(_metadata, &turn);
	}
	kernel_log_assert_silent(kernel_log);
	close(kernel_log);
}

/* A thread goes round until it is stopped. */
struct rounds {
	struct turn turn;
	u64 nr;
	bool stop;
};

static void *run_until_stopped(void *arg)
{
	struct rounds *rounds = arg;
	struct turn *turn = &rounds->turn;
	long begin = get_run_delay(), first;

	turn->before = stolen(turn->vcpu);
	run(turn->vcpu);
	first = get_run_delay();
	while (!READ_ONCE(rounds->stop)) {
		run(turn->vcpu);
		WRITE_ONCE(rounds->nr, rounds->nr + 1);
	}
	turn->least = get_run_delay() - first;
	run(turn->vcpu);
	turn->most = get_run_delay() - begin;
	turn->after = stolen(turn->vcpu);
	return NULL;
}

static void *call_until_stopped(void *arg)
{
	struct rounds *rounds = arg;
	struct kvm_vcpu *vcpu = rounds->turn.vcpu;

	while (!READ_ONCE(rounds->stop)) {
		TEST_ASSERT_EQ(attr_has(vcpu, PVTIME, PVTIME_IPA), 0);
		TEST_ASSERT_EQ(pvtime_get_ipa(vcpu), ST_GPA);
		TEST_ASSERT_EQ(pvtime_set_ipa(vcpu, ST_GPA), -EEXIST);
		WRITE_ONCE(rounds->nr, rounds->nr + 1);
	}
	return NULL;
}

/* A whole one, beside the one that the thread is in. */
static void wait_for_round(struct rounds *rounds)
{
	const u64 then = READ_ONCE(rounds->nr);

	while (READ_ONCE(rounds->nr) < then + 2)
		sched_yield();
}

TEST_F(vcpu_attr_stolen, is_not_lost_over_memory_that_goes_and_comes_as_the_guest_runs)
{
	struct rounds runs = { .turn.vcpu = self->vcpu }, calls = { .turn.vcpu = self->vcpu };
	int kernel_log = kernel_log_open();
	pthread_t runner, caller;

	ASSERT_EQ(ST_GPA, guest_does(self->vcpu, PV_TIME_ST, 0));
	ASSERT_EQ(0, pthread_create(&runner, NULL, run_until_stopped, &runs));
	ASSERT_EQ(0, pthread_create(&caller, NULL, call_until_stopped, &calls));
	wait_for_round(&runs);

	for (int i = 0; i < 2 * ARRAY_SIZE(fault_names); i++) {
		begin_fault(self->vcpu, i % ARRAY_SIZE(fault_names));
		wait_for_round(&runs);
		wait_for_round(&calls);
		end_fault(self->vcpu, i % ARRAY_SIZE(fault_names));
		wait_for_round(&runs);
		wait_for_round(&calls);
	}

	WRITE_ONCE(calls.stop, true);
	WRITE_ONCE(runs.stop, true);
	ASSERT_EQ(0, pthread_join(caller, NULL));
	ASSERT_EQ(0, pthread_join(runner, NULL));
	expect_fair_turn(_metadata, &runs.turn);
	kernel_log_assert_silent(kernel_log);
	close(kernel_log);
}

/*
 * Memory that takes its time to come.  The vCPU waits for it, others do not.
 */

static void *ask_for_structure(void *vcpu)
{
	long begin = get_run_delay(), most;

	TEST_ASSERT_EQ(guest_does(vcpu, PV_TIME_ST, 0), ST_GPA);
	most = get_run_delay() - begin;
	TEST_ASSERT(stolen(vcpu) <= most, "%lu ns are stolen, but only %ld ns were waited for",
		    stolen(vcpu), most);
	return NULL;
}

static void *wait_and_run(void *vcpu)
{
	run(vcpu);
	wait_for_cpu(SHORT_WAIT);
	run(vcpu);
	return NULL;
}

static void *make_quick_calls(void *arg)
{
	struct kvm_vcpu *vcpu = arg;

	TEST_ASSERT_EQ(attr_has(vcpu, PVTIME, PVTIME_IPA), 0);
	TEST_ASSERT_EQ(pvtime_get_ipa(vcpu), UNSET);
	TEST_ASSERT_EQ(pvtime_set_ipa(vcpu, ST_GPA + vcpu->vm->page_size), 0);
	TEST_ASSERT_EQ(timer_get_irq(vcpu, VTIMER), 27);
	return NULL;
}

/* @slow is of @vcpu, and accesses its structure. */
static void expect_vcpu_waits(struct __test_metadata *_metadata, const char *name,
			      struct kvm_vcpu *vcpu, void *(*slow)(void *vcpu),
			      struct kvm_vcpu *other)
{
	struct missing_page page = missing_page_register(stolen_time(vcpu));
	const struct page_wait wait = {
		.name = name,
		.page = &page,
		.content = "",
		.slow = slow,
		.slow_arg = vcpu,
		.quick = make_quick_calls,
		.quick_arg = other,
	};

	ASSERT_EQ(0, pvtime_set_ipa(vcpu, ST_GPA));
	expect_one_waits(_metadata, &wait);
	missing_page_unregister(&page);
}

TEST_F(vcpu_attr_pvtime, guest_that_asks_waits_alone)
{
	expect_vcpu_waits(_metadata, "PV_TIME_ST", self->vcpu, ask_for_structure, self->other);
}

TEST_F(vcpu_attr_pvtime, vcpu_whose_time_was_stolen_waits_alone)
{
	expect_vcpu_waits(_metadata, "KVM_RUN", self->vcpu, wait_and_run, self->other);
	EXPECT_LE(SHORT_WAIT, stolen(self->vcpu));
}

static struct kvm_vcpu *start_vm(void)
{
	struct kvm_vm *vm = create_vm_without_vgic(1);

	add_st_slot(vm, 0);
	return add_vcpu(vm, 0, false, guest_runs_commands);
}

static void start_to_ask(void)
{
	struct kvm_vcpu *vcpu = start_vm();
	struct missing_page page = missing_page_register(stolen_time(vcpu));
	pthread_t thread;

	TEST_ASSERT_EQ(pvtime_set_ipa(vcpu, ST_GPA), 0);
	TEST_ASSERT_EQ(pthread_create(&thread, NULL, ask_for_structure, vcpu), 0);
	TEST_ASSERT(missing_page_is_wanted(&page), "nobody accesses the structure");
}

struct missing_ipa {
	struct kvm_vcpu *vcpu;
	struct missing_page page;
};

static void *set_missing_ipa(void *arg)
{
	struct missing_ipa *ipa = arg;

	attr_set(ipa->vcpu, PVTIME, PVTIME_IPA, ipa->page.addr);
	return NULL;
}

static void start_to_set_ipa(void)
{
	static struct missing_ipa ipa;
	pthread_t thread;

	ipa.vcpu = start_vm();
	ipa.page = missing_page_map();
	TEST_ASSERT_EQ(pthread_create(&thread, NULL, set_missing_ipa, &ipa), 0);
	TEST_ASSERT(missing_page_is_wanted(&ipa.page), "nobody accesses the payload");
}

TEST(vcpu_attr_pvtime_wait_ends_by_a_kill)
{
	expect_kill_ends_wait(_metadata, "the wait for the structure", start_to_ask);
	expect_kill_ends_wait(_metadata, "the wait for a payload", start_to_set_ipa);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_STEAL_TIME));

	return test_harness_run(argc, argv);
}
