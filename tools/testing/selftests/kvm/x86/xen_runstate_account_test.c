// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * Accounting of the Xen vCPU runstate: that every nanosecond of the KVM clock
 * lands in the right one of the four totals, and that time is called stolen
 * only if the thread that runs the vCPU really waited for a CPU then, whichever
 * thread makes the attribute calls and wherever the clock is set to.
 */
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "kvm_test_harness.h"
#include "xen_runstate.h"

#define MSEC		1000000ULL
#define SEC		1000000000ULL

/* How much waiting for a CPU makes a thread stand out. */
#define LONG_WAIT	(40 * MSEC)

/* An area on two pages. */
#define SPLIT_GPA	(AREA_GPA + PAGE_SIZE - 20)

static void guest_exits(void)
{
	for (;;)
		GUEST_SYNC(0);
}

/* Exit once, for steal_watch_start(), and halt from then on. */
static void guest_halts(void)
{
	GUEST_SYNC(0);
	for (;;)
		asm volatile("hlt");
}

/* Exit once, as well, and stay in the guest from then on. */
static void guest_spins(void)
{
	GUEST_SYNC(0);
	for (;;)
		cpu_relax();
}

/* Sleep, off the run queue. */
static void idle_ms(int ms)
{
	poll(NULL, 0, ms);
}

static void assert_state(struct kvm_vcpu *vcpu, u64 state)
{
	struct kvm_xen_vcpu_attr rs = runstate_get(vcpu);

	TEST_ASSERT(rs.u.runstate.state == state, "expected state %lu, got %s",
		    state, runstate_text(&rs).s);
}

FIXTURE(xen_runstate_account) {
	struct kvm_vcpu *vcpu;
};

FIXTURE_SETUP(xen_runstate_account)
{
	xen_enable_runstate(vm_create_with_one_vcpu(&self->vcpu, NULL));
}

FIXTURE_TEARDOWN(xen_runstate_account)
{
	kvm_vm_free(self->vcpu->vm);
}

KVM_ONE_VCPU_TEST(xen_runstate_account, never_run_is_offline_since_zero, guest_exits)
{
	struct kvm_xen_vcpu_attr rs;

	idle_ms(1);
	rs = runstate_get(vcpu);
	TEST_ASSERT(rs.u.runstate.state == RUNSTATE_offline &&
		    !rs.u.runstate.state_entry_time && runstate_adds_up(&rs),
		    "a vCPU that never ran has %s", runstate_text(&rs).s);
}

KVM_ONE_VCPU_TEST(xen_runstate_account, time_before_first_run_is_offline, guest_exits)
{
	struct kvm_xen_vcpu_attr rs;
	u64 before, after;

	idle_ms(20);
	before = vm_clock(vcpu->vm);
	vcpu_run(vcpu);
	after = vm_clock(vcpu->vm);

	rs = runstate_get(vcpu);
	TEST_ASSERT(runstate_adds_up(&rs) && !rs.u.runstate.time_blocked &&
		    rs.u.runstate.time_offline >= before &&
		    rs.u.runstate.time_offline <= after,
		    "first run between %lu and %lu, but %s", before, after,
		    runstate_text(&rs).s);
}

KVM_ONE_VCPU_TEST(xen_runstate_account, is_running_after_kvm_run, guest_exits)
{
	for (int state = RUNSTATE_running; state <= RUNSTATE_offline; state++) {
		vcpu_run(vcpu);
		assert_state(vcpu, RUNSTATE_running);
		runstate_set_current(vcpu, state);
		assert_state(vcpu, state);
	}
}

KVM_ONE_VCPU_TEST(xen_runstate_account, is_running_after_immediate_exit, guest_exits)
{
	run_to_immediate_exit(vcpu);
	assert_state(vcpu, RUNSTATE_running);

	for (int state = RUNSTATE_running; state <= RUNSTATE_offline; state++) {
		runstate_set_current(vcpu, state);
		run_to_immediate_exit(vcpu);
		assert_state(vcpu, RUNSTATE_running);
	}
}

KVM_ONE_VCPU_TEST(xen_runstate_account, wait_in_blocked_is_blocked, guest_exits)
{
	struct kvm_xen_vcpu_attr then, now;
	u64 start, end, after;

	vcpu_run(vcpu);
	runstate_set_current(vcpu, RUNSTATE_blocked);
	then = runstate_get(vcpu);

	start = vm_clock(vcpu->vm);
	idle_ms(50);
	end = vm_clock(vcpu->vm);
	vcpu_run(vcpu);
	after = vm_clock(vcpu->vm);

	now = runstate_get(vcpu);
	runstate_assert_follows(&then, &now);
	TEST_ASSERT(now.u.runstate.time_blocked - then.u.runstate.time_blocked >= end - start &&
		    now.u.runstate.time_blocked <= after,
		    "blocked for %lu ns or more, until %lu at most\nfrom %s\n  to %s",
		    end - start, after, runstate_text(&then).s, runstate_text(&now).s);
	TEST_ASSERT(now.u.runstate.state == RUNSTATE_running, "still %s",
		    runstate_text(&now).s);
}

/* Every kind of step, in an order that differs from the last, over and over. */
KVM_ONE_VCPU_TEST(xen_runstate_account, mixed_history_adds_up, guest_exits)
{
	struct kvm_xen_vcpu_attr then = runstate_get(vcpu), now, adjust;
	unsigned int seed = 1;
	u64 state;

	for (int i = 0; i < 400; i++) {
		adjust = (struct kvm_xen_vcpu_attr) {};
		state = rand_r(&seed) % (RUNSTATE_offline + 1);
		adjust.u.runstate.state = state;

		switch (rand_r(&seed) % 6) {
		case 0:
			vcpu_run(vcpu);
			state = RUNSTATE_running;
			break;
		case 1:
			runstate_set_current(vcpu, state);
			break;
		case 2:
			TEST_ASSERT_EQ(__runstate_set(vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST,
						      adjust), 0);
			break;
		case 3:
			adjust.u.runstate.state = -1;
			state = then.u.runstate.state;
			TEST_ASSERT_EQ(__runstate_set(vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST,
						      adjust), 0);
			break;
		case 4:
			state = then.u.runstate.state;
			runstate_assert_roundtrip(vcpu);
			break;
		default:
			state = then.u.runstate.state;
			idle_ms(1);
			break;
		}

		now = runstate_get(vcpu);
		runstate_assert_follows(&then, &now);
		TEST_ASSERT(now.u.runstate.state == state, "step %d: expected state %lu, got %s",
			    i, state, runstate_text(&now).s);
		TEST_ASSERT(now.u.runstate.state_entry_time <= vm_clock(vcpu->vm),
			    "entered in the future: %s", runstate_text(&now).s);
		then = now;
	}
}

