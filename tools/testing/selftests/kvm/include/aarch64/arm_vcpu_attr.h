/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the arm64 vCPU attribute tests share: VMs that are built step by step, as
 * the attributes care about the order of the steps, and short forms of calls.
 */
#ifndef SELFTEST_KVM_ARM_VCPU_ATTR_H
#define SELFTEST_KVM_ARM_VCPU_ATTR_H

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>

#include <linux/sizes.h>

#include "vcpu_attr.h"
#include "processor.h"
#include "vgic.h"
#include "gic.h"
#include "sched_util.h"

#define PMU		KVM_ARM_VCPU_PMU_V3_CTRL
#define TIMER		KVM_ARM_VCPU_TIMER_CTRL
#define PVTIME		KVM_ARM_VCPU_PVTIME_CTRL

#define PMU_IRQ		KVM_ARM_VCPU_PMU_V3_IRQ
#define PMU_INIT	KVM_ARM_VCPU_PMU_V3_INIT
#define PMU_FILTER	KVM_ARM_VCPU_PMU_V3_FILTER
#define PMU_SET_PMU	KVM_ARM_VCPU_PMU_V3_SET_PMU

#define VTIMER		KVM_ARM_VCPU_TIMER_IRQ_VTIMER
#define PTIMER		KVM_ARM_VCPU_TIMER_IRQ_PTIMER
#define HVTIMER		KVM_ARM_VCPU_TIMER_IRQ_HVTIMER
#define HPTIMER		KVM_ARM_VCPU_TIMER_IRQ_HPTIMER

#define PVTIME_IPA	KVM_ARM_VCPU_PVTIME_IPA

#define NR_TIMERS	(HPTIMER + 1)

static const int default_ppis[NR_TIMERS] = { 27, 30, 28, 26 };

/* What a guest asks for its stolen time, and what a vCPU has that none is set of. */
#define PV_TIME_ST	0xc5000021
#define NO_IPA		~0ULL

/* The PPI that every VMM gives to the PMU. */
#define PMU_PPI		23

/* Lines of the vgic, SPIs and those of the vCPUs: 32 to 63 are SPIs. */
#define NR_LINES	64

/* A memslot of its own for the stolen time, mapped where it is. */
#define ST_SLOT		10
#define ST_GPA		0x40000000ULL
#define ST_PAGES	4

/*
 * VMs
 */

static inline bool host_has_pmu(void)
{
	return kvm_has_cap(KVM_CAP_ARM_PMU_V3);
}

/* A guest that does nothing but exit to userspace. */
static inline void guest_exits(void)
{
	for (;;)
		GUEST_SYNC(0);
}

static inline struct kvm_vcpu *add_vcpu(struct kvm_vm *vm, u32 id, bool pmu, void *guest_code)
{
	struct kvm_vcpu_init init = { .target = -1 };

	if (pmu)
		init.features[0] = BIT(KVM_ARM_VCPU_PMU_V3);
	return aarch64_vcpu_add(vm, id, &init, guest_code);
}

/* A vCPU that has yet to be told what it is, by finish_vcpu(). */
static inline struct kvm_vcpu *add_bare_vcpu(struct kvm_vm *vm, u32 id)
{
	return __vm_vcpu_add(vm, id);
}

static inline void finish_vcpu(struct kvm_vcpu *vcpu, bool pmu, void *guest_code)
{
	struct kvm_vcpu_init init = { .target = -1 };
	vm_vaddr_t stack = vm_vaddr_alloc_page(vcpu->vm);

	if (pmu)
		init.features[0] = BIT(KVM_ARM_VCPU_PMU_V3);
	aarch64_vcpu_setup(vcpu, &init);
	vcpu_set_reg(vcpu, ARM64_CORE_REG(sp_el1), stack + vcpu->vm->page_size);
	vcpu_arch_set_entry_point(vcpu, guest_code);
}

static inline int create_vgic(struct kvm_vm *vm)
{
	int fd = __kvm_create_device(vm, KVM_DEV_TYPE_ARM_VGIC_V3);

	__TEST_REQUIRE(fd >= 0, "no vgic-v3");
	return fd;
}

static inline void set_vgic_lines(int gic_fd)
{
	u32 lines = NR_LINES;

	kvm_device_attr_set(gic_fd, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &lines);
}

static inline void init_vgic(int gic_fd)
{
	kvm_device_attr_set(gic_fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
}

/* Where the guest finds it: this may be said before or after init_vgic(). */
static inline void place_vgic(struct kvm_vm *vm, int gic_fd)
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

/* All of it, when all vCPUs are there. */
static inline int add_vgic(struct kvm_vm *vm)
{
	int fd = create_vgic(vm);

	set_vgic_lines(fd);
	place_vgic(vm, fd);
	init_vgic(fd);
	return fd;
}

/* KVM_IRQ_LINE has no effect on an interrupt that a device owns. */
static inline bool userspace_drives(struct kvm_vm *vm, int gic_fd, u32 ppi)
{
	u32 levels = 0;

	kvm_arm_irq_line(vm, ppi, 1);
	kvm_device_attr_get(gic_fd, KVM_DEV_ARM_VGIC_GRP_LEVEL_INFO,
			    VGIC_LEVEL_INFO_LINE_LEVEL, &levels);
	kvm_arm_irq_line(vm, ppi, 0);
	return levels & BIT(ppi);
}

/* The memslot of the stolen time goes, and comes back with the same memory. */
static inline void add_st_slot(struct kvm_vm *vm, u32 flags)
{
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, ST_GPA, ST_SLOT, ST_PAGES, flags);
	virt_map(vm, ST_GPA, ST_GPA, ST_PAGES);
}

