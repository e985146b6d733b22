/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * The VMs that were seen, and the time of their vCPUs: since the look before, and in total.
 */
#ifndef KVM_VCPU_TIME_MODEL_H
#define KVM_VCPU_TIME_MODEL_H

#include "compute.h"
#include "discover.h"

/* What the host does not show. */
enum missing {
	MISSING_DEBUGFS,
	MISSING_FDS,
	MISSING_THREADS,
	MISSING_HALTS,
	MISSING_HALTS_BY_VCPU,
	MISSING_STEAL,
	NR_MISSING,
};

struct times {
	__u64 last[NR_STATES];
	__u64 total[NR_STATES];
	bool halts;		/* known; otherwise they count as blocked */
};

struct vcpu {
	unsigned int id;
	struct times times;
	struct counters counters;
	struct account account;
	pid_t thread;		/* the last one, or 0 */
	unsigned int moves;	/* to another thread, also after a time without one */
};

struct vm {
	pid_t pid;
	__u64 born;
	int fd;
	char name[VM_NAME_SIZE];
	struct times times;
	struct counters counters;
	struct vcpu *vcpus;
	unsigned int nr_vcpus;
	unsigned int looks;
	bool seen;
};

struct model {
	struct vm *vms;
	unsigned int nr_vms;
	unsigned int looks;
	__u64 when;		/* of the last look */
	__u64 interval;		/* since the look before, or 0 */
	unsigned int missing;	/* a bit for each enum missing */
};

void model_update(struct model *model, const struct found *found);

/* For times that were recorded. */
struct vm *model_vm(struct model *model, pid_t pid, __u64 born, int fd, const char *name);
struct vcpu *model_vcpu(struct vm *vm, unsigned int id);
void times_add(struct times *times, const __u64 time[NR_STATES]);

unsigned int model_nr_vcpus(const struct model *model);
void model_free(struct model *model);

/* By the share of steal, most first; by number or ID if it is the same. */
void model_sort(struct model *model);

const char *state_name(enum state state);
const char *missing_name(enum missing missing);
const char *missing_text(enum missing missing);

__u64 time_sum(const __u64 time[NR_STATES]);
double time_percent(const __u64 time[NR_STATES], enum state state);

#endif
