// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * The calls that VMMs make, in their order, up to vCPUs that run; on restore they
 * make the same ones again.  None of them may fail: VMMs give up on errors.
 */
#include "arm_vcpu_attr.h"
#include "kvm_test_harness.h"

#define NR_VCPUS	2

#define ST_IPA(_i)	(ST_GPA + 64 * (_i))

/* What PV_TIME_ST returned to the vCPUs; NO_IPA as well if there is no structure. */
static u64 told[NR_VCPUS];

static void guest_asks_for_stolen_time(void)
{
	struct arm_smccc_res res;

	smccc_hvc(PV_TIME_ST, 0, 0, 0, 0, 0, 0, 0, &res);
	told[guest_get_vcpuid()] = res.a0;
	for (;;)
		GUEST_SYNC(0);
}

struct vmm {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpus[NR_VCPUS];
	u64 ipas[NR_VCPUS];
	int gic_fd;
	bool pmu;
	bool pvtime;
};

/*
 * The steps: what a VMM does once, or for each vCPU
 */

static void creates_vcpu(struct __test_metadata *_metadata, struct vmm *vmm, int i)
{
	vmm->vcpus[i] = add_vcpu(vmm->vm, i, vmm->pmu, guest_asks_for_stolen_time);
}

/* KVM_CREATE_VCPU by itself, KVM_ARM_VCPU_INIT comes later. */
static void creates_bare_vcpu(struct __test_metadata *_metadata, struct vmm *vmm, int i)
{
	vmm->vcpus[i] = add_bare_vcpu(vmm->vm, i);
}

static void inits_vcpu(struct __test_metadata *_metadata, struct vmm *vmm, int i)
{
	finish_vcpu(vmm->vcpus[i], vmm->pmu, guest_asks_for_stolen_time);
}

static void wants_no_pmu(struct __test_metadata *_metadata, struct vmm *vmm)
{
	vmm->pmu = false;
}

static void makes_vgic(struct __test_metadata *_metadata, struct vmm *vmm)
{
	vmm->gic_fd = add_vgic(vmm->vm);
}

static void creates_vgic(struct __test_metadata *_metadata, struct vmm *vmm)
{
	vmm->gic_fd = create_vgic(vmm->vm);
}

static void inits_vgic(struct __test_metadata *_metadata, struct vmm *vmm)
{
	set_vgic_lines(vmm->gic_fd);
	init_vgic(vmm->gic_fd);
	place_vgic(vmm->vm, vmm->gic_fd);
}

/* Most VMMs ask before each SET. */
static void has_and_set(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu,
			u32 group, u64 attr, const void *value)
{
	ASSERT_EQ(0, attr_has(vcpu, group, attr)) {
		TH_LOG("HAS of %u:%lu", group, attr);
	}
	ASSERT_EQ(0, attr_set(vcpu, group, attr, value)) {
		TH_LOG("SET of %u:%lu on vCPU %u", group, attr, vcpu->id);
	}
}

static void sets_pmu_irq(struct __test_metadata *_metadata, struct vmm *vmm, int i)
{
	const int irq = PMU_PPI;

	if (vmm->pmu)
		has_and_set(_metadata, vmm->vcpus[i], PMU, PMU_IRQ, &irq);
}

/* KVM wants an int, and finds it in the first half. */
static void sets_pmu_irq_as_u64(struct __test_metadata *_metadata, struct vmm *vmm, int i)
{
	const u64 irq = PMU_PPI | (~0ULL << 32);

	if (vmm->pmu)
		ASSERT_EQ(0, attr_set(vmm->vcpus[i], PMU, PMU_IRQ, &irq));
}

static void inits_pmu(struct __test_metadata *_metadata, struct vmm *vmm, int i)
{
	if (vmm->pmu)
		has_and_set(_metadata, vmm->vcpus[i], PMU, PMU_INIT, NULL);
}

/* The choice ties the vCPUs to the CPUs of that PMU. */
static void chooses_pmu(struct __test_metadata *_metadata, struct vmm *vmm, int i)
{
	struct host_pmu pmus[MAX_PMUS];

	if (!vmm->pmu)
		return;

	ASSERT_LT(0, find_host_pmus(pmus));
	has_and_set(_metadata, vmm->vcpus[i], PMU, PMU_SET_PMU, &pmus[0].type);
	pin_self_to_cpu(pmus[0].cpu);
}

/* A list, of which each vCPU gets all. */
static void filters_events(struct __test_metadata *_metadata, struct vmm *vmm, int i)
{
	static const struct kvm_pmu_event_filter filters[] = {
		{ .base_event = 0x11, .nevents = 1, .action = KVM_PMU_EVENT_ALLOW },
		{ .base_event = 0x23, .nevents = 8, .action = KVM_PMU_EVENT_ALLOW },
		{ .base_event = 0x30, .nevents = 3, .action = KVM_PMU_EVENT_DENY },
	};

	for (int j = 0; vmm->pmu && j < ARRAY_SIZE(filters); j++)
		has_and_set(_metadata, vmm->vcpus[i], PMU, PMU_FILTER, &filters[j]);
}

