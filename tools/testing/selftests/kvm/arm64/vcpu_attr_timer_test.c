// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * KVM_ARM_VCPU_TIMER_CTRL: the numbers of the timers' interrupts are the VM's,
 * can be changed until a vCPU has run, and are where guests get the interrupts.
 * A first run that fails leaves nothing behind.
 */
#include "arch_timer.h"
#include "arm_vcpu_attr.h"
#include "kvm_test_harness.h"

static const char * const names[NR_TIMERS] = { "VTIMER", "PTIMER", "HVTIMER", "HPTIMER" };

/* Numbers that no timer has by default. */
#define PPI_A	20
#define PPI_B	21

/* The interrupt that the guest got last; its two timers are to fire at these. */
static u32 fired;
static u32 virtual_irq, physical_irq;

static void guest_irq_handler(struct ex_regs *regs)
{
	u32 intid = gic_get_and_ack_irq();

	if (intid == IAR_SPURIOUS)
		return;
	timer_set_ctl(VIRTUAL, 0);
	timer_set_ctl(PHYSICAL, 0);
	WRITE_ONCE(fired, intid);
	gic_set_eoi(intid);
}

static void guest_expect_fires(enum arch_timer timer, u32 intid)
{
	u64 deadline = timer_get_cntct(timer) + msec_to_cycles(1000);

	WRITE_ONCE(fired, 0);
	gic_irq_enable(intid);
	timer_set_cval(timer, timer_get_cntct(timer));
	timer_set_ctl(timer, CTL_ENABLE);
	while (!READ_ONCE(fired) && timer_get_cntct(timer) < deadline)
		;
	GUEST_ASSERT_EQ(READ_ONCE(fired), intid);
}

static void guest_uses_timers(void)
{
	gic_init(GIC_V3, 1);
	local_irq_enable();
	guest_expect_fires(VIRTUAL, virtual_irq);
	guest_expect_fires(PHYSICAL, physical_irq);
	GUEST_SYNC(0);
}

FIXTURE(vcpu_attr_timer) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct kvm_vcpu *other;
};

FIXTURE_SETUP(vcpu_attr_timer)
{
	/* One more may come later. */
	self->vm = create_vm_without_vgic(3);
	self->vcpu = add_vcpu(self->vm, 0, false, guest_exits);
	self->other = add_vcpu(self->vm, 1, false, guest_exits);
}

FIXTURE_TEARDOWN(vcpu_attr_timer)
{
	kvm_vm_free(self->vm);
}

static void expect_irqs(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu, const int *irqs)
{
	for (int i = 0; i < NR_TIMERS; i++) {
		EXPECT_EQ(irqs[i], timer_get_irq(vcpu, i)) {
			TH_LOG("%s of vCPU %u", names[i], vcpu->id);
		}
	}
}

static void expect_timers_fire(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu,
			       int vtimer, int ptimer)
{
	write_guest_global(vcpu->vm, virtual_irq, vtimer);
	write_guest_global(vcpu->vm, physical_irq, ptimer);
	vm_init_descriptor_tables(vcpu->vm);
	vcpu_init_descriptor_tables(vcpu);
	vm_install_exception_handler(vcpu->vm, VECTOR_IRQ_CURRENT, guest_irq_handler);
	vcpu_arch_set_entry_point(vcpu, guest_uses_timers);
	EXPECT_EQ(0, run_to_sync(vcpu));
}

/*
 * GET and SET
 */

TEST_F(vcpu_attr_timer, numbers_have_defaults)
{
	expect_irqs(_metadata, self->vcpu, default_ppis);
	expect_irqs(_metadata, self->other, default_ppis);
	create_vgic(self->vm);
	expect_irqs(_metadata, self->vcpu, default_ppis);
}

TEST_F(vcpu_attr_timer, get_works_before_vcpu_init)
{
	expect_irqs(_metadata, add_bare_vcpu(self->vm, 2), default_ppis);
}

