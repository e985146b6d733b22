// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * The plot has a band for each vCPU, filled with its states. They are painted over each other
 * from the last to the first of the stack, so that nothing shows between them. Steal is at
 * the bottom, where its height can be compared.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "record.h"

#define WIDTH		960
#define MARGINS		128	/* above and below the bands, in pixels */
#define BANDS_HEIGHT	640	/* of all of them, unless they get too high or too low */
#define BAND_MAX	64
#define BAND_MIN	14
#define BAND_FILL	0.84	/* the rest is the gap to the next one */

/* Finer than this cannot be seen; intervals are merged then. */
#define STEPS_MAX	300

/* Looks may come late by this. */
#define GAP_NS		(250 * NSEC_PER_MSEC)

/* From the bottom of the stack to its top. */
static const struct layer {
	enum state state;
	const char *color;
} layers[NR_STATES] = {
	{ STATE_STEAL,	 "#d7191c" },
	{ STATE_RUNNING, "#5aae61" },
	{ STATE_HALTED,	 "#c6dbef" },
	{ STATE_BLOCKED, "#9ebcda" },
	{ STATE_OFFLINE, "#eeeeee" },
};

struct band {
	const struct vm *vm;
	const struct vcpu *vcpu;
};

static int compare_bands(const void *a, const void *b)
{
	const struct band *first = a, *second = b;

	return first->vm->pid - second->vm->pid ?: first->vm->fd - second->vm->fd ?:
	       (first->vcpu->id < second->vcpu->id ? -1 : first->vcpu->id > second->vcpu->id);
}

static struct band *make_bands(const struct model *model, unsigned int nr)
{
	struct band *bands = calloc(nr, sizeof(*bands));
	unsigned int at = 0;

	if (!bands)
		die("there is none left", "memory: %s", strerror(errno));
	for (unsigned int i = 0; i < model->nr_vms; i++) {
		for (unsigned int j = 0; j < model->vms[i].nr_vcpus; j++)
			bands[at++] = (struct band){ &model->vms[i], &model->vms[i].vcpus[j] };
	}
	qsort(bands, nr, sizeof(*bands), compare_bands);

	return bands;
}

/* Up to and with the state of @layer, as a share of the whole. */
static double height_at(const __u64 time[NR_STATES], int layer)
{
	double height = 0;

	for (int i = 0; i <= layer; i++)
		height += time_percent(time, layers[i].state) / 100;

	return height;
}

/* A step of a band: its left, its right, and their height. */
static void put_step(FILE *to, const struct row *row, __u64 begin, int layer, double base)
{
	double end = (double)row->when / NSEC_PER_SEC;
	double top = base + BAND_FILL * height_at(row->time, layer);

	fprintf(to, "%.6f %.4f %.4f\n%.6f %.4f %.4f\n", (double)begin / NSEC_PER_SEC, base, top,
		end, base, top);
}

static void merge(struct row *into, const struct row *row)
{
	into->when = row->when;
	for (int i = 0; i < NR_STATES; i++)
		into->time[i] += row->time[i];
}

/* There is a gap where a vCPU was not seen, or a recording follows an older one. */
static bool is_gap(const struct row *before, const struct row *row)
{
	return row->when < before->when ||
	       row->when - before->when > 2 * time_sum(row->time) + GAP_NS;
}

static __u64 begin_of(const struct row *row)
{
	__u64 span = time_sum(row->time);

	return row->when > span ? row->when - span : 0;
}

static void put_band(FILE *to, const struct recording *recording, const struct band *band,
		     int layer, double base, __u64 step)
{
	struct row step_row = { 0 };
	__u64 begin = 0;

	for (unsigned int i = 0; i < recording->nr_rows; i++) {
		const struct row *row = &recording->rows[i];

		if (!row_is_of(row, band->vm, band->vcpu))
			continue;
		if (!step_row.when) {
			begin = begin_of(row);
			step_row = *row;
		} else if (is_gap(&step_row, row)) {
			put_step(to, &step_row, begin, layer, base);
			fputc('\n', to);
			begin = begin_of(row);
			step_row = *row;
		} else if (time_sum(step_row.time) >= step) {
			put_step(to, &step_row, begin, layer, base);
			begin = step_row.when;
			step_row = *row;
		} else {
			merge(&step_row, row);
		}
	}
	put_step(to, &step_row, begin, layer, base);
	fputc('\n', to);
}

