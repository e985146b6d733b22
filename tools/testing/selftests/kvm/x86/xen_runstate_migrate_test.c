// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * Saving the Xen runstate of a vCPU and restoring it into another VM, as live
 * migration does: what was saved is kept to the nanosecond, the downtime goes
 * where the VMM wants it, and the life of the thread that runs the vCPU in its
 * new place is not charged.  What GET gives, SET takes, at every moment.
 */
#include <poll.h>
#include <pthread.h>

#include "kvm_test_harness.h"
#include "xen_runstate.h"

#define MSEC		1000000ULL
#define SEC		1000000000ULL

#define DOWNTIME	(2 * SEC)
#define LONG_WAIT	(40 * MSEC)

/* The area crosses a page. */
#define AREA_ADDR	(AREA_GPA + PAGE_SIZE - 20)

static void guest_code(void)
{
	for (;;)
		GUEST_SYNC(0);
}

/* Saved is all that goes over the wire. */
FIXTURE(xen_runstate_migrate) {
	struct kvm_vcpu *source;
	struct kvm_vcpu *target;
	struct kvm_xen_vcpu_attr saved;
	u64 clock;
};

/* Let the source live a little, in every state, and park it. */
FIXTURE_SETUP(xen_runstate_migrate)
{
	struct kvm_vm *vm = vm_create_with_one_vcpu(&self->source, guest_code);

	xen_enable_runstate(vm);
	runstate_set_addr(self->source, AREA_ADDR);
	for (int state = RUNSTATE_running; state <= RUNSTATE_offline; state++) {
		vcpu_run(self->source);
		runstate_set_current(self->source, state);
		poll(NULL, 0, 2);
	}
	vcpu_run(self->source);
	runstate_set_current(self->source, RUNSTATE_blocked);
	self->saved = runstate_get(self->source);
	self->clock = vm_clock(vm);

	xen_enable_runstate(vm_create_with_one_vcpu(&self->target, guest_code));
}

FIXTURE_TEARDOWN(xen_runstate_migrate)
{
	kvm_vm_free(self->source->vm);
	kvm_vm_free(self->target->vm);
}

static void set_data(struct kvm_vcpu *vcpu, struct kvm_xen_vcpu_attr data)
{
	int r = __runstate_set(vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA, data);

	TEST_ASSERT(!r, "RUNSTATE_DATA refuses %s: %s", runstate_text(&data).s, strerror(-r));
}

static void adjust(struct kvm_vcpu *vcpu, struct kvm_xen_vcpu_attr delta)
{
	int r = __runstate_set(vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST, delta);

	TEST_ASSERT(!r, "RUNSTATE_ADJUST refuses %s: %s", runstate_text(&delta).s, strerror(-r));
}

static void assert_same(const struct kvm_xen_vcpu_attr *wanted,
			const struct kvm_xen_vcpu_attr *got, const char *where)
{
	TEST_ASSERT(!memcmp(&wanted->u.runstate, &got->u.runstate, sizeof(got->u.runstate)),
		    "expected %s\nin %s is %s", runstate_text(wanted).s, where,
		    runstate_text(got).s);
}

/* The clock goes on during the downtime; DATA is as it was saved. */
static void restore(struct kvm_vcpu *target, u64 clock, struct kvm_xen_vcpu_attr saved)
{
	vm_set_clock(target->vm, clock + DOWNTIME);
	runstate_set_addr(target, AREA_ADDR);
	set_data(target, saved);
}

/* A thread that is new to the vCPU, but has waited for CPUs before, runs it. */
struct runner {
	struct kvm_vcpu *vcpu;
	long past;
	long run_delay;
	u64 before;
	u64 after;
	struct kvm_xen_vcpu_attr rs;
};

static void *run_with_past(void *arg)
{
	struct runner *runner = arg;

	wait_for_run_delay(runner->past);

	runner->before = vm_clock(runner->vcpu->vm);
	runner->run_delay = get_run_delay();
	vcpu_run(runner->vcpu);
	runner->rs = runstate_get(runner->vcpu);
	runner->run_delay = get_run_delay() - runner->run_delay;
	runner->after = vm_clock(runner->vcpu->vm);
	return NULL;
}

