// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <stddef.h>
#include <string.h>

#include "bench.h"
#include "kvm.h"

#define GIC_DIST	0x08000000
#define GIC_REDIST	0x080a0000
#define GUEST_ACCESS	0x40000000

#define CORE_REG(name)							\
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE |		\
	 offsetof(struct kvm_regs, name) / sizeof(__u32))

const __u32 arch_exit_reason = KVM_EXIT_MMIO;

const struct kvm_ioeventfd arch_guest_access = {
	.addr	= GUEST_ACCESS,
	.len	= sizeof(__u32),
};

static void set_attr(int fd, __u32 group, __u64 number, const void *value)
{
	struct kvm_device_attr attr = {
		.group = group,
		.attr = number,
		.addr = (unsigned long)value,
	};

	kvm_do(fd, KVM_SET_DEVICE_ATTR, &attr);
}

void arch_create_vm(struct vm *vm)
{
	/* str w0, [x1]; b to it */
	static const __u32 code[] = { 0xb9000020, 0x17ffffff };
	struct kvm_create_device gic = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };

	memcpy(vm->mem + GUEST_CODE, code, sizeof(code));
	kvm_do(vm->fd, KVM_CREATE_DEVICE, &gic);
	vm->gic = gic.fd;
}

static void set_reg(const struct vcpu *vcpu, __u64 id, __u64 value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (unsigned long)&value };

	kvm_do(vcpu->fd, KVM_SET_ONE_REG, &reg);
}

void arch_start_vcpu(const struct vm *vm, const struct vcpu *vcpu)
{
	struct kvm_vcpu_init init = {};

	kvm_do(vm->fd, KVM_ARM_PREFERRED_TARGET, &init);
	init.features[0] |= 1U << KVM_ARM_VCPU_PMU_V3;
	kvm_do(vcpu->fd, KVM_ARM_VCPU_INIT, &init);
	set_reg(vcpu, CORE_REG(regs.pc), GUEST_CODE);
	set_reg(vcpu, CORE_REG(regs.regs[1]), GUEST_ACCESS);
}

/* The GIC needs all vCPUs, and the PMU the GIC. */
void arch_finish_vm(const struct vm *vm)
{
	static const __u64 dist = GIC_DIST, redist = GIC_REDIST;
	static const int pmu_ppi = 23;
	unsigned int i;

	set_attr(vm->gic, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &dist);
	set_attr(vm->gic, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST, &redist);
	set_attr(vm->gic, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
	for (i = 0; i < vm->nr_vcpus; i++) {
		set_attr(vm->vcpus[i].fd, KVM_ARM_VCPU_PMU_V3_CTRL, KVM_ARM_VCPU_PMU_V3_IRQ,
			 &pmu_ppi);
		set_attr(vm->vcpus[i].fd, KVM_ARM_VCPU_PMU_V3_CTRL, KVM_ARM_VCPU_PMU_V3_INIT,
			 NULL);
	}
}

__u64 arch_instructions(void)
{
	__u64 count;

	asm volatile("mrs %0, cntvct_el0" : "=r" (count));
	return count;
}

static void set_up_stolen_time(const struct vcpu *vcpu)
{
	__u64 ipa = VCPU_PAGES(vcpu->index);

	set_attr(vcpu->fd, KVM_ARM_VCPU_PVTIME_CTRL, KVM_ARM_VCPU_PVTIME_IPA, &ipa);
}

enum { NONE, STOLEN };

const struct kind kinds[] = {
	[NONE]		= { "none",	NULL,	NULL },
	[STOLEN]	= { "stolen",	NULL,	set_up_stolen_time },
	{}
};

const struct kind *const full_kind = &kinds[STOLEN];

static __u64 value;

#define ATTR(name, _group, _attr)				\
	static struct kvm_device_attr name = {			\
		.group	= KVM_ARM_VCPU_##_group##_CTRL,		\
		.attr	= KVM_ARM_VCPU_##_attr,			\
		.addr	= (unsigned long)&value,		\
	}

ATTR(pmu_irq,	PMU_V3,	PMU_V3_IRQ);
ATTR(pmu_set,	PMU_V3,	PMU_V3_SET_PMU);
ATTR(vtimer,	TIMER,	TIMER_IRQ_VTIMER);
ATTR(hptimer,	TIMER,	TIMER_IRQ_HPTIMER);
ATTR(pvtime,	PVTIME,	PVTIME_IPA);

/* No SET: each works once in the life of a vCPU, or before it has run. */
const struct call calls[] = {
	{ "pvtime-get",		KVM_GET_DEVICE_ATTR,	&pvtime },
	{ "pvtime-has",		KVM_HAS_DEVICE_ATTR,	&pvtime },
	{ "pmu-irq-get",	KVM_GET_DEVICE_ATTR,	&pmu_irq },
	{ "pmu-irq-has",	KVM_HAS_DEVICE_ATTR,	&pmu_irq },
	{ "set-pmu-has",	KVM_HAS_DEVICE_ATTR,	&pmu_set },
	{ "vtimer-get",		KVM_GET_DEVICE_ATTR,	&vtimer },
	{ "vtimer-has",		KVM_HAS_DEVICE_ATTR,	&vtimer },
	{ "hptimer-get",	KVM_GET_DEVICE_ATTR,	&hptimer },
	{ "hptimer-has",	KVM_HAS_DEVICE_ATTR,	&hptimer },
	{}
};
