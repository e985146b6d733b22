// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"
#include "util.h"

#define MAGIC	"# kvm_vcpu_time recording, version 1\n"

/* Begins a look, and is followed by the names of what it could not see. */
#define MISSING	"# missing"

/* What is missing for a shorter part than this, as while a VM begins or ends, is not. */
#define MISSING_PART	10

void record_begin(FILE *to)
{
	fputs(MAGIC "# when pid born fd vcpu", to);
	for (int i = 0; i < NR_STATES; i++)
		fprintf(to, " %s", state_name(i));
	fputs(" vm\n# times are in ns; halted is - where it is part of blocked\n", to);
}

static void record_vcpu(FILE *to, const struct vm *vm, const struct vcpu *vcpu, __u64 when)
{
	fprintf(to, "%llu %d %llu %d %u", when, vm->pid, vm->born, vm->fd, vcpu->id);
	for (int i = 0; i < NR_STATES; i++) {
		if (i == STATE_HALTED && !vcpu->times.halts)
			fputs(" -", to);
		else
			fprintf(to, " %llu", vcpu->times.last[i]);
	}
	fprintf(to, " %s\n", vm->name);
}

/* What was counted before the recording is no part of it. */
void record_look(FILE *to, const struct model *model, __u64 since)
{
	if (!model->interval)
		return;
	fputs(MISSING, to);
	for (int i = 0; i < NR_MISSING; i++) {
		if (model->missing & 1 << i)
			fprintf(to, " %s", missing_name(i));
	}
	fputc('\n', to);
	for (unsigned int i = 0; i < model->nr_vms; i++) {
		const struct vm *vm = &model->vms[i];

		for (unsigned int j = 0; j < vm->nr_vcpus; j++) {
			if (time_sum(vm->vcpus[j].times.last))
				record_vcpu(to, vm, &vm->vcpus[j],
					    vm->vcpus[j].counters.when - since);
		}
	}
	fflush(to);
}

static bool parse_row(const char *line, struct row *row)
{
	char halted[32], *end;
	int at = 0;

	if (sscanf(line, "%llu %d %llu %d %u %llu %llu %31s %llu %llu %n", &row->when, &row->pid,
		   &row->born, &row->fd, &row->vcpu, &row->time[STATE_RUNNING],
		   &row->time[STATE_STEAL], halted, &row->time[STATE_BLOCKED],
		   &row->time[STATE_OFFLINE], &at) != 10 || !at)
		return false;
	row->halts = strcmp(halted, "-");
	row->time[STATE_HALTED] = row->halts ? strtoull(halted, &end, 10) : 0;
	snprintf(row->name, sizeof(row->name), "%.*s", (int)strcspn(line + at, "\n"), line + at);

	return !row->halts || !*end;
}

static unsigned int parse_missing(char *line)
{
	unsigned int missing = 0;
	char *word, *rest = line + strlen(MISSING);

	while ((word = strtok_r(rest, " \n", &rest))) {
		for (int i = 0; i < NR_MISSING; i++) {
			if (!strcmp(word, missing_name(i)))
				missing |= 1 << i;
		}
	}

	return missing;
}

static void add_row(struct recording *recording, const struct row *row, unsigned int missing)
{
	__u64 time = time_sum(row->time);

	recording->time += time;
	for (int i = 0; i < NR_MISSING; i++) {
		if (missing & 1 << i)
			recording->missed[i] += time;
	}

	/* To the next power of two. */
	if (!(recording->nr_rows & (recording->nr_rows - 1))) {
		recording->rows = realloc(recording->rows, (recording->nr_rows ?
							    2 * recording->nr_rows : 1) *
					  sizeof(*row));
		if (!recording->rows)
			die("there is none left", "memory: %s", strerror(errno));
	}
	recording->rows[recording->nr_rows++] = *row;
}

struct recording recording_read(const char *path)
{
	static const char advice[] = "give a file that \"kvm_vcpu_time record\" has written";
	struct recording recording = { 0 };
	FILE *file = fopen(path, "re");
	unsigned int number = 1, missing = 0;
	char *line = NULL;
	size_t size = 0;

	if (!file)
		die(advice, "%s: %s", path, strerror(errno));
	if (getline(&line, &size, file) < 0 || strcmp(line, MAGIC))
		die(advice, "%s: it does not begin as a recording does", path);
	while (getline(&line, &size, file) > 0) {
		struct row row;

		number++;
		if (!strncmp(line, MISSING, strlen(MISSING)))
			missing = parse_missing(line);
		else if (*line == '#')
			continue;
		else if (parse_row(line, &row))
			add_row(&recording, &row, missing);
		else if (strchr(line, '\n'))
			die(advice, "%s:%u: not a line of a recording", path, number);
		/* A last line without its end was being written when the host died. */
	}
	free(line);
	fclose(file);

	return recording;
}

void recording_free(struct recording *recording)
{
	free(recording->rows);
}

bool row_is_of(const struct row *row, const struct vm *vm, const struct vcpu *vcpu)
{
	return row->pid == vm->pid && row->born == vm->born && row->fd == vm->fd &&
	       row->vcpu == vcpu->id;
}

static bool halts_are_known(const struct recording *recording, const struct vm *vm,
			    const struct vcpu *vcpu)
{
	__u64 unknown = 0;

	for (unsigned int i = 0; i < recording->nr_rows; i++) {
		const struct row *row = &recording->rows[i];

		if (!row->halts && row_is_of(row, vm, vcpu))
			unknown += time_sum(row->time);
	}

	return unknown <= time_sum(vcpu->times.total) / MISSING_PART;
}

struct model recording_model(const struct recording *recording)
{
	struct model model = { 0 };

	for (int i = 0; i < NR_MISSING; i++) {
		if (recording->missed[i] > recording->time / MISSING_PART)
			model.missing |= 1 << i;
	}
	for (unsigned int i = 0; i < recording->nr_rows; i++) {
		const struct row *row = &recording->rows[i];
		struct vm *vm = model_vm(&model, row->pid, row->born, row->fd, row->name);
		struct vcpu *vcpu = model_vcpu(vm, row->vcpu);

		times_add(&vcpu->times, row->time);
		times_add(&vm->times, row->time);
		if (row->when > model.interval)
			model.interval = row->when;
	}
	for (unsigned int i = 0; i < model.nr_vms; i++) {
		struct vm *vm = &model.vms[i];

		memcpy(vm->times.last, vm->times.total, sizeof(vm->times.last));
		vm->times.halts = true;
		for (unsigned int j = 0; j < vm->nr_vcpus; j++) {
			struct vcpu *vcpu = &vm->vcpus[j];

			memcpy(vcpu->times.last, vcpu->times.total, sizeof(vcpu->times.last));
			vcpu->times.halts = halts_are_known(recording, vm, vcpu);
			vm->times.halts &= vcpu->times.halts;
		}
	}

	return model;
}
