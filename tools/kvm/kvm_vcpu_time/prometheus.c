// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include "host.h"
#include "render.h"

static void put_family(FILE *to, const char *name, const char *type, const char *help)
{
	fprintf(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Leaves the braces open. All bytes of a name are printable ASCII. */
static void put_vm(FILE *to, const char *family, const struct vm *vm)
{
	fprintf(to, "%s{vm=\"", family);
	for (const char *at = vm->name; *at; at++) {
		if (*at == '"' || *at == '\\')
			putc('\\', to);
		putc(*at, to);
	}
	fprintf(to, "\",pid=\"%d\"", vm->pid);
	if (vm->fd != FD_UNKNOWN)
		fprintf(to, ",fd=\"%d\"", vm->fd);
}

static void put_seconds(FILE *to, __u64 ns)
{
	fprintf(to, "%llu.%09llu\n", ns / NSEC_PER_SEC, ns % NSEC_PER_SEC);
}

static void put_vcpu_times(FILE *to, const struct vm *vm)
{
	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		const struct vcpu *vcpu = &vm->vcpus[i];

		for (int state = 0; state < NR_STATES; state++) {
			if (state == STATE_HALTED && !vcpu->times.halts)
				continue;
			put_vm(to, "kvm_vcpu_time_seconds_total", vm);
			fprintf(to, ",vcpu=\"%u\",state=\"%s\"} ", vcpu->id, state_name(state));
			put_seconds(to, vcpu->times.total[state]);
		}
	}
}

static void put_vm_times(FILE *to, const struct vm *vm)
{
	for (int state = 0; state < NR_STATES; state++) {
		if (state == STATE_HALTED && !vm->times.halts)
			continue;
		put_vm(to, "kvm_vm_time_seconds_total", vm);
		fprintf(to, ",state=\"%s\"} ", state_name(state));
		put_seconds(to, vm->times.total[state]);
	}
}

static void put_moves(FILE *to, const struct vm *vm)
{
	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		put_vm(to, "kvm_vcpu_thread_changes_total", vm);
		fprintf(to, ",vcpu=\"%u\"} %u\n", vm->vcpus[i].id, vm->vcpus[i].moves);
	}
}

void render_prometheus(FILE *to, const struct model *model)
{
	static const struct {
		const char *name;
		const char *help;
		void (*put)(FILE *to, const struct vm *vm);
	} counters[] = {
		{ "kvm_vcpu_time_seconds_total",
		  "Time that a vCPU has spent in a state.", put_vcpu_times },
		{ "kvm_vm_time_seconds_total",
		  "Time that the vCPUs of a VM have spent in a state.", put_vm_times },
		{ "kvm_vcpu_thread_changes_total",
		  "How often a vCPU was seen to move to another thread.", put_moves },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(counters); i++) {
		put_family(to, counters[i].name, "counter", counters[i].help);
		for (unsigned int j = 0; j < model->nr_vms; j++)
			counters[i].put(to, &model->vms[j]);
	}

	put_family(to, "kvm_vcpu_time_missing", "gauge",
		   "1 if the host does not show this, see kvm_vcpu_time(1).");
	for (int i = 0; i < NR_MISSING; i++)
		fprintf(to, "kvm_vcpu_time_missing{what=\"%s\"} %d\n", missing_name(i),
			!!(model->missing & 1 << i));
}