/* HAS of INIT stands for all of the PMU. */
static void probes_pmu(struct __test_metadata *_metadata, struct vmm *vmm, int i)
{
	ASSERT_EQ(vmm->pmu ? 0 : -ENXIO, attr_has(vmm->vcpus[i], PMU, PMU_INIT));
}

static void probes_pvtime(struct __test_metadata *_metadata, struct vmm *vmm, int i)
{
	ASSERT_EQ(vmm->pvtime ? 0 : -ENXIO, attr_has(vmm->vcpus[i], PVTIME, PVTIME_IPA));
}

static void probes_pvtime_once(struct __test_metadata *_metadata, struct vmm *vmm)
{
	probes_pvtime(_metadata, vmm, 0);
}

static void sets_ipa(struct __test_metadata *_metadata, struct vmm *vmm, int i)
{
	if (!vmm->pvtime)
		return;

	if (vmm->ipas[i] == NO_IPA)
		vmm->ipas[i] = ST_IPA(i);
	has_and_set(_metadata, vmm->vcpus[i], PVTIME, PVTIME_IPA, &vmm->ipas[i]);
}

/*
 * The VMMs
 */

#define MAX_STEPS	4
#define MAX_PHASES	8

typedef void (*vm_step)(struct __test_metadata *_metadata, struct vmm *vmm);
typedef void (*vcpu_step)(struct __test_metadata *_metadata, struct vmm *vmm, int i);

/* Something that is done once, or steps for one vCPU after the other. */
struct phase {
	vm_step once;
	vcpu_step each[MAX_STEPS];
};

FIXTURE(vcpu_attr_vmm) {
	struct vmm vmm;
};

FIXTURE_VARIANT(vcpu_attr_vmm) {
	struct phase phases[MAX_PHASES];
};

FIXTURE_VARIANT_ADD(vcpu_attr_vmm, qemu) {
	.phases = {
		{ .each = { creates_vcpu } },
		{ .once = makes_vgic },
		{ .each = { sets_pmu_irq, inits_pmu, sets_ipa } },
	},
};

/* Older ones set all interrupts when the vgic is there but not initialized. */
FIXTURE_VARIANT_ADD(vcpu_attr_vmm, qemu_irq_before_vgic_init) {
	.phases = {
		{ .each = { creates_vcpu } },
		{ .once = creates_vgic },
		{ .each = { sets_pmu_irq } },
		{ .once = inits_vgic },
		{ .each = { inits_pmu } },
	},
};

/* A patch to QEMU that was sent to its list. */
FIXTURE_VARIANT_ADD(vcpu_attr_vmm, qemu_that_filters_events) {
	.phases = {
		{ .each = { creates_vcpu } },
		{ .once = makes_vgic },
		{ .each = { filters_events, sets_pmu_irq, inits_pmu, sets_ipa } },
	},
};

FIXTURE_VARIANT_ADD(vcpu_attr_vmm, all_of_the_pmu_for_each_vcpu) {
	.phases = {
		{ .each = { creates_vcpu } },
		{ .once = makes_vgic },
		{ .each = { chooses_pmu, filters_events, sets_pmu_irq, inits_pmu } },
	},
};

FIXTURE_VARIANT_ADD(vcpu_attr_vmm, qemu_with_its_own_irqchip) {
	.phases = {
		{ .each = { creates_vcpu } },
		{ .each = { inits_pmu, sets_ipa } },
	},
};

FIXTURE_VARIANT_ADD(vcpu_attr_vmm, kvmtool) {
	.phases = {
		{ .each = { creates_vcpu, sets_ipa } },
		{ .once = makes_vgic },
		{ .each = { sets_pmu_irq, chooses_pmu, inits_pmu } },
	},
};

FIXTURE_VARIANT_ADD(vcpu_attr_vmm, crosvm) {
	.phases = {
		{ .each = { creates_bare_vcpu, probes_pvtime } },
		{ .each = { inits_vcpu } },
		{ .once = makes_vgic },
		{ .each = { sets_pmu_irq_as_u64, inits_pmu, sets_ipa } },
	},
};

FIXTURE_VARIANT_ADD(vcpu_attr_vmm, cloud_hypervisor) {
	.phases = {
		{ .each = { creates_vcpu } },
		{ .once = makes_vgic },
		{ .each = { probes_pmu, sets_pmu_irq, inits_pmu } },
	},
};

/* It asks one vCPU for all of them. */
FIXTURE_VARIANT_ADD(vcpu_attr_vmm, firecracker) {
	.phases = {
		{ .once = wants_no_pmu },
		{ .each = { creates_bare_vcpu } },
		{ .once = makes_vgic },
		{ .once = probes_pvtime_once },
		{ .each = { sets_ipa } },
		{ .each = { inits_vcpu } },
	},
};

