// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_ARM_VCPU_PVTIME_CTRL and stolen time: where the structure can be, when the
 * guest is told of it, and that it holds what the thread that runs the vCPU has
 * waited for a CPU since it does so: no more, no less, and never less than before.
 */
#include "kernel_log.h"
#include "kvm_test_harness.h"
#include "page_wait.h"
#include "vcpu_attr.h"

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
};

/* What the guest is to do, and what came of it. */
static u64 function, argument;
static u64 result;

static void guest_does_as_told(void)
{
	struct arm_smccc_res res;

	for (;;) {
		if (READ_ONCE(function) == PEEK) {
			result = READ_ONCE(*(u64 *)READ_ONCE(argument));
		} else if (READ_ONCE(function)) {
			smccc_hvc(function, argument, 0, 0, 0, 0, 0, 0, &res);
			result = res.a0;
		}
		GUEST_SYNC(0);
	}
}

static u64 guest_does(struct kvm_vcpu *vcpu, u64 fn, u64 arg)
{
	int r;

	write_guest_global(vcpu->vm, function, fn);
	write_guest_global(vcpu->vm, argument, arg);
	r = run_to_sync(vcpu);
	TEST_ASSERT(!r, "KVM_RUN: %s", strerror(-r));
	write_guest_global(vcpu->vm, function, 0);
	sync_global_from_guest(vcpu->vm, result);
	return result;
}

/* In and out of the guest, which leaves the structure alone. */
static void run(struct kvm_vcpu *vcpu)
{
	int r = run_to_sync(vcpu);

	TEST_ASSERT(!r, "KVM_RUN: %s", strerror(-r));
}

static struct stolen_time *stolen_time(struct kvm_vcpu *vcpu)
{
	return addr_gpa2hva(vcpu->vm, ST_GPA);
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
	self->vm = vm_create(3);
	self->vcpu = add_vcpu(self->vm, 0, false, guest_does_as_told);
	self->other = add_vcpu(self->vm, 1, false, guest_does_as_told);
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
	finish_vcpu(bare, false, guest_does_as_told);
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

TEST_F(vcpu_attr_pvtime, guest_is_told_of_no_structure_without_an_ipa)
{
	EXPECT_EQ(0, guest_does(self->vcpu, SMCCC_ARCH_FEATURES, PV_TIME_FEATURES));
	EXPECT_EQ(NOT_SUPPORTED, guest_does(self->vcpu, PV_TIME_FEATURES, PV_TIME_FEATURES));
	EXPECT_EQ(NOT_SUPPORTED, guest_does(self->vcpu, PV_TIME_FEATURES, PV_TIME_ST));
	EXPECT_EQ(NOT_SUPPORTED, guest_does(self->vcpu, PV_TIME_ST, 0));
}

TEST_F(vcpu_attr_pvtime, guest_is_told_of_the_structure)
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

	EXPECT_EQ(0, ((struct stolen_time *)(page + 64))->revision);
	EXPECT_EQ(0, ((struct stolen_time *)(page + 64))->attributes);
	EXPECT_GE(delay, ((struct stolen_time *)(page + 64))->stolen);
	EXPECT_EQ(0xa5, page[63]);
	EXPECT_EQ(0xa5, page[128]);
}

TEST_F(vcpu_attr_pvtime, guest_is_told_of_no_structure_in_a_deleted_memslot)
{
	ASSERT_EQ(0, pvtime_set_ipa(self->vcpu, ST_GPA));
	delete_st_slot(self->vm);
	EXPECT_EQ(NOT_SUPPORTED, guest_does(self->vcpu, PV_TIME_ST, 0));
	restore_st_slot(self->vm, 0);
	EXPECT_EQ(ST_GPA, guest_does(self->vcpu, PV_TIME_ST, 0));
}

TEST_F(vcpu_attr_pvtime, guest_is_told_of_no_structure_in_a_read_only_memslot)
{
	ASSERT_EQ(0, pvtime_set_ipa(self->vcpu, ST_GPA));
	delete_st_slot(self->vm);
	restore_st_slot(self->vm, KVM_MEM_READONLY);
	EXPECT_EQ(NOT_SUPPORTED, guest_does(self->vcpu, PV_TIME_ST, 0));
}

TEST_F(vcpu_attr_pvtime, guest_is_told_of_no_structure_that_kvm_cannot_write)
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
 * between two looks at its run_delay, no more than the difference was stolen.
 */

FIXTURE(vcpu_attr_stolen) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_SETUP(vcpu_attr_stolen)
{
	self->vm = vm_create(1);
	self->vcpu = add_vcpu(self->vm, 0, false, guest_does_as_told);
	add_st_slot(self->vm, 0);
	TEST_ASSERT_EQ(pvtime_set_ipa(self->vcpu, ST_GPA), 0);
}

