// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include "render.h"

/* All bytes are printable ASCII. */
static void put_string(FILE *to, const char *text)
{
	putc('"', to);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', to);
		putc(*text, to);
	}
	putc('"', to);
}

static void put_ns(FILE *to, const char *key, const __u64 time[NR_STATES], bool halts)
{
	fprintf(to, ", \"%s\": {", key);
	for (int i = 0; i < NR_STATES; i++) {
		fprintf(to, "%s\"%s\": ", i ? ", " : "", state_name(i));
		if (i == STATE_HALTED && !halts)
			fputs("null", to);
		else
			fprintf(to, "%llu", time[i]);
	}
	putc('}', to);
}

static void put_times(FILE *to, const struct times *times)
{
	put_ns(to, "interval_ns", times->last, times->halts);
	put_ns(to, "total_ns", times->total, times->halts);
}

static void put_vcpu(FILE *to, const struct vcpu *vcpu)
{
	fprintf(to, "{\"vcpu\": %u, \"thread\": ", vcpu->id);
	if (vcpu->counters.thread > 0)
		fprintf(to, "%d", vcpu->counters.thread);
	else
		fputs("null", to);
	fprintf(to, ", \"moves\": %u", vcpu->moves);
	put_times(to, &vcpu->times);
	putc('}', to);
}

static void put_vm(FILE *to, const struct vm *vm)
{
	fputs("{\"name\": ", to);
	put_string(to, vm->name);
	fprintf(to, ", \"pid\": %d, \"fd\": ", vm->pid);
	if (vm->fd != FD_UNKNOWN)
		fprintf(to, "%d", vm->fd);
	else
		fputs("null", to);
	put_times(to, &vm->times);
	fputs(", \"vcpus\": [", to);
	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		fputs(i ? ", " : "", to);
		put_vcpu(to, &vm->vcpus[i]);
	}
	fputs("]}", to);
}

void render_json(FILE *to, const struct model *model, time_t wall)
{
	bool first = true;

	fprintf(to, "{\"time\": %lld, \"interval_ns\": ", (long long)wall);
	if (model->interval)
		fprintf(to, "%llu", model->interval);
	else
		fputs("null", to);
	fputs(", \"vms\": [", to);
	for (unsigned int i = 0; i < model->nr_vms; i++) {
		fputs(i ? ", " : "", to);
		put_vm(to, &model->vms[i]);
	}
	fputs("], \"missing\": [", to);
	for (int i = 0; i < NR_MISSING; i++) {
		if (!(model->missing & 1 << i))
			continue;
		fputs(first ? "" : ", ", to);
		put_string(to, missing_name(i));
		first = false;
	}
	fputs("]}\n", to);
}