static struct runner run_restored(struct kvm_vcpu *vcpu)
{
	struct runner runner = { .vcpu = vcpu, .past = get_run_delay() + LONG_WAIT };

	in_new_thread(run_with_past, &runner);
	TEST_ASSERT(runstate_adds_up(&runner.rs), "the totals do not add up: %s",
		    runstate_text(&runner.rs).s);
	return runner;
}

TEST_F(xen_runstate_migrate, restored_data_is_what_was_saved)
{
	struct kvm_xen_vcpu_attr got;

	restore(self->target, self->clock, self->saved);
	got = runstate_get(self->target);
	assert_same(&self->saved, &got, "DATA");
}

TEST_F(xen_runstate_migrate, restored_data_is_in_the_area)
{
	struct kvm_xen_vcpu_attr area;

	restore(self->target, self->clock, self->saved);
	area = runstate_read_area(self->target->vm, AREA_ADDR, true);
	assert_same(&self->saved, &area, "the area");
}

TEST_F(xen_runstate_migrate, area_is_current_after_the_first_run)
{
	struct kvm_xen_vcpu_attr area;
	struct runner runner;

	restore(self->target, self->clock, self->saved);
	runner = run_restored(self->target);
	area = runstate_read_area(self->target->vm, AREA_ADDR, true);
	assert_same(&runner.rs, &area, "the area");
	TEST_ASSERT(area.u.runstate.state == RUNSTATE_running &&
		    area.u.runstate.state_entry_time >= runner.before &&
		    area.u.runstate.state_entry_time <= runner.after,
		    "run between %lu and %lu, but %s", runner.before, runner.after,
		    runstate_text(&area).s);
}

/* All that is not blocked must be as saved: the time since is blocked. */
TEST_F(xen_runstate_migrate, parked_vcpu_is_blocked_until_it_runs)
{
	struct kvm_xen_vcpu_attr then = self->saved, now;
	struct runner runner;
	u64 blocked;

	restore(self->target, self->clock, self->saved);
	runner = run_restored(self->target);
	now = runner.rs;

	runstate_assert_follows(&then, &now);
	blocked = now.u.runstate.time_blocked - then.u.runstate.time_blocked;
	TEST_ASSERT(now.u.runstate.time_offline == then.u.runstate.time_offline &&
		    blocked >= runner.before - then.u.runstate.state_entry_time &&
		    blocked <= runner.after - then.u.runstate.state_entry_time,
		    "run between %lu and %lu\nfrom %s\n  to %s", runner.before, runner.after,
		    runstate_text(&then).s, runstate_text(&now).s);
}

TEST_F(xen_runstate_migrate, adjust_moves_downtime_to_offline)
{
	struct kvm_xen_vcpu_attr then = self->saved, now;
	struct kvm_xen_vcpu_attr delta = {
		.u.runstate = {
			.state = -1,
			.state_entry_time = DOWNTIME,
			.time_offline = DOWNTIME,
		},
	};
	struct runner runner;

	restore(self->target, self->clock, self->saved);
	adjust(self->target, delta);
	then.u.runstate.state_entry_time += DOWNTIME;
	then.u.runstate.time_offline += DOWNTIME;

	now = runstate_get(self->target);
	assert_same(&then, &now, "DATA");
	now = runstate_read_area(self->target->vm, AREA_ADDR, true);
	assert_same(&then, &now, "the area");

	runner = run_restored(self->target);
	runstate_assert_follows(&then, &runner.rs);
	TEST_ASSERT(runner.rs.u.runstate.time_offline == then.u.runstate.time_offline,
		    "offline %llu before the run, but then %s", then.u.runstate.time_offline,
		    runstate_text(&runner.rs).s);
}

