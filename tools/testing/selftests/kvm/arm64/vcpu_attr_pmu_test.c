// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * KVM_ARM_VCPU_PMU_V3_CTRL: which interrupts a PMU can have, when it can be
 * initialized, filtered and chosen, the errno if it cannot, and the effect on
 * guests.
 */
#include "arm_vcpu_attr.h"
#include "kvm_test_harness.h"

#define PMCR_E		BIT(0)
#define PMCR_P		BIT(1)
#define PMCR_C		BIT(2)
#define PMCR_N_SHIFT	11

#define CYCLE_COUNTER	BIT(31)

#define SW_INCR		0x00
#define CPU_CYCLES	0x11
#define CHAIN		0x1e

/* SPIs within NR_LINES. */
#define SPI_A		40
#define SPI_B		41
#define LAST_SPI	(NR_LINES - 1)

#define ALLOW		KVM_PMU_EVENT_ALLOW
#define DENY		KVM_PMU_EVENT_DENY

/* What a guest finds out about its PMU. */
struct pmu_view {
	u64 pmceid[2];
	u64 cycles;
	u64 sw_incr;
	u64 chain;
};

static struct pmu_view view;

/* Out of reset the contents of most registers are unknown. */
static void guest_stops_pmu(void)
{
	write_sysreg(0, pmcr_el0);
	write_sysreg(~0U, pmcntenclr_el0);
	write_sysreg(~0U, pmintenclr_el1);
	write_sysreg(~0U, pmovsclr_el0);
	isb();
}

static void guest_reads_pmu(void)
{
	for (;;) {
		guest_stops_pmu();
		view.pmceid[0] = read_sysreg(pmceid0_el0);
		view.pmceid[1] = read_sysreg(pmceid1_el0);

		/* Counter 1 counts the overflows of counter 0, which is about to. */
		write_sysreg(SW_INCR, pmevtyper0_el0);
		write_sysreg(CHAIN, pmevtyper1_el0);
		write_sysreg(0, pmccfiltr_el0);
		write_sysreg(PMCR_P | PMCR_C, pmcr_el0);
		write_sysreg(0xfffffffe, pmevcntr0_el0);
		write_sysreg(CYCLE_COUNTER | BIT(1) | BIT(0), pmcntenset_el0);
		write_sysreg(PMCR_E, pmcr_el0);
		isb();

		for (int i = 0; i < 3; i++)
			write_sysreg(BIT(0), pmswinc_el0);
		for (int i = 0; i < 10000; i++)
			cpu_relax();
		isb();

		view.cycles = read_sysreg(pmccntr_el0);
		view.sw_incr = read_sysreg(pmevcntr0_el0) + 2;
		view.chain = read_sysreg(pmevcntr1_el0);
		GUEST_SYNC(0);
	}
}

/* The interrupt that a guest has of its PMU after an overflow, or none. */
static u32 expected_irq;
static bool irq_is_pending;

static void guest_overflows(void)
{
	gic_init(GIC_V3, 1);
	guest_stops_pmu();

	write_sysreg(SW_INCR, pmevtyper0_el0);
	write_sysreg(0xffffffff, pmevcntr0_el0);
	write_sysreg(BIT(0), pmintenset_el1);
	write_sysreg(BIT(0), pmcntenset_el0);
	write_sysreg(PMCR_E, pmcr_el0);
	isb();
	GUEST_ASSERT(!gic_irq_get_pending(expected_irq));

	write_sysreg(BIT(0), pmswinc_el0);
	isb();
	irq_is_pending = gic_irq_get_pending(expected_irq);
	GUEST_SYNC(0);
}

FIXTURE(vcpu_attr_pmu) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct kvm_vcpu *other;
	int type;
};

FIXTURE_SETUP(vcpu_attr_pmu)
{
	struct host_pmu pmus[MAX_PMUS];

	ASSERT_LT(0, find_host_pmus(pmus));
	self->vm = create_vm_without_vgic(2);
	self->vcpu = add_vcpu(self->vm, 0, true, guest_reads_pmu);
	self->other = add_vcpu(self->vm, 1, true, guest_reads_pmu);
	self->type = pmus[0].type;
}

FIXTURE_TEARDOWN(vcpu_attr_pmu)
{
	kvm_vm_free(self->vm);
}

static u64 get_pmcr(struct kvm_vcpu *vcpu)
{
	u64 pmcr;

	pmcr = get_reg(vcpu, KVM_ARM64_SYS_REG(SYS_PMCR_EL0));
	return pmcr;
}

static void lower_pmcr_n(struct kvm_vcpu *vcpu)
{
	vcpu_set_reg(vcpu, KVM_ARM64_SYS_REG(SYS_PMCR_EL0), get_pmcr(vcpu) - BIT(PMCR_N_SHIFT));
}

static struct pmu_view read_pmu(struct kvm_vcpu *vcpu)
{
	int r = run_to_sync(vcpu);

	TEST_ASSERT(!r, "KVM_RUN: %s", strerror(-r));
	sync_global_from_guest(vcpu->vm, view);
	return view;
}

/*
 * The interrupt
 */

TEST_F(vcpu_attr_pmu, irq_is_unset_at_first)
{
	create_vgic(self->vm);
	EXPECT_EQ(-ENXIO, pmu_get_irq(self->vcpu));
	EXPECT_EQ(-ENXIO, attr_get(self->vcpu, PMU, PMU_IRQ, NULL));
}

TEST_F(vcpu_attr_pmu, irq_without_irqchip_is_einval)
{
	EXPECT_EQ(-EINVAL, pmu_get_irq(self->vcpu));
	EXPECT_EQ(-EINVAL, pmu_set_irq(self->vcpu, PMU_PPI));
	EXPECT_EQ(-EINVAL, attr_set(self->vcpu, PMU, PMU_IRQ, NULL));
}

TEST_F(vcpu_attr_pmu, irq_at_a_bad_address_is_efault)
{
	create_vgic(self->vm);
	EXPECT_EQ(-EFAULT, attr_set(self->vcpu, PMU, PMU_IRQ, NULL));
	EXPECT_EQ(-ENXIO, pmu_get_irq(self->vcpu));
	EXPECT_EQ(0, pmu_set_irq(self->vcpu, PMU_PPI));
	EXPECT_EQ(-EFAULT, attr_get(self->vcpu, PMU, PMU_IRQ, NULL));
}

TEST_F(vcpu_attr_pmu, irq_is_of_its_own_vcpu)
{
	create_vgic(self->vm);
	EXPECT_EQ(0, pmu_set_irq(self->vcpu, SPI_A));
	EXPECT_EQ(SPI_A, pmu_get_irq(self->vcpu));
	EXPECT_EQ(-ENXIO, pmu_get_irq(self->other));
}

