/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * What the arm64 vCPU attribute tests share: VMs that are built step by step, as
 * the attributes care about the order of the steps, and short forms of calls.
 */
#ifndef SELFTEST_KVM_ARM_VCPU_ATTR_H
#define SELFTEST_KVM_ARM_VCPU_ATTR_H

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>

#include <linux/sizes.h>

#include "processor.h"
#include "sched_util.h"
#include "vcpu_attr.h"
#include "vgic.h"
#include "gic.h"

#define PMU		KVM_ARM_VCPU_PMU_V3_CTRL
#define TIMER		KVM_ARM_VCPU_TIMER_CTRL
#define PVTIME		KVM_ARM_VCPU_PVTIME_CTRL

#define PMU_IRQ		KVM_ARM_VCPU_PMU_V3_IRQ
#define PMU_INIT	KVM_ARM_VCPU_PMU_V3_INIT
#define PMU_FILTER	KVM_ARM_VCPU_PMU_V3_FILTER
#define PMU_SET_PMU	KVM_ARM_VCPU_PMU_V3_SET_PMU
#ifdef KVM_ARM_VCPU_PMU_V3_SET_NR_COUNTERS
#define PMU_NR_COUNTERS	KVM_ARM_VCPU_PMU_V3_SET_NR_COUNTERS
#define PMU_LAST	PMU_NR_COUNTERS
#endif
#ifndef KVM_ARM_VCPU_PMU_V3_SET_NR_COUNTERS
#define PMU_LAST	PMU_SET_PMU
#endif

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
void guest_exits(void);

/* A VM without a vgic, which newer kernels' selftests add by default. */
struct kvm_vm *create_vm_without_vgic(u32 nr_vcpus);

/* What VCPU_INIT takes for a vCPU of the host's kind, with a PMU or not. */
struct kvm_vcpu_init preferred_init(struct kvm_vm *vm, bool pmu);

struct kvm_vcpu *add_vcpu(struct kvm_vm *vm, u32 id, bool pmu, void *guest_code);

/* A vCPU that is to be initialized by finish_vcpu(). */
static inline struct kvm_vcpu *add_bare_vcpu(struct kvm_vm *vm, u32 id)
{
	return __vm_vcpu_add(vm, id);
}

void finish_vcpu(struct kvm_vcpu *vcpu, bool pmu, void *guest_code);

static inline int create_vgic(struct kvm_vm *vm)
{
	int fd = __kvm_create_device(vm, KVM_DEV_TYPE_ARM_VGIC_V3);

	__TEST_REQUIRE(fd >= 0, "no vgic-v3");
	return fd;
}

void set_vgic_lines(int gic_fd);

static inline void init_vgic(int gic_fd)
{
	kvm_device_attr_set(gic_fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
}

/* Where the guest finds it: this may be said before or after init_vgic(). */
void place_vgic(struct kvm_vm *vm, int gic_fd);

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
bool userspace_drives(struct kvm_vm *vm, int gic_fd, u32 ppi);

/* The memslot of the stolen time goes, and comes back with the same memory. */
void add_st_slot(struct kvm_vm *vm, u32 flags);

static inline void delete_st_slot(struct kvm_vm *vm)
{
	vm_set_user_memory_region(vm, ST_SLOT, 0, ST_GPA, 0, NULL);
}

void restore_st_slot(struct kvm_vm *vm, u32 flags);

/*
 * Attributes.  All calls return 0 or a negative errno.
 */

static inline int pmu_set_irq(struct kvm_vcpu *vcpu, int irq)
{
	return attr_set(vcpu, PMU, PMU_IRQ, &irq);
}

/* The number, or the errno: numbers are positive. */
int pmu_get_irq(struct kvm_vcpu *vcpu);

static inline int pmu_init(struct kvm_vcpu *vcpu)
{
	return attr_set(vcpu, PMU, PMU_INIT, NULL);
}

int pmu_filter(struct kvm_vcpu *vcpu, u16 base, u16 nevents, u8 action);

static inline int pmu_set_pmu(struct kvm_vcpu *vcpu, int type)
{
	return attr_set(vcpu, PMU, PMU_SET_PMU, &type);
}

#ifdef KVM_ARM_VCPU_PMU_V3_SET_NR_COUNTERS
static inline int pmu_set_nr_counters(struct kvm_vcpu *vcpu, unsigned int nr)
{
	return attr_set(vcpu, PMU, PMU_NR_COUNTERS, &nr);
}

#endif
static inline int timer_set_irq(struct kvm_vcpu *vcpu, u64 timer, int irq)
{
	return attr_set(vcpu, TIMER, timer, &irq);
}

int timer_get_irq(struct kvm_vcpu *vcpu, u64 timer);

static inline int pvtime_set_ipa(struct kvm_vcpu *vcpu, u64 ipa)
{
	return attr_set(vcpu, PVTIME, PVTIME_IPA, &ipa);
}

u64 pvtime_get_ipa(struct kvm_vcpu *vcpu);

/* All that can be read back of a vCPU, or the errno. */
struct snapshot {
	int pmu_irq;
	int timer[HPTIMER + 1];
	u64 ipa;
};

struct snapshot take_snapshot(struct kvm_vcpu *vcpu);

/* Interrupt and initialization of the PMU as VMMs do it. */
void start_pmu(struct kvm_vcpu *vcpu);

/*
 * Runs
 */

/* A KVM_RUN that comes back before it enters the guest: -EINTR is its success. */
int run_immediate_exit(struct kvm_vcpu *vcpu);

/* Into the guest and out of it by the next GUEST_SYNC. */
int run_to_sync(struct kvm_vcpu *vcpu);

static inline u64 get_reg(struct kvm_vcpu *vcpu, u64 id)
{
	u64 value;

	TEST_ASSERT_EQ(__vcpu_get_reg(vcpu, id, &value), 0);
	return value;
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

/* The PMUs that guests can have; returns how many. */
int find_host_pmus(struct host_pmu *pmus);

/* In ID_AA64DFR0_EL1. */
#define PMUVER_MASK	GENMASK_ULL(11, 8)
#define PMUVER_ARMV8_0	BIT_ULL(8)

/* PMCR_EL0.N: how many event counters the guest has. */
u32 nr_pmu_counters(struct kvm_vcpu *vcpu);

/* The end of the event space: PMUv3 had 10 bits before Armv8.1. */
u32 nr_pmu_events(struct kvm_vcpu *vcpu);

#endif /* SELFTEST_KVM_ARM_VCPU_ATTR_H */