TEST_F(xen_runstate_migrate, adjust_to_offline_takes_all_since_the_entry)
{
	struct kvm_xen_vcpu_attr delta = { .u.runstate.state = RUNSTATE_offline };
	struct kvm_xen_vcpu_attr then = self->saved, now;
	struct runner runner;
	u64 offline;

	restore(self->target, self->clock, self->saved);
	adjust(self->target, delta);
	runner = run_restored(self->target);
	now = runner.rs;

	runstate_assert_follows(&then, &now);
	offline = now.u.runstate.time_offline - then.u.runstate.time_offline;
	TEST_ASSERT(now.u.runstate.time_blocked == then.u.runstate.time_blocked &&
		    offline >= runner.before - then.u.runstate.state_entry_time &&
		    offline <= runner.after - then.u.runstate.state_entry_time,
		    "offline as of the entry, run between %lu and %lu\nfrom %s\n  to %s",
		    runner.before, runner.after, runstate_text(&then).s, runstate_text(&now).s);
}

/* Not parked: the downtime is running, but for what the thread waits for. */
TEST_F(xen_runstate_migrate, past_of_the_new_thread_is_not_charged)
{
	struct kvm_xen_vcpu_attr then;
	struct runner runner;
	u64 steal;

	self->saved.u.runstate.state = RUNSTATE_running;
	then = self->saved;
	restore(self->target, self->clock, self->saved);
	runner = run_restored(self->target);

	runstate_assert_follows(&then, &runner.rs);
	steal = runner.rs.u.runstate.time_runnable - then.u.runstate.time_runnable;
	TEST_ASSERT(steal <= runner.run_delay,
		    "the new thread waited for %ld ns, but was charged\nfrom %s\n  to %s",
		    runner.run_delay, runstate_text(&then).s, runstate_text(&runner.rs).s);
}

TEST_F(xen_runstate_migrate, roundtrip_at_every_moment_of_the_source)
{
	struct kvm_vcpu *vcpu = self->source;

	runstate_assert_roundtrip(vcpu);
	for (int state = RUNSTATE_running; state <= RUNSTATE_offline; state++) {
		vcpu_run(vcpu);
		runstate_assert_roundtrip(vcpu);
		runstate_set_current(vcpu, state);
		runstate_assert_roundtrip(vcpu);
	}
}

TEST_F(xen_runstate_migrate, roundtrip_before_the_first_run)
{
	struct kvm_xen_vcpu_attr rs;
	u64 before;

	runstate_assert_roundtrip(self->target);
	restore(self->target, self->clock, self->saved);
	runstate_assert_roundtrip(self->target);

	before = vm_clock(self->target->vm);
	vcpu_run(self->target);
	runstate_assert_roundtrip(self->target);
	rs = runstate_get(self->target);
	TEST_ASSERT(rs.u.runstate.state_entry_time >= before,
		    "run at %lu, but %s", before, runstate_text(&rs).s);
}

/*
 * A VMM that restores the VM's memory, the address of the area and the clock, but no
 * runstate, as QEMU does.
 */

/* The area in the source's memory; both layouts fit into the longer one. */
struct area_bytes {
	u8 byte[sizeof(struct vcpu_runstate_info)];
};

static void *area_of(struct kvm_vcpu *vcpu)
{
	return addr_gpa2hva(vcpu->vm, AREA_ADDR);
}

static struct area_bytes save_area(struct kvm_vcpu *vcpu)
{
	struct area_bytes area;

	memcpy(&area, area_of(vcpu), sizeof(area));
	return area;
}

static void restore_area(struct kvm_vcpu *vcpu, const struct area_bytes *area)
{
	memcpy(area_of(vcpu), area, sizeof(*area));
}

/* The vCPU goes on from @saved, and is charged for what its thread waits only. */
static void assert_goes_on(struct kvm_vcpu *vcpu, const struct kvm_xen_vcpu_attr *saved)
{
	struct kvm_xen_vcpu_attr now;
	struct runner runner;
	u64 blocked;

	runner = run_restored(vcpu);
	now = runner.rs;
	runstate_assert_follows(saved, &now);
	blocked = now.u.runstate.time_blocked - saved->u.runstate.time_blocked;
	TEST_ASSERT(now.u.runstate.time_offline == saved->u.runstate.time_offline &&
		    now.u.runstate.time_runnable - saved->u.runstate.time_runnable <=
		    runner.run_delay && now.u.runstate.state_entry_time >= runner.before &&
		    blocked >= runner.before - saved->u.runstate.state_entry_time,
		    "run at %lu, waited %ld\nfrom %s\n  to %s", runner.before, runner.run_delay,
		    runstate_text(saved).s, runstate_text(&now).s);
}