FIXTURE_TEARDOWN(vcpu_attr_stolen)
{
	kvm_vm_free(self->vm);
}

static void *spin_until_set(void *flag)
{
	while (!READ_ONCE(*(bool *)flag))
		;
	return NULL;
}

/* A busy thread on the same CPU keeps the caller waiting for another @ns at least. */
static void wait_for_cpu(long ns)
{
	long target = get_run_delay() + ns;
	bool stop = false;
	pthread_t rival;
	cpu_set_t all;

	if (!ns)
		return;

	TEST_ASSERT_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
	kvm_pin_this_task_to_pcpu(sched_getcpu());
	TEST_ASSERT_EQ(pthread_create(&rival, NULL, spin_until_set, &stop), 0);

	while (get_run_delay() < target)
		sched_yield();

	WRITE_ONCE(stop, true);
	TEST_ASSERT_EQ(pthread_join(rival, NULL), 0);
	TEST_ASSERT_EQ(sched_setaffinity(0, sizeof(all), &all), 0);
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

/* Before the guest asks, anything may be where the structure is to be. */
TEST_F(vcpu_attr_stolen, does_not_count_what_was_there_before)
{
	long begin;

	memset(stolen_time(self->vcpu), 0x5a, sizeof(struct stolen_time));
	wait_for_cpu(LONG_WAIT);
	begin = get_run_delay();
	run(self->vcpu);
	wait_for_cpu(SHORT_WAIT);
	run(self->vcpu);
	ASSERT_EQ(ST_GPA, guest_does(self->vcpu, PV_TIME_ST, 0));
	EXPECT_GE(get_run_delay() - begin, stolen(self->vcpu)) {
		TH_LOG("0x%lx ns are stolen", stolen(self->vcpu));
	}
}

/* A kernel that was started by another one asks again. */
TEST_F(vcpu_attr_stolen, goes_on_when_the_guest_asks_again)
{
	u64 before;

	ASSERT_EQ(ST_GPA, guest_does(self->vcpu, PV_TIME_ST, 0));
	wait_for_cpu(SHORT_WAIT);
	run(self->vcpu);
	before = stolen(self->vcpu);
	EXPECT_LE(SHORT_WAIT, before);
	ASSERT_EQ(ST_GPA, guest_does(self->vcpu, PV_TIME_ST, 0));
	EXPECT_LE(before, stolen(self->vcpu));
}

TEST_F(vcpu_attr_stolen, starts_anew_with_a_thread_that_is_younger)
{
	struct turn turn;

	wait_for_cpu(LONG_WAIT);
	ASSERT_EQ(ST_GPA, guest_does(self->vcpu, PV_TIME_ST, 0));
	run(self->vcpu);

	turn = turn_in_new_thread(self->vcpu, 0, 0);
	expect_fair_turn(_metadata, &turn);
}

TEST_F(vcpu_attr_stolen, starts_anew_with_a_thread_that_is_older)
{
	struct turn turn;

	ASSERT_EQ(ST_GPA, guest_does(self->vcpu, PV_TIME_ST, 0));
	run(self->vcpu);

	turn = turn_in_new_thread(self->vcpu, get_run_delay() + LONG_WAIT, SHORT_WAIT);
	expect_fair_turn(_metadata, &turn);
}

/* The first thread waits for CPUs while another one runs the vCPU. */
TEST_F(vcpu_attr_stolen, starts_anew_with_a_thread_that_comes_back)
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

/* KVM_ARM_VCPU_INIT of a vCPU that has run, and waited as it ran. */
static void wait_and_reset(struct kvm_vcpu *vcpu)
{
	TEST_ASSERT_EQ(guest_does(vcpu, PV_TIME_ST, 0), ST_GPA);
	wait_for_cpu(LONG_WAIT);
	run(vcpu);
	TEST_ASSERT(stolen(vcpu) >= LONG_WAIT, "%lu ns are stolen", stolen(vcpu));
	finish_vcpu(vcpu, false, guest_does_as_told);
}

/* What boots has the vCPU's thread wait, too, and then asks for the structure. */
static void expect_to_start_anew(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu)
{
	long begin = get_run_delay();

	run(vcpu);
	wait_for_cpu(SHORT_WAIT);
	run(vcpu);
	ASSERT_EQ(ST_GPA, guest_does(vcpu, PV_TIME_ST, 0));
	EXPECT_GE(get_run_delay() - begin, stolen(vcpu)) {
		TH_LOG("%lu ns are stolen", stolen(vcpu));
	}
}

/* As Linux does when a CPU comes back online. */
static void expect_to_go_on(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu)
{
	struct turn turn = turn_in_new_thread(vcpu, 0, SHORT_WAIT);

	expect_fair_turn(_metadata, &turn);
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(ST_GPA, guest_does(vcpu, PV_TIME_ST, 0));
		EXPECT_LE(turn.after, stolen(vcpu)) {
			TH_LOG("from %lu to %lu", turn.after, stolen(vcpu));
		}
	}
}

