// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * A TSC deadline of the APIC timer expires at the TSC of the guest that it names,
 * whatever sets that TSC, and in whatever order a VMM restores the two.
 */
#include <time.h>

#include "apic.h"
#include "kvm_test_harness.h"
#include "kvm_util.h"
#include "processor.h"
#include "sched_util.h"
#include "vcpu_tsc.h"

#define TIMER_VECTOR	0xee

/* How far a deadline lies ahead that is to come; doubled if the machine is too slow. */
#define SOON_NSEC	(NSEC_PER_SEC / 20)

/* KVM enters the guest a little early, and spins until the deadline, but not for long. */
#define MAX_EARLY_NSEC	(NSEC_PER_SEC / 10000)

/* What a busy machine may add to what a thread waits for a CPU. */
#define SLACK_NSEC	(4 * NSEC_PER_SEC)

/* What the guest has seen. */
static u64 nr_irqs;
static u64 tsc_of_irq;

/* What the guest is to do before it takes interrupts. */
static struct {
	u32 msr;
	u64 value;
	bool halt;
} guest_order;

static void timer_handler(struct ex_regs *regs)
{
	tsc_of_irq = rdtsc();
	nr_irqs++;
	x2apic_write_reg(APIC_EOI, 0);
}

static void guest_code(void)
{
	x2apic_enable();
	x2apic_write_reg(APIC_LVTT, APIC_LVT_TIMER_TSCDEADLINE | TIMER_VECTOR);

	for (;;) {
		GUEST_SYNC_ARGS(0, READ_ONCE(nr_irqs), READ_ONCE(tsc_of_irq), rdtsc(), 0);
		if (READ_ONCE(guest_order.msr))
			wrmsr(guest_order.msr, guest_order.value);
		if (READ_ONCE(guest_order.halt))
			asm volatile("sti; hlt; cli" ::: "memory");
		else
			asm volatile("sti; nop; cli" ::: "memory");
	}
}

struct report {
	u64 nr_irqs;
	u64 tsc_of_irq;
	u64 tsc;
};

static struct report run_and_get_report(struct kvm_vcpu *vcpu)
{
	struct ucall uc;

	vcpu_run(vcpu);
	TEST_ASSERT_EQ(get_ucall(vcpu, &uc), UCALL_SYNC);
	return (struct report) { uc.args[2], uc.args[3], uc.args[4] };
}

/* Run to the next report of the guest.  Returns how many interrupts it has had. */
static u64 run(struct kvm_vcpu *vcpu)
{
	return run_and_get_report(vcpu).nr_irqs;
}

static u64 run_with_order(struct kvm_vcpu *vcpu, u32 msr, u64 value)
{
	u64 irqs;

	guest_order.msr = msr;
	guest_order.value = value;
	sync_global_to_guest(vcpu->vm, guest_order);
	irqs = run(vcpu);
	guest_order.msr = 0;
	sync_global_to_guest(vcpu->vm, guest_order);
	return irqs;
}

/* The guest has no interrupt yet, and halts until the timer's.  Returns its TSC then. */
static u64 run_to_irq(struct kvm_vcpu *vcpu)
{
	struct report report;

	guest_order.halt = true;
	sync_global_to_guest(vcpu->vm, guest_order);
	report = run_and_get_report(vcpu);
	TEST_ASSERT_EQ(report.nr_irqs, 1);
	guest_order.halt = false;
	sync_global_to_guest(vcpu->vm, guest_order);
	return report.tsc_of_irq;
}

static u64 get_tsc(struct kvm_vcpu *vcpu)
{
	return vcpu_get_msr(vcpu, MSR_IA32_TSC);
}

static u64 get_deadline(struct kvm_vcpu *vcpu)
{
	return vcpu_get_msr(vcpu, MSR_IA32_TSC_DEADLINE);
}

static void set_deadline(struct kvm_vcpu *vcpu, u64 deadline)
{
	vcpu_set_msr(vcpu, MSR_IA32_TSC_DEADLINE, deadline);
}

/* Run the vCPU until its APIC is set up, with nothing armed. */
static struct report prepare(struct kvm_vcpu *vcpu)
{
	struct report report;

	vcpu_set_cpuid_feature(vcpu, X86_FEATURE_TSC_DEADLINE_TIMER);
	vm_install_exception_handler(vcpu->vm, TIMER_VECTOR, timer_handler);
	report = run_and_get_report(vcpu);
	TEST_ASSERT_EQ(report.nr_irqs, 0);
	return report;
}