static void restore_memory_only(struct kvm_vcpu *source, struct kvm_vcpu *target,
				const struct kvm_xen_vcpu_attr *saved, u64 clock,
				bool long_mode, bool clock_first)
{
	struct kvm_xen_vcpu_attr got;
	struct area_bytes area;

	xen_set_long_mode(source->vm, long_mode);
	runstate_get(source);
	xen_set_long_mode(target->vm, long_mode);

	area = save_area(source);
	restore_area(target, &area);
	if (clock_first)
		vm_set_clock(target->vm, clock + DOWNTIME);
	runstate_set_addr(target, AREA_ADDR);
	got = runstate_read_area(target->vm, AREA_ADDR, long_mode);
	assert_same(saved, &got, "the area");
	if (!clock_first)
		vm_set_clock(target->vm, clock + DOWNTIME);

	got = runstate_get(target);
	assert_same(saved, &got, "DATA");
	assert_goes_on(target, saved);
}

TEST_F(xen_runstate_migrate, area_goes_on_if_the_clock_is_set_first)
{
	restore_memory_only(self->source, self->target, &self->saved, self->clock, true, true);
}

TEST_F(xen_runstate_migrate, area_goes_on_if_the_clock_is_set_last)
{
	restore_memory_only(self->source, self->target, &self->saved, self->clock, true, false);
}

/* It is got by a clock that is far behind. */
TEST_F(xen_runstate_migrate, area_goes_on_if_it_is_got_before_the_clock_is_set)
{
	const u64 clock = 1000 * SEC;
	struct kvm_xen_vcpu_attr got;
	struct area_bytes area;

	vm_set_clock(self->source->vm, clock);
	vcpu_run(self->source);
	runstate_set_current(self->source, RUNSTATE_blocked);
	self->saved = runstate_get(self->source);
	area = save_area(self->source);

	restore_area(self->target, &area);
	runstate_set_addr(self->target, AREA_ADDR);
	got = runstate_get(self->target);
	assert_same(&self->saved, &got, "DATA");
	vm_set_clock(self->target->vm, clock + DOWNTIME);
	assert_goes_on(self->target, &self->saved);
}

/* The thread stays the same: what it has waited before is not in the area. */
TEST_F(xen_runstate_migrate, wait_before_the_area_is_not_charged)
{
	static const struct vcpu_runstate_info area = { RUNSTATE_running, 0, SEC, { SEC } };
	struct kvm_vcpu *vcpu = self->target;
	struct kvm_xen_vcpu_attr rs;
	long delay;

	vm_set_clock(vcpu->vm, 100 * SEC);
	vcpu_run(vcpu);
	wait_for_cpu(LONG_WAIT);

	memcpy(area_of(vcpu), &area, sizeof(area));
	delay = get_run_delay();
	runstate_set_addr(vcpu, AREA_ADDR);
	vcpu_run(vcpu);
	rs = runstate_get(vcpu);
	delay = get_run_delay() - delay;
	TEST_ASSERT(rs.u.runstate.time_offline == 0 && rs.u.runstate.time_running > SEC,
		    "the area was not taken over: %s", runstate_text(&rs).s);
	TEST_ASSERT(rs.u.runstate.time_runnable <= delay, "waited for %ld ns, but %s", delay,
		    runstate_text(&rs).s);
}

TEST_F(xen_runstate_migrate, area_of_a_32bit_guest_goes_on)
{
	restore_memory_only(self->source, self->target, &self->saved, self->clock, false, false);
}