/*
 * Steal is bounded by the scheduler's figures, to the nanosecond from above.
 */
KVM_ONE_VCPU_TEST(xen_runstate_account, steal_is_at_most_run_delay, guest_exits)
{
	struct preempters preempters;
	struct steal_watch watch;

	pin_self_to_cpu(sched_getcpu());
	steal_watch_start(&watch, vcpu);
	start_preempters(&preempters, sched_getcpu());

	for (int i = 0; i < 300 || !preempted_often(&preempters); i++) {
		vcpu_run(vcpu);
		steal_watch_check(&watch);
	}

	stop_preempters(&preempters);
}

KVM_ONE_VCPU_TEST(xen_runstate_account, steal_is_of_the_order_of_run_delay, guest_exits)
{
	struct kvm_xen_vcpu_attr rs;
	struct steal_watch watch;
	bool stop = false;
	pthread_t rival;
	u64 steal;

	pin_self_to_cpu(sched_getcpu());
	steal_watch_start(&watch, vcpu);

	TEST_ASSERT_EQ(pthread_create(&rival, NULL, spin_until_set, &stop), 0);
	while (get_run_delay() - watch.run_delay < (long)LONG_WAIT)
		vcpu_run(vcpu);
	WRITE_ONCE(stop, true);
	TEST_ASSERT_EQ(pthread_join(rival, NULL), 0);
	vcpu_run(vcpu);

	rs = runstate_get(vcpu);
	steal = rs.u.runstate.time_runnable - watch.first.u.runstate.time_runnable;
	TEST_ASSERT(steal >= LONG_WAIT / 2, "waited for %llu ns, got %lu ns of steal",
		    LONG_WAIT, steal);
}

static void *yield_until_set(void *flag)
{
	while (!READ_ONCE(*(bool *)flag))
		sched_yield();
	return NULL;
}

/* However short the wait was, and with no jiffy in between. */
KVM_ONE_VCPU_TEST(xen_runstate_account, steal_is_charged_by_the_next_run, guest_exits)
{
	struct kvm_xen_vcpu_attr then, now;
	bool stop = false;
	pthread_t rival;
	long waited;

	pin_self_to_cpu(sched_getcpu());
	vcpu_run(vcpu);
	TEST_ASSERT_EQ(pthread_create(&rival, NULL, yield_until_set, &stop), 0);

	for (int waits = 0; waits < 300; waits += !!waited) {
		then = runstate_get(vcpu);
		waited = get_run_delay();
		sched_yield();
		waited = get_run_delay() - waited;
		vcpu_run(vcpu);
		now = runstate_get(vcpu);
		TEST_ASSERT(now.u.runstate.time_runnable - then.u.runstate.time_runnable >= waited,
			    "waited for %ld ns\nfrom %s\n  to %s", waited,
			    runstate_text(&then).s, runstate_text(&now).s);
	}

	WRITE_ONCE(stop, true);
	TEST_ASSERT_EQ(pthread_join(rival, NULL), 0);
}

/*
 * Steal is pending while the thread has waited since the last account.  It is
 * charged by the next one, if it belongs to the runstate as it is by then.
 */
struct pending_steal {
	struct steal_watch watch;
	long run_delay;
	u64 runnable;
};

static void wait_for_pending_steal(struct pending_steal *pending, struct kvm_vcpu *vcpu)
{
	steal_watch_start(&pending->watch, vcpu);
	pending->runnable = pending->watch.last.u.runstate.time_runnable;
	pending->run_delay = get_run_delay();
	wait_for_run_delay(pending->run_delay + LONG_WAIT);
}

/* The upper bound is the watch's: all that the thread has waited. */
static void assert_run_charges(struct pending_steal *pending, const char *after)
{
	long waited = get_run_delay() - pending->run_delay;
	u64 steal;

	vcpu_run(pending->watch.vcpu);
	steal_watch_check(&pending->watch);
	steal = pending->watch.last.u.runstate.time_runnable - pending->runnable;
	TEST_ASSERT(steal >= waited / 2, "waited for %ld ns, got %lu ns of steal after %s",
		    waited, steal, after);
}

KVM_ONE_VCPU_TEST(xen_runstate_account, data_written_back_keeps_pending_steal, guest_exits)
{
	struct pending_steal pending;

	wait_for_pending_steal(&pending, vcpu);
	runstate_assert_roundtrip(vcpu);
	assert_run_charges(&pending, "DATA");
}

/*
 * Another entry time begins another account.  The pause is running time, by
 * which steal from before would fit in behind any entry time.
 */
static void set_entry_time_with_pending_steal(struct kvm_vcpu *vcpu, s64 from_now)
{
	struct pending_steal pending;
	struct kvm_xen_vcpu_attr rs;
	long waited;
	u64 steal;

	wait_for_pending_steal(&pending, vcpu);
	rs = runstate_get(vcpu);
	rs.u.runstate.time_offline -= rs.u.runstate.state_entry_time;
	rs.u.runstate.state_entry_time = vm_clock(vcpu->vm) + from_now;
	rs.u.runstate.time_offline += rs.u.runstate.state_entry_time;

	waited = get_run_delay();
	TEST_ASSERT_EQ(__runstate_set(vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA, rs), 0);
	idle_ms(2 * LONG_WAIT / MSEC);
	vcpu_run(vcpu);
	steal = runstate_get(vcpu).u.runstate.time_runnable - rs.u.runstate.time_runnable;
	waited = get_run_delay() - waited;
	TEST_ASSERT(steal <= waited, "waited for %ld ns since DATA, got %lu ns of steal",
		    waited, steal);
}