/*
 * Ways to set the TSC of a vCPU, all of which move it by @cycles.  The last two run the
 * vCPU, which takes the interrupt of a deadline that has expired.
 */
static void by_offset(struct kvm_vcpu *vcpu, s64 cycles)
{
	set_offset(vcpu, get_offset(vcpu) + cycles);
}

static void by_msr(struct kvm_vcpu *vcpu, s64 cycles)
{
	vcpu_set_msr(vcpu, MSR_IA32_TSC, get_tsc(vcpu) + cycles);
}

static void by_guest(struct kvm_vcpu *vcpu, s64 cycles)
{
	run_with_order(vcpu, MSR_IA32_TSC, get_tsc(vcpu) + cycles);
}

static void by_guest_adjust(struct kvm_vcpu *vcpu, s64 cycles)
{
	run_with_order(vcpu, MSR_IA32_TSC_ADJUST,
		       vcpu_get_msr(vcpu, MSR_IA32_TSC_ADJUST) + cycles);
}

FIXTURE(tsc_deadline) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	s64 hour;
	u32 khz;
};

FIXTURE_VARIANT(tsc_deadline) {
	void (*move_tsc)(struct kvm_vcpu *vcpu, s64 cycles);
};

FIXTURE_VARIANT_ADD(tsc_deadline, offset)	{ .move_tsc = by_offset };
FIXTURE_VARIANT_ADD(tsc_deadline, msr)		{ .move_tsc = by_msr };
FIXTURE_VARIANT_ADD(tsc_deadline, guest)	{ .move_tsc = by_guest };
FIXTURE_VARIANT_ADD(tsc_deadline, guest_adjust)	{ .move_tsc = by_guest_adjust };

FIXTURE_SETUP(tsc_deadline)
{
	self->vm = vm_create_with_one_vcpu(&self->vcpu, guest_code);
	prepare(self->vcpu);
	self->khz = get_khz(self->vcpu);
	self->hour = nsec_to_cycles(ONE_HOUR, self->khz);

	/* Room for a TSC that is set back. */
	set_offset(self->vcpu, 10 * self->hour);
}

FIXTURE_TEARDOWN(tsc_deadline)
{
	kvm_vm_free(self->vm);
}

TEST_F(tsc_deadline, that_is_passed_expires_at_once)
{
	set_deadline(self->vcpu, get_tsc(self->vcpu) + self->hour);
	EXPECT_EQ(0, run(self->vcpu));

	variant->move_tsc(self->vcpu, 2 * self->hour);
	EXPECT_EQ(1, run(self->vcpu));
	EXPECT_EQ(0, get_deadline(self->vcpu));
}

TEST_F(tsc_deadline, that_comes_closer_expires_sooner)
{
	const u64 soon = nsec_to_cycles(SOON_NSEC, self->khz);
	const u64 deadline = get_tsc(self->vcpu) + self->hour;
	struct report report;

	set_deadline(self->vcpu, deadline);
	variant->move_tsc(self->vcpu, self->hour - soon);

	/* Unless it came already, as the guest had to run. */
	if (get_deadline(self->vcpu))
		run_to_irq(self->vcpu);
	report = run_and_get_report(self->vcpu);
	EXPECT_EQ(1, report.nr_irqs);
	EXPECT_LE(deadline - nsec_to_cycles(MAX_EARLY_NSEC, self->khz), report.tsc_of_irq);
}

TEST_F(tsc_deadline, that_moves_away_does_not_expire)
{
	u64 deadline, nsec, then;

	/* Again if it has expired before the TSC moved. */
	for (nsec = SOON_NSEC;; nsec *= 2) {
		const u64 irqs = run(self->vcpu);

		then = now_ns();
		deadline = get_tsc(self->vcpu) + nsec_to_cycles(nsec, self->khz);
		set_deadline(self->vcpu, deadline);
		variant->move_tsc(self->vcpu, -self->hour);
		if (get_deadline(self->vcpu) == deadline) {
			sleep_until(then + 2 * nsec);
			EXPECT_EQ(irqs, run(self->vcpu));
			EXPECT_EQ(deadline, get_deadline(self->vcpu));
			break;
		}
		variant->move_tsc(self->vcpu, self->hour);
	}

	variant->move_tsc(self->vcpu, 2 * self->hour);
	run(self->vcpu);
	EXPECT_EQ(0, get_deadline(self->vcpu));
}

/* What a VMM restores one after the other. */
enum { LAPIC_AND_DEADLINE, OFFSET, NR_ORDERS };

