// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "model.h"
#include "sample.h"
#include "stats.h"
#include "util.h"

const char *state_name(enum state state)
{
	static const char * const names[NR_STATES] = {
		[STATE_RUNNING] = "running",
		[STATE_STEAL]	= "steal",
		[STATE_HALTED]	= "halted",
		[STATE_BLOCKED]	= "blocked",
		[STATE_OFFLINE]	= "offline",
	};

	return names[state];
}

static const struct {
	const char *name;
	const char *text;
} missing_rows[NR_MISSING] = {
	[MISSING_DEBUGFS] = { "debugfs",
		DEBUGFS_KVM " cannot be read: mount debugfs, and be root" },
	[MISSING_FDS] = { "fds",
		"open files of other users' VMs, which have some of KVM's statistics: be root" },
	[MISSING_THREADS] = { "threads",
		"which threads run some vCPUs: QEMU shows it with -name debug-threads=on" },
	[MISSING_HALTS] = { "halts",
		"for how long vCPUs halt: it is part of %blocked, of Xen guests of %running" },
	[MISSING_HALTS_BY_VCPU] = { "halts_by_vcpu",
		"for how long each vCPU halts, only the VM's are known: it is part of %blocked" },
	[MISSING_STEAL] = { "steal",
		"steal that this kernel counts: %steal is the wait of the vCPU's present thread" },
};

const char *missing_name(enum missing missing)
{
	return missing_rows[missing].name;
}

const char *missing_text(enum missing missing)
{
	return missing_rows[missing].text;
}

__u64 time_sum(const __u64 time[NR_STATES])
{
	__u64 sum = 0;

	for (int i = 0; i < NR_STATES; i++)
		sum += time[i];

	return sum;
}

double time_percent(const __u64 time[NR_STATES], enum state state)
{
	__u64 sum = time_sum(time);

	return sum ? 100.0 * time[state] / sum : 0;
}

void times_add(struct times *times, const __u64 time[NR_STATES])
{
	for (int i = 0; i < NR_STATES; i++) {
		times->last[i] = time[i];
		times->total[i] += time[i];
	}
}

static void *append(void *array, unsigned int *nr, size_t size)
{
	char *grown = realloc(array, (*nr + 1) * size);

	if (!grown)
		die("there is none left", "memory: %s", strerror(errno));
	memset(grown + *nr * size, 0, size);
	(*nr)++;

	return grown;
}

struct vm *model_vm(struct model *model, pid_t pid, __u64 born, int fd, const char *name)
{
	struct vm *vm;

	for (unsigned int i = 0; i < model->nr_vms; i++) {
		vm = &model->vms[i];
		if (vm->pid == pid && vm->born == born && vm->fd == fd)
			return vm;
	}
	model->vms = append(model->vms, &model->nr_vms, sizeof(*vm));
	vm = &model->vms[model->nr_vms - 1];
	vm->pid = pid;
	vm->born = born;
	vm->fd = fd;
	snprintf(vm->name, sizeof(vm->name), "%s", name);

	return vm;
}

struct vcpu *model_vcpu(struct vm *vm, unsigned int id)
{
	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		if (vm->vcpus[i].id == id)
			return &vm->vcpus[i];
	}
	vm->vcpus = append(vm->vcpus, &vm->nr_vcpus, sizeof(*vm->vcpus));
	vm->vcpus[vm->nr_vcpus - 1].id = id;

	return &vm->vcpus[vm->nr_vcpus - 1];
}

/*
 * At the first look, all that was counted so far is shown. Later, a thread that is older than
 * the look before has a past that is not the VM's.
 */
static struct counters first_base(const struct model *model, const struct counters *now)
{
	struct counters birth = counters_at_birth(now);

	return model->looks && birth.when + BIRTH_ROUNDING_NS < model->when ? *now : birth;
}

static void update_vcpu(const struct model *model, struct vcpu *vcpu, const struct counters *now)
{
	struct counters base = vcpu->counters.when ? counters_base(&vcpu->counters, now) :
						     first_base(model, now);
	__u64 time[NR_STATES];

	if (now->thread > 0) {
		vcpu->moves += vcpu->thread && vcpu->thread != now->thread;
		vcpu->thread = now->thread;
	}
	account_split(&vcpu->account, &base, now, time);
	times_add(&vcpu->times, time);
	vcpu->times.halts = counters_have_halts(now);
	vcpu->counters = *now;
}

static bool all_have_halts(const struct vm *vm)
{
	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		if (!vm->vcpus[i].times.halts)
			return false;
	}

	return true;
}