KVM_ONE_VCPU_TEST(xen_runstate_account, data_with_another_time_drops_pending_steal, guest_exits)
{
	vm_set_clock(vcpu->vm, 100 * SEC);
	set_entry_time_with_pending_steal(vcpu, 0);
	set_entry_time_with_pending_steal(vcpu, -(s64)SEC);
}

/* A call that fails because the area's memory is missing accounts nothing. */
KVM_ONE_VCPU_TEST(xen_runstate_account, refused_call_keeps_pending_steal, guest_exits)
{
	static const struct {
		const char *name;
		u16 type;
		struct kvm_xen_vcpu_attr attr;
	} calls[] = {
		{ "CURRENT running", KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_CURRENT, {
			.u.runstate = { RUNSTATE_running } } },
		{ "CURRENT blocked", KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_CURRENT, {
			.u.runstate = { RUNSTATE_blocked } } },
		{ "DATA", KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA, {
			.u.runstate = { RUNSTATE_running, 1000, 400, 300, 200, 100 } } },
		{ "ADJUST", KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST, {
			.u.runstate = { RUNSTATE_blocked, -7ULL, 0, 0, 0, -7ULL } } },
	};
	void *pages = addr_gpa2hva(vcpu->vm, AREA_GPA);
	struct pending_steal pending;

	runstate_set_addr(vcpu, SPLIT_GPA);

	for (int i = 0; i < ARRAY_SIZE(calls); i++) {
		wait_for_pending_steal(&pending, vcpu);
		delete_slot(vcpu->vm);
		TEST_ASSERT_EQ(__runstate_set(vcpu, calls[i].type, calls[i].attr), -EFAULT);
		create_slot(vcpu->vm, AREA_PAGES, pages);
		assert_run_charges(&pending, calls[i].name);
	}
}

/*
 * The vCPU passes from one thread to another.
 */
struct new_owner {
	struct kvm_vcpu *vcpu;
	long run_delay;
};

/* Become the owner with a past of that much run_delay at least, and run. */
static void *own_and_run(void *arg)
{
	struct kvm_xen_vcpu_attr then, now;
	struct new_owner *owner = arg;
	long delay;

	wait_for_run_delay(owner->run_delay);
	then = runstate_get(owner->vcpu);

	delay = get_run_delay();
	vcpu_run(owner->vcpu);
	vcpu_run(owner->vcpu);
	now = runstate_get(owner->vcpu);
	delay = get_run_delay() - delay;

	runstate_assert_follows(&then, &now);
	TEST_ASSERT(now.u.runstate.time_runnable - then.u.runstate.time_runnable <= delay,
		    "the new owner waited for %ld ns, but was charged\nfrom %s\n  to %s",
		    delay, runstate_text(&then).s, runstate_text(&now).s);
	return NULL;
}

KVM_ONE_VCPU_TEST(xen_runstate_account, past_of_a_new_owner_is_not_charged, guest_exits)
{
	struct new_owner owner = { .vcpu = vcpu };

	vcpu_run(vcpu);
	owner.run_delay = get_run_delay() + LONG_WAIT;
	in_new_thread(own_and_run, &owner);
}

KVM_ONE_VCPU_TEST(xen_runstate_account, new_owner_without_past_takes_nothing_back, guest_exits)
{
	struct new_owner owner = { .vcpu = vcpu };

	wait_for_run_delay(LONG_WAIT);
	vcpu_run(vcpu);
	in_new_thread(own_and_run, &owner);
}

static void *run_once(void *arg)
{
	vcpu_run(arg);
	return NULL;
}

KVM_ONE_VCPU_TEST(xen_runstate_account, owner_that_returns_starts_over, guest_exits)
{
	struct new_owner owner = { .vcpu = vcpu };

	vcpu_run(vcpu);
	in_new_thread(run_once, vcpu);

	/* What this thread waits for while it is not the owner is its own. */
	owner.run_delay = get_run_delay() + LONG_WAIT;
	own_and_run(&owner);
}

/* An ioctl loads the vCPU, and may be preempted there, but does not run it. */
KVM_ONE_VCPU_TEST(xen_runstate_account, ioctls_do_not_run_a_blocked_vcpu, guest_exits)
{
	const u64 states[] = { RUNSTATE_runnable, RUNSTATE_blocked, RUNSTATE_offline };
	struct kvm_regs regs;
	u64 tsc;

	for (int i = 0; i < ARRAY_SIZE(states); i++) {
		vcpu_run(vcpu);
		runstate_set_current(vcpu, states[i]);
		vcpu_regs_get(vcpu, &regs);
		vcpu_regs_set(vcpu, &regs);
		tsc = vcpu_get_msr(vcpu, MSR_IA32_TSC);
		vcpu_set_msr(vcpu, MSR_IA32_TSC, tsc);
		assert_state(vcpu, states[i]);
	}
}

/* A guest that shows that it runs, until it is stopped. */
static bool stop_counting;
static u64 counted;

static void guest_counts(void)
{
	for (;;) {
		GUEST_SYNC(0);
		while (!READ_ONCE(stop_counting))
			WRITE_ONCE(counted, counted + 1);
	}
}

/* A real-time thread that takes the CPU away from the guest for as long as it likes. */
struct usurper {
	struct kvm_vcpu *vcpu;
	struct vcpu_runstate_info *area;
	int cpu;
	bool seen;
};

static void *usurp(void *arg)
{
	struct usurper *usurper = arg;
	bool *stop = addr_gva2hva(usurper->vcpu->vm, (gva_t)&stop_counting);
	u64 *count = addr_gva2hva(usurper->vcpu->vm, (gva_t)&counted);

	/* The guest gets going off this thread's CPU. */
	while (!READ_ONCE(*count))
		idle_ms(1);

	preempt_on_cpu(usurper->cpu);
	for (int i = 0; i < 100 && !usurper->seen; i++) {
		usurper->seen = READ_ONCE(usurper->area->state) == RUNSTATE_runnable;
		if (!usurper->seen)
			idle_ms(1);
	}
	WRITE_ONCE(*stop, true);
	return NULL;
}