static inline void delete_st_slot(struct kvm_vm *vm)
{
	vm_set_user_memory_region(vm, ST_SLOT, 0, ST_GPA, 0, NULL);
}

static inline void restore_st_slot(struct kvm_vm *vm, u32 flags)
{
	vm_set_user_memory_region(vm, ST_SLOT, flags, ST_GPA, ST_PAGES * vm->page_size,
				  addr_gpa2hva(vm, ST_GPA));
}

/*
 * Attributes.  All calls return 0 or a negative errno.
 */

static inline int pmu_set_irq(struct kvm_vcpu *vcpu, int irq)
{
	return attr_set(vcpu, PMU, PMU_IRQ, &irq);
}

/* The number, or the errno: numbers are positive. */
static inline int pmu_get_irq(struct kvm_vcpu *vcpu)
{
	int irq = -EAGAIN;

	return attr_get(vcpu, PMU, PMU_IRQ, &irq) ?: irq;
}

static inline int pmu_init(struct kvm_vcpu *vcpu)
{
	return attr_set(vcpu, PMU, PMU_INIT, NULL);
}

static inline int pmu_filter(struct kvm_vcpu *vcpu, u16 base, u16 nevents, u8 action)
{
	struct kvm_pmu_event_filter filter = {
		.base_event = base,
		.nevents = nevents,
		.action = action,
	};

	return attr_set(vcpu, PMU, PMU_FILTER, &filter);
}

static inline int pmu_set_pmu(struct kvm_vcpu *vcpu, int type)
{
	return attr_set(vcpu, PMU, PMU_SET_PMU, &type);
}

static inline int timer_set_irq(struct kvm_vcpu *vcpu, u64 timer, int irq)
{
	return attr_set(vcpu, TIMER, timer, &irq);
}

static inline int timer_get_irq(struct kvm_vcpu *vcpu, u64 timer)
{
	int irq = -EAGAIN;

	return attr_get(vcpu, TIMER, timer, &irq) ?: irq;
}

static inline int pvtime_set_ipa(struct kvm_vcpu *vcpu, u64 ipa)
{
	return attr_set(vcpu, PVTIME, PVTIME_IPA, &ipa);
}

static inline u64 pvtime_get_ipa(struct kvm_vcpu *vcpu)
{
	u64 ipa = 0;
	int r = attr_get(vcpu, PVTIME, PVTIME_IPA, &ipa);

	TEST_ASSERT(!r, "GET of PVTIME_IPA: %s", strerror(-r));
	return ipa;
}

/* All that can be read back of a vCPU, or the errno. */
struct snapshot {
	int pmu_irq;
	int timer[HPTIMER + 1];
	u64 ipa;
};

static inline struct snapshot take_snapshot(struct kvm_vcpu *vcpu)
{
	struct snapshot shot = { .pmu_irq = pmu_get_irq(vcpu) };

	for (int i = 0; i <= HPTIMER; i++)
		shot.timer[i] = timer_get_irq(vcpu, i);
	if (kvm_has_cap(KVM_CAP_STEAL_TIME))
		shot.ipa = pvtime_get_ipa(vcpu);
	return shot;
}

/* Interrupt and initialisation of the PMU as VMMs do it. */
static inline void start_pmu(struct kvm_vcpu *vcpu)
{
	TEST_ASSERT_EQ(pmu_set_irq(vcpu, PMU_PPI), 0);
	TEST_ASSERT_EQ(pmu_init(vcpu), 0);
}

/*
 * Runs
 */

/* A KVM_RUN that comes back before it enters the guest: -EINTR is its success. */
static inline int run_immediate_exit(struct kvm_vcpu *vcpu)
{
	int r;

	vcpu->run->immediate_exit = 1;
	r = __vcpu_run(vcpu) ? -errno : 0;
	vcpu->run->immediate_exit = 0;
	return r;
}

/* Into the guest and out of it by the next GUEST_SYNC. */
static inline int run_to_sync(struct kvm_vcpu *vcpu)
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

/*
 * Hosts
 */

#define MAX_PMUS	4

/* A PMU of the host: its type, and one CPU that it is of. */
struct host_pmu {
	int type;
	int cpu;
};

static inline bool read_first_number(const char *pmu, const char *file, int *number)
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

/* The PMUs that guests can have; returns how many. */
static inline int find_host_pmus(struct host_pmu *pmus)
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

/* In ID_AA64DFR0_EL1. */
#define PMUVER_MASK	GENMASK_ULL(11, 8)
#define PMUVER_ARMV8_0	BIT_ULL(8)

/* The end of the event space: PMUv3 had 10 bits before Armv8.1. */
static inline u32 nr_pmu_events(struct kvm_vcpu *vcpu)
{
	u64 dfr0;

	vcpu_get_reg(vcpu, KVM_ARM64_SYS_REG(SYS_ID_AA64DFR0_EL1), &dfr0);
	return (dfr0 & PMUVER_MASK) == PMUVER_ARMV8_0 ? BIT(10) : BIT(16);
}

#endif /* SELFTEST_KVM_ARM_VCPU_ATTR_H */