TEST(vcpu_attr_pmu_irq_can_be_every_ppi_and_spi)
{
	for (int irq = MIN_PPI; irq <= MAX_SPI; irq += irq < NR_LINES ? 1 : 191) {
		struct kvm_vm *vm = vm_create_barebones();
		struct kvm_vcpu *vcpu = add_bare_vcpu(vm, 0);
		struct kvm_vcpu_init init = preferred_init(vm, true);

		vcpu_ioctl(vcpu, KVM_ARM_VCPU_INIT, &init);
		create_vgic(vm);

		EXPECT_EQ(0, pmu_set_irq(vcpu, irq)) {
			TH_LOG("interrupt %d", irq);
		}
		EXPECT_EQ(irq, pmu_get_irq(vcpu));
		kvm_vm_free(vm);
	}
}

TEST_F(vcpu_attr_pmu, irq_that_is_no_ppi_or_spi_is_einval)
{
	static const int irqs[] = {
		INT_MIN, -PMU_PPI, -1, 0, 1, MIN_PPI - 1, MAX_SPI + 1, IAR_SPURIOUS, 1024,
		8192, 8192 + PMU_PPI, 0x10000 + PMU_PPI, INT_MAX,
	};

	create_vgic(self->vm);
	for (int i = 0; i < ARRAY_SIZE(irqs); i++) {
		EXPECT_EQ(-EINVAL, pmu_set_irq(self->vcpu, irqs[i])) {
			TH_LOG("interrupt %d", irqs[i]);
		}
		EXPECT_EQ(-ENXIO, pmu_get_irq(self->vcpu));
	}
}

TEST_F(vcpu_attr_pmu, spi_beyond_the_initialized_vgic_is_einval)
{
	add_vgic(self->vm);
	EXPECT_EQ(-EINVAL, pmu_set_irq(self->vcpu, NR_LINES));
	EXPECT_EQ(-EINVAL, pmu_set_irq(self->vcpu, MAX_SPI));
	EXPECT_EQ(-ENXIO, pmu_get_irq(self->vcpu));
	EXPECT_EQ(0, pmu_set_irq(self->vcpu, LAST_SPI));
}

/* NR_IRQS can be set once: the number of lines is fixed before the vgic is ready. */
TEST_F(vcpu_attr_pmu, spi_beyond_the_fixed_lines_is_einval)
{
	set_vgic_lines(create_vgic(self->vm));
	EXPECT_EQ(-EINVAL, pmu_set_irq(self->vcpu, NR_LINES));
	EXPECT_EQ(-EINVAL, pmu_set_irq(self->vcpu, MAX_SPI));
	EXPECT_EQ(-ENXIO, pmu_get_irq(self->vcpu));
	EXPECT_EQ(0, pmu_set_irq(self->vcpu, LAST_SPI));
}

/* If the vgic turns out to be too small, this must show before the guest runs. */
TEST_F(vcpu_attr_pmu, spi_beyond_lines_that_are_fixed_later_does_not_run)
{
	int gic_fd = create_vgic(self->vm);

	ASSERT_EQ(0, pmu_set_irq(self->vcpu, MAX_SPI));
	set_vgic_lines(gic_fd);
	place_vgic(self->vm, gic_fd);
	init_vgic(gic_fd);
	EXPECT_EQ(-EINVAL, pmu_init(self->vcpu));
	EXPECT_EQ(-EINVAL, run_immediate_exit(self->vcpu));
	EXPECT_EQ(MAX_SPI, pmu_get_irq(self->vcpu));
}

/* Once it is set, the number stays, whatever else it should be. */
static void expect_irq_stays(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu, int irq)
{
	static const int others[] = { PMU_PPI, PMU_PPI + 1, SPI_A, SPI_B };

	create_vgic(vcpu->vm);
	ASSERT_EQ(0, pmu_set_irq(vcpu, irq));
	for (int i = 0; i < ARRAY_SIZE(others); i++) {
		EXPECT_EQ(-EBUSY, pmu_set_irq(vcpu, others[i])) {
			TH_LOG("%d after %d", others[i], irq);
		}
	}
	EXPECT_EQ(irq, pmu_get_irq(vcpu));
}

TEST_F(vcpu_attr_pmu, ppi_that_is_set_cannot_be_set_again)
{
	expect_irq_stays(_metadata, self->vcpu, PMU_PPI);
}

TEST_F(vcpu_attr_pmu, spi_that_is_set_cannot_be_set_again)
{
	expect_irq_stays(_metadata, self->vcpu, SPI_A);
}

TEST_F(vcpu_attr_pmu, irq_of_an_initialized_pmu_is_ebusy)
{
	add_vgic(self->vm);
	start_pmu(self->vcpu);
	EXPECT_EQ(-EBUSY, pmu_set_irq(self->vcpu, PMU_PPI));
	EXPECT_EQ(-EBUSY, pmu_set_irq(self->vcpu, PMU_PPI + 1));
	EXPECT_EQ(-EBUSY, pmu_set_irq(self->vcpu, SPI_A));
}

/* Numbers on which the vCPUs of a VM disagree. */
TEST_F(vcpu_attr_pmu, ppi_must_be_the_same_on_all_vcpus)
{
	create_vgic(self->vm);
	ASSERT_EQ(0, pmu_set_irq(self->vcpu, PMU_PPI));
	EXPECT_EQ(-EINVAL, pmu_set_irq(self->other, PMU_PPI + 1));
	EXPECT_EQ(-ENXIO, pmu_get_irq(self->other));
	EXPECT_EQ(0, pmu_set_irq(self->other, PMU_PPI));
}

TEST_F(vcpu_attr_pmu, spi_must_not_be_the_same_on_two_vcpus)
{
	create_vgic(self->vm);
	ASSERT_EQ(0, pmu_set_irq(self->vcpu, SPI_A));
	EXPECT_EQ(-EINVAL, pmu_set_irq(self->other, SPI_A));
	EXPECT_EQ(-ENXIO, pmu_get_irq(self->other));
	EXPECT_EQ(0, pmu_set_irq(self->other, SPI_B));
}

TEST_F(vcpu_attr_pmu, spi_is_einval_where_another_vcpu_has_a_ppi)
{
	create_vgic(self->vm);
	ASSERT_EQ(0, pmu_set_irq(self->vcpu, PMU_PPI));
	EXPECT_EQ(-EINVAL, pmu_set_irq(self->other, SPI_A));
	EXPECT_EQ(-ENXIO, pmu_get_irq(self->other));
}

TEST_F(vcpu_attr_pmu, ppi_is_einval_where_another_vcpu_has_an_spi)
{
	create_vgic(self->vm);
	ASSERT_EQ(0, pmu_set_irq(self->vcpu, SPI_A));
	EXPECT_EQ(-EINVAL, pmu_set_irq(self->other, PMU_PPI));
	EXPECT_EQ(-ENXIO, pmu_get_irq(self->other));
}

