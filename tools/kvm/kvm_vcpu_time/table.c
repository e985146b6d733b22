// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "render.h"

/* From this share of steal on, in percent, a terminal shows it in color. */
#define STEAL_IS_HIGH	5.0

#define BOLD		"\033[1m"
#define RED		"\033[31m"
#define PLAIN		"\033[m"
#define HOME		"\033[H"
#define CLEAR_LINE	"\033[K"
#define CLEAR_BELOW	"\033[J"

/* The name comes last, in what is left of the line, but at least this. */
#define NAME_MIN	6

/* A line of the table: a vCPU, or a VM with all of them. */
struct row {
	const struct vm *vm;
	const struct vcpu *vcpu;
	const struct times *times;
};

static void put_pid(char *cell, size_t size, const struct row *row, int arg)
{
	(void)arg;
	snprintf(cell, size, "%d", row->vm->pid);
}

static void put_vcpu(char *cell, size_t size, const struct row *row, int arg)
{
	(void)arg;
	if (row->vcpu)
		snprintf(cell, size, "%u", row->vcpu->id);
	else
		snprintf(cell, size, "all");
}

static void put_percent(char *cell, size_t size, const struct row *row, int state)
{
	if (!time_sum(row->times->last) || (state == STATE_HALTED && !row->times->halts))
		snprintf(cell, size, "-");
	else
		snprintf(cell, size, "%.1f", time_percent(row->times->last, state));
}

static void put_total(char *cell, size_t size, const struct row *row, int state)
{
	snprintf(cell, size, "%.2f", (double)row->times->total[state] / NSEC_PER_SEC);
}

/* Where a line is too short, columns of the lowest rank are left out. */
static const struct column {
	const char *head;
	int width;
	int rank;
	void (*put)(char *cell, size_t size, const struct row *row, int arg);
	int arg;
} columns[] = {
	{ "PID",      7, 2, put_pid,     0 },
	{ "vCPU",     5, 8, put_vcpu,    0 },
	{ "%running", 9, 6, put_percent, STATE_RUNNING },
	{ "%steal",   8, 7, put_percent, STATE_STEAL },
	{ "%halted",  8, 5, put_percent, STATE_HALTED },
	{ "%blocked", 9, 4, put_percent, STATE_BLOCKED },
	{ "%offline", 9, 3, put_percent, STATE_OFFLINE },
	{ "steal,s", 10, 1, put_total,   STATE_STEAL },
};

/* The lowest rank that fits. */
static int lowest_rank(unsigned int available)
{
	for (int rank = 1;; rank++) {
		unsigned int width = 1 + NAME_MIN, nr = 0;

		for (unsigned int i = 0; i < ARRAY_SIZE(columns); i++) {
			if (columns[i].rank >= rank) {
				width += columns[i].width;
				nr++;
			}
		}
		if (!available || width <= available || nr <= 1)
			return rank;
	}
}

/* Lines are cut at the right edge and the bottom of a terminal. */
struct printer {
	FILE *to;
	const struct screen *screen;
	int rank;
	unsigned int lines;
};

static bool is_full(const struct printer *printer)
{
	return printer->screen->lines && printer->lines + 1 >= printer->screen->lines;
}

static void end_line(struct printer *printer)
{
	fputs(printer->screen->in_place ? CLEAR_LINE "\n" : "\n", printer->to);
	printer->lines++;
}

static void put_text(const struct printer *printer, unsigned int used, const char *text)
{
	unsigned int columns = printer->screen->columns;

	if (!columns)
		fputs(text, printer->to);
	else if (used < columns)
		fprintf(printer->to, "%.*s", columns - used, text);
}

static void print_text(struct printer *printer, const char *text)
{
	if (is_full(printer))
		return;
	put_text(printer, 0, text);
	end_line(printer);
}

static void print_head(struct printer *printer)
{
	unsigned int used = 0;

	if (is_full(printer))
		return;
	for (unsigned int i = 0; i < ARRAY_SIZE(columns); i++) {
		if (columns[i].rank >= printer->rank)
			used += fprintf(printer->to, "%*s", columns[i].width, columns[i].head);
	}
	put_text(printer, used, " VM");
	end_line(printer);
}

static const char *color_of(const struct printer *printer, const struct column *column,
			    const struct row *row)
{
	if (!printer->screen->colors)
		return "";
	if (column->put == put_percent && column->arg == STATE_STEAL &&
	    time_percent(row->times->last, STATE_STEAL) >= STEAL_IS_HIGH)
		return RED;

	return row->vcpu ? "" : BOLD;
}

/* @vcpu: NULL for the line of a VM. */
static void print_row(struct printer *printer, const struct vm *vm, const struct vcpu *vcpu,
		      const struct times *times)
{
	const struct row row = { .vm = vm, .vcpu = vcpu, .times = times };
	unsigned int used = 0;
	char cell[VM_NAME_SIZE + 2];

	if (is_full(printer))
		return;
	for (unsigned int i = 0; i < ARRAY_SIZE(columns); i++) {
		const struct column *column = &columns[i];
		const char *color = color_of(printer, column, &row);

		if (column->rank < printer->rank)
			continue;
		column->put(cell, sizeof(cell), &row, column->arg);
		fputs(color, printer->to);
		used += fprintf(printer->to, " %*s", column->width - 1, cell);
		fputs(*color ? PLAIN : "", printer->to);
	}
	snprintf(cell, sizeof(cell), " %s", vm->name);
	put_text(printer, used, cell);
	end_line(printer);
}

static void print_title(struct printer *printer, const struct model *model, time_t wall)
{
	unsigned int vcpus = model_nr_vcpus(model);
	char title[128], clock[16] = "";

	if (wall)
		strftime(clock, sizeof(clock), "%H:%M:%S  ", localtime(&wall));
	if (model->interval)
		snprintf(title, sizeof(title), "%s%u VM%s, %u vCPU%s, %.2f s", clock, model->nr_vms,
			 model->nr_vms == 1 ? "" : "s", vcpus, vcpus == 1 ? "" : "s",
			 (double)model->interval / NSEC_PER_SEC);
	else
		snprintf(title, sizeof(title), "%s%u VM%s, %u vCPU%s, since they were created", clock,
			 model->nr_vms, model->nr_vms == 1 ? "" : "s", vcpus,
			 vcpus == 1 ? "" : "s");
	print_text(printer, title);
}

static void print_missing(struct printer *printer, const struct model *model)
{
	char line[160];

	for (int i = 0; i < NR_MISSING; i++) {
		if (!(model->missing & 1 << i))
			continue;
		snprintf(line, sizeof(line), "missing: %s", missing_text(i));
		print_text(printer, line);
	}
}

void render_table(FILE *to, const struct model *model, const struct screen *screen, time_t wall)
{
	struct printer printer = {
		.to	= to,
		.screen = screen,
		.rank	= lowest_rank(screen->columns),
	};

	if (screen->in_place)
		fputs(HOME, to);
	print_title(&printer, model, wall);
	print_head(&printer);
	for (unsigned int i = 0; i < model->nr_vms; i++) {
		const struct vm *vm = &model->vms[i];

		print_row(&printer, vm, NULL, &vm->times);
		for (unsigned int j = 0; j < vm->nr_vcpus; j++)
			print_row(&printer, vm, &vm->vcpus[j], &vm->vcpus[j].times);
	}
	print_missing(&printer, model);
	if (screen->in_place)
		fputs(CLEAR_BELOW, to);
}
