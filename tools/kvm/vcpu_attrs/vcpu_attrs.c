// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * vcpu_attrs - list the attributes of vCPUs that this host supports
 *
 * Queries each of them in VMs that are set up as VMMs do it.  On arm64 it also
 * shows and checks stolen time, which one of them is for.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "arch.h"
#include "host.h"
#include "kvm.h"
#include "table.h"
#include "util.h"

struct options {
	bool table;
	bool json;
	bool steal;
	struct steal_options show;
};

static void print_help(FILE *to)
{
	fputs("usage: vcpu_attrs [--table | --json] [--steal [--seconds N] [--cpu N]]\n"
	      "\n"
	      "Lists the attributes of vCPUs, and the results of HAS and GET on this host.\n"
	      "Needs /dev/kvm.\n"
	      "\n"
	      "  -t, --table       a table for people (default without --steal)\n"
	      "  -j, --json        the same as JSON, an array with an object for each attribute;\n"
	      "                    vcpu_attrs(1) documents the keys\n"
	      "  -S, --steal       arm64: show stolen time at work and check it, with two vCPUs\n"
	      "                    that compete for one host CPU, are moved and restored\n"
	      "  -s, --seconds N   steal: how long to watch them compete (10)\n"
	      "  -c, --cpu N       steal: the host CPU to compete for (the last one)\n"
	      "  -h, --help        print this text\n"
	      "\n"
	      "Exit status: 0 attributes printed and all checks held, 1 some failed, 2 cannot\n"
	      "run here, 130 interrupted.\n", to);
}

static void __noreturn die_of_usage(void)
{
	print_help(stderr);
	exit(EXIT_CANNOT);
}

static void parse(int argc, char **argv, struct options *options)
{
	static const struct option table[] = {
		{ "table",   no_argument,       NULL, 't' },
		{ "json",    no_argument,       NULL, 'j' },
		{ "steal",   no_argument,       NULL, 'S' },
		{ "seconds", required_argument, NULL, 's' },
		{ "cpu",     required_argument, NULL, 'c' },
		{ "help",    no_argument,       NULL, 'h' },
		{ }
	};
	int option;

	while ((option = getopt_long(argc, argv, "tjSs:c:h", table, NULL)) >= 0) {
		switch (option) {
		case 't':
			options->table = true;
			break;
		case 'j':
			options->json = true;
			break;
		case 'S':
			options->steal = true;
			break;
		case 's':
			options->show.seconds = option_number("seconds", optarg, 1, 86400);
			break;
		case 'c':
			options->show.cpu = option_number("cpu", optarg, 0, 1023);
			break;
		case 'h':
			print_help(stdout);
			exit(EXIT_SUCCESS);
		default:
			die_of_usage();
		}
	}
	if (optind < argc || (options->json && (options->table || options->steal)))
		die_of_usage();
	if (!options->json && !options->steal)
		options->table = true;
}

int main(int argc, char **argv)
{
	struct options options = {
		.show.seconds = 10,
		.show.cpu = host_last_cpu(),
	};

	parse(argc, argv, &options);
	setlinebuf(stdout);

	if (options.steal && !arch.show_steal)
		die("see xen_runstate for Xen guests on x86",
		    "--steal: only arm64 has an attribute for stolen time");
	/* If there is no KVM, print only that. */
	close(kvm_open());

	if (options.json)
		json_print();
	if (options.table)
		table_print();

	return options.steal ? arch.show_steal(&options.show) : EXIT_SUCCESS;
}