KVM_ONE_VCPU_TEST(xen_runstate_account, preempted_guest_is_shown_as_runnable, guest_counts)
{
	struct usurper usurper = {
		.vcpu = vcpu,
		.area = addr_gpa2hva(vcpu->vm, SPLIT_GPA),
	};
	pthread_t thread;

	require_preempters();
	runstate_set_addr(vcpu, SPLIT_GPA);
	vcpu_run(vcpu);

	TEST_ASSERT_EQ(pthread_create(&thread, NULL, usurp, &usurper), 0);
	usurper.cpu = sched_getcpu();
	pin_self_to_cpu(usurper.cpu);
	vcpu_run(vcpu);
	TEST_ASSERT_EQ(pthread_join(thread, NULL), 0);

	/* The area waits for the next guest entry there, and so shows what was before. */
	if (host_is_preempt_rt())
		TEST_ASSERT(!usurper.seen, "the area was written in the scheduler");
	else
		TEST_ASSERT(usurper.seen, "a preempted vCPU is never shown as runnable");

	TEST_ASSERT(runstate_read_area(vcpu->vm, SPLIT_GPA, true).u.runstate.state ==
		    RUNSTATE_running, "KVM_RUN returned, and the area shows another state");
}

/*
 * Clock changes.  Whatever they do to the KVM clock, the vCPU must go on.
 */
static void assert_life_goes_on(struct steal_watch *watch)
{
	struct kvm_vcpu *vcpu = watch->vcpu;

	runstate_assert_roundtrip(vcpu);
	for (int state = RUNSTATE_running; state <= RUNSTATE_offline; state++) {
		vcpu_run(vcpu);
		assert_state(vcpu, RUNSTATE_running);
		steal_watch_check(watch);

		/* No steal by decree: it would count against the watch. */
		if (state == RUNSTATE_runnable)
			continue;

		runstate_set_current(vcpu, state);
		assert_state(vcpu, state);
		steal_watch_check(watch);

		idle_ms(5);
		runstate_assert_roundtrip(vcpu);
		steal_watch_check(watch);
	}
	vcpu_run(vcpu);
	runstate_assert_roundtrip(vcpu);
	steal_watch_check(watch);
}

/* With the clock set past the entry time, time counts as ever. */
static void assert_time_counts_from(struct steal_watch *watch, u64 ns)
{
	struct kvm_vcpu *vcpu = watch->vcpu;
	u64 start, end;

	vm_set_clock(vcpu->vm, ns);
	start = vm_clock(vcpu->vm);
	runstate_set_current(vcpu, RUNSTATE_blocked);
	end = vm_clock(vcpu->vm);
	steal_watch_check(watch);
	TEST_ASSERT(watch->last.u.runstate.state_entry_time >= start &&
		    watch->last.u.runstate.state_entry_time <= end,
		    "blocked between %lu and %lu, but %s", start, end,
		    runstate_text(&watch->last).s);
	assert_life_goes_on(watch);
}

/*
 * The clock was set back to @ns.  What running and blocked can pay of the
 * difference, they have paid: what guests read as steal never goes down, and
 * time counts again from the clock on, or from what was stolen if that is later.
 */
static void assert_follows_clock(struct steal_watch *watch, u64 ns)
{
	struct kvm_xen_vcpu_attr then = watch->last, now = runstate_get(watch->vcpu);
	u64 end = vm_clock(watch->vcpu->vm);
	bool spent;

	spent = !now.u.runstate.time_running && !now.u.runstate.time_blocked;
	TEST_ASSERT(runstate_adds_up(&now) &&
		    now.u.runstate.time_runnable >= then.u.runstate.time_runnable &&
		    now.u.runstate.time_offline == then.u.runstate.time_offline &&
		    now.u.runstate.time_running <= then.u.runstate.time_running &&
		    now.u.runstate.time_blocked <= then.u.runstate.time_blocked &&
		    (now.u.runstate.state_entry_time <= end || spent) &&
		    now.u.runstate.state_entry_time >= min_t(u64, ns,
						 then.u.runstate.state_entry_time),
		    "the clock was set to %lu and is %lu\nfrom %s\n  to %s", ns, end,
		    runstate_text(&then).s, runstate_text(&now).s);
	watch->last = now;
}

/* Without a jump of the clock, one that was set back must not hold up the time. */
static void assert_time_goes_on(struct steal_watch *watch)
{
	struct kvm_vcpu *vcpu = watch->vcpu;
	u64 start;

	start = vm_clock(vcpu->vm);
	vcpu_run(vcpu);
	runstate_set_current(vcpu, RUNSTATE_blocked);
	steal_watch_check(watch);
	TEST_ASSERT(watch->last.u.runstate.state_entry_time >= start,
		    "blocked after %lu, but %s", start, runstate_text(&watch->last).s);
}

/* A vCPU that ran for most of @from when the clock is set to @to. */
static void step_clock(struct kvm_vcpu *vcpu, u64 from, u64 to)
{
	struct steal_watch watch;

	steal_watch_start(&watch, vcpu);
	vm_set_clock(vcpu->vm, from);
	runstate_set_current(vcpu, RUNSTATE_running);
	steal_watch_check(&watch);

	vm_set_clock(vcpu->vm, to);
	assert_follows_clock(&watch, to);
	assert_life_goes_on(&watch);
	/* It never ran, and was offline, for less than that. */
	while (vm_clock(vcpu->vm) < watch.last.u.runstate.time_offline +
				    watch.last.u.runstate.time_runnable)
		;
	assert_time_goes_on(&watch);
	assert_time_counts_from(&watch, from + SEC);
}

