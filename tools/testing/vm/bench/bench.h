/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * What KVM's ioctls cost, in instructions of the host that the program runs on.
 */
#ifndef BENCH_H
#define BENCH_H

#include <linux/kvm.h>
#include <linux/types.h>

#define MAX_VCPUS	64

#define GUEST_MEMORY	0x200000UL
#define GUEST_CODE	0x1000UL

/* Two pages of each vCPU, for what KVM writes there. */
#define VCPU_PAGES(index)	(0x100000UL + (index) * 0x2000UL)

struct vcpu {
	unsigned int index;
	int fd;
	struct kvm_run *run;
};

/* Its vCPUs run a guest that does nothing but make KVM_RUN return. */
struct vm {
	int kvm;
	int fd;
	int gic;
	void *mem;
	size_t run_size;
	unsigned int nr_vcpus;
	struct vcpu vcpus[MAX_VCPUS];
};

/* What a VM has beyond that. */
struct kind {
	const char *name;
	void (*set_up_vm)(const struct vm *vm);
	void (*set_up_vcpu)(const struct vcpu *vcpu);
};

/* An ioctl of a vCPU which can be repeated at will. */
struct call {
	const char *name;
	unsigned long request;
	void *arg;
};

void vm_create(struct vm *vm, const struct kind *kind, unsigned int nr_vcpus,
	       __u32 memory_flags);
void vm_destroy(struct vm *vm);
void vcpu_run(const struct vcpu *vcpu);

/* What is counted, of the vCPU with that index. */
typedef void op_fn(const void *arg, unsigned int vcpu);

/* Each prints a line, see bench.c. */
void count_op(const char *call, const char *kind, unsigned int nr_vcpus, op_fn *op,
	      const void *arg);
void count_call(const struct call *call, const struct kind *kind, unsigned int nr_vcpus);
void count_preemption(const struct kind *kind);
void count_dirtied(const struct kind *kind);
void time_contended(const struct call *call, const struct kind *kind);

void set_policy(int policy);

/*
 * The architecture's: kinds of VMs, of which the first has nothing of what is
 * measured; the one that has what calls are about; those calls.  Both lists end
 * with a NULL name.
 */
extern const struct kind kinds[];
extern const struct kind *const full_kind;
extern const struct call calls[];

extern const __u32 arch_exit_reason;
extern const struct kvm_ioeventfd arch_guest_access;

void arch_create_vm(struct vm *vm);
void arch_start_vcpu(const struct vm *vm, const struct vcpu *vcpu);
void arch_finish_vm(const struct vm *vm);
__u64 arch_instructions(void);

#endif
