// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <string.h>
#include <x86intrin.h>

#include <asm/kvm_para.h>

#include "bench.h"
#include "host.h"
#include "kvm.h"
#include "kvm_x86.h"

#define GUEST_PORT		0x80

/* Half of the area is in the vCPU's second page. */
#define AREA_CROSSING		0xfe8

const __u32 arch_exit_reason = KVM_EXIT_IO;

const struct kvm_ioeventfd arch_guest_access = {
	.addr	= GUEST_PORT,
	.len	= 1,
	.flags	= KVM_IOEVENTFD_FLAG_PIO,
};

void arch_create_vm(struct vm *vm)
{
	/* out %al, $GUEST_PORT; jmp to it */
	static const __u8 code[] = { 0xe6, GUEST_PORT, 0xeb, 0xfc };

	memcpy(vm->mem + GUEST_CODE, code, sizeof(code));
}

void arch_start_vcpu(const struct vm *vm, const struct vcpu *vcpu)
{
	const struct kvm_regs regs = { .rip = GUEST_CODE, .rflags = 2 };

	(void)vm;
	kvm_x86_start(vcpu->fd, &regs);
}

void arch_finish_vm(const struct vm *vm)
{
	(void)vm;
}

__u64 arch_instructions(void)
{
	return __rdtsc();
}

static void set_up_xen(const struct vm *vm)
{
	kvm_x86_enable_xen(vm->fd);
	kvm_x86_set_xen_byte(vm->fd, KVM_XEN_ATTR_TYPE_LONG_MODE, 1);
}

static void set_up_xen_with_flag(const struct vm *vm)
{
	set_up_xen(vm);
	kvm_x86_set_xen_byte(vm->fd, KVM_XEN_ATTR_TYPE_RUNSTATE_UPDATE_FLAG, 1);
}

static void register_area(const struct vcpu *vcpu, __u64 gpa)
{
	struct kvm_xen_vcpu_attr attr = {
		.type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR,
		.u.gpa = gpa,
	};

	kvm_do(vcpu->fd, KVM_XEN_VCPU_SET_ATTR, &attr);
}

static void set_up_area(const struct vcpu *vcpu)
{
	register_area(vcpu, VCPU_PAGES(vcpu->index));
}

static void set_up_crossing_area(const struct vcpu *vcpu)
{
	register_area(vcpu, VCPU_PAGES(vcpu->index) + AREA_CROSSING);
}

/* Where the area would be. */
static void set_up_steal_time(const struct vcpu *vcpu)
{
	struct {
		struct kvm_msrs msrs;
		struct kvm_msr_entry entry;
	} set = {
		.msrs.nmsrs = 1,
		.entry.index = MSR_KVM_STEAL_TIME,
		.entry.data = VCPU_PAGES(vcpu->index) | KVM_MSR_ENABLED,
	};

	if (kvm_do(vcpu->fd, KVM_SET_MSRS, &set) != 1)
		die("this kernel keeps no run_delay", "MSR_KVM_STEAL_TIME is refused");
}

enum { NONE, XEN, AREA, CROSSING, FLAG, STEAL };

/* NONE stays ahead: KVM does not even ask for Xen before a VM has it. */
const struct kind kinds[] = {
	[NONE]		= { "none",	NULL,			NULL },
	[XEN]		= { "xen",	set_up_xen,		NULL },
	[AREA]		= { "area",	set_up_xen,		set_up_area },
	[CROSSING]	= { "crossing",	set_up_xen,		set_up_crossing_area },
	[FLAG]		= { "flag",	set_up_xen_with_flag,	set_up_crossing_area },
	[STEAL]		= { "steal",	NULL,			set_up_steal_time },
	{}
};

const struct kind *const full_kind = &kinds[AREA];

#define XEN_ATTR(name, _type, ...)					\
	static struct kvm_xen_vcpu_attr name = {			\
		.type = KVM_XEN_VCPU_ATTR_TYPE_##_type, __VA_ARGS__	\
	}

XEN_ATTR(vcpu_info,	VCPU_INFO,		.u.gpa = VCPU_PAGES(0) + 0x100);
XEN_ATTR(time_info,	VCPU_TIME_INFO,		.u.gpa = VCPU_PAGES(0) + 0x200);
XEN_ATTR(area,		RUNSTATE_ADDR,		.u.gpa = VCPU_PAGES(0));
XEN_ATTR(current,	RUNSTATE_CURRENT,	.u.runstate.state = 0);
XEN_ATTR(data,		RUNSTATE_DATA,		.u.runstate.state = 0);
XEN_ATTR(adjust,	RUNSTATE_ADJUST,	.u.runstate.state = -1ULL);
XEN_ATTR(vcpu_id,	VCPU_ID,		.u.vcpu_id = 0);
XEN_ATTR(timer,		TIMER,			.u.timer.port = 0);
XEN_ATTR(vector,	UPCALL_VECTOR,		.u.vector = 0x20);

static __u64 offset;
static struct kvm_device_attr tsc_offset = {
	.group	= KVM_VCPU_TSC_CTRL,
	.attr	= KVM_VCPU_TSC_OFFSET,
	.addr	= (unsigned long)&offset,
};

/* What a SET writes is above, or what the GET before it has read. */
const struct call calls[] = {
	{ "data-get",		KVM_XEN_VCPU_GET_ATTR,	&data },
	{ "data-set",		KVM_XEN_VCPU_SET_ATTR,	&data },
	{ "current-get",	KVM_XEN_VCPU_GET_ATTR,	&current },
	{ "current-set",	KVM_XEN_VCPU_SET_ATTR,	&current },
	{ "adjust-set",		KVM_XEN_VCPU_SET_ATTR,	&adjust },
	{ "area-get",		KVM_XEN_VCPU_GET_ATTR,	&area },
	{ "area-set",		KVM_XEN_VCPU_SET_ATTR,	&area },
	{ "vcpu-info-set",	KVM_XEN_VCPU_SET_ATTR,	&vcpu_info },
	{ "vcpu-info-get",	KVM_XEN_VCPU_GET_ATTR,	&vcpu_info },
	{ "time-info-set",	KVM_XEN_VCPU_SET_ATTR,	&time_info },
	{ "time-info-get",	KVM_XEN_VCPU_GET_ATTR,	&time_info },
	{ "vcpu-id-set",	KVM_XEN_VCPU_SET_ATTR,	&vcpu_id },
	{ "vcpu-id-get",	KVM_XEN_VCPU_GET_ATTR,	&vcpu_id },
	{ "timer-get",		KVM_XEN_VCPU_GET_ATTR,	&timer },
	{ "timer-set",		KVM_XEN_VCPU_SET_ATTR,	&timer },
	{ "vector-get",		KVM_XEN_VCPU_GET_ATTR,	&vector },
	{ "vector-set",		KVM_XEN_VCPU_SET_ATTR,	&vector },
	{ "tsc-has",		KVM_HAS_DEVICE_ATTR,	&tsc_offset },
	{ "tsc-get",		KVM_GET_DEVICE_ATTR,	&tsc_offset },
	{ "tsc-set",		KVM_SET_DEVICE_ATTR,	&tsc_offset },
	{}
};