/* Whatever the vCPU loses or keeps of its time, no total grows by what was set back. */
KVM_ONE_VCPU_TEST(xen_runstate_account, clock_set_back_makes_no_total_wrap, guest_exits)
{
	struct kvm_xen_vcpu_attr rs;
	u64 entry;

	vm_set_clock(vcpu->vm, 100 * SEC);
	runstate_set_current(vcpu, RUNSTATE_running);
	/* For far less than the clock is set back by. */
	runstate_set_current(vcpu, RUNSTATE_blocked);
	vm_set_clock(vcpu->vm, 90 * SEC);
	vcpu_run(vcpu);

	rs = runstate_get(vcpu);
	entry = rs.u.runstate.state_entry_time;
	TEST_ASSERT(rs.u.runstate.time_running <= entry && rs.u.runstate.time_runnable <= entry &&
		    rs.u.runstate.time_blocked <= entry && rs.u.runstate.time_offline <= entry,
		    "a total wrapped: %s", runstate_text(&rs).s);
}

KVM_ONE_VCPU_TEST(xen_runstate_account, clock_set_back_by_10s, guest_exits)
{
	step_clock(vcpu, 100 * SEC, 90 * SEC);
}

KVM_ONE_VCPU_TEST(xen_runstate_account, clock_set_back_by_a_day, guest_exits)
{
	step_clock(vcpu, 100000 * SEC, 13600 * SEC);
}

KVM_ONE_VCPU_TEST(xen_runstate_account, clock_set_back_to_0, guest_exits)
{
	step_clock(vcpu, 100 * SEC, 0);
}

KVM_ONE_VCPU_TEST(xen_runstate_account, clock_set_back_again_and_again, guest_exits)
{
	struct steal_watch watch;

	steal_watch_start(&watch, vcpu);
	vm_set_clock(vcpu->vm, 100 * SEC);
	runstate_set_current(vcpu, RUNSTATE_running);
	steal_watch_check(&watch);

	for (u64 to = 90 * SEC; to; to -= 10 * SEC) {
		vm_set_clock(vcpu->vm, to);
		if (to / SEC % 20)
			vcpu_run(vcpu);
		assert_follows_clock(&watch, to);
	}
	assert_life_goes_on(&watch);
}

/* Set by the area too, when the call returns. */
KVM_ONE_VCPU_TEST(xen_runstate_account, clock_set_back_is_in_the_area, guest_exits)
{
	struct kvm_xen_vcpu_attr area, rs;
	struct steal_watch watch;

	runstate_set_addr(vcpu, SPLIT_GPA);
	steal_watch_start(&watch, vcpu);
	vm_set_clock(vcpu->vm, 100 * SEC);
	runstate_set_current(vcpu, RUNSTATE_running);
	steal_watch_check(&watch);

	vm_set_clock(vcpu->vm, 50 * SEC);
	runstate_set_current(vcpu, RUNSTATE_blocked);
	assert_follows_clock(&watch, 50 * SEC);
	area = runstate_read_area(vcpu->vm, SPLIT_GPA, true);
	rs = runstate_get(vcpu);
	TEST_ASSERT(runstate_equal(&area, &rs), "in the area is %s\nbut it is %s",
		    runstate_text(&area).s, runstate_text(&rs).s);
}

/*
 * A vCPU that was offline for nearly all of its life has nothing to pay with: no
 * time passes for it until the clock is where its entry time is.
 */
KVM_ONE_VCPU_TEST(xen_runstate_account, clock_set_back_below_what_was_stolen, guest_exits)
{
	struct steal_watch watch;
	u64 entry;

	vm_set_clock(vcpu->vm, 100 * SEC);
	steal_watch_start(&watch, vcpu);
	vm_set_clock(vcpu->vm, 100 * SEC - 100 * MSEC);
	assert_follows_clock(&watch, 100 * SEC - 100 * MSEC);
	entry = watch.last.u.runstate.state_entry_time;
	TEST_ASSERT(entry >= 100 * SEC, "the clock was set back, and %s",
		    runstate_text(&watch.last).s);

	while (watch.last.u.runstate.state_entry_time <= entry) {
		vcpu_run(vcpu);
		steal_watch_check(&watch);
		TEST_ASSERT(watch.last.u.runstate.state_entry_time == entry ||
			    vm_clock(vcpu->vm) >= entry,
			    "the clock is before %lu, but %s", entry,
			    runstate_text(&watch.last).s);
	}
}

/* ADJUST is relative to what is left, and must not get ahead of the new clock. */
KVM_ONE_VCPU_TEST(xen_runstate_account, adjust_with_the_clock_set_back, guest_exits)
{
	struct kvm_xen_vcpu_attr nothing = runstate_attr(KVM_XEN_RUNSTATE_KEEP, 0, 0, 0, 0, 0);
	struct kvm_xen_vcpu_attr hour = runstate_attr(KVM_XEN_RUNSTATE_KEEP, 3600 * SEC,
						      3600 * SEC, 0, 0, 0);
	struct kvm_xen_vcpu_attr stolen = runstate_attr(RUNSTATE_offline, 40 * SEC, 0, 0, 0,
							40 * SEC);
	const uint16_t adjust = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST;
	struct steal_watch watch;

	steal_watch_start(&watch, vcpu);
	vm_set_clock(vcpu->vm, 100 * SEC);
	runstate_set_current(vcpu, RUNSTATE_running);
	steal_watch_check(&watch);
	vm_set_clock(vcpu->vm, 50 * SEC);

	TEST_ASSERT_EQ(__runstate_set(vcpu, adjust, nothing), 0);
	assert_follows_clock(&watch, 50 * SEC);
	TEST_ASSERT_EQ(__runstate_set(vcpu, adjust, hour), -EINVAL);

	/* With nothing to pay with, the entry time stays ahead. */
	TEST_ASSERT_EQ(__runstate_set(vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA, stolen), 0);
	vm_set_clock(vcpu->vm, 20 * SEC);
	TEST_ASSERT_EQ(__runstate_set(vcpu, adjust, nothing), -EINVAL);
	runstate_assert_roundtrip(vcpu);
}

/* At rest there is no flag in the area, whether flags are on or off. */
static void assert_area_is_sound(struct kvm_vm *vm)
{
	struct kvm_xen_vcpu_attr area = runstate_read_area(vm, SPLIT_GPA, true);

	TEST_ASSERT(!(area.u.runstate.state_entry_time & XEN_RUNSTATE_UPDATE) &&
		    runstate_adds_up(&area), "in the area is %s", runstate_text(&area).s);
}

