// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls that VMMs make, in their order, up to vCPUs that run.  None of them
 * may fail: VMMs give up on errors.
 */
#include "vcpu_attr.h"

#define NR_VCPUS	2

#define PV_TIME_ST	0xc5000021

#define ST_IPA(_i)	(ST_GPA + 64 * (_i))

/* What PV_TIME_ST told the vCPUs. */
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
	bool pmu;
	bool pvtime;
};

FIXTURE(vcpu_attr_vmm) {
	struct vmm vmm;
};

FIXTURE_SETUP(vcpu_attr_vmm)
{
	self->vmm.vm = vm_create(NR_VCPUS);
	self->vmm.pmu = host_has_pmu();
	self->vmm.pvtime = kvm_has_cap(KVM_CAP_STEAL_TIME);
	add_st_slot(self->vmm.vm, 0);
}

FIXTURE_TEARDOWN(vcpu_attr_vmm)
{
	kvm_vm_free(self->vmm.vm);
}

/* KVM_CREATE_VCPU and KVM_ARM_VCPU_INIT of all vCPUs. */
static void create_vcpus(struct vmm *vmm)
{
	for (int i = 0; i < NR_VCPUS; i++)
		vmm->vcpus[i] = add_vcpu(vmm->vm, i, vmm->pmu, guest_asks_for_stolen_time);
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
}