/* The VM reverts to what it was: the vCPU is reset first, and loses its area. */
TEST_F(xen_runstate_migrate, area_goes_on_in_place)
{
	struct area_bytes area = save_area(self->source);
	struct kvm_xen_vcpu_attr got;

	for (int i = 0; i < 3; i++) {
		vcpu_run(self->source);
		vm_set_clock(self->source->vm, self->clock + 1000 * SEC);
		vcpu_run(self->source);
		runstate_set_current(self->source, i);

		runstate_set_addr(self->source, KVM_XEN_INVALID_GPA);
		restore_area(self->source, &area);
		runstate_set_addr(self->source, AREA_ADDR);
		vm_set_clock(self->source->vm, self->clock);
		got = runstate_get(self->source);
		assert_same(&self->saved, &got, "DATA");
		assert_goes_on(self->source, &self->saved);
	}
}

/* What the VMM sets itself is kept, before the address or after it. */
TEST_F(xen_runstate_migrate, area_does_not_replace_what_the_vmm_set)
{
	struct kvm_xen_vcpu_attr data = runstate_attr(RUNSTATE_blocked, 1000, 400, 300, 200, 100);
	struct area_bytes area = save_area(self->source);
	struct kvm_xen_vcpu_attr got;

	data.type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA;
	vm_set_clock(self->target->vm, self->clock + DOWNTIME);
	set_data(self->target, data);
	restore_area(self->target, &area);
	runstate_set_addr(self->target, AREA_ADDR);
	got = runstate_get(self->target);
	assert_same(&data, &got, "DATA");
	got = runstate_read_area(self->target->vm, AREA_ADDR, true);
	assert_same(&data, &got, "the area");

	set_data(self->target, self->saved);
	got = runstate_get(self->target);
	assert_same(&self->saved, &got, "DATA");
}

/* A guest that moves its area does not change its runstate. */
TEST_F(xen_runstate_migrate, area_that_moves_takes_nothing_over)
{
	struct area_bytes area = save_area(self->source);
	struct kvm_xen_vcpu_attr got;

	vm_set_clock(self->target->vm, self->clock + DOWNTIME);
	runstate_set_addr(self->target, AREA_GPA);
	restore_area(self->target, &area);
	runstate_set_addr(self->target, AREA_ADDR);
	got = runstate_get(self->target);
	TEST_ASSERT(got.u.runstate.state == RUNSTATE_offline && !got.u.runstate.state_entry_time,
		    "never run, but %s", runstate_text(&got).s);
}

/* What no area in use can be is no runstate: memory that was cleared, above all. */
TEST_F(xen_runstate_migrate, area_that_is_not_in_use_takes_nothing_over)
{
	static const struct {
		const char *name;
		struct vcpu_runstate_info area;
	} rows[] = {
		{ "cleared", {} },
		{ "never entered", { .state = RUNSTATE_offline } },
		{ "no such state", { 4, 0, 10, { 1, 2, 3, 4 } } },
		{ "does not add up", { RUNSTATE_blocked, 0, 10, { 1, 2, 3, 5 } } },
		{ "adds up by wrapping", { RUNSTATE_blocked, 0, 10, { 12, -2ULL } } },
		{ "being updated", { RUNSTATE_blocked, 0, BIT_ULL(63) | 10, { 1, 2, 3, 4 } } },
		{ "being updated, and adds up", { RUNSTATE_running, 0, BIT_ULL(63) | 10,
						  { BIT_ULL(63) | 10 } } },
	};
	struct kvm_xen_vcpu_attr got;

	vm_set_clock(self->target->vm, self->clock + DOWNTIME);
	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		memcpy(area_of(self->target), &rows[i].area, sizeof(rows[i].area));
		runstate_set_addr(self->target, AREA_ADDR);
		got = runstate_get(self->target);
		TEST_ASSERT(got.u.runstate.state == RUNSTATE_offline &&
			    !got.u.runstate.state_entry_time,
			    "%s: never run, but %s", rows[i].name, runstate_text(&got).s);
		got = runstate_read_area(self->target->vm, AREA_ADDR, true);
		TEST_ASSERT(got.u.runstate.state == RUNSTATE_offline &&
			    !got.u.runstate.state_entry_time,
			    "%s: in the area is %s", rows[i].name, runstate_text(&got).s);
		runstate_set_addr(self->target, KVM_XEN_INVALID_GPA);
	}
}

