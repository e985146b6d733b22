// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * KUnit tests of the VM's clock.
 */
#include <kunit/test.h>
#include <linux/hrtimer.h>
#include <linux/kvm_host.h>
#include <linux/math64.h>
#include <linux/preempt.h>

#include <asm/tsc.h>

#include "x86.h"
#include "xen_runstate.h"

/* How far the two snapshots of the clock are apart, and the period of their changes. */
#define STEP_NS		(1000ULL * NSEC_PER_SEC)
#define PERIOD_NS	(50 * NSEC_PER_USEC)

/* Changes in the middle of a reading.  One of some hundreds is between two loads. */
#define NR_HITS		10000

struct changer {
	struct hrtimer timer;
	struct kvm_arch *ka;
	u64 step_cycles;
	bool back;
	bool reading;
	unsigned int hits;
};

/* Both snapshots are of the same clock; half of one and half of the other is not. */
static enum hrtimer_restart change_snapshot(struct hrtimer *timer)
{
	struct changer *changer = container_of(timer, struct changer, timer);
	struct kvm_arch *ka = changer->ka;

	raw_spin_lock(&ka->tsc_write_lock);
	write_seqcount_begin(&ka->pvclock_sc);
	ka->master_kernel_ns += changer->back ? -STEP_NS : STEP_NS;
	ka->master_cycle_now += changer->back ? -changer->step_cycles : changer->step_cycles;
	write_seqcount_end(&ka->pvclock_sc);
	raw_spin_unlock(&ka->tsc_write_lock);

	changer->back = !changer->back;
	changer->hits += changer->reading;
	hrtimer_forward_now(timer, PERIOD_NS);
	return HRTIMER_RESTART;
}

/* A VM with the master clock. */
static struct kvm *vm_with_clock(struct kunit *test)
{
	struct kvm_arch *ka;
	struct kvm *kvm;

	kvm = kunit_kzalloc(test, sizeof(*kvm), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, kvm);
	ka = &kvm->arch;
	raw_spin_lock_init(&ka->tsc_write_lock);
	seqcount_raw_spinlock_init(&ka->pvclock_sc, &ka->tsc_write_lock);

	/* Ahead of the clock that is read if no TSC can be. */
	ka->master_kernel_ns = get_kvmclock_ns(kvm) + 10 * STEP_NS;
	ka->use_master_clock = true;
	ka->master_cycle_now = rdtsc();
	if (get_kvmclock_ns(kvm) < ka->master_kernel_ns)
		kunit_skip(test, "the frequency of the TSC is not known");

	return kvm;
}

static u64 step_cycles(void)
{
	return mul_u64_u32_div(STEP_NS, tsc_khz, NSEC_PER_MSEC);
}

static void clock_counts_from_the_snapshot(struct kunit *test)
{
	struct kvm *kvm = vm_with_clock(test);
	struct kvm_arch *ka = &kvm->arch;
	u64 now;

	ka->master_cycle_now -= step_cycles();
	now = get_kvmclock_ns(kvm);
	KUNIT_EXPECT_GE(test, now, ka->master_kernel_ns + STEP_NS / 2);
	KUNIT_EXPECT_LE(test, now, ka->master_kernel_ns + STEP_NS * 2);

	ka->kvmclock_offset = STEP_NS;
	KUNIT_EXPECT_GE(test, get_kvmclock_ns(kvm), now + STEP_NS);
}

static void clock_is_of_one_snapshot(struct kunit *test)
{
	const unsigned long limit = jiffies + 60 * HZ;
	struct kvm *kvm = vm_with_clock(test);
	struct kvm_arch *ka = &kvm->arch;
	struct changer changer = {};
	u64 then, now;

	then = get_kvmclock_ns(kvm);
	changer.ka = ka;
	changer.step_cycles = step_cycles();
	changer.back = true;
	hrtimer_setup_on_stack(&changer.timer, change_snapshot, CLOCK_MONOTONIC,
			       HRTIMER_MODE_REL_PINNED_HARD);

	/* The interrupt must hit the CPU that reads. */
	migrate_disable();
	hrtimer_start(&changer.timer, PERIOD_NS, HRTIMER_MODE_REL_PINNED_HARD);

	while (READ_ONCE(changer.hits) < NR_HITS && time_before(jiffies, limit)) {
		WRITE_ONCE(changer.reading, true);
		now = get_kvmclock_ns(kvm);
		WRITE_ONCE(changer.reading, false);

		if (abs((s64)(now - then)) > STEP_NS / 2)
			break;
		then = now;
	}

	hrtimer_cancel(&changer.timer);
	migrate_enable();
	destroy_hrtimer_on_stack(&changer.timer);

	KUNIT_EXPECT_LE(test, abs((s64)(now - then)), STEP_NS / 2);
	KUNIT_EXPECT_GE(test, changer.hits, NR_HITS);
}

/* What a vCPU keeps in order to read the clock gives that clock, until it changes. */
static void snapshot_is_the_clock(struct kunit *test)
{
	struct kvm *kvm = vm_with_clock(test);
	struct kvmclock_snapshot snap = {};
	u64 before, now, after, changed;

	kvm->arch.kvmclock_offset = STEP_NS;

	preempt_disable();
	before = get_kvmclock_ns(kvm);
	kvmclock_take_snapshot(kvm, STEP_NS, &snap);
	now = kvmclock_read_snapshot(kvm, &snap);
	after = get_kvmclock_ns(kvm);

	raw_spin_lock_irq(&kvm->arch.tsc_write_lock);
	write_seqcount_begin(&kvm->arch.pvclock_sc);
	changed = kvmclock_read_snapshot(kvm, &snap);
	write_seqcount_end(&kvm->arch.pvclock_sc);
	raw_spin_unlock_irq(&kvm->arch.tsc_write_lock);
	changed |= kvmclock_read_snapshot(kvm, &snap);
	preempt_enable();

	KUNIT_EXPECT_LE(test, before, now);
	KUNIT_EXPECT_LE(test, now, after);
	KUNIT_EXPECT_EQ(test, changed, 0);
}

/* Of a clock that has another offset by now, or is not the master clock. */
static void snapshot_is_not_taken(struct kunit *test)
{
	struct kvm *kvm = vm_with_clock(test);
	struct kvmclock_snapshot snap = {};
	u64 other_offset, no_master_clock;

	preempt_disable();
	kvmclock_take_snapshot(kvm, 1, &snap);
	other_offset = kvmclock_read_snapshot(kvm, &snap);
	kvm->arch.use_master_clock = false;
	kvmclock_take_snapshot(kvm, 0, &snap);
	no_master_clock = kvmclock_read_snapshot(kvm, &snap);
	preempt_enable();

	KUNIT_EXPECT_EQ(test, other_offset, 0);
	KUNIT_EXPECT_EQ(test, no_master_clock, 0);
}

static struct kunit_case clock_cases[] = {
	KUNIT_CASE(clock_counts_from_the_snapshot),
	KUNIT_CASE(snapshot_is_the_clock),
	KUNIT_CASE(snapshot_is_not_taken),
	KUNIT_CASE_SLOW(clock_is_of_one_snapshot),
	{}
};

static struct kunit_suite clock_suite = {
	.name = "kvm_clock",
	.test_cases = clock_cases,
};

kunit_test_suite(clock_suite);
