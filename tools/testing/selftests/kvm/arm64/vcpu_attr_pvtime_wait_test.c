// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * The page of the stolen time structure is missing, as in post-copy migration: a
 * vCPU that needs it waits no longer than until the next signal, loses no time, and
 * makes the guest's call again.  A thread that does not run the vCPU does not wait.
 */
#include <fcntl.h>
#include <signal.h>
#include <time.h>

#include <linux/userfaultfd.h>

#include "arm_vcpu_attr.h"
#include "kvm_test_harness.h"
#include "missing_page.h"
#include "sched_util.h"

#define MSEC		1000000L
#define SHORT_WAIT	(10 * MSEC)

#define STOLEN		1	/* the u64 of the structure that has the time */

/* What the guest has in registers before PV_TIME_ST, and after it. */
#define PATTERN		0x1122334455667788UL

/* How the guest calls PV_TIME_ST, and what that returns. */
enum conduit { NONE, HVC, SMC };

static enum conduit conduit;
static u64 told;
static u64 calls;

/* SMCCC keeps x4 and those after it, and so does a call that is made twice. */
static u64 call_pv_time_st(bool by_smc)
{
	register u64 x0 asm("x0") = PV_TIME_ST;
	register u64 x1 asm("x1") = 0;
	register u64 x2 asm("x2") = 0;
	register u64 x3 asm("x3") = 0;
	register u64 x4 asm("x4") = PATTERN;
	register u64 x5 asm("x5") = ~PATTERN;

	if (by_smc)
		asm volatile("smc #0"
			     : "+r" (x0), "+r" (x1), "+r" (x2), "+r" (x3), "+r" (x4), "+r" (x5)
			     : : "memory");
	else
		asm volatile("hvc #0"
			     : "+r" (x0), "+r" (x1), "+r" (x2), "+r" (x3), "+r" (x4), "+r" (x5)
			     : : "memory");

	if (x4 != PATTERN || x5 != ~PATTERN)
		return 0;
	return x0;
}

static void guest_asks(void)
{
	for (;;) {
		if (READ_ONCE(conduit) != NONE)
			WRITE_ONCE(told, call_pv_time_st(READ_ONCE(conduit) == SMC));
		WRITE_ONCE(calls, calls + 1);
		GUEST_SYNC(0);
	}
}

FIXTURE(vcpu_attr_pvtime_wait) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct missing_page page;
};

FIXTURE_SETUP(vcpu_attr_pvtime_wait)
{
	self->vm = create_vm_without_vgic(1);
	self->vcpu = add_vcpu(self->vm, 0, false, guest_asks);
	add_st_slot(self->vm, 0);
	TEST_ASSERT_EQ(pvtime_set_ipa(self->vcpu, ST_GPA), 0);
	self->page = missing_page_register(addr_gpa2hva(self->vm, ST_GPA));
}

FIXTURE_TEARDOWN(vcpu_attr_pvtime_wait)
{
	missing_page_unregister(&self->page);
	kvm_vm_free(self->vm);
}

static u64 stolen(const struct missing_page *page)
{
	return READ_ONCE(((u64 *)page->addr)[STOLEN]);
}

/* Without waiting until somebody does. */
static bool is_wanted_now(const struct missing_page *page)
{
	struct uffd_msg msg;

	TEST_ASSERT_EQ(fcntl(page->uffd, F_SETFL, O_NONBLOCK), 0);
	return read(page->uffd, &msg, sizeof(msg)) == sizeof(msg);
}

/*
 * A kick as VMMs do it: the signal makes KVM_RUN return, and if it comes before that,
 * its handler has it return at once.
 */
static struct kvm_run *kicked_run;

static void on_kick(int sig)
{
	WRITE_ONCE(kicked_run->immediate_exit, 1);
}

static void take_kicks(struct kvm_vcpu *vcpu)
{
	const struct sigaction action = { .sa_handler = on_kick };

	kicked_run = vcpu->run;
	TEST_ASSERT_EQ(sigaction(SIGUSR1, &action, NULL), 0);
}