static void expect_overflow_arrives(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu,
				    u32 irq)
{
	write_guest_global(vcpu->vm, expected_irq, irq);
	ASSERT_EQ(0, run_to_sync(vcpu));
	sync_global_from_guest(vcpu->vm, irq_is_pending);
	EXPECT_TRUE(irq_is_pending) {
		TH_LOG("an overflow did not raise interrupt %u", irq);
	}
}

FIXTURE(vcpu_attr_pmu_overflow) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_SETUP(vcpu_attr_pmu_overflow)
{
	self->vm = create_vm_without_vgic(1);
	self->vcpu = add_vcpu(self->vm, 0, true, guest_overflows);
}

FIXTURE_TEARDOWN(vcpu_attr_pmu_overflow)
{
	kvm_vm_free(self->vm);
}

TEST_F(vcpu_attr_pmu_overflow, raises_the_ppi)
{
	add_vgic(self->vm);
	start_pmu(self->vcpu);
	expect_overflow_arrives(_metadata, self->vcpu, PMU_PPI);
}

TEST_F(vcpu_attr_pmu_overflow, raises_the_spi)
{
	add_vgic(self->vm);
	ASSERT_EQ(0, pmu_set_irq(self->vcpu, LAST_SPI));
	ASSERT_EQ(0, pmu_init(self->vcpu));
	expect_overflow_arrives(_metadata, self->vcpu, LAST_SPI);
}

TEST_F(vcpu_attr_pmu_overflow, raises_a_ppi_set_after_init)
{
	ASSERT_EQ(0, pmu_init(self->vcpu));
	add_vgic(self->vm);
	ASSERT_EQ(0, pmu_set_irq(self->vcpu, PMU_PPI));
	expect_overflow_arrives(_metadata, self->vcpu, PMU_PPI);
}

/*
 * Initialization
 */

TEST_F(vcpu_attr_pmu, init_without_irqchip_works)
{
	EXPECT_EQ(0, pmu_init(self->vcpu));
	EXPECT_EQ(0, run_to_sync(self->vcpu));
}

TEST_F(vcpu_attr_pmu, init_twice_is_ebusy_without_irqchip)
{
	ASSERT_EQ(0, pmu_init(self->vcpu));
	EXPECT_EQ(-EBUSY, pmu_init(self->vcpu));
}

TEST_F(vcpu_attr_pmu, init_twice_is_ebusy_with_vgic)
{
	add_vgic(self->vm);
	start_pmu(self->vcpu);
	EXPECT_EQ(-EBUSY, pmu_init(self->vcpu));
}

TEST_F(vcpu_attr_pmu, init_before_the_vgic_is_initialized_is_enodev)
{
	create_vgic(self->vm);
	EXPECT_EQ(-ENODEV, pmu_init(self->vcpu));
	ASSERT_EQ(0, pmu_set_irq(self->vcpu, PMU_PPI));
	EXPECT_EQ(-ENODEV, pmu_init(self->vcpu));
}

TEST_F(vcpu_attr_pmu, init_without_a_number_is_enxio)
{
	add_vgic(self->vm);
	EXPECT_EQ(-ENXIO, pmu_init(self->vcpu));
	/* It was refused, and can be done right. */
	start_pmu(self->vcpu);
}

/* An interrupt is either the PMU's or a timer's; a timer may make way. */
TEST_F(vcpu_attr_pmu, init_with_the_number_of_a_timer_is_eexist)
{
	add_vgic(self->vm);
	ASSERT_EQ(0, pmu_set_irq(self->vcpu, 27));
	EXPECT_EQ(-EEXIST, pmu_init(self->vcpu));
	EXPECT_EQ(-EINVAL, run_immediate_exit(self->vcpu));

	EXPECT_EQ(0, timer_set_irq(self->vcpu, VTIMER, 20));
	EXPECT_EQ(0, pmu_init(self->vcpu));
	EXPECT_EQ(0, run_to_sync(self->vcpu));
}

TEST_F(vcpu_attr_pmu, run_without_init_is_einval)
{
	add_vgic(self->vm);
	ASSERT_EQ(0, pmu_set_irq(self->vcpu, PMU_PPI));
	EXPECT_EQ(-EINVAL, run_immediate_exit(self->vcpu));
	ASSERT_EQ(0, pmu_init(self->vcpu));
	EXPECT_EQ(0, run_to_sync(self->vcpu));
}

TEST_F(vcpu_attr_pmu, init_before_the_irqchip_can_be_given_an_irq_and_runs)
{
	ASSERT_EQ(0, pmu_init(self->vcpu));
	ASSERT_EQ(0, pmu_init(self->other));
	add_vgic(self->vm);
	EXPECT_EQ(0, pmu_set_irq(self->vcpu, PMU_PPI));
	EXPECT_EQ(0, pmu_set_irq(self->other, PMU_PPI));
	EXPECT_EQ(PMU_PPI, pmu_get_irq(self->vcpu));
	EXPECT_EQ(-EBUSY, pmu_set_irq(self->vcpu, PMU_PPI));
	EXPECT_EQ(-EBUSY, pmu_init(self->vcpu));
	EXPECT_EQ(0, run_to_sync(self->vcpu));
	EXPECT_EQ(0, run_to_sync(self->other));
}

TEST_F(vcpu_attr_pmu, init_before_the_irqchip_can_be_given_an_irq_before_vgic_init)
{
	int gic_fd;

	ASSERT_EQ(0, pmu_init(self->vcpu));
	ASSERT_EQ(0, pmu_init(self->other));
	gic_fd = create_vgic(self->vm);
	EXPECT_EQ(0, pmu_set_irq(self->vcpu, SPI_A));
	EXPECT_EQ(0, pmu_set_irq(self->other, SPI_B));
	set_vgic_lines(gic_fd);
	place_vgic(self->vm, gic_fd);
	init_vgic(gic_fd);
	EXPECT_EQ(0, run_to_sync(self->vcpu));
	EXPECT_EQ(0, run_to_sync(self->other));
}

TEST_F(vcpu_attr_pmu, init_before_the_irqchip_does_not_run_without_an_irq)
{
	ASSERT_EQ(0, pmu_init(self->vcpu));
	add_vgic(self->vm);
	EXPECT_EQ(-EINVAL, run_immediate_exit(self->vcpu));
	EXPECT_EQ(0, pmu_set_irq(self->vcpu, PMU_PPI));
	EXPECT_EQ(0, run_to_sync(self->vcpu));
}

TEST_F(vcpu_attr_pmu, init_before_the_irqchip_does_not_run_with_the_number_of_a_timer)
{
	ASSERT_EQ(0, pmu_init(self->vcpu));
	add_vgic(self->vm);
	ASSERT_EQ(0, pmu_set_irq(self->vcpu, 27));
	EXPECT_EQ(-EINVAL, run_immediate_exit(self->vcpu));
	EXPECT_EQ(0, timer_set_irq(self->vcpu, VTIMER, 20));
	EXPECT_EQ(0, run_to_sync(self->vcpu));
}