static void create_vm(struct vmm *vmm)
{
	vmm->vm = create_vm_without_vgic(NR_VCPUS);
	vmm->gic_fd = -1;
	add_st_slot(vmm->vm, 0);
}

FIXTURE_SETUP(vcpu_attr_vmm)
{
	struct vmm *vmm = &self->vmm;

	vmm->pmu = host_has_pmu();
	vmm->pvtime = kvm_has_cap(KVM_CAP_STEAL_TIME);
	for (int i = 0; i < NR_VCPUS; i++)
		vmm->ipas[i] = NO_IPA;
	create_vm(vmm);
}

FIXTURE_TEARDOWN(vcpu_attr_vmm)
{
	kvm_vm_free(self->vmm.vm);
}

static void replay(struct __test_metadata *_metadata, struct vmm *vmm, const struct phase *phases)
{
	for (const struct phase *phase = phases; phase < phases + MAX_PHASES; phase++) {
		if (phase->once)
			phase->once(_metadata, vmm);
		for (int i = 0; i < NR_VCPUS; i++) {
			for (int step = 0; step < MAX_STEPS && phase->each[step]; step++)
				phase->each[step](_metadata, vmm, i);
		}
	}
}

static void expect_all_run(struct __test_metadata *_metadata, struct vmm *vmm)
{
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < NR_VCPUS; i++) {
			EXPECT_EQ(0, run_to_sync(vmm->vcpus[i])) {
				TH_LOG("vCPU %d", i);
			}
		}
	}

	sync_global_from_guest(vmm->vm, told);
	for (int i = 0; i < NR_VCPUS; i++) {
		EXPECT_EQ(vmm->ipas[i], told[i]);
		if (vmm->pvtime)
			EXPECT_EQ(vmm->ipas[i], pvtime_get_ipa(vmm->vcpus[i]));
	}
}

TEST_F(vcpu_attr_vmm, runs)
{
	replay(_metadata, &self->vmm, variant->phases);
	expect_all_run(_metadata, &self->vmm);
}

/* A vCPU is reset by initializing it again, when it has all its attributes. */
static void reset_vcpu(struct vmm *vmm, int i)
{
	struct kvm_vcpu *vcpu = vmm->vcpus[i];
	struct kvm_vcpu_init init = preferred_init(vcpu->vm, vmm->pmu);
	u64 sp;

	sp = get_reg(vcpu, ARM64_CORE_REG(sp_el1));
	aarch64_vcpu_setup(vcpu, &init);
	vcpu_set_reg(vcpu, ARM64_CORE_REG(sp_el1), sp);
	vcpu_arch_set_entry_point(vcpu, guest_asks_for_stolen_time);
}

TEST_F(vcpu_attr_vmm, runs_after_a_reset)
{
	struct vmm *vmm = &self->vmm;

	replay(_metadata, vmm, variant->phases);
	expect_all_run(_metadata, vmm);
	for (int i = 0; i < NR_VCPUS; i++) {
		int irq = pmu_get_irq(vmm->vcpus[i]);

		reset_vcpu(vmm, i);
		EXPECT_EQ(irq, pmu_get_irq(vmm->vcpus[i]));
	}
	expect_all_run(_metadata, vmm);
}

/* Some of the vgic's state: the distributor is on, and so is the PMU's interrupt. */
static const struct {
	u32 group;
	u64 attr;
	u32 value;
} vgic_state[] = {
	{ KVM_DEV_ARM_VGIC_GRP_DIST_REGS, 0x0000, 0x12 },
	{ KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, 0x10100, BIT(PMU_PPI) },
};

static void restore_vgic(struct __test_metadata *_metadata, int gic_fd)
{
	for (int i = 0; i < ARRAY_SIZE(vgic_state); i++) {
		u32 value = vgic_state[i].value;

		kvm_device_attr_set(gic_fd, vgic_state[i].group, vgic_state[i].attr, &value);
		kvm_device_attr_get(gic_fd, vgic_state[i].group, vgic_state[i].attr, &value);
		EXPECT_EQ(vgic_state[i].value, value & vgic_state[i].value);
	}
}

/* The stolen time is where it was, all else is made as it was at first. */
TEST_F(vcpu_attr_vmm, runs_after_a_restore)
{
	struct vmm *vmm = &self->vmm;

	replay(_metadata, vmm, variant->phases);
	expect_all_run(_metadata, vmm);
	for (int i = 0; vmm->pvtime && i < NR_VCPUS; i++)
		vmm->ipas[i] = pvtime_get_ipa(vmm->vcpus[i]);
	kvm_vm_free(vmm->vm);

	create_vm(vmm);
	replay(_metadata, vmm, variant->phases);
	if (vmm->gic_fd >= 0)
		restore_vgic(_metadata, vmm->gic_fd);
	expect_all_run(_metadata, vmm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(!__kvm_test_create_device(vm_create_barebones(), KVM_DEV_TYPE_ARM_VGIC_V3));

	return test_harness_run(argc, argv);
}