/*
 * In the area the topmost bit of a time is the update flag.  A time that has it
 * set, or had it before it wrapped, is never entered.
 */
KVM_ONE_VCPU_TEST(xen_runstate_account, clock_set_to_nonsense_enters_no_time, guest_exits)
{
	static const u64 nonsense[] = {
		XEN_RUNSTATE_UPDATE, XEN_RUNSTATE_UPDATE + 100 * SEC, -3600 * SEC,
	};
	struct steal_watch watch;
	u64 sane = 100 * SEC;

	runstate_set_addr(vcpu, SPLIT_GPA);
	vm_set_clock(vcpu->vm, sane);
	steal_watch_start(&watch, vcpu);

	for (int i = 0; i < 2 * ARRAY_SIZE(nonsense); i++) {
		struct kvm_xen_vcpu_attr before = watch.last;

		xen_set_update_flag(vcpu->vm, i % 2);
		vm_set_clock(vcpu->vm, nonsense[i / 2]);
		for (int state = RUNSTATE_running; state <= RUNSTATE_offline; state++) {
			vcpu_run(vcpu);
			assert_area_is_sound(vcpu->vm);
			runstate_set_current(vcpu, state);
			assert_area_is_sound(vcpu->vm);
		}
		assert_life_goes_on(&watch);
		assert_area_is_sound(vcpu->vm);

		before.u.runstate.state = watch.last.u.runstate.state;
		TEST_ASSERT(runstate_equal(&before, &watch.last),
			    "the clock was set to %lu\nfrom %s\n  to %s", nonsense[i / 2],
			    runstate_text(&before).s, runstate_text(&watch.last).s);

		sane += 100 * SEC;
		assert_time_counts_from(&watch, sane);
		assert_area_is_sound(vcpu->vm);
	}
}

KVM_ONE_VCPU_TEST(xen_runstate_account, clock_that_becomes_nonsense_enters_no_time, guest_exits)
{
	const u64 begin = XEN_RUNSTATE_UPDATE - SEC / 20, end = XEN_RUNSTATE_UPDATE + SEC / 20;
	struct kvm_clock_data clock;
	struct kvm_xen_vcpu_attr rs;

	runstate_set_addr(vcpu, SPLIT_GPA);
	vm_set_clock(vcpu->vm, begin);
	do {
		vcpu_run(vcpu);
		assert_area_is_sound(vcpu->vm);
		vm_ioctl(vcpu->vm, KVM_GET_CLOCK, &clock);
	} while (clock.clock < end);

	rs = runstate_get(vcpu);
	TEST_ASSERT(rs.u.runstate.state_entry_time >= begin &&
		    rs.u.runstate.state_entry_time < XEN_RUNSTATE_UPDATE, "%s",
		    runstate_text(&rs).s);
}

KVM_ONE_VCPU_TEST(xen_runstate_account, clock_set_forward_is_no_steal, guest_exits)
{
	struct steal_watch watch;
	u64 entry;

	steal_watch_start(&watch, vcpu);
	entry = watch.first.u.runstate.state_entry_time;

	vm_set_clock(vcpu->vm, entry + 3600 * SEC);
	assert_life_goes_on(&watch);
	TEST_ASSERT(watch.last.u.runstate.time_running >= 3600 * SEC,
		    "the hour is not in running: %s", runstate_text(&watch.last).s);
}

/*
 * Sleep after a preemption.  A thread wakes the vCPU up, or lets it go on,
 * after a while; it runs off the CPU that the preempters keep busy.
 */
#define SLEEPS		60
#define SLEEP_MS	8

static struct kvm_run *kicked_run;

/* Also a kick that comes just before KVM_RUN must end it. */
static void kicked(int sig)
{
	WRITE_ONCE(kicked_run->immediate_exit, 1);
}

/* From here on, SIGUSR1 is a kick of @vcpu. */
static void accept_kicks(struct kvm_vcpu *vcpu)
{
	struct sigaction action = { .sa_handler = kicked };

	kicked_run = vcpu->run;
	sigaction(SIGUSR1, &action, NULL);
}

static void run_to_kick(struct kvm_vcpu *vcpu)
{
	TEST_ASSERT(__vcpu_run(vcpu) == -1 && errno == EINTR, "KVM_RUN ended without a kick");
	vcpu->run->immediate_exit = 0;
}

struct kicker {
	pthread_t thread;
	pthread_t target;
	pid_t tid;
	struct vcpu_runstate_info *area;
	sem_t halting;
};

/* True if the scheduler has @tid as asleep. */
static bool is_asleep(pid_t tid)
{
	char path[64], stat[128] = "";
	char *state;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	file = fopen(path, "r");
	TEST_ASSERT(file && fgets(stat, sizeof(stat), file), "no %s", path);
	fclose(file);

	state = strrchr(stat, ')');
	return state && state[2] == 'S';
}

/*
 * A thread that is about to sleep may be preempted once more, and is shown as
 * runnable then, with reason: look again, many times.
 */
static void assert_shown_as_running(struct kicker *kicker)
{
	int seen = 0;

	while (READ_ONCE(kicker->area->state) != RUNSTATE_running) {
		TEST_ASSERT(seen < 1000, "a halted vCPU is shown in state %u",
			    READ_ONCE(kicker->area->state));
		seen += is_asleep(kicker->tid);
		idle_ms(1);
	}
}

static void *kick_halted(void *arg)
{
	struct kicker *kicker = arg;

	for (int i = 0; i < SLEEPS; i++) {
		sem_wait(&kicker->halting);
		idle_ms(SLEEP_MS);
		if (kicker->area)
			assert_shown_as_running(kicker);
		pthread_kill(kicker->target, SIGUSR1);
	}
	return NULL;
}