TEST_F(vcpu_attr_timer, set_without_irqchip_is_einval)
{
	for (int i = 0; i < NR_TIMERS; i++) {
		EXPECT_EQ(-EINVAL, timer_set_irq(self->vcpu, i, PPI_A));
		EXPECT_EQ(-EINVAL, attr_set(self->vcpu, TIMER, i, NULL));
	}
	expect_irqs(_metadata, self->vcpu, default_ppis);
}

TEST_F(vcpu_attr_timer, bad_address_is_efault)
{
	create_vgic(self->vm);
	for (int i = 0; i < NR_TIMERS; i++) {
		EXPECT_EQ(-EFAULT, attr_get(self->vcpu, TIMER, i, NULL));
		EXPECT_EQ(-EFAULT, attr_set(self->vcpu, TIMER, i, NULL));
	}
	expect_irqs(_metadata, self->vcpu, default_ppis);
}

TEST_F(vcpu_attr_timer, every_ppi_can_be_set)
{
	create_vgic(self->vm);
	for (int irq = MIN_PPI; irq < MIN_SPI; irq++) {
		for (int i = 0; i < NR_TIMERS; i++) {
			EXPECT_EQ(0, timer_set_irq(self->vcpu, i, irq));
			EXPECT_EQ(irq, timer_get_irq(self->vcpu, i));
		}
	}
}

TEST_F(vcpu_attr_timer, what_is_no_ppi_is_einval)
{
	static const int irqs[] = {
		INT_MIN, -27, -1, 0, MIN_PPI - 1, MIN_SPI, MIN_SPI + 27, MAX_SPI, 1024 + 27,
		INT_MAX,
	};

	create_vgic(self->vm);
	for (int i = 0; i < NR_TIMERS; i++) {
		for (int j = 0; j < ARRAY_SIZE(irqs); j++) {
			EXPECT_EQ(-EINVAL, timer_set_irq(self->vcpu, i, irqs[j])) {
				TH_LOG("%s to %d", names[i], irqs[j]);
			}
		}
	}
	expect_irqs(_metadata, self->vcpu, default_ppis);
}

TEST_F(vcpu_attr_timer, numbers_are_of_the_timer_that_was_named)
{
	int irqs[NR_TIMERS];

	create_vgic(self->vm);
	memcpy(irqs, default_ppis, sizeof(irqs));
	for (int i = 0; i < NR_TIMERS; i++) {
		irqs[i] = PPI_A + i;
		ASSERT_EQ(0, timer_set_irq(self->vcpu, i, irqs[i]));
		expect_irqs(_metadata, self->vcpu, irqs);
	}
}

TEST_F(vcpu_attr_timer, numbers_are_of_all_vcpus)
{
	static const int mixed[NR_TIMERS] = { PPI_A, PPI_B, 28, 26 };

	create_vgic(self->vm);
	ASSERT_EQ(0, timer_set_irq(self->vcpu, VTIMER, PPI_A));
	ASSERT_EQ(0, timer_set_irq(self->other, PTIMER, PPI_B));
	expect_irqs(_metadata, self->vcpu, mixed);
	expect_irqs(_metadata, self->other, mixed);
}

TEST_F(vcpu_attr_timer, numbers_are_of_later_vcpus_too)
{
	static const int mixed[NR_TIMERS] = { PPI_A, PPI_B, 28, 26 };

	create_vgic(self->vm);
	ASSERT_EQ(0, timer_set_irq(self->vcpu, VTIMER, PPI_A));
	ASSERT_EQ(0, timer_set_irq(self->vcpu, PTIMER, PPI_B));
	expect_irqs(_metadata, add_bare_vcpu(self->vm, 2), mixed);
}

/*
 * Runs
 */

/* A SET that is refused leaves the number as it is, which no later call may repair. */
static void expect_ebusy(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu,
			 struct kvm_vcpu *other, int timer, int irq)
{
	EXPECT_EQ(-EBUSY, timer_set_irq(vcpu, timer, irq)) {
		TH_LOG("%s to %d", names[timer], irq);
	}
	expect_irqs(_metadata, vcpu, default_ppis);
	expect_irqs(_metadata, other, default_ppis);
}