/*
 * The event filter
 */

TEST_F(vcpu_attr_pmu, filter_at_a_bad_address_is_efault)
{
	EXPECT_EQ(-EFAULT, attr_set(self->vcpu, PMU, PMU_FILTER, NULL));
}

TEST_F(vcpu_attr_pmu, filter_before_the_vgic_is_initialized_is_enodev)
{
	create_vgic(self->vm);
	EXPECT_EQ(-ENODEV, pmu_filter(self->vcpu, CPU_CYCLES, 1, DENY));
}

TEST_F(vcpu_attr_pmu, filter_range_must_fit_in_the_event_space)
{
	const u32 end = nr_pmu_events(self->vcpu);
	const struct {
		u16 base;
		u16 nevents;
		int expected;
	} ranges[] = {
		{ 0, 1, 0 },
		{ 0, end - 1, 0 },
		{ 1, end - 1, 0 },
		{ end - 1, 1, 0 },
		{ end - 1, 0, 0 },
		{ end - 1, 2, -EINVAL },
		{ 2, end - 1, -EINVAL },
		{ end / 2, end / 2 + 1, -EINVAL },
		{ UINT16_MAX, 2, -EINVAL },
		{ UINT16_MAX, UINT16_MAX, -EINVAL },
		{ UINT16_MAX, 1, end > UINT16_MAX ? 0 : -EINVAL },
		{ 1, UINT16_MAX, end > UINT16_MAX ? 0 : -EINVAL },
	};

	for (int i = 0; i < ARRAY_SIZE(ranges); i++) {
		for (int action = ALLOW; action <= DENY; action++) {
			EXPECT_EQ(ranges[i].expected, pmu_filter(self->vcpu, ranges[i].base,
								 ranges[i].nevents, action)) {
				TH_LOG("[0x%x, +0x%x) of 0x%x", ranges[i].base,
				       ranges[i].nevents, end);
			}
		}
	}
}

/* Which the VMM may lower, and raise again, until the VM runs. */
TEST_F(vcpu_attr_pmu, filter_space_is_that_of_the_host_not_of_the_guest)
{
	const u32 end = nr_pmu_events(self->vcpu);
	u64 dfr0;

	dfr0 = get_reg(self->vcpu, KVM_ARM64_SYS_REG(SYS_ID_AA64DFR0_EL1));
	dfr0 = (dfr0 & ~PMUVER_MASK) | PMUVER_ARMV8_0;
	vcpu_set_reg(self->vcpu, KVM_ARM64_SYS_REG(SYS_ID_AA64DFR0_EL1), dfr0);
	ASSERT_EQ(BIT(10), nr_pmu_events(self->vcpu));

	EXPECT_EQ(0, pmu_filter(self->vcpu, end - 1, 1, DENY));
	EXPECT_EQ(-EINVAL, pmu_filter(self->vcpu, end - 1, 2, DENY));
}

TEST_F(vcpu_attr_pmu, filter_with_an_unknown_action_is_einval)
{
	EXPECT_EQ(-EINVAL, pmu_filter(self->vcpu, CPU_CYCLES, 1, DENY + 1));
	EXPECT_EQ(-EINVAL, pmu_filter(self->vcpu, CPU_CYCLES, 1, UINT8_MAX));
	EXPECT_EQ(-EINVAL, pmu_filter(self->vcpu, CPU_CYCLES, 0, DENY + 1));
}

TEST_F(vcpu_attr_pmu, filter_that_is_refused_is_no_filter)
{
	EXPECT_EQ(-EINVAL, pmu_filter(self->vcpu, CPU_CYCLES, 1, DENY + 1));
	EXPECT_EQ(-EINVAL, pmu_filter(self->vcpu, UINT16_MAX, 2, ALLOW));
	EXPECT_EQ(-EFAULT, attr_set(self->vcpu, PMU, PMU_FILTER, NULL));
	EXPECT_EQ(0, pmu_set_pmu(self->vcpu, self->type));
}

TEST_F(vcpu_attr_pmu, filter_is_ebusy_when_the_pmu_is_initialized)
{
	ASSERT_EQ(0, pmu_init(self->vcpu));
	EXPECT_EQ(-EBUSY, pmu_filter(self->vcpu, CPU_CYCLES, 1, DENY));
}

TEST_F(vcpu_attr_pmu, filter_is_ebusy_when_any_pmu_is_initialized)
{
	ASSERT_EQ(0, pmu_init(self->vcpu));
	EXPECT_EQ(-EBUSY, pmu_filter(self->other, CPU_CYCLES, 1, DENY));
	EXPECT_EQ(0, pmu_init(self->other));
	EXPECT_NE(0, read_pmu(self->vcpu).pmceid[0] & BIT(CPU_CYCLES));
}

TEST_F(vcpu_attr_pmu, filter_is_ebusy_when_any_vcpu_has_run)
{
	add_vgic(self->vm);
	start_pmu(self->vcpu);
	ASSERT_EQ(-EINTR, run_immediate_exit(self->vcpu));
	EXPECT_EQ(-EBUSY, pmu_filter(self->vcpu, CPU_CYCLES, 1, DENY));
	EXPECT_EQ(-EBUSY, pmu_filter(self->other, CPU_CYCLES, 1, DENY));
}

/* VMMs may set the same filter through each vCPU, right before its INIT. */
TEST_F(vcpu_attr_pmu, filter_that_changes_nothing_works_when_a_pmu_is_initialized)
{
	struct kvm_vcpu *const vcpus[] = { self->vcpu, self->other };
	u64 pmceid;

	ASSERT_EQ(0, pmu_filter(self->vcpu, CPU_CYCLES, 2, DENY));
	ASSERT_EQ(0, pmu_init(self->vcpu));
	for (int i = 0; i < ARRAY_SIZE(vcpus); i++) {
		EXPECT_EQ(0, pmu_filter(vcpus[i], CPU_CYCLES, 2, DENY));
		EXPECT_EQ(0, pmu_filter(vcpus[i], CPU_CYCLES + 1, 1, DENY));
		EXPECT_EQ(0, pmu_filter(vcpus[i], CPU_CYCLES + 2, 4, ALLOW));
		EXPECT_EQ(0, pmu_filter(vcpus[i], CPU_CYCLES, 0, ALLOW));
		EXPECT_EQ(-EBUSY, pmu_filter(vcpus[i], CPU_CYCLES, 3, DENY));
		EXPECT_EQ(-EBUSY, pmu_filter(vcpus[i], CPU_CYCLES - 1, 2, DENY));
		EXPECT_EQ(-EBUSY, pmu_filter(vcpus[i], CPU_CYCLES, 1, ALLOW));
		EXPECT_EQ(-EBUSY, pmu_filter(vcpus[i], CPU_CYCLES - 1, 4, ALLOW));
		EXPECT_EQ(-EINVAL, pmu_filter(vcpus[i], CPU_CYCLES, 2, DENY + 1));
	}
	ASSERT_EQ(0, pmu_init(self->other));

	pmceid = read_pmu(self->vcpu).pmceid[0];
	EXPECT_EQ(0, pmceid & (BIT(CPU_CYCLES) | BIT(CPU_CYCLES + 1)));
	EXPECT_EQ(pmceid, read_pmu(self->other).pmceid[0]);
	EXPECT_EQ(-EBUSY, pmu_filter(self->other, CPU_CYCLES, 2, DENY));
}

