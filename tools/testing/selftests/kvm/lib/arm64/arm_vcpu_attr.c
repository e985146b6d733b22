// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "arm_vcpu_attr.h"
#include "ucall_common.h"

void guest_exits(void)
{
	for (;;)
		GUEST_SYNC(0);
}

struct kvm_vm *create_vm_without_vgic(u32 nr_vcpus)
{
	test_disable_default_vgic();
	return vm_create(nr_vcpus);
}

struct kvm_vcpu_init preferred_init(struct kvm_vm *vm, bool pmu)
{
	struct kvm_vcpu_init init;

	vm_ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init);
	if (pmu)
		init.features[0] |= BIT(KVM_ARM_VCPU_PMU_V3);
	return init;
}

struct kvm_vcpu *add_vcpu(struct kvm_vm *vm, u32 id, bool pmu, void *guest_code)
{
	struct kvm_vcpu_init init = preferred_init(vm, pmu);

	return aarch64_vcpu_add(vm, id, &init, guest_code);
}

void finish_vcpu(struct kvm_vcpu *vcpu, bool pmu, void *guest_code)
{
	struct kvm_vcpu_init init = preferred_init(vcpu->vm, pmu);
	gva_t stack = vm_alloc_page(vcpu->vm);

	aarch64_vcpu_setup(vcpu, &init);
	vcpu_set_reg(vcpu, ARM64_CORE_REG(sp_el1), stack + vcpu->vm->page_size);
	vcpu_arch_set_entry_point(vcpu, guest_code);
}

void set_vgic_lines(int gic_fd)
{
	u32 lines = NR_LINES;

	kvm_device_attr_set(gic_fd, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &lines);
}

void place_vgic(struct kvm_vm *vm, int gic_fd)
{
	u64 dist = GICD_BASE_GPA, nr_vcpus = 0, redist;
	struct list_head *vcpu;

	list_for_each(vcpu, &vm->vcpus)
		nr_vcpus++;
	redist = REDIST_REGION_ATTR_ADDR(nr_vcpus, GICR_BASE_GPA, 0, 0);

	kvm_device_attr_set(gic_fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &dist);
	kvm_device_attr_set(gic_fd, KVM_DEV_ARM_VGIC_GRP_ADDR,
			    KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION, &redist);

	virt_map(vm, GICD_BASE_GPA, GICD_BASE_GPA,
		 vm_calc_num_guest_pages(vm->mode, KVM_VGIC_V3_DIST_SIZE));
	virt_map(vm, GICR_BASE_GPA, GICR_BASE_GPA,
		 vm_calc_num_guest_pages(vm->mode, nr_vcpus * KVM_VGIC_V3_REDIST_SIZE));
}

bool userspace_drives(struct kvm_vm *vm, int gic_fd, u32 ppi)
{
	u32 levels = 0;

	kvm_arm_irq_line(vm, ppi, 1);
	kvm_device_attr_get(gic_fd, KVM_DEV_ARM_VGIC_GRP_LEVEL_INFO,
			    VGIC_LEVEL_INFO_LINE_LEVEL, &levels);
	kvm_arm_irq_line(vm, ppi, 0);
	return levels & BIT(ppi);
}

void add_st_slot(struct kvm_vm *vm, u32 flags)
{
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, ST_GPA, ST_SLOT, ST_PAGES, flags);
	virt_map(vm, ST_GPA, ST_GPA, ST_PAGES);
}

void restore_st_slot(struct kvm_vm *vm, u32 flags)
{
	vm_set_user_memory_region(vm, ST_SLOT, flags, ST_GPA, ST_PAGES * vm->page_size,
				  addr_gpa2hva(vm, ST_GPA));
}

int pmu_get_irq(struct kvm_vcpu *vcpu)
{
	int irq = -EAGAIN;

	return attr_get(vcpu, PMU, PMU_IRQ, &irq) ?: irq;
}

int pmu_filter(struct kvm_vcpu *vcpu, u16 base, u16 nevents, u8 action)
{
	struct kvm_pmu_event_filter filter = {
		.base_event = base,
		.nevents = nevents,
		.action = action,
	};

	return attr_set(vcpu, PMU, PMU_FILTER, &filter);
}