/* Since the look before. */
static __u64 vm_halted(struct vm *vm, const struct counters *now)
{
	static const enum counter halts[] = {
		COUNTER_HALT_WAIT, COUNTER_HALT_POLL_SUCCESS, COUNTER_HALT_POLL_FAIL,
	};
	__u64 halted = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(halts); i++)
		halted += counter_growth(&vm->counters, now, halts[i]);

	return halted;
}

static void update_vm(struct model *model, struct vm *vm, const struct found_vm *found)
{
	struct counters now = { 0 };
	__u64 time[NR_STATES] = { 0 };

	vm->seen = true;
	for (unsigned int i = 0; i < found->nr_vcpus; i++) {
		struct vcpu *vcpu = model_vcpu(vm, found->vcpus[i].id);
		struct counters counters = sample_vcpu(found, &found->vcpus[i]);

		update_vcpu(model, vcpu, &counters);
		for (int state = 0; state < NR_STATES; state++)
			time[state] += vcpu->times.last[state];
	}

	stats_read_vm(found, &now);
	vm->times.halts = all_have_halts(vm);
	if (!vm->times.halts && counters_have_halts(&now)) {
		if (!vm->looks)
			vm->counters.have = now.have;
		account_split_halted(vm_halted(vm, &now), time);
		vm->times.halts = true;
	}
	vm->counters = now;
	vm->looks++;
	times_add(&vm->times, time);
}

static unsigned int what_is_missing(const struct model *model, const struct found *found)
{
	unsigned int missing = 0;

	if (!found->debugfs)
		missing |= 1 << MISSING_DEBUGFS;
	if (!found->fds)
		missing |= 1 << MISSING_FDS;
	for (unsigned int i = 0; i < model->nr_vms; i++) {
		const struct vm *vm = &model->vms[i];

		for (unsigned int j = 0; j < vm->nr_vcpus; j++) {
			const struct vcpu *vcpu = &vm->vcpus[j];

			if (vcpu->counters.thread == THREAD_UNKNOWN)
				missing |= 1 << MISSING_THREADS;
			if (!vcpu->times.halts)
				missing |= 1 << (vm->times.halts ? MISSING_HALTS_BY_VCPU :
								   MISSING_HALTS);
			if (!counters_have(&vcpu->counters, COUNTER_BIT(COUNTER_STEAL)))
				missing |= 1 << MISSING_STEAL;
		}
	}

	return missing;
}

static void drop_vanished(struct model *model)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < model->nr_vms; i++) {
		if (model->vms[i].seen)
			model->vms[kept++] = model->vms[i];
		else
			free(model->vms[i].vcpus);
	}
	model->nr_vms = kept;
}

/* vCPUs that are not found any more stay: KVM removes none before its VM. */
void model_update(struct model *model, const struct found *found)
{
	__u64 now = files_now();

	for (unsigned int i = 0; i < model->nr_vms; i++)
		model->vms[i].seen = false;
	for (unsigned int i = 0; i < found->nr_vms; i++) {
		const struct found_vm *seen = &found->vms[i];

		struct vm *vm = model_vm(model, seen->pid, seen->born, seen->fd, seen->name);

		update_vm(model, vm, seen);
	}
	drop_vanished(model);

	model->interval = model->looks && now > model->when ? now - model->when : 0;
	model->when = now;
	model->looks++;
	model->missing = what_is_missing(model, found);
}

unsigned int model_nr_vcpus(const struct model *model)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < model->nr_vms; i++)
		nr += model->vms[i].nr_vcpus;

	return nr;
}

static int compare_steal(const struct times *a, const struct times *b)
{
	double first = time_percent(a->last, STATE_STEAL);
	double second = time_percent(b->last, STATE_STEAL);

	return first > second ? -1 : first < second;
}

static int compare_vcpus(const void *a, const void *b)
{
	const struct vcpu *first = a, *second = b;

	return compare_steal(&first->times, &second->times) ?:
	       (first->id < second->id ? -1 : first->id > second->id);
}

static int compare_vms(const void *a, const void *b)
{
	const struct vm *first = a, *second = b;

	return compare_steal(&first->times, &second->times) ?: first->pid - second->pid ?:
	       first->fd - second->fd;
}

void model_sort(struct model *model)
{
	for (unsigned int i = 0; i < model->nr_vms; i++) {
		struct vm *vm = &model->vms[i];

		if (vm->nr_vcpus)
			qsort(vm->vcpus, vm->nr_vcpus, sizeof(*vm->vcpus), compare_vcpus);
	}
	if (model->nr_vms)
		qsort(model->vms, model->nr_vms, sizeof(*model->vms), compare_vms);
}

void model_free(struct model *model)
{
	for (unsigned int i = 0; i < model->nr_vms; i++)
		free(model->vms[i].vcpus);
	free(model->vms);
}