/* A new vCPU, its TSC at 0 and later at @tsc, with a deadline. */
static struct kvm_vm *restore(struct kvm_vcpu **vcpu, int first, u64 deadline, s64 tsc,
			      s64 fresh_tsc)
{
	struct kvm_lapic_state lapic;
	struct kvm_vm *vm = vm_create_with_one_vcpu(vcpu, guest_code);

	prepare(*vcpu);
	vcpu_ioctl(*vcpu, KVM_GET_LAPIC, &lapic);
	by_offset(*vcpu, fresh_tsc - get_tsc(*vcpu));

	if (first == OFFSET)
		by_offset(*vcpu, tsc - fresh_tsc);
	vcpu_ioctl(*vcpu, KVM_SET_LAPIC, &lapic);
	set_deadline(*vcpu, deadline);
	if (first != OFFSET)
		by_offset(*vcpu, tsc - fresh_tsc);
	return vm;
}

TEST(tsc_deadline_can_be_restored_in_any_order)
{
	/* In hours. */
	static const struct {
		int deadline;
		int tsc;
		int fresh_tsc;
	} rows[] = {
		{ 2, 1, 0 },	/* ahead by both TSCs */
		{ 2, 3, 0 },	/* passed by the restored one only */
		{ 2, 1, 3 },	/* passed by the fresh one only */
		{ 2, 3, 4 },	/* passed by both */
	};
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	u64 hour;

	vm = vm_create_with_one_vcpu(&vcpu, guest_code);
	hour = nsec_to_cycles(ONE_HOUR, get_khz(vcpu));
	kvm_vm_free(vm);

	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		for (int first = 0; first < NR_ORDERS; first++) {
			const u64 deadline = rows[i].deadline * hour;
			const bool ahead = rows[i].tsc < rows[i].deadline;

			vm = restore(&vcpu, first, deadline, rows[i].tsc * hour,
				     rows[i].fresh_tsc * hour);
			EXPECT_EQ(!ahead, run(vcpu)) {
				TH_LOG("row %d, %s first", i,
				       first == OFFSET ? "offset" : "deadline");
			}
			EXPECT_EQ(ahead ? deadline : 0, get_deadline(vcpu));
			kvm_vm_free(vm);
		}
	}
}

/* The frequency multiplied, a deadline comes sooner by the same factor at least. */
TEST(tsc_deadline_follows_the_frequency)
{
	const int factor = 8;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	u64 then, nsec;
	u32 khz;

	vm = vm_create_with_one_vcpu(&vcpu, guest_code);
	prepare(vcpu);
	khz = get_khz(vcpu);
	if (__set_khz(vcpu, factor * khz))
		SKIP(goto out, "the host cannot scale its TSC by %d", factor);
	set_khz(vcpu, khz);

	then = now_ns();
	nsec = factor * SLACK_NSEC;
	set_deadline(vcpu, get_tsc(vcpu) + nsec_to_cycles(nsec, khz));
	set_khz(vcpu, factor * khz);
	run_to_irq(vcpu);
	EXPECT_GT(nsec, now_ns() - then);
out:
	kvm_vm_free(vm);
}

/*
 * Frequencies that the host may not be able to provide.  The guest reads the TSC by which
 * the deadline is set, not KVM.
 */
TEST(tsc_deadline_is_met_whatever_the_default_frequency)
{
	static const int percents[] = { 50, 200 };
	u64 tsc, deadline, nsec;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	long run_delay;
	u32 host_khz;

	vm = vm_create(1);
	host_khz = get_host_khz(vm);
	kvm_vm_free(vm);

	for (int i = 0; i < ARRAY_SIZE(percents); i++) {
		vm = vm_create_with_khz(&vcpu, (u64)host_khz * percents[i] / 100, guest_code);

		run_delay = get_run_delay();
		nsec = now_ns();
		deadline = prepare(vcpu).tsc + nsec_to_cycles(NSEC_PER_SEC, get_khz(vcpu));
		set_deadline(vcpu, deadline);
		tsc = run_to_irq(vcpu);
		/* A TSC that KVM has to make faster may be behind. */
		if (get_khz(vcpu) <= host_khz)
			EXPECT_LE(deadline - nsec_to_cycles(MAX_EARLY_NSEC, host_khz), tsc);
		EXPECT_GT(NSEC_PER_SEC + SLACK_NSEC,
			  now_ns() - nsec - (get_run_delay() - run_delay)) {
			TH_LOG("a vCPU with %d %% of the host's frequency", percents[i]);
		}
		kvm_vm_free(vm);
	}
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_TSC_DEADLINE_TIMER));
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_GET_TSC_KHZ));

	return test_harness_run(argc, argv);
}
