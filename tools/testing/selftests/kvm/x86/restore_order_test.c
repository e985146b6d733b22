// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * The order in which a VMM restores what has to do with time.  Each permutation must
 * have the effects that Documentation/virt/kvm/saving-time.rst lists for the rules that
 * it breaks, and no other one.
 */
#include <asm/pvclock.h>

#include "apic.h"
#include "kvm_test_harness.h"
#include "restore_order.h"
#include "sched_util.h"
#include "vcpu_time.h"
#include "vcpu_tsc.h"
#include "xen_runstate.h"

#define DEADLINE_VECTOR		0xee
#define UPCALL_VECTOR		0xed
#define PORT			9

#define SHINFO_GPA		AREA_GPA
#define VCPU_INFO_GPA		(AREA_GPA + PAGE_SIZE)
#define RUNSTATE_GPA		(AREA_GPA + 2 * PAGE_SIZE)
#define WALL_CLOCK_GPA		(AREA_GPA + 3 * PAGE_SIZE)
#define SYSTEM_TIME_GPA		(WALL_CLOCK_GPA + 64)
#define STEAL_TIME_GPA		(WALL_CLOCK_GPA + 128)

/* What the source has, and when its timers are due.  The downtime is an hour. */
#define SAVED_CLOCK		(100 * ONE_HOUR)
#define SAVED_TSC_NSEC		(1000 * ONE_HOUR)
#define DUE			(3 * ONE_HOUR)

/* Errors are hours; the machine may be slow. */
#define SLACK			(60 * NSEC_PER_SEC)

/* How many permutations, and by how far one is from the next; a prime. */
#define NR_PERMUTATIONS		60
#define STRIDE			643

static const char *const step_names[NR_RESTORE_STEPS] = {
	[RESTORE_CLOCK]		= "clock",
	[RESTORE_KVM_MSRS]	= "MSR_KVM_*",
	[RESTORE_TSC]		= "TSC",
	[RESTORE_TSC_OFFSET]	= "TSC offset",
	[RESTORE_LAPIC]		= "LAPIC",
	[RESTORE_TSC_DEADLINE]	= "TSC deadline",
	[RESTORE_RUNSTATE]	= "runstate",
	[RESTORE_XEN_TIMER]	= "Xen timer",
};

enum effect {
	WALL_CLOCK_IS_OFF	= BIT(0),
	TSC_IS_OFF		= BIT(1),
	DEADLINE_IS_LOST	= BIT(2),
	RUNSTATE_IS_REFUSED	= BIT(3),
	TIMER_IS_EARLY		= BIT(4),
};

static const struct restore_rule rules[] = {
	{ RESTORE_CLOCK, RESTORE_KVM_MSRS,	WALL_CLOCK_IS_OFF },
	{ RESTORE_CLOCK, RESTORE_TSC_OFFSET,	TSC_IS_OFF },
	{ RESTORE_TSC,	 RESTORE_TSC_OFFSET,	TSC_IS_OFF },
	{ RESTORE_LAPIC, RESTORE_TSC_DEADLINE,	DEADLINE_IS_LOST },
};

static u64 nr_deadlines;

static void deadline_handler(struct ex_regs *regs)
{
	nr_deadlines++;
	x2apic_write_reg(APIC_EOI, 0);
}

static void upcall_handler(struct ex_regs *regs)
{
	x2apic_write_reg(APIC_EOI, 0);
}

static void guest_reports(void)
{
	for (;;) {
		asm volatile("sti; nop; cli" ::: "memory");
		GUEST_SYNC_ARGS(0, READ_ONCE(nr_deadlines), 0, 0, 0);
	}
}

static void source_code(void)
{
	x2apic_enable();
	x2apic_write_reg(APIC_LVTT, APIC_LVT_TIMER_TSCDEADLINE | DEADLINE_VECTOR);
	guest_reports();
}

/* Returns how many deadlines the guest has seen. */
static u64 run(struct kvm_vcpu *vcpu)
{
	struct ucall uc;

	vcpu_run(vcpu);
	TEST_ASSERT_EQ(get_ucall(vcpu, &uc), UCALL_SYNC);
	return uc.args[2];
}

static void set_attr(struct kvm_vcpu *vcpu, struct kvm_xen_vcpu_attr attr)
{
	TEST_ASSERT_EQ(__xen_set_attr(vcpu, &attr), 0);
}

/* What a VMM has to set up on both sides, whatever the order of the rest. */
static struct kvm_vm *create_vm(struct kvm_vcpu **vcpu, void *code)
{
	struct kvm_xen_hvm_attr shinfo = {
		.type = KVM_XEN_ATTR_TYPE_SHARED_INFO,
		.u.shared_info.gfn = SHINFO_GPA / PAGE_SIZE,
	};
	struct kvm_vm *vm = vm_create_with_one_vcpu(vcpu, code);

