// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output.h"
#include "record.h"
#include "util.h"

#define CLEAR_SCREEN	"\033[H\033[J"

static const char *name_of(const struct output *output)
{
	return output->options->output ?: "standard output";
}

static void __noreturn cannot_write(const struct output *output)
{
	die("is there space, and may it be written?", "%s: %s", name_of(output), strerror(errno));
}

static bool is_terminal(const struct options *options)
{
	const char *term = getenv("TERM") ?: "dumb";

	return options->action == ACTION_WATCH && options->format == FORMAT_TABLE &&
	       !options->output && !options->once && isatty(STDOUT_FILENO) && strcmp(term, "dumb");
}

/* A page for Prometheus is made as a whole, and replaces the one before. */
static bool is_page(const struct options *options)
{
	return options->action == ACTION_WATCH && options->format == FORMAT_PROMETHEUS &&
	       options->output;
}

static const char *path_of(const struct options *options)
{
	if (options->action == ACTION_RECORD && !options->output)
		return "kvm_vcpu_time.rec";

	return options->output;
}

void output_open(struct output *output, const struct options *options)
{
	const char *path = path_of(options);

	*output = (struct output){ .options = options, .to = stdout };
	output->in_place = is_terminal(options);
	if (path && !is_page(options)) {
		output->to = fopen(path, "we");
		if (!output->to)
			die("choose another one with --output", "%s: %s", path, strerror(errno));
	}
	if (output->in_place)
		fputs(CLEAR_SCREEN, output->to);
	if (options->action == ACTION_RECORD)
		record_begin(output->to);
}

static struct screen get_screen(const struct output *output)
{
	struct screen screen = { .in_place = output->in_place };
	struct winsize size;

	if (!output->in_place)
		return screen;
	screen.colors = !getenv("NO_COLOR");
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		return screen;
	screen.columns = size.ws_col;
	screen.lines = size.ws_row;

	return screen;
}

/* All of it at once, so that a terminal does not flicker. */
static void show_table(struct output *output, const struct model *model)
{
	struct screen screen = get_screen(output);
	struct model shown = *model;
	char *text = NULL;
	size_t size;
	FILE *to;

	/* Lines that stay need not repeat it. */
	if (!output->in_place && output->looks && output->missing == model->missing)
		shown.missing = 0;
	output->missing = model->missing;

	to = open_memstream(&text, &size);
	if (!to)
		cannot_write(output);
	if (!output->in_place && output->looks)
		fputc('\n', to);
	render_table(to, &shown, &screen, time(NULL));
	if (fclose(to) || fwrite(text, 1, size, output->to) != size)
		cannot_write(output);
	free(text);
	output->looks++;
}

static void replace_page(const struct output *output, const struct model *model)
{
	char path[PATH_MAX];
	FILE *to;

	if (snprintf(path, sizeof(path), "%s.new", output->options->output) >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		cannot_write(output);
	}
	to = fopen(path, "we");
	if (!to)
		cannot_write(output);
	render_prometheus(to, model);
	if (fclose(to) || rename(path, output->options->output))
		cannot_write(output);
}

/* What was counted before the first look is shown where it does not look like an interval. */
static bool is_shown(const struct output *output, const struct model *model)
{
	const struct options *options = output->options;

	return model->looks > 1 || options->once || output->in_place ||
	       options->format == FORMAT_PROMETHEUS;
}

void output_look(struct output *output, struct model *model)
{
	const struct options *options = output->options;

	if (model->looks == 1)
		output->began = model->when;
	if (options->action == ACTION_RECORD) {
		record_look(output->to, model, output->began);
	} else if (is_shown(output, model)) {
		model_sort(model);
		if (options->format == FORMAT_JSON)
			render_json(output->to, model, time(NULL));
		else if (is_page(options))
			replace_page(output, model);
		else if (options->format == FORMAT_PROMETHEUS)
			render_prometheus(output->to, model);
		else
			show_table(output, model);
	}
	if (fflush(output->to) || ferror(output->to))
		cannot_write(output);
}

void output_resized(struct output *output, const struct model *model)
{
	if (output->in_place)
		show_table(output, model);
	fflush(output->to);
}

void output_close(struct output *output)
{
	if (output->to != stdout && fclose(output->to))
		cannot_write(output);
}