static void expect_stolen_time(struct __test_metadata *_metadata, struct vmm *vmm)
{
	if (!vmm->pvtime)
		return;

	sync_global_from_guest(vmm->vm, told);
	for (int i = 0; i < NR_VCPUS; i++) {
		EXPECT_EQ(ST_IPA(i), told[i]);
		EXPECT_EQ(ST_IPA(i), pvtime_get_ipa(vmm->vcpus[i]));
	}
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

TEST_F(vcpu_attr_vmm, qemu)
{
	struct vmm *vmm = &self->vmm;
	const int irq = PMU_PPI;

	create_vcpus(vmm);
	add_vgic(vmm->vm);
	for (int i = 0; i < NR_VCPUS; i++) {
		const u64 ipa = ST_IPA(i);

		if (vmm->pmu) {
			has_and_set(_metadata, vmm->vcpus[i], PMU, PMU_IRQ, &irq);
			has_and_set(_metadata, vmm->vcpus[i], PMU, PMU_INIT, NULL);
		}
		if (vmm->pvtime)
			has_and_set(_metadata, vmm->vcpus[i], PVTIME, PVTIME_IPA, &ipa);
	}
	expect_all_run(_metadata, vmm);
	expect_stolen_time(_metadata, vmm);
}

/* Older ones set all interrupts when the vgic is there but not initialised. */
TEST_F(vcpu_attr_vmm, qemu_irq_before_vgic_init)
{
	struct vmm *vmm = &self->vmm;
	const int irq = PMU_PPI;
	int gic_fd;

	create_vcpus(vmm);
	gic_fd = create_vgic(vmm->vm);
	for (int i = 0; vmm->pmu && i < NR_VCPUS; i++)
		has_and_set(_metadata, vmm->vcpus[i], PMU, PMU_IRQ, &irq);
	set_vgic_lines(gic_fd);
	init_vgic(gic_fd);
	place_vgic(vmm->vm, gic_fd);
	for (int i = 0; vmm->pmu && i < NR_VCPUS; i++)
		has_and_set(_metadata, vmm->vcpus[i], PMU, PMU_INIT, NULL);
	expect_all_run(_metadata, vmm);
}

TEST_F(vcpu_attr_vmm, qemu_with_its_own_irqchip)
{
	struct vmm *vmm = &self->vmm;

	create_vcpus(vmm);
	for (int i = 0; i < NR_VCPUS; i++) {
		const u64 ipa = ST_IPA(i);

		if (vmm->pmu)
			has_and_set(_metadata, vmm->vcpus[i], PMU, PMU_INIT, NULL);
		if (vmm->pvtime)
			has_and_set(_metadata, vmm->vcpus[i], PVTIME, PVTIME_IPA, &ipa);
	}
	expect_all_run(_metadata, vmm);
	expect_stolen_time(_metadata, vmm);
}

/* QEMU resets a vCPU by initialising it again, when it has all its attributes. */
TEST_F(vcpu_attr_vmm, qemu_reset)
{
	struct kvm_vcpu_init init = { .target = -1 };
	struct vmm *vmm = &self->vmm;
	const int irq = PMU_PPI;

	create_vcpus(vmm);
	add_vgic(vmm->vm);
	for (int i = 0; i < NR_VCPUS; i++) {
		const u64 ipa = ST_IPA(i);

		if (vmm->pmu) {
			has_and_set(_metadata, vmm->vcpus[i], PMU, PMU_IRQ, &irq);
			has_and_set(_metadata, vmm->vcpus[i], PMU, PMU_INIT, NULL);
		}
		if (vmm->pvtime)
			has_and_set(_metadata, vmm->vcpus[i], PVTIME, PVTIME_IPA, &ipa);
	}
	expect_all_run(_metadata, vmm);

	if (vmm->pmu)
		init.features[0] = BIT(KVM_ARM_VCPU_PMU_V3);
	for (int i = 0; i < NR_VCPUS; i++) {
		u64 sp;

		vcpu_get_reg(vmm->vcpus[i], ARM64_CORE_REG(sp_el1), &sp);
		aarch64_vcpu_setup(vmm->vcpus[i], &init);
		vcpu_set_reg(vmm->vcpus[i], ARM64_CORE_REG(sp_el1), sp);
		vcpu_arch_set_entry_point(vmm->vcpus[i], guest_asks_for_stolen_time);
		if (vmm->pmu)
			EXPECT_EQ(PMU_PPI, pmu_get_irq(vmm->vcpus[i]));
	}
	expect_all_run(_metadata, vmm);
	expect_stolen_time(_metadata, vmm);
}

TEST_F(vcpu_attr_vmm, kvmtool)
{
	struct host_pmu pmus[MAX_PMUS];
	struct vmm *vmm = &self->vmm;
	const int irq = PMU_PPI;

	for (int i = 0; i < NR_VCPUS; i++) {
		const u64 ipa = ST_IPA(i);

		vmm->vcpus[i] = add_vcpu(vmm->vm, i, vmm->pmu, guest_asks_for_stolen_time);
		if (vmm->pvtime)
			has_and_set(_metadata, vmm->vcpus[i], PVTIME, PVTIME_IPA, &ipa);
	}
	add_vgic(vmm->vm);

	if (vmm->pmu)
		ASSERT_LT(0, find_host_pmus(pmus));
	for (int i = 0; vmm->pmu && i < NR_VCPUS; i++) {
		has_and_set(_metadata, vmm->vcpus[i], PMU, PMU_IRQ, &irq);
		has_and_set(_metadata, vmm->vcpus[i], PMU, PMU_SET_PMU, &pmus[0].type);
		has_and_set(_metadata, vmm->vcpus[i], PMU, PMU_INIT, NULL);
	}
	/* The choice ties the vCPUs to the CPUs of that PMU. */
	if (vmm->pmu)
		kvm_pin_this_task_to_pcpu(pmus[0].cpu);
	expect_all_run(_metadata, vmm);
	expect_stolen_time(_metadata, vmm);
}

TEST_F(vcpu_attr_vmm, crosvm)
{
	struct vmm *vmm = &self->vmm;
	/* KVM wants an int, and finds it in the first half. */
	const u64 irq = PMU_PPI | (~0ULL << 32);

	for (int i = 0; i < NR_VCPUS; i++) {
		vmm->vcpus[i] = add_bare_vcpu(vmm->vm, i);
		EXPECT_EQ(vmm->pvtime ? 0 : -ENXIO,
			  attr_has(vmm->vcpus[i], PVTIME, PVTIME_IPA));
	}
	for (int i = 0; i < NR_VCPUS; i++)
		finish_vcpu(vmm->vcpus[i], vmm->pmu, guest_asks_for_stolen_time);
	add_vgic(vmm->vm);
	for (int i = 0; i < NR_VCPUS; i++) {
		const u64 ipa = ST_IPA(i);

		if (vmm->pmu) {
			ASSERT_EQ(0, attr_set(vmm->vcpus[i], PMU, PMU_IRQ, &irq));
			ASSERT_EQ(0, attr_set(vmm->vcpus[i], PMU, PMU_INIT, NULL));
		}
		if (vmm->pvtime)
			ASSERT_EQ(0, attr_set(vmm->vcpus[i], PVTIME, PVTIME_IPA, &ipa));
	}
	expect_all_run(_metadata, vmm);
	expect_stolen_time(_metadata, vmm);
}

/* Cloud Hypervisor's own words for it: init_pmu(). */
static void cloud_hypervisor_init_pmu(struct __test_metadata *_metadata, struct vmm *vmm)
{
	const int irq = PMU_PPI;

	for (int i = 0; i < NR_VCPUS; i++) {
		if (attr_has(vmm->vcpus[i], PMU, PMU_INIT)) {
			ASSERT_FALSE(vmm->pmu);
			continue;
		}
		ASSERT_EQ(0, attr_set(vmm->vcpus[i], PMU, PMU_IRQ, &irq));
		ASSERT_EQ(0, attr_set(vmm->vcpus[i], PMU, PMU_INIT, NULL));
	}
}

TEST_F(vcpu_attr_vmm, cloud_hypervisor)
{
	struct vmm *vmm = &self->vmm;

	create_vcpus(vmm);
	add_vgic(vmm->vm);
	cloud_hypervisor_init_pmu(_metadata, vmm);
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

TEST_F(vcpu_attr_vmm, cloud_hypervisor_restore)
{
	struct vmm *vmm = &self->vmm;
	int gic_fd;

	create_vcpus(vmm);
	gic_fd = add_vgic(vmm->vm);
	cloud_hypervisor_init_pmu(_metadata, vmm);
	for (int i = 0; i < ARRAY_SIZE(vgic_state); i++) {
		u32 value = vgic_state[i].value;

		kvm_device_attr_set(gic_fd, vgic_state[i].group, vgic_state[i].attr, &value);
		kvm_device_attr_get(gic_fd, vgic_state[i].group, vgic_state[i].attr, &value);
		EXPECT_EQ(vgic_state[i].value, value & vgic_state[i].value);
	}
	expect_all_run(_metadata, vmm);
}

/* It asks one vCPU for all of them; the IPA is saved and comes back on restore. */
static void firecracker(struct __test_metadata *_metadata, struct vmm *vmm, const u64 *ipas)
{
	bool pvtime;

	for (int i = 0; i < NR_VCPUS; i++)
		vmm->vcpus[i] = add_bare_vcpu(vmm->vm, i);
	add_vgic(vmm->vm);
	pvtime = !attr_has(vmm->vcpus[0], PVTIME, PVTIME_IPA);
	ASSERT_EQ(vmm->pvtime, pvtime);
	for (int i = 0; pvtime && i < NR_VCPUS; i++)
		ASSERT_EQ(0, attr_set(vmm->vcpus[i], PVTIME, PVTIME_IPA, &ipas[i]));
	for (int i = 0; i < NR_VCPUS; i++)
		finish_vcpu(vmm->vcpus[i], false, guest_asks_for_stolen_time);
	expect_all_run(_metadata, vmm);
	expect_stolen_time(_metadata, vmm);
}

TEST_F(vcpu_attr_vmm, firecracker)
{
	static const u64 ipas[NR_VCPUS] = { ST_IPA(0), ST_IPA(1) };
	struct vmm *vmm = &self->vmm;

	firecracker(_metadata, vmm, ipas);
}

TEST_F(vcpu_attr_vmm, firecracker_restore)
{
	u64 ipas[NR_VCPUS] = { ST_IPA(0), ST_IPA(1) };
	struct vmm *vmm = &self->vmm;

	firecracker(_metadata, vmm, ipas);
	for (int i = 0; vmm->pvtime && i < NR_VCPUS; i++)
		ipas[i] = pvtime_get_ipa(vmm->vcpus[i]);
	kvm_vm_free(vmm->vm);

	vmm->vm = vm_create(NR_VCPUS);
	add_st_slot(vmm->vm, 0);
	firecracker(_metadata, vmm, ipas);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(!__kvm_test_create_device(vm_create_barebones(), KVM_DEV_TYPE_ARM_VGIC_V3));

	return test_harness_run(argc, argv);
}