/* Ahead of every clock, in what can pay for it and in what cannot. */
TEST_F(xen_runstate_migrate, forged_area_misleads_the_guest_only)
{
	static const struct vcpu_runstate_info rows[] = {
		{ RUNSTATE_running, 0, BIT_ULL(62), { BIT_ULL(62) } },
		{ RUNSTATE_blocked, 0, BIT_ULL(62), { 0, 0, BIT_ULL(62) } },
		{ RUNSTATE_runnable, 0, BIT_ULL(62), { 0, BIT_ULL(62) } },
		{ RUNSTATE_offline, 0, BIT_ULL(63) - 1, { 0, 0, 0, BIT_ULL(63) - 1 } },
		{ RUNSTATE_offline, 0, 400 * SEC, { 100 * SEC, 100 * SEC, 100 * SEC, 100 * SEC } },
	};
	struct kvm_vcpu *vcpu = self->target;
	struct kvm_xen_vcpu_attr then, now;
	long delay;

	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		memcpy(area_of(vcpu), &rows[i], sizeof(rows[i]));
		runstate_set_addr(vcpu, AREA_ADDR);
		runstate_assert_roundtrip(vcpu);
		/* What it waits from the run on is charged after @then, too. */
		delay = get_run_delay();
		vcpu_run(vcpu);
		then = runstate_get(vcpu);
		TEST_ASSERT(then.u.runstate.state_entry_time <=
			    max_t(u64, vm_clock(vcpu->vm), rows[i].time[RUNSTATE_runnable] +
							   rows[i].time[RUNSTATE_offline]),
			    "still ahead: %s", runstate_text(&then).s);
		runstate_set_current(vcpu, RUNSTATE_blocked);
		runstate_assert_roundtrip(vcpu);
		vcpu_run(vcpu);
		now = runstate_get(vcpu);
		runstate_assert_follows(&then, &now);
		TEST_ASSERT(now.u.runstate.time_runnable - then.u.runstate.time_runnable <=
			    get_run_delay() - delay, "steal from nowhere\nfrom %s\n  to %s",
			    runstate_text(&then).s, runstate_text(&now).s);
		runstate_set_addr(vcpu, KVM_XEN_INVALID_GPA);
	}
}

/* The entry time is in the future then, but it is the vCPU's own. */
TEST_F(xen_runstate_migrate, roundtrip_with_the_clock_set_back)
{
	restore(self->target, self->clock, self->saved);
	vm_set_clock(self->target->vm, 0);
	runstate_assert_roundtrip(self->target);
	vcpu_run(self->target);
	runstate_assert_roundtrip(self->target);
	runstate_set_current(self->target, RUNSTATE_blocked);
	runstate_assert_roundtrip(self->target);

	/* The same once more after the clock has come along. */
	vm_set_clock(self->target->vm, self->clock + DOWNTIME);
	runstate_assert_roundtrip(self->target);
	vcpu_run(self->target);
	runstate_assert_roundtrip(self->target);
}

/* A clock that was not restored before is a mistake of the VMM that is reported. */
TEST_F(xen_runstate_migrate, data_from_the_future_is_refused)
{
	struct kvm_xen_vcpu_attr before, after;
	int r;

	vm_set_clock(self->target->vm, 0);
	self->saved.u.runstate.state_entry_time += 3600 * SEC;
	self->saved.u.runstate.time_blocked += 3600 * SEC;

	before = runstate_get(self->target);
	r = __runstate_set(self->target, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA, self->saved);
	TEST_ASSERT(r == -EINVAL, "expected EINVAL for %s, got %d",
		    runstate_text(&self->saved).s, r);
	after = runstate_get(self->target);
	assert_same(&before, &after, "DATA");
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_check_cap(KVM_CAP_XEN_HVM) & KVM_XEN_HVM_CONFIG_RUNSTATE);

	return test_harness_run(argc, argv);
}
