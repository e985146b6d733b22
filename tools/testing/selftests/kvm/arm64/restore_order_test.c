// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * The order in which a VMM restores what has to do with time.  Each permutation must
 * have the effects that Documentation/virt/kvm/saving-time.rst lists for the rules that
 * it breaks, and no other one.
 */
#include "arch_timer.h"
#include "arm_vcpu_attr.h"
#include "kvm_test_harness.h"
#include "restore_order.h"

#define HOURS			3600ULL

/* Errors are hours; the machine may be slow. */
#define SLACK_SEC		60

#define SAVED_STOLEN		(HOURS * NSEC_PER_SEC)

/* How many permutations, and by how far one is from the next; a prime. */
#define NR_PERMUTATIONS		60
#define STRIDE			11

enum step { CREATE_ALL, INIT, COUNTER, VTIMER_REGS, IPA, MEMORY, NR_STEPS };

static const char *const step_names[NR_STEPS] = {
	[CREATE_ALL]	= "KVM_CREATE_VCPU of the others",
	[INIT]		= "KVM_ARM_VCPU_INIT",
	[COUNTER]	= "counter",
	[VTIMER_REGS]	= "timer",
	[IPA]		= "PVTIME_IPA",
	[MEMORY]	= "memory",
};

enum effect {
	COUNTER_IS_OFF	= BIT(0),
	TIMER_IS_LOST	= BIT(1),
};

static const struct restore_rule rules[] = {
	{ CREATE_ALL,	COUNTER,	COUNTER_IS_OFF },
	{ INIT,		COUNTER,	COUNTER_IS_OFF },
	{ INIT,		VTIMER_REGS,	TIMER_IS_LOST },
};

/* As stolen time has it. */
struct stolen_time {
	u32 revision;
	u32 attributes;
	u64 stolen;
};

static u64 seconds(u64 nr)
{
	return nr * read_sysreg(cntfrq_el0);
}

static u64 saved_counter(void)
{
	return seconds(100 * HOURS);
}

static u64 saved_compare_value(void)
{
	return seconds(103 * HOURS);
}

static struct stolen_time *stolen_time(struct kvm_vcpu *vcpu)
{
	return addr_gpa2hva(vcpu->vm, ST_GPA);
}

/* Registers of a vCPU that was not initialized are refused. */
static int set_reg(struct kvm_vcpu *vcpu, u64 id, u64 value)
{
	return __vcpu_set_reg(vcpu, id, value) ? -errno : 0;
}

static int restore_step(struct kvm_vcpu *vcpu, enum step step)
{
	switch (step) {
	case CREATE_ALL:
		add_bare_vcpu(vcpu->vm, 1);
		return 0;
	case INIT:
		finish_vcpu(vcpu, false, guest_exits);
		return 0;
	case COUNTER:
		return set_reg(vcpu, KVM_REG_ARM_TIMER_CNT, saved_counter());
	case VTIMER_REGS:
		return set_reg(vcpu, KVM_REG_ARM_TIMER_CVAL, saved_compare_value()) ?:
		       set_reg(vcpu, KVM_REG_ARM_TIMER_CTL, CTL_ENABLE);
	case IPA:
		return pvtime_set_ipa(vcpu, ST_GPA);
	case MEMORY:
		stolen_time(vcpu)->stolen = SAVED_STOLEN;
		return 0;
	default:
		TEST_FAIL("no step %d", step);
	}
	return -EINVAL;
}

static void restore(struct kvm_vcpu *vcpu, const struct restore_order *order)
{
	for (int i = 0; i < order->nr; i++) {
		const enum step step = order->steps[i];
		const bool refused = (step == COUNTER || step == VTIMER_REGS) &&
				     !restore_comes_before(order, INIT, step);

		TEST_ASSERT_EQ(restore_step(vcpu, step), refused ? -ENOEXEC : 0);
	}
}

/* By at most so many seconds more than @least. */
static bool is_just_above(u64 value, u64 least, u64 unit)
{
	return value >= least && value - least <= SLACK_SEC * unit;
}

static unsigned int find_effects(struct kvm_vcpu *vcpu)
{
	unsigned int effects = 0;

	if (!is_just_above(get_reg(vcpu, KVM_REG_ARM_TIMER_CNT), saved_counter(), seconds(1)))
		effects |= COUNTER_IS_OFF;
	if (get_reg(vcpu, KVM_REG_ARM_TIMER_CVAL) != saved_compare_value() ||
	    !(get_reg(vcpu, KVM_REG_ARM_TIMER_CTL) & CTL_ENABLE))
		effects |= TIMER_IS_LOST;
	return effects;
}

/* Without a vgic, KVM_RUN returns instead of raising the interrupt. */
static bool is_due(struct kvm_vcpu *vcpu)
{
	const int r = run_to_sync(vcpu);
	const bool due = vcpu->run->s.regs.device_irq_level & KVM_ARM_DEV_EL1_VTIMER;

	TEST_ASSERT_EQ(r, due ? -EINTR : 0);
	return due;
}

static void expect_effects(struct __test_metadata *_metadata, const struct restore_order *order,
			   unsigned int expected)
{
	struct kvm_vm *vm = create_vm_without_vgic(2);
	struct kvm_vcpu *vcpu = add_bare_vcpu(vm, 0);

	add_st_slot(vm, 0);
	restore(vcpu, order);
	EXPECT_EQ(expected, find_effects(vcpu)) {
		TH_LOG("%s", restore_order_text(order, step_names).s);
	}

	/* The guest's time goes on from what was saved, and the timer comes when it is due. */
	EXPECT_EQ(0, run_to_sync(vcpu));
	EXPECT_TRUE(is_just_above(stolen_time(vcpu)->stolen, SAVED_STOLEN, NSEC_PER_SEC)) {
		TH_LOG("%s", restore_order_text(order, step_names).s);
	}
	if (!expected) {
		EXPECT_FALSE(is_due(vcpu));
		vcpu_set_reg(vcpu, KVM_REG_ARM_TIMER_CNT, saved_compare_value());
		EXPECT_TRUE(is_due(vcpu));
	}
	kvm_vm_free(vm);
}

TEST(restore_documented_order_has_no_effects)
{
	const struct restore_order order = restore_permutation(NR_STEPS, 0);

	expect_effects(_metadata, &order, 0);
}

TEST(restore_each_rule_that_is_broken_has_its_effect)
{
	struct restore_coverage coverage = {};

	for (int nr = 0; nr < NR_PERMUTATIONS; nr++) {
		const struct restore_order order = restore_permutation(NR_STEPS, nr * STRIDE);

		expect_effects(_metadata, &order,
			       restore_effects(&order, rules, ARRAY_SIZE(rules)));
		restore_cover(&coverage, &order);
	}
	EXPECT_LE(NR_PERMUTATIONS / 4, restore_least_covered(&coverage, NR_STEPS));
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_STEAL_TIME));

	return test_harness_run(argc, argv);
}
