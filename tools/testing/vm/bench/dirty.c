// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bench.h"
#include "host.h"
#include "kvm.h"

#define EXITS		10000
#define NR_PAGES	(GUEST_MEMORY / 4096)

/* The coarse clock moves once a jiffy, by its resolution. */
static __u64 jiffies(void)
{
	struct timespec now, jiffy;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	clock_getres(CLOCK_MONOTONIC_COARSE, &jiffy);
	return (now.tv_sec * NSEC_PER_SEC + now.tv_nsec) / jiffy.tv_nsec;
}

static void add_log(const struct vm *vm, unsigned int *dirtied)
{
	__u64 bitmap[NR_PAGES / 64];
	struct kvm_dirty_log log = { .dirty_bitmap = bitmap };
	unsigned int i;

	kvm_do(vm->fd, KVM_GET_DIRTY_LOG, &log);
	for (i = 0; i < NR_PAGES; i++)
		dirtied[i] += bitmap[i / 64] >> i % 64 & 1;
}

/* The number of pages that are dirty after each exit.  The guest itself writes none. */
void count_dirtied(const struct kind *kind)
{
	unsigned int dirtied[NR_PAGES] = {}, sum = 0, most = 0, i;
	struct vm vm = {};
	__u64 begin;

	vm_create(&vm, kind, 1, KVM_MEM_LOG_DIRTY_PAGES);
	add_log(&vm, dirtied);
	memset(dirtied, 0, sizeof(dirtied));

	begin = jiffies();
	for (i = 0; i < EXITS; i++) {
		vcpu_run(&vm.vcpus[0]);
		add_log(&vm, dirtied);
	}

	for (i = 0; i < NR_PAGES; i++) {
		sum += dirtied[i];
		if (dirtied[i] > most)
			most = dirtied[i];
	}
	printf("dirty %s %u %u %llu\n", kind->name, sum, most, jiffies() - begin + 1);
	vm_destroy(&vm);
}