static void expect_all_ebusy(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu,
			     struct kvm_vcpu *other)
{
	for (int i = 0; i < NR_TIMERS; i++) {
		expect_ebusy(_metadata, vcpu, other, i, PPI_A);
		expect_ebusy(_metadata, other, vcpu, i, PPI_A);
		/* It is no use to set it to what it is, either. */
		expect_ebusy(_metadata, vcpu, other, i, default_ppis[i]);
		EXPECT_EQ(-EINVAL, timer_set_irq(vcpu, i, MIN_SPI));
		EXPECT_EQ(-EFAULT, attr_set(vcpu, TIMER, i, NULL));
	}
}

TEST_F(vcpu_attr_timer, set_is_ebusy_once_a_vcpu_has_run)
{
	add_vgic(self->vm);
	ASSERT_EQ(-EINTR, run_immediate_exit(self->vcpu));
	expect_all_ebusy(_metadata, self->vcpu, self->other);
}

/* The first vCPU has not run. */
TEST_F(vcpu_attr_timer, set_is_ebusy_once_another_vcpu_has_run)
{
	add_vgic(self->vm);
	ASSERT_EQ(-EINTR, run_immediate_exit(self->other));
	expect_all_ebusy(_metadata, self->vcpu, self->other);
}

TEST_F(vcpu_attr_timer, timers_fire_at_their_defaults)
{
	add_vgic(self->vm);
	expect_timers_fire(_metadata, self->vcpu, 27, 30);
}

TEST_F(vcpu_attr_timer, timers_fire_at_their_numbers)
{
	add_vgic(self->vm);
	ASSERT_EQ(0, timer_set_irq(self->vcpu, VTIMER, PPI_A));
	ASSERT_EQ(0, timer_set_irq(self->vcpu, PTIMER, 27));
	expect_timers_fire(_metadata, self->vcpu, PPI_A, 27);
}

TEST_F(vcpu_attr_timer, run_before_vcpu_init_freezes_nothing)
{
	struct kvm_vcpu *bare = add_bare_vcpu(self->vm, 2);

	add_vgic(self->vm);
	ASSERT_EQ(-ENOEXEC, run_immediate_exit(bare));
	EXPECT_EQ(0, timer_set_irq(self->vcpu, VTIMER, PPI_A));
}

TEST_F(vcpu_attr_timer, same_ppi_twice_does_not_run)
{
	add_vgic(self->vm);
	ASSERT_EQ(0, timer_set_irq(self->vcpu, VTIMER, PPI_A));
	ASSERT_EQ(0, timer_set_irq(self->vcpu, PTIMER, PPI_A));
	EXPECT_EQ(-EINVAL, run_immediate_exit(self->vcpu));
	EXPECT_EQ(-EINVAL, run_immediate_exit(self->other));
	EXPECT_EQ(-EINVAL, run_immediate_exit(self->vcpu));
}

/* A VM without nested virtualization has no timers of EL2. */
TEST_F(vcpu_attr_timer, same_ppi_as_a_timer_that_is_not_there_runs)
{
	add_vgic(self->vm);
	ASSERT_EQ(0, timer_set_irq(self->vcpu, VTIMER, default_ppis[HVTIMER]));
	ASSERT_EQ(0, timer_set_irq(self->vcpu, PTIMER, default_ppis[HPTIMER]));
	expect_timers_fire(_metadata, self->vcpu, default_ppis[HVTIMER], default_ppis[HPTIMER]);
}

TEST_F(vcpu_attr_timer, same_ppi_twice_can_be_fixed)
{
	add_vgic(self->vm);
	ASSERT_EQ(0, timer_set_irq(self->vcpu, PTIMER, 27));
	ASSERT_EQ(-EINVAL, run_immediate_exit(self->vcpu));
	ASSERT_EQ(-EINVAL, run_immediate_exit(self->other));

	EXPECT_EQ(0, timer_set_irq(self->other, PTIMER, 30));
	EXPECT_EQ(0, run_to_sync(self->vcpu));
	EXPECT_EQ(0, run_to_sync(self->other));
	EXPECT_EQ(-EBUSY, timer_set_irq(self->vcpu, PTIMER, PPI_A));
}