/* What is not filtered at all has no policy to agree with. */
TEST_F(vcpu_attr_pmu, first_filter_is_ebusy_when_a_pmu_is_initialized)
{
	ASSERT_EQ(0, pmu_init(self->vcpu));
	for (int action = ALLOW; action <= DENY; action++) {
		EXPECT_EQ(-EBUSY, pmu_filter(self->vcpu, 0, 0, action));
		EXPECT_EQ(-EBUSY, pmu_filter(self->other, 0, 0, action));
	}
}

/* A filter is the VM's: a running vCPU must not lose events by another's call. */
TEST_F(vcpu_attr_pmu, filter_cannot_change_a_running_vcpu)
{
	struct pmu_view before, after;

	ASSERT_EQ(0, pmu_filter(self->other, 0, 0, DENY));
	ASSERT_EQ(0, pmu_init(self->vcpu));
	EXPECT_EQ(-EBUSY, pmu_filter(self->other, CPU_CYCLES, 1, DENY));
	before = read_pmu(self->vcpu);
	EXPECT_EQ(-EBUSY, pmu_filter(self->other, CPU_CYCLES, 1, DENY));
	after = read_pmu(self->vcpu);
	EXPECT_EQ(before.pmceid[0], after.pmceid[0]);
	EXPECT_EQ(!before.cycles, !after.cycles);
}

/*
 * What filters do.  A filter of no events stands for the end of the list.
 */

struct filter {
	u16 base;
	u16 nevents;
	u8 action;
};

/* What a guest sees of its PMU when the VM has these filters. */
static struct pmu_view view_with_filters(const struct filter *filters, int nr)
{
	struct pmu_view result;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	vm = create_vm_without_vgic(1);
	vcpu = add_vcpu(vm, 0, true, guest_reads_pmu);
	for (int i = 0; i < nr; i++)
		TEST_ASSERT_EQ(pmu_filter(vcpu, filters[i].base, filters[i].nevents,
					  filters[i].action), 0);
	TEST_ASSERT_EQ(pmu_init(vcpu), 0);
	result = read_pmu(vcpu);
	kvm_vm_free(vm);
	return result;
}

/* SW_INCR and CHAIN are no events of the PMU, whatever PMCEID says of them. */
#define PMCEID0_MASK	(~(BIT_ULL(SW_INCR) | BIT_ULL(CHAIN)))

static const struct {
	const char *name;
	struct filter filters[3];
	int nr;
	/* What is left of PMCEID0_EL0 and PMCEID1_EL0. */
	u64 left[2];
} policies[] = {
	{ "allow one first: all others denied",
	  { { CPU_CYCLES, 1, ALLOW } }, 1, { BIT_ULL(CPU_CYCLES), 0 } },
	{ "deny one first: all others allowed",
	  { { CPU_CYCLES, 1, DENY } }, 1, { ~BIT_ULL(CPU_CYCLES), ~0ULL } },
	{ "allow and deny: denied by default and by name",
	  { { 0, 0x40, ALLOW }, { 0, 0x40, DENY } }, 2, { 0, 0 } },
	{ "deny and allow: allowed by default and by name",
	  { { 0, 0x40, DENY }, { 0, 0x40, ALLOW } }, 2, { ~0ULL, ~0ULL } },
	{ "a hole in what is allowed",
	  { { 0, 0x20, ALLOW }, { 0x20, 0x20, ALLOW }, { CPU_CYCLES, 1, DENY } }, 3,
	  { 0xffffffffULL & ~BIT_ULL(CPU_CYCLES), 0xffffffffULL } },
	{ "allow nothing first: all denied",
	  { { 0, 0, ALLOW } }, 1, { 0, 0 } },
	{ "deny nothing first: all allowed",
	  { { 0, 0, DENY } }, 1, { ~0ULL, ~0ULL } },
	{ "allow nothing first, then deny: all denied",
	  { { 0, 0, ALLOW }, { 0x20, 0x20, DENY } }, 2, { 0, 0 } },
};

TEST(vcpu_attr_pmu_first_filter_sets_the_policy)
{
	struct pmu_view all = view_with_filters(NULL, 0);

	EXPECT_NE(0, all.pmceid[0] & BIT_ULL(CPU_CYCLES));
	for (int i = 0; i < ARRAY_SIZE(policies); i++) {
		struct pmu_view got = view_with_filters(policies[i].filters, policies[i].nr);
		u64 left[2] = {
			all.pmceid[0] & policies[i].left[0],
			all.pmceid[1] & policies[i].left[1],
		};

		EXPECT_EQ(left[0] & PMCEID0_MASK, got.pmceid[0] & PMCEID0_MASK) {
			TH_LOG("PMCEID0_EL0, %s", policies[i].name);
		}
		EXPECT_EQ(left[1], got.pmceid[1]) {
			TH_LOG("PMCEID1_EL0, %s", policies[i].name);
		}
	}
}

TEST_F(vcpu_attr_pmu, filter_that_is_refused_sets_no_policy)
{
	EXPECT_EQ(-EINVAL, pmu_filter(self->vcpu, UINT16_MAX, 2, ALLOW));
	EXPECT_EQ(-EINVAL, pmu_filter(self->vcpu, 0, 0, DENY + 1));
	EXPECT_EQ(0, pmu_filter(self->vcpu, CPU_CYCLES + 1, 1, DENY));
	ASSERT_EQ(0, pmu_init(self->vcpu));
	EXPECT_NE(0, read_pmu(self->vcpu).pmceid[0] & BIT_ULL(CPU_CYCLES));
}

TEST_F(vcpu_attr_pmu, filters_of_all_vcpus_are_one)
{
	ASSERT_EQ(0, pmu_filter(self->vcpu, CPU_CYCLES, 1, ALLOW));
	ASSERT_EQ(0, pmu_filter(self->other, CPU_CYCLES, 1, DENY));
	ASSERT_EQ(0, pmu_init(self->vcpu));
	ASSERT_EQ(0, pmu_init(self->other));
	EXPECT_EQ(0, read_pmu(self->vcpu).pmceid[0] & PMCEID0_MASK);
	EXPECT_EQ(0, read_pmu(self->other).pmceid[0] & PMCEID0_MASK);
}

