// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * KUnit tests of a vCPU's runstate in moments that a VMM cannot bring about.
 */
#include <kvm/vcpu_attr_kunit.h>

#include <kunit/resource.h>
#include <linux/preempt.h>
#include <linux/srcu.h>

#include "x86.h"
#include "xen_runstate.h"

#define HOUR_NS		(3600ULL * NSEC_PER_SEC)

KUNIT_DEFINE_ACTION_WRAPPER(cleanup_srcu, cleanup_srcu_struct, struct srcu_struct *);

/* A vCPU without an area, whose clock is an hour ahead of the host's. */
static struct kvm_vcpu *vcpu_with_clock(struct kunit *test)
{
	struct kvm_vcpu *vcpu = kvm_vcpu_attr_fake_vcpu(test);
	struct kvm_arch *ka = &vcpu->kvm->arch;

	raw_spin_lock_init(&ka->tsc_write_lock);
	seqcount_raw_spinlock_init(&ka->pvclock_sc, &ka->tsc_write_lock);
	ka->kvmclock_offset = HOUR_NS;
	vcpu->arch.xen.runstate.clock_offset = HOUR_NS;
	vcpu->arch.xen.runstate.run_delay = KVM_STEAL_RESTART;

	KUNIT_ASSERT_EQ(test, init_srcu_struct(&vcpu->kvm->srcu), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, cleanup_srcu, &vcpu->kvm->srcu), 0);
	return vcpu;
}

/* The entry time is ahead of a clock that drifts, or that was set back. */
static void clock_is_followed_if_it_was_set(struct kunit *test)
{
	struct kvm_vcpu *vcpu = vcpu_with_clock(test);
	struct xen_runstate *rs = &vcpu->arch.xen.runstate.now;
	u64 ahead = get_kvmclock_ns(vcpu->kvm) + HOUR_NS;

	rs->state = RUNSTATE_running;
	rs->entry_time = ahead;
	rs->time[RUNSTATE_running] = ahead;

	guard(mutex)(&vcpu->mutex);
	KUNIT_EXPECT_EQ(test, kvm_xen_runstate_set_current(vcpu, RUNSTATE_blocked), 0);
	KUNIT_EXPECT_EQ(test, rs->entry_time, ahead);
	KUNIT_EXPECT_EQ(test, rs->time[RUNSTATE_running], ahead);

	vcpu->kvm->arch.kvmclock_offset--;
	KUNIT_EXPECT_EQ(test, kvm_xen_runstate_set_current(vcpu, RUNSTATE_blocked), 0);
	KUNIT_EXPECT_LE(test, rs->entry_time, get_kvmclock_ns(vcpu->kvm));
	KUNIT_EXPECT_EQ(test, rs->time[RUNSTATE_running], rs->entry_time);
}

static void schedule_in(struct kvm_vcpu *vcpu)
{
	vcpu->arch.xen.runstate.now.state = RUNSTATE_runnable;
	guard(preempt)();
	__kvm_xen_runstate_load(vcpu);
}

/* KVM_REQ_DIRTY_RING_SOFT_FULL is clear while KVM_RUN checks it. */
static void full_ring_is_left_to_the_vmm(struct kunit *test)
{
	struct kvm_vcpu *vcpu = vcpu_with_clock(test);
	struct kvm_xen_runstate *xr = &vcpu->arch.xen.runstate;
	struct kvm_dirty_ring *ring = &vcpu->dirty_ring;

	vcpu->kvm->dirty_ring_size = PAGE_SIZE;
	ring->soft_limit = 1;
	ring->dirty_index = 1;
	schedule_in(vcpu);
	KUNIT_EXPECT_EQ(test, xr->now.state, RUNSTATE_running);
	KUNIT_EXPECT_TRUE(test, xr->refresh);
	KUNIT_EXPECT_TRUE(test, kvm_test_request(KVM_REQ_STEAL_UPDATE, vcpu));

	ring->reset_index = 1;
	schedule_in(vcpu);
	KUNIT_EXPECT_EQ(test, xr->now.state, RUNSTATE_running);
	KUNIT_EXPECT_FALSE(test, xr->refresh);
}

static struct kunit_case vcpu_cases[] = {
	KUNIT_CASE(clock_is_followed_if_it_was_set),
	KUNIT_CASE(full_ring_is_left_to_the_vmm),
	{}
};

static struct kunit_suite vcpu_suite = {
	.name = "kvm_xen_runstate_vcpu",
	.test_cases = vcpu_cases,
};

kunit_test_suite(vcpu_suite);