	vcpu_set_cpuid_feature(*vcpu, X86_FEATURE_TSC_DEADLINE_TIMER);
	xen_enable_runstate(vm);
	vm_ioctl(vm, KVM_XEN_HVM_SET_ATTR, &shinfo);
	set_attr(*vcpu, (struct kvm_xen_vcpu_attr) {
		.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO,
		.u.gpa = VCPU_INFO_GPA,
	});
	set_attr(*vcpu, (struct kvm_xen_vcpu_attr) {
		.type = KVM_XEN_VCPU_ATTR_TYPE_UPCALL_VECTOR,
		.u.vector = UPCALL_VECTOR,
	});
	vm_install_exception_handler(vm, DEADLINE_VECTOR, deadline_handler);
	vm_install_exception_handler(vm, UPCALL_VECTOR, upcall_handler);
	return vm;
}

struct saved_vm {
	struct vcpu_time time;
	u64 apic_base;
};

static struct saved_vm save(void)
{
	struct saved_vm saved = {};
	struct kvm_sregs sregs;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create_vm(&vcpu, source_code);
	u32 khz = get_khz(vcpu);

	vm_set_clock(vm, SAVED_CLOCK);
	set_offset(vcpu, nsec_to_cycles(SAVED_TSC_NSEC, khz));
	vcpu_set_msr(vcpu, MSR_KVM_WALL_CLOCK_NEW, WALL_CLOCK_GPA);
	vcpu_set_msr(vcpu, MSR_KVM_SYSTEM_TIME_NEW, SYSTEM_TIME_GPA | KVM_MSR_ENABLED);
	vcpu_set_msr(vcpu, MSR_KVM_STEAL_TIME, STEAL_TIME_GPA | KVM_MSR_ENABLED);
	runstate_set_addr(vcpu, RUNSTATE_GPA);
	TEST_ASSERT_EQ(run(vcpu), 0);

	runstate_set_current(vcpu, RUNSTATE_blocked);
	vcpu_set_msr(vcpu, MSR_IA32_TSC_DEADLINE,
		     vcpu_get_msr(vcpu, MSR_IA32_TSC) + nsec_to_cycles(DUE, khz));
	set_attr(vcpu, (struct kvm_xen_vcpu_attr) {
		.type = KVM_XEN_VCPU_ATTR_TYPE_TIMER,
		.u.timer = {
			.port = PORT,
			.priority = KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL,
			.expires_ns = vm_clock(vm) + DUE,
		},
	});
	TEST_ASSERT_EQ(save_vcpu_time(vm->fd, vcpu->fd, &saved.time), 0);
	vcpu_sregs_get(vcpu, &sregs);
	saved.apic_base = sregs.apic_base;
	kvm_vm_free(vm);

	/* An hour ago. */
	saved.time.clock.realtime -= ONE_HOUR;
	return saved;
}

static bool is_near(s64 difference, s64 slack)
{
	return difference >= -slack && difference <= slack;
}

static bool tsc_is_off(struct kvm_vcpu *vcpu, const struct vcpu_time *saved)
{
	const u64 elapsed = vm_clock(vcpu->vm) - saved->clock.clock;
	const u64 tsc = saved->tsc + nsec_to_cycles(elapsed, saved->tsc_khz);

	return !is_near(vcpu_get_msr(vcpu, MSR_IA32_TSC) - tsc,
			nsec_to_cycles(SLACK, saved->tsc_khz));
}

/* The guest adds its clock to the wall clock to get the time of day. */
static bool wall_clock_is_off(struct kvm_vm *vm)
{
	const struct pvclock_wall_clock *wall = addr_gpa2hva(vm, WALL_CLOCK_GPA);
	const u64 then = wall->sec * NSEC_PER_SEC + wall->nsec;

	return !is_near(then + vm_clock(vm) - clock_ns(CLOCK_REALTIME), SLACK);
}

static bool has_event(struct kvm_vm *vm)
{
	/* Behind 32 structs of 64 bytes, one for each vCPU. */
	const u64 *pending = addr_gpa2hva(vm, SHINFO_GPA + 32 * 64);

	return READ_ONCE(*pending) & BIT_ULL(PORT);
}

static unsigned int restore(struct kvm_vcpu *vcpu, const struct vcpu_time *saved,
			    const struct restore_order *order)
{
	unsigned int effects = 0;

	for (int i = 0; i < NR_RESTORE_STEPS; i++) {
		const enum restore_step step = order->steps[i];
		int r = restore_steps[step](vcpu->vm->fd, vcpu->fd, saved);

		if (step == RESTORE_RUNSTATE && r == -EINVAL)
			effects |= RUNSTATE_IS_REFUSED;
		else if (step == RESTORE_TSC_OFFSET && r == -EOPNOTSUPP)
			effects |= TSC_IS_OFF;	/* a VM that is new has no master clock */
		else
			TEST_ASSERT(!r, "%s: %s", step_names[step], strerror(-r));
	}
	return effects;
}

static unsigned int find_effects(struct kvm_vcpu *vcpu, const struct vcpu_time *saved)
{
	unsigned int effects = 0;

	if (wall_clock_is_off(vcpu->vm))
		effects |= WALL_CLOCK_IS_OFF;
	if (tsc_is_off(vcpu, saved))
		effects |= TSC_IS_OFF;
	if (vcpu_get_msr(vcpu, MSR_IA32_TSC_DEADLINE) != saved->tsc_deadline)
		effects |= DEADLINE_IS_LOST;
	if (has_event(vcpu->vm))
		effects |= TIMER_IS_EARLY;
	return effects;
}