TEST(vcpu_attr_pmu_cpu_cycles_governs_the_cycle_counter)
{
	static const struct filter deny = { CPU_CYCLES, 1, DENY };
	static const struct filter deny_next = { CPU_CYCLES + 1, 1, DENY };
	static const struct filter allow = { CPU_CYCLES, 1, ALLOW };
	static const struct filter allow_next = { CPU_CYCLES + 1, 1, ALLOW };

	if (!view_with_filters(NULL, 0).cycles)
		SKIP(return, "guests have no cycles here");

	EXPECT_EQ(0, view_with_filters(&deny, 1).cycles);
	EXPECT_NE(0, view_with_filters(&deny_next, 1).cycles);
	EXPECT_NE(0, view_with_filters(&allow, 1).cycles);
	EXPECT_EQ(0, view_with_filters(&allow_next, 1).cycles);
}

TEST(vcpu_attr_pmu_sw_incr_and_chain_are_never_filtered)
{
	static const struct filter filters[] = {
		{ SW_INCR, 1, DENY },
		{ CHAIN, 1, DENY },
	};
	static const struct filter nothing = { 0, 0, ALLOW };
	struct pmu_view denied = view_with_filters(filters, ARRAY_SIZE(filters));
	struct pmu_view not_allowed = view_with_filters(&nothing, 1);

	EXPECT_EQ(3, (u32)denied.sw_incr);
	EXPECT_EQ(1, denied.chain);
	EXPECT_EQ(3, (u32)not_allowed.sw_incr);
	EXPECT_EQ(1, not_allowed.chain);
}

/*
 * The choice of a PMU
 */

TEST_F(vcpu_attr_pmu, set_pmu_at_a_bad_address_is_efault)
{
	EXPECT_EQ(-EFAULT, attr_set(self->vcpu, PMU, PMU_SET_PMU, NULL));
}

TEST_F(vcpu_attr_pmu, set_pmu_of_no_pmu_is_enxio)
{
	/* Those below 6 are perf's own, and are no PMUs of CPUs. */
	static const int types[] = { INT_MIN, -1, 0, 1, 2, 3, 4, 5, 4711, INT_MAX };

	for (int i = 0; i < ARRAY_SIZE(types); i++) {
		EXPECT_EQ(-ENXIO, pmu_set_pmu(self->vcpu, types[i])) {
			TH_LOG("type %d", types[i]);
		}
	}
}

TEST_F(vcpu_attr_pmu, set_pmu_before_the_vgic_is_initialized_is_enodev)
{
	create_vgic(self->vm);
	EXPECT_EQ(-ENODEV, pmu_set_pmu(self->vcpu, self->type));
}

TEST_F(vcpu_attr_pmu, set_pmu_works_without_and_with_irqchip)
{
	EXPECT_EQ(0, pmu_set_pmu(self->vcpu, self->type));
	add_vgic(self->vm);
	EXPECT_EQ(0, pmu_set_pmu(self->vcpu, self->type));
	start_pmu(self->vcpu);
	EXPECT_EQ(0, run_to_sync(self->vcpu));
}

/* kvmtool names the PMU for each vCPU; the VMM may have lowered N before. */
TEST_F(vcpu_attr_pmu, set_pmu_again_keeps_pmcr_n)
{
	u32 n;

	ASSERT_EQ(0, pmu_set_pmu(self->vcpu, self->type));
	n = nr_pmu_counters(self->vcpu);
	if (!n)
		SKIP(return, "no event counters");
	lower_pmcr_n(self->vcpu);
	ASSERT_EQ(n - 1, nr_pmu_counters(self->vcpu));

	EXPECT_EQ(0, pmu_set_pmu(self->vcpu, self->type));
	EXPECT_EQ(n - 1, nr_pmu_counters(self->vcpu));
	EXPECT_EQ(0, pmu_set_pmu(self->other, self->type));
	EXPECT_EQ(n - 1, nr_pmu_counters(self->vcpu));
	EXPECT_EQ(n - 1, nr_pmu_counters(self->other));
}

TEST_F(vcpu_attr_pmu, set_pmu_is_ebusy_when_the_pmu_is_initialized)
{
	ASSERT_EQ(0, pmu_init(self->vcpu));
	EXPECT_EQ(-EBUSY, pmu_set_pmu(self->vcpu, self->type));
}

TEST_F(vcpu_attr_pmu, set_pmu_of_the_same_works_when_another_vcpu_is_initialized)
{
	ASSERT_EQ(0, pmu_set_pmu(self->vcpu, self->type));
	ASSERT_EQ(0, pmu_init(self->vcpu));
	EXPECT_EQ(0, pmu_set_pmu(self->other, self->type));
	EXPECT_EQ(0, pmu_init(self->other));
}

/* All calls vCPU by vCPU, with the same PMU and filter for each. */
TEST_F(vcpu_attr_pmu, set_pmu_of_the_same_works_when_a_vcpu_is_filtered_and_initialized)
{
	struct kvm_vcpu *const vcpus[] = { self->vcpu, self->other };

	add_vgic(self->vm);
	for (int i = 0; i < ARRAY_SIZE(vcpus); i++) {
		EXPECT_EQ(0, pmu_set_pmu(vcpus[i], self->type));
		EXPECT_EQ(0, pmu_filter(vcpus[i], CPU_CYCLES, 1, DENY));
		start_pmu(vcpus[i]);
		EXPECT_EQ(-EBUSY, pmu_set_pmu(vcpus[i], self->type));
	}
}

TEST_F(vcpu_attr_pmu, set_pmu_is_ebusy_when_any_vcpu_has_run)
{
	add_vgic(self->vm);
	start_pmu(self->vcpu);
	ASSERT_EQ(-EINTR, run_immediate_exit(self->vcpu));
	EXPECT_EQ(-EBUSY, pmu_set_pmu(self->vcpu, self->type));
	EXPECT_EQ(-EBUSY, pmu_set_pmu(self->other, self->type));
}

TEST_F(vcpu_attr_pmu, set_pmu_is_ebusy_when_there_is_a_filter)
{
	ASSERT_EQ(0, pmu_set_pmu(self->vcpu, self->type));
	ASSERT_EQ(0, pmu_filter(self->vcpu, CPU_CYCLES, 1, DENY));
	EXPECT_EQ(-EBUSY, pmu_set_pmu(self->vcpu, self->type));
	EXPECT_EQ(-EBUSY, pmu_set_pmu(self->other, self->type));
}

TEST_F(vcpu_attr_pmu, set_pmu_is_ebusy_when_there_is_a_filter_of_nothing)
{
	ASSERT_EQ(0, pmu_filter(self->vcpu, 0, 0, DENY));
	EXPECT_EQ(-EBUSY, pmu_set_pmu(self->vcpu, self->type));
}

#ifdef KVM_ARM_VCPU_PMU_V3_SET_NR_COUNTERS
/*
 * The number of event counters
 */