struct runner {
	struct kvm_vcpu *vcpu;
	/* If set the thread runs the vCPU, waits for a CPU, and has this page missing then. */
	const struct missing_page *drop;
	long waited;
	int r;
	pthread_t thread;
};

/* There is time to add by the next run, for which there is no page. */
static long have_time_stolen(struct kvm_vcpu *vcpu, const struct missing_page *drop)
{
	long begin;

	TEST_ASSERT_EQ(run_to_sync(vcpu), 0);
	missing_page_drop(drop);
	begin = get_run_delay();
	wait_for_cpu(SHORT_WAIT);
	return get_run_delay() - begin;
}

static void *run_vcpu(void *arg)
{
	struct runner *runner = arg;

	if (runner->drop)
		runner->waited = have_time_stolen(runner->vcpu, runner->drop);
	runner->r = run_to_sync(runner->vcpu);
	return NULL;
}

static void start(struct runner *runner)
{
	TEST_ASSERT_EQ(pthread_create(&runner->thread, NULL, run_vcpu, runner), 0);
}

static bool ends(struct runner *runner)
{
	struct timespec limit;

	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += PATIENCE_SEC;
	return !pthread_timedjoin_np(runner->thread, NULL, &limit);
}

/* The page is wanted, a signal comes instead, and KVM_RUN returns. */
static void expect_kick_ends_wait(struct __test_metadata *_metadata, struct runner *runner,
				  const struct missing_page *page)
{
	bool ended;

	take_kicks(runner->vcpu);
	start(runner);
	ASSERT_TRUE(missing_page_is_wanted(page)) {
		TH_LOG("nobody accesses the structure");
	}
	ASSERT_EQ(0, pthread_kill(runner->thread, SIGUSR1));
	ended = ends(runner);
	EXPECT_TRUE(ended) {
		TH_LOG("KVM_RUN goes on waiting after a signal");
	}
	if (!ended) {
		missing_page_supply(page, "", 0);
		TEST_ASSERT_EQ(pthread_join(runner->thread, NULL), 0);
	}
	ASSERT_TRUE(ended);
	EXPECT_EQ(-EINTR, runner->r);
	runner->vcpu->run->immediate_exit = 0;
}

TEST_F(vcpu_attr_pvtime_wait, to_add_time_ends_by_a_signal)
{
	struct runner runner = { .vcpu = self->vcpu, .drop = &self->page };

	missing_page_supply(&self->page, "", 0);
	expect_kick_ends_wait(_metadata, &runner, &self->page);

	/* The time is there when the page is, whichever thread runs the vCPU. */
	missing_page_supply(&self->page, "", 0);
	EXPECT_EQ(0, run_to_sync(self->vcpu));
	EXPECT_LE(runner.waited, stolen(&self->page)) {
		TH_LOG("waited for %ld ns, but %lu are stolen", runner.waited,
		       stolen(&self->page));
	}
}

static void expect_call_is_repeated(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu,
				    const struct missing_page *page, enum conduit by)
{
	struct runner runner = { .vcpu = vcpu };

	write_guest_global(vcpu->vm, conduit, by);
	expect_kick_ends_wait(_metadata, &runner, page);
	sync_global_from_guest(vcpu->vm, calls);
	EXPECT_EQ(0, calls);

	missing_page_supply(page, "\xff", 1);
	EXPECT_EQ(0, run_to_sync(vcpu));
	sync_global_from_guest(vcpu->vm, calls);
	sync_global_from_guest(vcpu->vm, told);
	EXPECT_EQ(1, calls);
	EXPECT_EQ(ST_GPA, told);
	EXPECT_EQ(0, *(unsigned char *)page->addr);
}

TEST_F(vcpu_attr_pvtime_wait, of_a_guest_that_asks_by_hvc_ends_by_a_signal)
{
	expect_call_is_repeated(_metadata, self->vcpu, &self->page, HVC);
}