/* The timer that was refused the number keeps it, the other one gets a new one. */
TEST_F(vcpu_attr_timer, same_ppi_twice_can_be_fixed_either_way)
{
	add_vgic(self->vm);
	ASSERT_EQ(0, timer_set_irq(self->vcpu, VTIMER, PPI_A));
	ASSERT_EQ(0, timer_set_irq(self->vcpu, PTIMER, PPI_A));
	ASSERT_EQ(-EINVAL, run_immediate_exit(self->vcpu));

	EXPECT_EQ(0, timer_set_irq(self->vcpu, VTIMER, PPI_B));
	EXPECT_EQ(0, run_to_sync(self->vcpu));
	EXPECT_EQ(0, run_to_sync(self->other));
}

TEST_F(vcpu_attr_timer, timers_fire_at_corrected_numbers)
{
	add_vgic(self->vm);
	ASSERT_EQ(0, timer_set_irq(self->vcpu, VTIMER, PPI_A));
	ASSERT_EQ(0, timer_set_irq(self->vcpu, PTIMER, PPI_A));
	ASSERT_EQ(-EINVAL, run_immediate_exit(self->vcpu));
	ASSERT_EQ(0, timer_set_irq(self->vcpu, PTIMER, PPI_B));
	expect_timers_fire(_metadata, self->vcpu, PPI_A, PPI_B);
}

/*
 * The counter, whose offset the vCPUs share
 */

#define COUNTER_LEAD_MS	200

static u64 nr_readings;

/* At no reading is it less than at the one before; the first comes late. */
static void guest_reads_counter(void)
{
	u64 last = 0, now;

	while (timer_get_cntct(VIRTUAL) < msec_to_cycles(COUNTER_LEAD_MS))
		;
	for (;;) {
		now = timer_get_cntct(VIRTUAL);
		GUEST_ASSERT(now >= last);
		last = now;
		WRITE_ONCE(nr_readings, nr_readings + 1);
		GUEST_SYNC(0);
	}
}

static u64 get_counter(struct kvm_vcpu *vcpu)
{
	u64 counter;

	counter = get_reg(vcpu, KVM_REG_ARM_TIMER_CNT);
	return counter;
}

struct counter_run {
	struct kvm_vcpu *vcpu;
	bool stop;
};

static void *read_until_stopped(void *arg)
{
	struct counter_run *run = arg;

	while (!READ_ONCE(run->stop))
		TEST_ASSERT_EQ(run_to_sync(run->vcpu), 0);
	return NULL;
}

static void wait_for_readings(struct kvm_vm *vm)
{
	u64 *nr = addr_gva2hva(vm, (gva_t)&nr_readings);
	const u64 then = READ_ONCE(*nr);

	while (READ_ONCE(*nr) < then + 3)
		sched_yield();
}

TEST_F(vcpu_attr_timer, counter_goes_on_when_a_vcpu_is_created)
{
	struct counter_run run = { .vcpu = self->vcpu };
	pthread_t reader;
	u64 before;

	vcpu_arch_set_entry_point(self->vcpu, guest_reads_counter);
	ASSERT_EQ(0, pthread_create(&reader, NULL, read_until_stopped, &run));
	wait_for_readings(self->vm);
	before = get_counter(self->other);
	add_bare_vcpu(self->vm, 2);
	EXPECT_LE(before, get_counter(self->other));
	wait_for_readings(self->vm);
	WRITE_ONCE(run.stop, true);
	ASSERT_EQ(0, pthread_join(reader, NULL));
}

/* Until then it counts from when the last vCPU was created. */
TEST_F(vcpu_attr_timer, counter_starts_with_the_last_vcpu_before_a_run)
{
	u64 before, counter;

	while (get_counter(self->vcpu) < read_sysreg(cntfrq_el0) / 100)
		;
	before = read_sysreg(cntvct_el0);
	add_bare_vcpu(self->vm, 2);
	counter = get_counter(self->vcpu);
	isb();
	EXPECT_LE(counter, read_sysreg(cntvct_el0) - before);
}