FIXTURE(vcpu_attr_nr_counters) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct kvm_vcpu *other;
	int type;
	u32 max;
};

FIXTURE_SETUP(vcpu_attr_nr_counters)
{
	struct host_pmu pmus[MAX_PMUS];

	ASSERT_LT(0, find_host_pmus(pmus));
	self->vm = create_vm_without_vgic(2);
	self->vcpu = add_vcpu(self->vm, 0, true, guest_reads_pmu);
	self->other = add_vcpu(self->vm, 1, true, guest_reads_pmu);
	self->type = pmus[0].type;
	ASSERT_EQ(0, pmu_set_pmu(self->vcpu, self->type));
	self->max = nr_pmu_counters(self->vcpu);
}

FIXTURE_TEARDOWN(vcpu_attr_nr_counters)
{
	kvm_vm_free(self->vm);
}

TEST_F(vcpu_attr_nr_counters, are_as_many_as_was_set)
{
	for (u32 nr = 0; nr <= self->max; nr++) {
		ASSERT_EQ(0, pmu_set_nr_counters(self->other, nr));
		EXPECT_EQ(nr, nr_pmu_counters(self->vcpu));
		EXPECT_EQ(nr, nr_pmu_counters(self->other));
	}
}

TEST_F(vcpu_attr_nr_counters, more_than_the_pmu_has_are_einval)
{
	EXPECT_EQ(-EINVAL, pmu_set_nr_counters(self->vcpu, self->max + 1));
	EXPECT_EQ(-EINVAL, pmu_set_nr_counters(self->vcpu, 32));
	EXPECT_EQ(-EINVAL, pmu_set_nr_counters(self->vcpu, 256));
	EXPECT_EQ(-EINVAL, pmu_set_nr_counters(self->vcpu, UINT_MAX));
	EXPECT_EQ(self->max, nr_pmu_counters(self->vcpu));
}

TEST_F(vcpu_attr_nr_counters, at_a_bad_address_are_efault)
{
	EXPECT_EQ(-EFAULT, attr_set(self->vcpu, PMU, PMU_NR_COUNTERS, NULL));
}

/* The base kernel's own vpmu_counter_access does that. */
TEST_F(vcpu_attr_pmu, nr_counters_of_the_default_pmu_can_be_set)
{
	EXPECT_EQ(0, pmu_set_nr_counters(self->vcpu, 0));
	EXPECT_EQ(0, nr_pmu_counters(self->other));
}

TEST_F(vcpu_attr_nr_counters, before_the_vgic_is_initialized_are_enodev)
{
	create_vgic(self->vm);
	EXPECT_EQ(-ENODEV, pmu_set_nr_counters(self->vcpu, 0));
}

TEST_F(vcpu_attr_nr_counters, are_ebusy_when_any_vcpu_has_run)
{
	add_vgic(self->vm);
	start_pmu(self->vcpu);
	ASSERT_EQ(-EINTR, run_immediate_exit(self->vcpu));
	EXPECT_EQ(-EBUSY, pmu_set_nr_counters(self->vcpu, 0));
	EXPECT_EQ(-EBUSY, pmu_set_nr_counters(self->other, 0));
	EXPECT_EQ(-EBUSY, pmu_set_nr_counters(self->other, self->max));
	EXPECT_EQ(self->max, nr_pmu_counters(self->other));
}

TEST_F(vcpu_attr_nr_counters, are_ebusy_when_there_is_a_filter)
{
	ASSERT_EQ(0, pmu_filter(self->vcpu, CPU_CYCLES, 1, DENY));
	EXPECT_EQ(-EBUSY, pmu_set_nr_counters(self->vcpu, 0));
	EXPECT_EQ(-EBUSY, pmu_set_nr_counters(self->other, self->max));
	EXPECT_EQ(self->max, nr_pmu_counters(self->vcpu));
}

/* All calls vCPU by vCPU. */
TEST_F(vcpu_attr_nr_counters, that_change_nothing_work_when_a_pmu_is_initialized)
{
	struct kvm_vcpu *const vcpus[] = { self->vcpu, self->other };

	if (!self->max)
		SKIP(return, "no event counters");

	add_vgic(self->vm);
	for (int i = 0; i < ARRAY_SIZE(vcpus); i++) {
		EXPECT_EQ(0, pmu_set_pmu(vcpus[i], self->type));
		EXPECT_EQ(0, pmu_set_nr_counters(vcpus[i], self->max - 1));
		EXPECT_EQ(0, pmu_filter(vcpus[i], CPU_CYCLES, 1, DENY));
		start_pmu(vcpus[i]);
		EXPECT_EQ(-EBUSY, pmu_set_nr_counters(vcpus[i], self->max - 1));
		EXPECT_EQ(-EBUSY, pmu_set_nr_counters(self->other, self->max));
	}
	EXPECT_EQ(self->max - 1, nr_pmu_counters(self->other));
}

#endif
#ifdef KVM_ARM_VCPU_PMU_V3_STRICT
/*
 * No PMU by default
 */

TEST(vcpu_attr_pmu_strict_needs_a_pmu)
{
	struct host_pmu pmus[MAX_PMUS];
	struct kvm_vcpu_init init;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	ASSERT_LT(0, find_host_pmus(pmus));
	ASSERT_TRUE(kvm_has_cap(KVM_CAP_ARM_PMU_V3_STRICT));
	vm = create_vm_without_vgic(1);
	init = preferred_init(vm, true);
	init.features[0] |= BIT(KVM_ARM_VCPU_PMU_V3_STRICT);
	vcpu = aarch64_vcpu_add(vm, 0, &init, guest_reads_pmu);
	add_vgic(vm);

	ASSERT_EQ(0, pmu_set_irq(vcpu, PMU_PPI));
	EXPECT_EQ(-ENXIO, pmu_init(vcpu));
	EXPECT_EQ(-ENXIO, pmu_filter(vcpu, CPU_CYCLES, 1, ALLOW));
	EXPECT_EQ(-EINVAL, pmu_set_nr_counters(vcpu, 0));
	EXPECT_EQ(-EINVAL, run_immediate_exit(vcpu));
	EXPECT_EQ(0, nr_pmu_counters(vcpu));

	EXPECT_EQ(0, pmu_set_pmu(vcpu, pmus[0].type));
	EXPECT_EQ(0, pmu_set_nr_counters(vcpu, nr_pmu_counters(vcpu)));
	EXPECT_EQ(0, pmu_filter(vcpu, CPU_CYCLES, 1, ALLOW));
	EXPECT_EQ(0, pmu_init(vcpu));
	EXPECT_EQ(0, run_to_sync(vcpu));
	kvm_vm_free(vm);
}

#endif
/*
 * Machines with two kinds of CPUs.  The PMU of the CPU that called
 * KVM_ARM_VCPU_INIT is the VM's unless another is chosen.
 */

