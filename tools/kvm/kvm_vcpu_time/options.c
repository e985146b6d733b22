// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "options.h"

#define INTERVAL_MIN	0.01
#define INTERVAL_MAX	86400.0

static void print_help(FILE *to)
{
	fputs("usage: kvm_vcpu_time [OPTION...]\n"
	      "       kvm_vcpu_time record [OPTION...] [COMMAND [ARGUMENT...]]\n"
	      "       kvm_vcpu_time report [--json] RECORDING\n"
	      "       kvm_vcpu_time plot [--output FILE.svg] RECORDING\n"
	      "\n"
	      "Shows where the time of the vCPUs of all VMs of this host goes: running, waiting\n"
	      "for a CPU (steal), halted, blocked in the virtual machine monitor, offline.\n"
	      "\n"
	      "  -i, --interval S    seconds between two looks (1; record: 0.1)\n"
	      "  -n, --count N       stop after N intervals\n"
	      "  -1, --once          show the time since the vCPUs' threads began, and end\n"
	      "  -p, --pid PID       only the VMs of this process\n"
	      "  -j, --json          a JSON object for each interval\n"
	      "  -P, --prometheus    totals in Prometheus' text format, once unless --interval\n"
	      "  -o, --output FILE   write to FILE, which --prometheus replaces at each interval\n"
	      "                      (record: kvm_vcpu_time.rec; plot: kvm_vcpu_time.svg)\n"
	      "  -r, --root DIR      read a copy of /proc and debugfs below DIR; once for each\n"
	      "                      look, from the oldest to the newest\n"
	      "  -h, --help          print this text\n"
	      "\n"
	      "Exit status: 0 done, 2 cannot run here; of record, that of COMMAND.\n", to);
}

static void __noreturn refuse(void)
{
	print_help(stderr);
	exit(EXIT_CANNOT);
}

static __u64 parse_interval(const char *text)
{
	char *end;
	double seconds = strtod(text, &end);

	if (*text < '0' || *text > '9' || *end || !(seconds >= INTERVAL_MIN) ||
	    seconds > INTERVAL_MAX)
		die("see --help", "--interval %s: give seconds from %g to %g", text, INTERVAL_MIN,
		    INTERVAL_MAX);

	return seconds * NSEC_PER_SEC;
}

static void add_root(struct options *options, char *root)
{
	options->roots = realloc(options->roots, (options->nr_roots + 1) * sizeof(root));
	if (!options->roots)
		die("there is none left", "memory: %s", strerror(errno));
	options->roots[options->nr_roots++] = root;
}

static int parse_action(int argc, char **argv)
{
	static const char * const actions[] = {
		[ACTION_RECORD] = "record",
		[ACTION_REPORT] = "report",
		[ACTION_PLOT]	= "plot",
	};

	for (unsigned int i = ACTION_RECORD; argc > 1 && i < ARRAY_SIZE(actions); i++) {
		if (!strcmp(argv[1], actions[i]))
			return i;
	}

	return ACTION_WATCH;
}

static void parse_rest(struct options *options, int argc, char **argv)
{
	switch (options->action) {
	case ACTION_WATCH:
		if (argc)
			refuse();
		break;
	case ACTION_RECORD:
		if (argc)
			options->command = argv;
		break;
	default:
		if (argc != 1)
			refuse();
		options->file = argv[0];
	}
}

static void set_defaults(struct options *options)
{
	if (!options->interval) {
		if (options->format == FORMAT_PROMETHEUS)
			options->once = true;
		options->interval = options->action == ACTION_RECORD ? NSEC_PER_SEC / 10 :
								       NSEC_PER_SEC;
	} else if (options->format == FORMAT_PROMETHEUS && !options->output &&
		   options->count != 1) {
		die("give --output FILE", "--prometheus: one page only can go to standard output");
	}
}

struct options options_parse(int argc, char **argv)
{
	static const struct option table[] = {
		{ "interval",	required_argument, NULL, 'i' },
		{ "count",	required_argument, NULL, 'n' },
		{ "once",	no_argument,	   NULL, '1' },
		{ "pid",	required_argument, NULL, 'p' },
		{ "json",	no_argument,	   NULL, 'j' },
		{ "prometheus", no_argument,	   NULL, 'P' },
		{ "output",	required_argument, NULL, 'o' },
		{ "root",	required_argument, NULL, 'r' },
		{ "help",	no_argument,	   NULL, 'h' },
		{ }
	};
	struct options options = { .action = parse_action(argc, argv) };
	int option;

	if (options.action != ACTION_WATCH) {
		argc--;
		argv++;
	}
	/* "+": what follows COMMAND is its own. */
	while ((option = getopt_long(argc, argv, "+i:n:1p:jPo:r:h", table, NULL)) >= 0) {
		switch (option) {
		case 'i':
			options.interval = parse_interval(optarg);
			break;
		case 'n':
			options.count = option_number("count", optarg, 1, UINT_MAX);
			break;
		case '1':
			options.once = true;
			break;
		case 'p':
			options.pid = option_number("pid", optarg, 1, INT_MAX);
			break;
		case 'j':
			options.format = FORMAT_JSON;
			break;
		case 'P':
			options.format = FORMAT_PROMETHEUS;
			break;
		case 'o':
			options.output = optarg;
			break;
		case 'r':
			add_root(&options, optarg);
			break;
		case 'h':
			print_help(stdout);
			exit(EXIT_SUCCESS);
		default:
			refuse();
		}
	}
	parse_rest(&options, argc - optind, argv + optind);
	set_defaults(&options);

	return options;
}