/*
 * Runs that fail because of the PMU
 */

FIXTURE(vcpu_attr_timer_pmu) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct kvm_vcpu *other;
	int gic_fd;
};

FIXTURE_SETUP(vcpu_attr_timer_pmu)
{
	if (!host_has_pmu())
		SKIP(return, "no PMU");

	self->vm = create_vm_without_vgic(2);
	self->vcpu = add_vcpu(self->vm, 0, true, guest_exits);
	self->other = add_vcpu(self->vm, 1, true, guest_exits);
	self->gic_fd = add_vgic(self->vm);
}

FIXTURE_TEARDOWN(vcpu_attr_timer_pmu)
{
	if (self->vm)
		kvm_vm_free(self->vm);
}

TEST_F(vcpu_attr_timer_pmu, run_that_fails_does_not_freeze_the_numbers)
{
	ASSERT_EQ(-EINVAL, run_immediate_exit(self->vcpu));
	for (int i = 0; i < NR_TIMERS; i++) {
		EXPECT_EQ(0, timer_set_irq(self->vcpu, i, PPI_A + 4 + i)) {
			TH_LOG("%s", names[i]);
		}
	}
}

TEST_F(vcpu_attr_timer_pmu, run_that_fails_can_be_followed_by_one_that_works)
{
	ASSERT_EQ(-EINVAL, run_immediate_exit(self->vcpu));
	ASSERT_EQ(-EINVAL, run_immediate_exit(self->other));
	start_pmu(self->vcpu);
	start_pmu(self->other);
	EXPECT_EQ(0, run_to_sync(self->vcpu));
	EXPECT_EQ(0, run_to_sync(self->other));
}

TEST_F(vcpu_attr_timer_pmu, timers_fire_at_numbers_set_after_a_run_that_failed)
{
	ASSERT_EQ(-EINVAL, run_immediate_exit(self->vcpu));
	start_pmu(self->vcpu);
	EXPECT_EQ(0, timer_set_irq(self->vcpu, VTIMER, PPI_A));
	EXPECT_EQ(0, timer_set_irq(self->vcpu, PTIMER, 27));
	expect_timers_fire(_metadata, self->vcpu, PPI_A, 27);
}

TEST_F(vcpu_attr_timer_pmu, run_that_fails_for_the_pmu_keeps_no_ppi)
{
	ASSERT_EQ(-EINVAL, run_immediate_exit(self->vcpu));
	EXPECT_EQ(0, timer_set_irq(self->vcpu, VTIMER, PPI_A));
	ASSERT_EQ(0, pmu_set_irq(self->vcpu, 27));
	EXPECT_EQ(0, pmu_init(self->vcpu));
	EXPECT_EQ(0, run_to_sync(self->vcpu));
}

TEST_F(vcpu_attr_timer_pmu, run_that_fails_leaves_the_ppis_to_userspace)
{
	ASSERT_TRUE(userspace_drives(self->vm, self->gic_fd, 27));
	ASSERT_EQ(-EINVAL, run_immediate_exit(self->vcpu));
	EXPECT_TRUE(userspace_drives(self->vm, self->gic_fd, 27));
	EXPECT_TRUE(userspace_drives(self->vm, self->gic_fd, 30));

	start_pmu(self->vcpu);
	ASSERT_EQ(0, run_to_sync(self->vcpu));
	EXPECT_FALSE(userspace_drives(self->vm, self->gic_fd, 27));
	EXPECT_FALSE(userspace_drives(self->vm, self->gic_fd, 30));
	EXPECT_FALSE(userspace_drives(self->vm, self->gic_fd, PMU_PPI));
}