static bool runstate_is_restored(struct kvm_vcpu *vcpu, const struct vcpu_time *saved)
{
	const struct kvm_xen_vcpu_attr rs = runstate_get(vcpu);

	return runstate_equal(&rs, &saved->runstate);
}

FIXTURE(restore_order) {
	struct saved_vm saved;
};

/* Where the clock of the target is until it is restored, and a rule of such targets. */
FIXTURE_VARIANT(restore_order) {
	bool is_ahead;
	struct restore_rule rule;
};

FIXTURE_VARIANT_ADD(restore_order, new_vm) {
	.rule = { RESTORE_CLOCK, RESTORE_RUNSTATE, RUNSTATE_IS_REFUSED },
};

FIXTURE_VARIANT_ADD(restore_order, clock_is_ahead) {
	.is_ahead = true,
	.rule = { RESTORE_CLOCK, RESTORE_XEN_TIMER, TIMER_IS_EARLY },
};

FIXTURE_SETUP(restore_order)
{
	self->saved = save();
}

FIXTURE_TEARDOWN(restore_order)
{
}

static void expect_effects(struct __test_metadata *_metadata, const struct saved_vm *saved,
			   const struct restore_order *order, bool is_ahead,
			   unsigned int expected)
{
	const struct vcpu_time *time = &saved->time;
	unsigned int effects;
	struct kvm_sregs sregs;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create_vm(&vcpu, guest_reports);

	vcpu_sregs_get(vcpu, &sregs);
	sregs.apic_base = saved->apic_base;
	vcpu_sregs_set(vcpu, &sregs);
	if (is_ahead) {
		vm_set_clock(vm, 2 * SAVED_CLOCK);
		set_offset(vcpu, nsec_to_cycles(2 * SAVED_TSC_NSEC, time->tsc_khz));
	}

	effects = restore(vcpu, time, order);
	effects |= find_effects(vcpu, time);
	EXPECT_EQ(expected, effects) {
		TH_LOG("%s", restore_order_text(order, step_names).s);
	}
	EXPECT_EQ(!(expected & RUNSTATE_IS_REFUSED), runstate_is_restored(vcpu, time)) {
		TH_LOG("%s", restore_order_text(order, step_names).s);
	}

	/* Nothing is due yet, and then all of it. */
	if (!expected) {
		EXPECT_EQ(0, run(vcpu));
		EXPECT_FALSE(has_event(vm));
		vm_set_clock(vm, vm_clock(vm) + DUE);
		set_offset(vcpu, get_offset(vcpu) + nsec_to_cycles(DUE, time->tsc_khz));
		EXPECT_EQ(1, run(vcpu)) {
			TH_LOG("%s", restore_order_text(order, step_names).s);
		}
		EXPECT_TRUE(has_event(vm)) {
			TH_LOG("%s", restore_order_text(order, step_names).s);
		}
	}
	kvm_vm_free(vm);
}

TEST_F(restore_order, documented_order_has_no_effects)
{
	const struct restore_order order = restore_permutation(NR_RESTORE_STEPS, 0);

	expect_effects(_metadata, &self->saved, &order, variant->is_ahead, 0);
}

TEST_F(restore_order, each_rule_that_is_broken_has_its_effect)
{
	struct restore_coverage coverage = {};

	for (int nr = 0; nr < NR_PERMUTATIONS; nr++) {
		const struct restore_order order =
			restore_permutation(NR_RESTORE_STEPS, nr * STRIDE);

		expect_effects(_metadata, &self->saved, &order, variant->is_ahead,
			       restore_effects(&order, rules, ARRAY_SIZE(rules)) |
			       restore_effects(&order, &variant->rule, 1));
		restore_cover(&coverage, &order);
	}
	EXPECT_LE(NR_PERMUTATIONS / 4, restore_least_covered(&coverage, NR_RESTORE_STEPS));
}

TEST_F(restore_order, function_for_vmms_restores_everything)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create_vm(&vcpu, guest_reports);

	EXPECT_EQ(0, restore_vcpu_time(vm->fd, vcpu->fd, &self->saved.time));
	EXPECT_EQ(0, find_effects(vcpu, &self->saved.time));
	EXPECT_TRUE(runstate_is_restored(vcpu, &self->saved.time));
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	struct saved_vm saved;

	TEST_REQUIRE(kvm_has_cap(KVM_CAP_TSC_DEADLINE_TIMER));
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_GET_TSC_KHZ));
	TEST_REQUIRE(kvm_check_cap(KVM_CAP_XEN_HVM) & KVM_XEN_HVM_CONFIG_RUNSTATE);
	saved = save();
	TEST_REQUIRE(saved.time.clock.flags & KVM_CLOCK_HOST_TSC);
	TEST_REQUIRE(saved.time.clock.flags & KVM_CLOCK_REALTIME);

	return test_harness_run(argc, argv);
}
