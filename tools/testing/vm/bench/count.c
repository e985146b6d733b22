// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "kvm.h"

#define WARM_UP		50
#define ROUNDS		1001

static int compare(const void *a, const void *b)
{
	__u64 x = *(const __u64 *)a, y = *(const __u64 *)b;

	return x < y ? -1 : x > y;
}

static __u64 median(__u64 *values)
{
	qsort(values, ROUNDS, sizeof(*values), compare);
	return values[ROUNDS / 2];
}

/* A round does @op for each vCPU. */
static void sample(__u64 *took, unsigned int nr_vcpus, op_fn *op, const void *arg)
{
	unsigned int vcpu;
	__u64 begin;
	int i;

	for (i = -WARM_UP; i < ROUNDS; i++) {
		begin = arch_instructions();
		for (vcpu = 0; vcpu < nr_vcpus; vcpu++)
			op(arg, vcpu);
		if (i >= 0)
			took[i] = arch_instructions() - begin;
	}
}

static void nothing(const void *arg, unsigned int vcpu)
{
	(void)arg;
	(void)vcpu;
}

/*
 * Nearly all rounds take the same number of instructions, which is the median.
 * Some have a timer's tick in them as well, or what is due once a jiffy; these
 * are in the mean.
 */
void count_op(const char *call, const char *kind, unsigned int nr_vcpus, op_fn *op,
	      const void *arg)
{
	static __u64 took[ROUNDS];
	__u64 overhead, sum = 0;
	int i;

	sample(took, nr_vcpus, nothing, NULL);
	overhead = median(took);

	sample(took, nr_vcpus, op, arg);
	for (i = 0; i < ROUNDS; i++)
		sum += took[i] - overhead;

	printf("count %s:%s@%u %.2f %.2f\n", call, kind, nr_vcpus,
	       (double)(median(took) - overhead) / nr_vcpus, (double)sum / ROUNDS / nr_vcpus);
}

struct round {
	const struct vm *vm;
	const struct call *call;
};

static void call_vcpu(const void *arg, unsigned int vcpu)
{
	const struct round *round = arg;
	const struct call *call = round->call;

	kvm_do_ioctl(round->vm->vcpus[vcpu].fd, call->request, call->name,
		     (unsigned long)call->arg);
}

void count_call(const struct call *call, const struct kind *kind, unsigned int nr_vcpus)
{
	struct vm vm = {};
	struct round round = { &vm, call };
	unsigned int i;

	vm_create(&vm, kind, nr_vcpus, 0);
	count_op(call->name, kind->name, nr_vcpus, call_vcpu, &round);

	/* Check that they still run as before. */
	for (i = 0; i < nr_vcpus; i++)
		vcpu_run(&vm.vcpus[i]);
	vm_destroy(&vm);
}