int timer_get_irq(struct kvm_vcpu *vcpu, u64 timer)
{
	int irq = -EAGAIN;

	return attr_get(vcpu, TIMER, timer, &irq) ?: irq;
}

u64 pvtime_get_ipa(struct kvm_vcpu *vcpu)
{
	u64 ipa = 0;
	int r = attr_get(vcpu, PVTIME, PVTIME_IPA, &ipa);

	TEST_ASSERT(!r, "GET of PVTIME_IPA: %s", strerror(-r));
	return ipa;
}

struct snapshot take_snapshot(struct kvm_vcpu *vcpu)
{
	struct snapshot shot;

	/* Padding included, for memcmp(). */
	memset(&shot, 0, sizeof(shot));
	shot.pmu_irq = pmu_get_irq(vcpu);
	for (int i = 0; i <= HPTIMER; i++)
		shot.timer[i] = timer_get_irq(vcpu, i);
	if (kvm_has_cap(KVM_CAP_STEAL_TIME))
		shot.ipa = pvtime_get_ipa(vcpu);
	return shot;
}

void start_pmu(struct kvm_vcpu *vcpu)
{
	TEST_ASSERT_EQ(pmu_set_irq(vcpu, PMU_PPI), 0);
	TEST_ASSERT_EQ(pmu_init(vcpu), 0);
}

int run_immediate_exit(struct kvm_vcpu *vcpu)
{
	int r;

	vcpu->run->immediate_exit = 1;
	r = __vcpu_run(vcpu) ? -errno : 0;
	vcpu->run->immediate_exit = 0;
	return r;
}

int run_to_sync(struct kvm_vcpu *vcpu)
{
	struct ucall uc;
	u64 cmd;

	if (__vcpu_run(vcpu))
		return -errno;

	cmd = get_ucall(vcpu, &uc);
	if (cmd == UCALL_ABORT)
		REPORT_GUEST_ASSERT(uc);
	TEST_ASSERT(cmd == UCALL_SYNC, "vCPU %u left the guest by %s", vcpu->id,
		    exit_reason_str(vcpu->run->exit_reason));
	return 0;
}

static bool read_first_number(const char *pmu, const char *file, int *number)
{
	char path[512];
	FILE *f;
	int n;

	snprintf(path, sizeof(path), "/sys/bus/event_source/devices/%s/%s", pmu, file);
	f = fopen(path, "r");
	if (!f)
		return false;
	n = fscanf(f, "%d", number);
	fclose(f);
	return n == 1;
}

int find_host_pmus(struct host_pmu *pmus)
{
	DIR *dir = opendir("/sys/bus/event_source/devices");
	struct dirent *entry;
	int nr = 0;

	while (dir && (entry = readdir(dir)) && nr < MAX_PMUS) {
		struct host_pmu *pmu = &pmus[nr];

		if (strncmp(entry->d_name, "armv8_", strlen("armv8_")))
			continue;
		if (!read_first_number(entry->d_name, "type", &pmu->type))
			continue;
		/* A PMU of all CPUs need not list them. */
		if (!read_first_number(entry->d_name, "cpus", &pmu->cpu))
			pmu->cpu = 0;
		nr++;
	}
	if (dir)
		closedir(dir);
	return nr;
}

u32 nr_pmu_counters(struct kvm_vcpu *vcpu)
{
	u64 pmcr;

	pmcr = get_reg(vcpu, KVM_ARM64_SYS_REG(SYS_PMCR_EL0));
	return (pmcr >> 11) & 0x1f;
}

u32 nr_pmu_events(struct kvm_vcpu *vcpu)
{
	u64 dfr0;

	dfr0 = get_reg(vcpu, KVM_ARM64_SYS_REG(SYS_ID_AA64DFR0_EL1));
	return (dfr0 & PMUVER_MASK) == PMUVER_ARMV8_0 ? BIT(10) : BIT(16);
}