/* Else a rebooted kernel would take all that the last one had for its own. */
TEST_F(vcpu_attr_stolen, starts_anew_after_a_reset)
{
	wait_and_reset(self->vcpu);
	expect_to_start_anew(_metadata, self->vcpu);
	expect_to_go_on(_metadata, self->vcpu);
}

TEST_F(vcpu_attr_stolen, starts_anew_after_a_reset_that_clears_memory)
{
	wait_and_reset(self->vcpu);
	memset(stolen_time(self->vcpu), 0, sizeof(struct stolen_time));
	expect_to_start_anew(_metadata, self->vcpu);
	expect_to_go_on(_metadata, self->vcpu);
}

TEST_F(vcpu_attr_stolen, does_not_count_what_was_waited_for_before_a_reset)
{
	wait_and_reset(self->vcpu);
	wait_for_cpu(LONG_WAIT);
	finish_vcpu(self->vcpu, false, guest_does_as_told);
	expect_to_start_anew(_metadata, self->vcpu);
}

/* A VMM resets the vCPU, and then loads what it had saved. */
TEST_F(vcpu_attr_stolen, goes_on_after_a_restore_in_place)
{
	wait_and_reset(self->vcpu);
	stolen_time(self->vcpu)->stolen = 123456789;
	expect_to_go_on(_metadata, self->vcpu);
	EXPECT_LE(123456789, stolen(self->vcpu));
}

/* A VMM that resets the vCPU for a kernel that goes on gives the time back to it. */
TEST_F(vcpu_attr_stolen, goes_on_if_it_is_taken_away_over_a_reset)
{
	u64 before;

	wait_and_reset(self->vcpu);
	before = stolen(self->vcpu);
	stolen_time(self->vcpu)->stolen = 0;
	finish_vcpu(self->vcpu, false, guest_does_as_told);
	stolen_time(self->vcpu)->stolen = before;
	expect_to_go_on(_metadata, self->vcpu);
	EXPECT_LE(before, stolen(self->vcpu));
}

/* As Linux does when a CPU comes back online. */
TEST_F(vcpu_attr_stolen, goes_on_when_the_guest_asks_again_after_a_restore)
{
	stolen_time(self->vcpu)->stolen = 123456789;
	ASSERT_EQ(ST_GPA, guest_does(self->vcpu, PV_TIME_ST, 0));
	EXPECT_LE(123456789, stolen(self->vcpu));
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

/* Is the structure's page dirty since the last time this was asked? */
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

	/* The machine may be busy: only rounds without any waiting tell. */
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

/* @slow is of @vcpu, and looks at its structure. */
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

static void *run_and_reset(void *vcpu)
{
	run(vcpu);
	finish_vcpu(vcpu, false, guest_does_as_told);
	return NULL;
}

TEST_F(vcpu_attr_pvtime, vcpu_that_is_reset_waits_alone)
{
	expect_vcpu_waits(_metadata, "KVM_ARM_VCPU_INIT", self->vcpu, run_and_reset, self->other);
}

TEST_F(vcpu_attr_pvtime, vcpu_whose_time_was_stolen_waits_alone)
{
	expect_vcpu_waits(_metadata, "KVM_RUN", self->vcpu, wait_and_run, self->other);
	EXPECT_LE(SHORT_WAIT, stolen(self->vcpu));
}

static struct kvm_vcpu *start_vm(void)
{
	struct kvm_vm *vm = vm_create(1);

	add_st_slot(vm, 0);
	return add_vcpu(vm, 0, false, guest_does_as_told);
}

static void start_to_ask(void)
{
	struct kvm_vcpu *vcpu = start_vm();
	struct missing_page page = missing_page_register(stolen_time(vcpu));
	pthread_t thread;

	TEST_ASSERT_EQ(pvtime_set_ipa(vcpu, ST_GPA), 0);
	TEST_ASSERT_EQ(pthread_create(&thread, NULL, ask_for_structure, vcpu), 0);
	TEST_ASSERT(missing_page_is_wanted(&page), "nobody looks at the structure");
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
	TEST_ASSERT(missing_page_is_wanted(&ipa.page), "nobody looks at the payload");
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