/* The caller checks whether the halts are stolen; this does not read the area. */
static void halt_under_preemption(struct kvm_vcpu *vcpu, struct kicker *kicker)
{
	struct kvm_mp_state runnable = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct preempters preempters;
	struct steal_watch watch;
	s64 excess;

	accept_kicks(vcpu);
	sem_init(&kicker->halting, 0, 0);
	kicker->target = pthread_self();
	kicker->tid = syscall(SYS_gettid);
	TEST_ASSERT_EQ(pthread_create(&kicker->thread, NULL, kick_halted, kicker), 0);

	pin_self_to_cpu(sched_getcpu());
	steal_watch_start(&watch, vcpu);
	start_preempters(&preempters, sched_getcpu());

	for (int i = 0; i < SLEEPS; i++) {
		wait_for_preemption(&preempters);
		sem_post(&kicker->halting);
		run_to_kick(vcpu);

		excess = steal_watch_excess(&watch);
		TEST_ASSERT(kicker->area || excess < (s64)(SLEEP_MS * MSEC / 2),
			    "halted time is runnable: %ld ns more than the thread waited for, %s",
			    excess, runstate_text(&watch.last).s);

		/* Go on behind the HLT. */
		vcpu_mp_state_set(vcpu, &runnable);
	}

	stop_preempters(&preempters);
	TEST_ASSERT_EQ(pthread_join(kicker->thread, NULL), 0);
	run_to_immediate_exit(vcpu);
	steal_watch_check(&watch);
}

KVM_ONE_VCPU_TEST(xen_runstate_account, halt_after_preemption_is_not_steal, guest_halts)
{
	struct kicker kicker = {};

	halt_under_preemption(vcpu, &kicker);
}

KVM_ONE_VCPU_TEST(xen_runstate_account, halt_after_preemption_is_shown_as_running, guest_halts)
{
	struct kicker kicker = { .area = addr_gpa2hva(vcpu->vm, AREA_GPA) };

	runstate_set_addr(vcpu, AREA_GPA);
	halt_under_preemption(vcpu, &kicker);
}

/* Take the area's page away from a guest that runs on, and see it written again. */
static void *take_pages_away(void *arg)
{
	struct kicker *kicker = arg;
	struct timespec start;

	for (int i = 0; i < SLEEPS; i++) {
		TEST_ASSERT_EQ(madvise(kicker->area, PAGE_SIZE, MADV_DONTNEED), 0);
		clock_gettime(CLOCK_MONOTONIC, &start);
		while (!READ_ONCE(kicker->area->state_entry_time)) {
			TEST_ASSERT(timespec_elapsed(start).tv_sec < 10,
				    "the guest runs on, and its area is empty");
			idle_ms(1);
		}
	}

	pthread_kill(kicker->target, SIGUSR1);
	return NULL;
}

KVM_ONE_VCPU_TEST(xen_runstate_account, area_lost_in_the_guest_is_refreshed, guest_spins)
{
	struct kicker kicker = {
		.area = addr_gpa2hva(vcpu->vm, AREA_GPA),
		.target = pthread_self(),
	};
	struct preempters preempters;

	runstate_set_addr(vcpu, AREA_GPA);
	vcpu_run(vcpu);

	accept_kicks(vcpu);
	pin_self_to_cpu(sched_getcpu());
	start_preempters(&preempters, sched_getcpu());
	wait_for_preemption(&preempters);
	TEST_ASSERT_EQ(pthread_create(&kicker.thread, NULL, take_pages_away, &kicker), 0);

	run_to_kick(vcpu);

	TEST_ASSERT_EQ(pthread_join(kicker.thread, NULL), 0);
	stop_preempters(&preempters);
}

/* Behind the area's pages; no memslot is there. */
#define MMIO_GPA	(AREA_GPA + 16 * PAGE_SIZE)

/*
 * KVM handles the first half of the access, which is at the end of a page, and
 * leaves the other one to userspace.
 */
static void guest_writes_across_pages(void)
{
	for (;;)
		WRITE_ONCE(*(u64 *)(MMIO_GPA + PAGE_SIZE - sizeof(u32)), 0);
}

/* A thread that an eventfd makes preempt the vCPU, and what it then sees in the area. */
struct rival {
	pthread_t thread;
	const struct vcpu_runstate_info *area;
	int fd;
	int cpu;
	int preempted;
	bool stop;
};

static void *preempt_by_eventfd(void *arg)
{
	struct rival *rival = arg;
	eventfd_t value;

	preempt_on_cpu(rival->cpu);

	for (;;) {
		TEST_ASSERT_EQ(eventfd_read(rival->fd, &value), 0);
		if (READ_ONCE(rival->stop))
			return NULL;
		rival->preempted += READ_ONCE(rival->area->state) == RUNSTATE_runnable;
	}
}

/*
 * KVM_RUN is preempted between the exit of the guest and its own return, with no
 * guest entry that could correct the state.
 */
KVM_ONE_VCPU_TEST(xen_runstate_account, is_running_after_preempted_exit, guest_writes_across_pages)
{
	struct rival rival = {
		.area = addr_gpa2hva(vcpu->vm, AREA_GPA),
		.fd = eventfd(0, EFD_CLOEXEC),
		.cpu = sched_getcpu(),
	};
	struct kvm_ioeventfd access = {
		.addr = MMIO_GPA + PAGE_SIZE - sizeof(u32),
		.len = sizeof(u32),
		.fd = rival.fd,
	};

	virt_map(vcpu->vm, MMIO_GPA, MMIO_GPA, 2);
	vm_ioctl(vcpu->vm, KVM_IOEVENTFD, &access);
	runstate_set_addr(vcpu, AREA_GPA);
	pin_self_to_cpu(rival.cpu);
	TEST_ASSERT_EQ(pthread_create(&rival.thread, NULL, preempt_by_eventfd, &rival), 0);

	for (int i = 0; i < 100; i++) {
		vcpu_run(vcpu);
		TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_MMIO);
		assert_state(vcpu, RUNSTATE_running);
	}

	WRITE_ONCE(rival.stop, true);
	TEST_ASSERT_EQ(eventfd_write(rival.fd, 1), 0);
	TEST_ASSERT_EQ(pthread_join(rival.thread, NULL), 0);
	close(rival.fd);

	/* Under PREEMPT_RT the area is not written by then, and elsewhere KVM_RUN may go on. */
	TEST_ASSERT(rival.preempted || !host_is_preempt(), "the vCPU was never preempted");
	__TEST_REQUIRE(rival.preempted, "needs a host with CONFIG_PREEMPT");
}