/* Where a vCPU was never in its state, a layer would cover nothing but the one below. */
static bool has_layer(const struct band *band, int layer)
{
	return band->vcpu->times.total[layers[layer].state];
}

static bool is_layer_used(const struct band *bands, unsigned int nr, int layer)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (has_layer(&bands[i], layer))
			return true;
	}

	return false;
}

/* In gnuplot's single quotes, and in labels, those of @doubled stand for themselves twice. */
static void put_quoted(FILE *to, const char *text, const char *doubled)
{
	fputc('\'', to);
	for (; *text; text++) {
		if (strchr(doubled, *text))
			fputc(*text, to);
		fputc(*text, to);
	}
	fputc('\'', to);
}

static double base_of(unsigned int band)
{
	return -1.0 - band;
}

static void put_labels(FILE *to, const struct band *bands, unsigned int nr)
{
	char label[VM_NAME_SIZE + 32];

	fputs("set ytics scale 0 textcolor '#222222' (", to);
	for (unsigned int i = 0; i < nr; i++) {
		snprintf(label, sizeof(label), "%s vCPU %u", bands[i].vm->name, bands[i].vcpu->id);
		put_quoted(to, label, "'%");
		fprintf(to, " %.2f%s", base_of(i) + BAND_FILL / 2, i + 1 < nr ? ", " : ")\n");
	}
	fputs("set y2tics scale 0 (", to);
	for (unsigned int i = 0; i < nr; i++)
		fprintf(to, "'%.1f %%%%' %.2f%s",
			time_percent(bands[i].vcpu->times.total, STATE_STEAL),
			base_of(i) + BAND_FILL / 2, i + 1 < nr ? ", " : ")\n");
}

static unsigned int band_height(unsigned int nr)
{
	unsigned int height = BANDS_HEIGHT / nr;

	return height < BAND_MIN ? BAND_MIN : height > BAND_MAX ? BAND_MAX : height;
}

static void put_settings(FILE *to, const char *output, unsigned int nr, double seconds)
{
	fprintf(to, "set terminal svg noenhanced size %d,%u font 'sans,13' background '#ffffff'\n",
		WIDTH, MARGINS + nr * band_height(nr));
	fputs("set output ", to);
	put_quoted(to, output, "'");
	fprintf(to,
		"\nset xrange [0:%.6f]\nset yrange [-%u.04:0.16]\nset y2range [-%u.04:0.16]\n"
		"set xlabel 'seconds'\n"
		"set label 1 'steal' at graph 1.01, screen 1 offset 0,-2.6 left textcolor '%s'\n"
		"set border 1 linecolor '#888888'\nset xtics nomirror out textcolor '#222222'\n"
		"set y2tics textcolor '%s'\n"
		"set key outside above center horizontal Left reverse samplen 1.5 width 2\n"
		"set style fill solid 1.0 noborder\nset rmargin 10\n",
		seconds, nr, nr, layers[0].color, layers[0].color);
}

static void put_plot(FILE *to, const struct band *bands, unsigned int nr)
{
	fputs("plot ", to);
	for (int i = NR_STATES - 1; i >= 0; i--) {
		if (is_layer_used(bands, nr, i))
			fprintf(to, "$%s using 1:2:3 with filledcurves fillcolor rgb '%s' notitle, ",
				state_name(layers[i].state), layers[i].color);
	}
	for (int i = 0; i < NR_STATES; i++)
		fprintf(to, "keyentry with boxes fillcolor rgb '%s' title '%s'%s", layers[i].color,
			state_name(layers[i].state), i + 1 < NR_STATES ? ", " : "\n");
}

void plot_write_script(FILE *to, const struct recording *recording, const char *output)
{
	struct model model = recording_model(recording);
	unsigned int nr = model_nr_vcpus(&model);
	struct band *bands = make_bands(&model, nr);
	__u64 step = model.interval / STEPS_MAX;

	for (int layer = 0; layer < NR_STATES; layer++) {
		fprintf(to, "$%s << END\n", state_name(layers[layer].state));
		for (unsigned int i = 0; i < nr; i++) {
			if (has_layer(&bands[i], layer))
				put_band(to, recording, &bands[i], layer, base_of(i), step);
		}
		fputs("END\n", to);
	}
	put_settings(to, output, nr, (double)model.interval / NSEC_PER_SEC);
	put_labels(to, bands, nr);
	put_plot(to, bands, nr);

	free(bands);
	model_free(&model);
}