TEST_F(vcpu_attr_pvtime_wait, of_a_guest_that_asks_by_smc_ends_by_a_signal)
{
	expect_call_is_repeated(_metadata, self->vcpu, &self->page, SMC);
}

TEST_F(vcpu_attr_pvtime_wait, is_none_with_immediate_exit)
{
	missing_page_supply(&self->page, "", 0);
	have_time_stolen(self->vcpu, &self->page);
	EXPECT_EQ(-EINTR, run_immediate_exit(self->vcpu));
	EXPECT_FALSE(is_wanted_now(&self->page)) {
		TH_LOG("KVM_RUN accesses the structure");
	}
}

/* What it would find there is not asked for: KVM_ARM_VCPU_INIT leaves it alone. */
TEST_F(vcpu_attr_pvtime_wait, is_none_in_a_reset)
{
	struct kvm_vcpu_init init = preferred_init(self->vm, false);

	missing_page_supply(&self->page, "", 0);
	write_guest_global(self->vm, conduit, HVC);
	ASSERT_EQ(0, run_to_sync(self->vcpu));
	missing_page_drop(&self->page);

	/* If it waited, nothing but the end of the test's time would end that. */
	vcpu_ioctl(self->vcpu, KVM_ARM_VCPU_INIT, &init);
	EXPECT_FALSE(is_wanted_now(&self->page)) {
		TH_LOG("KVM_ARM_VCPU_INIT accesses the structure");
	}
}

/*
 * A VMM of one thread kicks itself, and between runs does what else it has to: at some
 * time the page is among those that come in.
 */
static void expect_page_comes_between_runs(struct __test_metadata *_metadata,
					   struct kvm_vcpu *vcpu, const struct missing_page *page)
{
	for (int kicks = 0; kicks < 5; kicks++) {
		ASSERT_EQ(-EINTR, run_to_sync(vcpu));
		WRITE_ONCE(vcpu->run->immediate_exit, 0);
	}
	missing_page_supply(page, "", 0);
}

static void run_on(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu)
{
	int r;

	while ((r = run_to_sync(vcpu))) {
		ASSERT_EQ(-EINTR, r);
		WRITE_ONCE(vcpu->run->immediate_exit, 0);
	}
}

TEST_F(vcpu_attr_pvtime_wait, ends_in_a_vmm_of_one_thread)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	const struct itimerspec often = {
		.it_value.tv_nsec = SHORT_WAIT,
		.it_interval.tv_nsec = SHORT_WAIT,
	};
	const struct itimerspec never = {};
	timer_t timer;
	long waited;

	take_kicks(self->vcpu);
	ASSERT_EQ(0, timer_create(CLOCK_MONOTONIC, &event, &timer));

	write_guest_global(self->vm, conduit, HVC);
	ASSERT_EQ(0, timer_settime(timer, 0, &often, NULL));
	expect_page_comes_between_runs(_metadata, self->vcpu, &self->page);
	run_on(_metadata, self->vcpu);
	ASSERT_EQ(0, timer_settime(timer, 0, &never, NULL));
	WRITE_ONCE(self->vcpu->run->immediate_exit, 0);
	sync_global_from_guest(self->vm, told);
	EXPECT_EQ(ST_GPA, told);

	write_guest_global(self->vm, conduit, NONE);
	waited = have_time_stolen(self->vcpu, &self->page);
	ASSERT_EQ(0, timer_settime(timer, 0, &often, NULL));
	expect_page_comes_between_runs(_metadata, self->vcpu, &self->page);
	run_on(_metadata, self->vcpu);
	EXPECT_LE(waited, stolen(&self->page)) {
		TH_LOG("waited for %ld ns, but %lu are stolen", waited, stolen(&self->page));
	}
	ASSERT_EQ(0, timer_delete(timer));
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_STEAL_TIME));

	return test_harness_run(argc, argv);
}
