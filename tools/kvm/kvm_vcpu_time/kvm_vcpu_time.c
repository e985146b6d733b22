// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * kvm_vcpu_time - where did the time of vCPUs go?
 *
 * Samples all VMs of the host, over and over, and shows for which part of the time their
 * vCPUs ran, waited for a CPU, were halted, blocked in the virtual machine monitor, or had
 * no thread. It only reads.
 */
#include <stdio.h>
#include <stdlib.h>

#include "options.h"
#include "record.h"
#include "render.h"
#include "util.h"
#include "watch.h"

static int report(const struct options *options)
{
	struct recording recording = recording_read(options->file);
	struct model model = recording_model(&recording);

	model_sort(&model);
	if (options->format == FORMAT_JSON)
		render_json(stdout, &model, 0);
	else
		render_table(stdout, &model, &(struct screen){ 0 }, 0);
	model_free(&model);
	recording_free(&recording);

	return EXIT_SUCCESS;
}

static int plot(const struct options *options)
{
	struct recording recording = recording_read(options->file);
	FILE *gnuplot;
	int status;

	if (!recording.nr_rows)
		die("record while a VM runs", "%s: no vCPU was seen", options->file);
	gnuplot = popen("gnuplot", "we");
	if (gnuplot) {
		plot_write_script(gnuplot, &recording, options->output ?: "kvm_vcpu_time.svg");
		status = pclose(gnuplot);
	}
	recording_free(&recording);
	if (!gnuplot || status)
		die("is gnuplot installed, and can the file be written?",
		    "gnuplot: exit status %d", gnuplot ? status >> 8 : -1);

	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct options options = options_parse(argc, argv);

	switch (options.action) {
	case ACTION_REPORT:
		return report(&options);
	case ACTION_PLOT:
		return plot(&options);
	default:
		return watch(&options);
	}
}