/* One timer can have its number, a later one cannot. */
TEST_F(vcpu_attr_timer_pmu, run_that_fails_for_a_timer_leaves_those_of_others_to_userspace)
{
	start_pmu(self->vcpu);
	ASSERT_EQ(0, timer_set_irq(self->vcpu, PTIMER, PMU_PPI));
	ASSERT_EQ(-EINVAL, run_immediate_exit(self->vcpu));
	EXPECT_TRUE(userspace_drives(self->vm, self->gic_fd, 27));
	EXPECT_FALSE(userspace_drives(self->vm, self->gic_fd, PMU_PPI));
}

/* It is the PMU's with the first run, as there was no irqchip before. */
TEST_F(vcpu_attr_timer, run_that_fails_leaves_the_interrupt_of_the_pmu_to_userspace)
{
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	int gic_fd;

	if (!host_has_pmu())
		SKIP(return, "no PMU");

	vm = create_vm_without_vgic(1);
	vcpu = add_vcpu(vm, 0, true, guest_exits);
	ASSERT_EQ(0, pmu_init(vcpu));
	gic_fd = add_vgic(vm);
	ASSERT_EQ(0, pmu_set_irq(vcpu, PMU_PPI));
	ASSERT_TRUE(userspace_drives(vm, gic_fd, PMU_PPI));

	ASSERT_EQ(0, timer_set_irq(vcpu, PTIMER, 27));
	ASSERT_EQ(-EINVAL, run_immediate_exit(vcpu));
	EXPECT_TRUE(userspace_drives(vm, gic_fd, PMU_PPI));
	EXPECT_TRUE(userspace_drives(vm, gic_fd, 27));

	ASSERT_EQ(0, timer_set_irq(vcpu, PTIMER, 30));
	ASSERT_EQ(0, run_to_sync(vcpu));
	EXPECT_FALSE(userspace_drives(vm, gic_fd, PMU_PPI));
	kvm_vm_free(vm);
}

TEST_F(vcpu_attr_timer_pmu, run_that_fails_for_the_timers_keeps_no_ppi)
{
	ASSERT_EQ(0, timer_set_irq(self->vcpu, VTIMER, PPI_A));
	ASSERT_EQ(0, timer_set_irq(self->vcpu, PTIMER, PPI_A));
	ASSERT_EQ(-EINVAL, run_immediate_exit(self->vcpu));

	ASSERT_EQ(0, timer_set_irq(self->vcpu, VTIMER, 27));
	ASSERT_EQ(0, timer_set_irq(self->vcpu, PTIMER, 30));
	ASSERT_EQ(0, pmu_set_irq(self->vcpu, PPI_A));
	EXPECT_EQ(0, pmu_init(self->vcpu));
	EXPECT_EQ(0, run_to_sync(self->vcpu));
}

TEST_F(vcpu_attr_timer_pmu, number_of_the_pmu_does_not_run_and_can_be_fixed)
{
	start_pmu(self->vcpu);
	start_pmu(self->other);
	ASSERT_EQ(0, timer_set_irq(self->vcpu, PTIMER, PMU_PPI));
	EXPECT_EQ(-EINVAL, run_immediate_exit(self->vcpu));
	EXPECT_EQ(-EINVAL, run_immediate_exit(self->other));

	EXPECT_EQ(0, timer_set_irq(self->vcpu, PTIMER, 30));
	EXPECT_EQ(0, run_to_sync(self->vcpu));
	EXPECT_EQ(0, run_to_sync(self->other));
}

/* The numbers hold once one vCPU has run, also if another one could not. */
TEST_F(vcpu_attr_timer_pmu, run_that_fails_after_one_that_worked_changes_nothing)
{
	start_pmu(self->vcpu);
	ASSERT_EQ(0, run_to_sync(self->vcpu));
	EXPECT_EQ(-EINVAL, run_immediate_exit(self->other));
	EXPECT_EQ(-EBUSY, timer_set_irq(self->other, VTIMER, PPI_A));
	EXPECT_EQ(0, run_to_sync(self->vcpu));

	start_pmu(self->other);
	EXPECT_EQ(0, run_to_sync(self->other));
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(!__kvm_test_create_device(vm_create_barebones(), KVM_DEV_TYPE_ARM_VGIC_V3));

	return test_harness_run(argc, argv);
}