KVM_ONE_VCPU_TEST(xen_runstate_account, pause_after_preempted_exit_is_not_steal, guest_exits)
{
	struct preempters preempters;
	struct steal_watch watch;
	long delay;

	pin_self_to_cpu(sched_getcpu());
	steal_watch_start(&watch, vcpu);
	start_preempters(&preempters, sched_getcpu());

	/* Pause after those exits that were likely preempted. */
	for (int pauses = 0; pauses < SLEEPS; ) {
		delay = get_run_delay();
		vcpu_run(vcpu);
		if (get_run_delay() == delay)
			continue;

		idle_ms(SLEEP_MS);
		vcpu_run(vcpu);
		steal_watch_check(&watch);
		pauses++;
	}

	stop_preempters(&preempters);
}

/*
 * Attribute calls by threads that do not own the vCPU: each variant is a call
 * that asks for the state the vCPU is in.
 */
FIXTURE(xen_runstate_caller) {
	struct kvm_vcpu *vcpu;
};

FIXTURE_VARIANT(xen_runstate_caller) {
	u16 type;
	u64 state;
};

FIXTURE_VARIANT_ADD(xen_runstate_caller, set_current) {
	.type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_CURRENT,
	.state = RUNSTATE_running,
};

FIXTURE_VARIANT_ADD(xen_runstate_caller, set_data) {
	.type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA,
	.state = RUNSTATE_running,
};

FIXTURE_VARIANT_ADD(xen_runstate_caller, adjust_times) {
	.type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST,
	.state = -1,
};

FIXTURE_VARIANT_ADD(xen_runstate_caller, adjust_state) {
	.type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST,
	.state = RUNSTATE_running,
};

FIXTURE_SETUP(xen_runstate_caller)
{
	xen_enable_runstate(vm_create_with_one_vcpu(&self->vcpu, guest_exits));
}

FIXTURE_TEARDOWN(xen_runstate_caller)
{
	kvm_vm_free(self->vcpu->vm);
}

struct caller {
	struct kvm_vcpu *vcpu;
	u16 type;
	u64 state;
	u64 offline;
	long run_delay;
};

/*
 * Make the call, in the first thread's name or another's.  If so wished, it
 * moves the entry time forward, too, by some time offline.
 */
static void *make_call(void *arg)
{
	struct caller *caller = arg;
	struct kvm_xen_vcpu_attr attr = {};
	int r;

	wait_for_run_delay(caller->run_delay);

	if (caller->type == KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA)
		attr = runstate_get(caller->vcpu);

	attr.type = caller->type;
	attr.u.runstate.state = caller->state;
	attr.u.runstate.state_entry_time += caller->offline;
	attr.u.runstate.time_offline += caller->offline;

	r = __xen_set_attr(caller->vcpu, &attr);
	TEST_ASSERT(!r, "call of type %u refused: %s", caller->type, strerror(-r));
	return NULL;
}

/* After another thread's call, the owner is charged what it waits for, no more. */
static void call_from_another_thread(struct caller *caller, struct steal_watch *watch)
{
	u64 steal;

	in_new_thread(make_call, caller);
	steal_watch_check(watch);
	steal = watch->last.u.runstate.time_runnable;

	wait_for_run_delay(get_run_delay() + LONG_WAIT);
	vcpu_run(watch->vcpu);
	steal_watch_check(watch);
	steal = watch->last.u.runstate.time_runnable - steal;
	TEST_ASSERT(steal >= LONG_WAIT / 2, "waited for %llu ns, got %lu ns of steal",
		    LONG_WAIT, steal);
}

TEST_F(xen_runstate_caller, other_thread_with_more_run_delay)
{
	struct caller caller = {
		.vcpu = self->vcpu,
		.type = variant->type,
		.state = variant->state,
	};
	struct steal_watch watch;

	steal_watch_start(&watch, self->vcpu);
	/* Still more than the owner has when it waits, afterwards. */
	caller.run_delay = get_run_delay() + 3 * LONG_WAIT;
	call_from_another_thread(&caller, &watch);
}

TEST_F(xen_runstate_caller, other_thread_with_less_run_delay)
{
	struct caller caller = {
		.vcpu = self->vcpu,
		.type = variant->type,
		.state = variant->state,
	};
	struct steal_watch watch;

	wait_for_run_delay(3 * LONG_WAIT);
	steal_watch_start(&watch, self->vcpu);
	call_from_another_thread(&caller, &watch);
}

static void call_before_first_run(struct caller *caller, bool other_thread)
{
	struct kvm_xen_vcpu_attr rs;
	long delay;

	wait_for_run_delay(LONG_WAIT);
	caller->offline = vm_clock(caller->vcpu->vm) / 2;
	if (other_thread)
		in_new_thread(make_call, caller);
	else
		make_call(caller);

	delay = get_run_delay();
	vcpu_run(caller->vcpu);
	rs = runstate_get(caller->vcpu);
	delay = get_run_delay() - delay;
	TEST_ASSERT(runstate_adds_up(&rs), "the totals do not add up: %s",
		    runstate_text(&rs).s);
	TEST_ASSERT(rs.u.runstate.time_runnable < delay + LONG_WAIT / 2,
		    "the first run waited for %ld ns, but %s", delay, runstate_text(&rs).s);
}

TEST_F(xen_runstate_caller, call_before_first_run_charges_no_past)
{
	struct caller caller = {
		.vcpu = self->vcpu,
		.type = variant->type,
		.state = variant->state,
	};

	call_before_first_run(&caller, false);
}

TEST_F(xen_runstate_caller, other_threads_call_before_first_run_charges_no_past)
{
	struct caller caller = {
		.vcpu = self->vcpu,
		.type = variant->type,
		.state = variant->state,
	};

	call_before_first_run(&caller, true);
}

int main(int argc, char *argv[])
{
	int caps = KVM_XEN_HVM_CONFIG_RUNSTATE | KVM_XEN_HVM_CONFIG_RUNSTATE_UPDATE_FLAG;

	TEST_REQUIRE((kvm_check_cap(KVM_CAP_XEN_HVM) & caps) == caps);
	require_preempters();

	return test_harness_run(argc, argv);
}