FIXTURE(vcpu_attr_two_pmus) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct kvm_vcpu *other;
	struct host_pmu pmus[MAX_PMUS];
};

FIXTURE_SETUP(vcpu_attr_two_pmus)
{
	if (find_host_pmus(self->pmus) < 2)
		SKIP(return, "there are no two PMUs");

	self->vm = create_vm_without_vgic(2);
	self->vcpu = add_vcpu(self->vm, 0, true, guest_reads_pmu);
	self->other = add_vcpu(self->vm, 1, true, guest_reads_pmu);
}

FIXTURE_TEARDOWN(vcpu_attr_two_pmus)
{
	if (self->vm)
		kvm_vm_free(self->vm);
}

static void expect_runs_on(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu, int cpu)
{
	pin_self_to_cpu(cpu);
	EXPECT_EQ(0, run_to_sync(vcpu)) {
		TH_LOG("on CPU %d", cpu);
	}
}

static void expect_fails_on(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu, int cpu)
{
	pin_self_to_cpu(cpu);
	EXPECT_EQ(0, __vcpu_run(vcpu));
	EXPECT_EQ(KVM_EXIT_FAIL_ENTRY, vcpu->run->exit_reason);
	EXPECT_EQ(KVM_EXIT_FAIL_ENTRY_CPU_UNSUPPORTED,
		  vcpu->run->fail_entry.hardware_entry_failure_reason);
	EXPECT_EQ(cpu, vcpu->run->fail_entry.cpu);
}

TEST_F(vcpu_attr_two_pmus, chosen_one_ties_the_vcpus_to_its_cpus)
{
	int here = self->pmus[0].cpu, there = self->pmus[1].cpu;

	ASSERT_EQ(0, pmu_set_pmu(self->vcpu, self->pmus[1].type));
	add_vgic(self->vm);
	start_pmu(self->vcpu);
	start_pmu(self->other);

	expect_fails_on(_metadata, self->vcpu, here);
	expect_runs_on(_metadata, self->vcpu, there);
	expect_fails_on(_metadata, self->vcpu, here);
	expect_fails_on(_metadata, self->other, here);
	expect_runs_on(_metadata, self->other, there);
	expect_runs_on(_metadata, self->vcpu, there);
}

TEST_F(vcpu_attr_two_pmus, default_one_ties_the_vcpus_once_it_is_chosen)
{
	ASSERT_EQ(0, pmu_set_pmu(self->vcpu, self->pmus[0].type));
	add_vgic(self->vm);
	start_pmu(self->vcpu);

	expect_runs_on(_metadata, self->vcpu, self->pmus[0].cpu);
	expect_fails_on(_metadata, self->vcpu, self->pmus[1].cpu);
}

TEST_F(vcpu_attr_two_pmus, default_one_runs_everywhere_if_none_is_chosen)
{
	add_vgic(self->vm);
	start_pmu(self->vcpu);

	expect_runs_on(_metadata, self->vcpu, self->pmus[0].cpu);
	expect_runs_on(_metadata, self->vcpu, self->pmus[1].cpu);
}

TEST_F(vcpu_attr_two_pmus, last_choice_counts)
{
	ASSERT_EQ(0, pmu_set_pmu(self->vcpu, self->pmus[1].type));
	ASSERT_EQ(0, pmu_set_pmu(self->vcpu, self->pmus[0].type));
	ASSERT_EQ(0, pmu_set_pmu(self->other, self->pmus[1].type));
	add_vgic(self->vm);
	start_pmu(self->vcpu);

	expect_fails_on(_metadata, self->vcpu, self->pmus[0].cpu);
	expect_runs_on(_metadata, self->vcpu, self->pmus[1].cpu);
}

TEST_F(vcpu_attr_two_pmus, other_pmu_is_ebusy_when_a_vcpu_is_initialized)
{
	ASSERT_EQ(0, pmu_set_pmu(self->vcpu, self->pmus[0].type));
	ASSERT_EQ(0, pmu_init(self->vcpu));
	EXPECT_EQ(-EBUSY, pmu_set_pmu(self->other, self->pmus[1].type));
	EXPECT_EQ(0, pmu_set_pmu(self->other, self->pmus[0].type));
	EXPECT_EQ(0, pmu_init(self->other));
}

TEST_F(vcpu_attr_two_pmus, other_pmu_is_ebusy_when_the_default_is_initialized)
{
	ASSERT_EQ(0, pmu_init(self->vcpu));
	EXPECT_EQ(-EBUSY, pmu_set_pmu(self->other, self->pmus[1].type));

	/* It was refused, so the default one runs everywhere. */
	expect_runs_on(_metadata, self->vcpu, self->pmus[0].cpu);
	expect_runs_on(_metadata, self->vcpu, self->pmus[1].cpu);
}

TEST_F(vcpu_attr_two_pmus, other_pmu_is_ebusy_when_there_is_a_filter)
{
	ASSERT_EQ(0, pmu_filter(self->vcpu, CPU_CYCLES, 1, DENY));
	EXPECT_EQ(-EBUSY, pmu_set_pmu(self->vcpu, self->pmus[1].type));
	EXPECT_EQ(-EBUSY, pmu_set_pmu(self->vcpu, self->pmus[0].type));
}

/* To choose the default would change something: it ties the vCPUs to its CPUs. */
TEST_F(vcpu_attr_two_pmus, default_is_ebusy_when_a_vcpu_is_filtered_and_initialized)
{
	ASSERT_EQ(0, pmu_filter(self->vcpu, CPU_CYCLES, 1, DENY));
	ASSERT_EQ(0, pmu_init(self->vcpu));
	EXPECT_EQ(-EBUSY, pmu_set_pmu(self->other, self->pmus[0].type));
	EXPECT_EQ(-EBUSY, pmu_set_pmu(self->other, self->pmus[1].type));
	ASSERT_EQ(0, pmu_init(self->other));
	expect_runs_on(_metadata, self->other, self->pmus[1].cpu);
}

TEST_F(vcpu_attr_two_pmus, other_pmu_is_ebusy_when_a_vcpu_has_run)
{
	add_vgic(self->vm);
	start_pmu(self->vcpu);
	ASSERT_EQ(-EINTR, run_immediate_exit(self->vcpu));
	EXPECT_EQ(-EBUSY, pmu_set_pmu(self->other, self->pmus[1].type));
}

int main(int argc, char *argv[])
{
	struct host_pmu pmus[MAX_PMUS];

	TEST_REQUIRE(host_has_pmu());
	TEST_REQUIRE(find_host_pmus(pmus));
	TEST_REQUIRE(!__kvm_test_create_device(vm_create_barebones(), KVM_DEV_TYPE_ARM_VGIC_V3));

	/* Where there are two, the first is the default of all VMs. */
	pin_self_to_cpu(pmus[0].cpu);

	return test_harness_run(argc, argv);
}
