// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * xen_runstate - show and check Xen vCPU runstate accounting
 *
 * A minimal VMM in three acts: two vCPUs compete for one host CPU; one of them is
 * parked and its times are adjusted; the VM is saved and restored as a new one.
 * The areas are read from the guest's memory, as the guest would read them, and
 * checked against what the host and the VMM measured.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "demo.h"
#include "util.h"
#include "xen.h"

/* The second area crosses a page boundary. */
static const __u64 areas[NR_VCPUS] = { 0x4100, 0x7fe8 };

static void show_head(const struct demo *demo)
{
	struct utsname host;

	uname(&host);
	printf("Xen vCPU runstate on Linux %s\n"
	       "Two vCPUs and a busy thread share host CPU %d. The areas are at %#llx and\n"
	       "%#llx, which crosses a page. Update flag: %s.\n",
	       host.release, demo->cpu, areas[0], areas[1],
	       vm_has_update_flag(&demo->vm) ? "on" :
	       "this kernel has none, so that a read may be torn");
}

static bool run_demo(struct demo *demo)
{
	bool done;

	demo_boot(demo);
	for (int i = 0; i < NR_VCPUS; i++)
		xen_register_area(&demo->vcpu[i], areas[i]);
	show_head(demo);
	busy_start(&demo->busy, demo->cpu);
	demo_start_threads(demo, 0);

	done = act_compete(demo) && act_park(demo) && act_move(demo);

	busy_stop(&demo->busy);
	demo_shut_down(demo);

	return done;
}

static void print_help(FILE *to)
{
	fputs("usage: xen_runstate [--seconds N] [--cpu N]\n"
	      "\n"
	      "Shows Xen vCPU runstate accounting at work and checks it: two vCPUs compete for\n"
	      "one host CPU, one is parked, then both are saved and restored. Needs /dev/kvm.\n"
	      "\n"
	      "  -s, --seconds N   how long to watch the vCPUs compete (10)\n"
	      "  -c, --cpu N       the host CPU to compete for (the last one)\n"
	      "  -h, --help        print this text\n"
	      "\n"
	      "Exit status: 0 all checks held, 1 some failed, 2 cannot run here,\n"
	      "130 interrupted.\n", to);
}

static void parse(int argc, char **argv, struct demo *demo)
{
	static const struct option table[] = {
		{ "seconds", required_argument, NULL, 's' },
		{ "cpu",     required_argument, NULL, 'c' },
		{ "help",    no_argument,       NULL, 'h' },
		{ }
	};
	int option;

	while ((option = getopt_long(argc, argv, "s:c:h", table, NULL)) >= 0) {
		switch (option) {
		case 's':
			demo->seconds = option_number("seconds", optarg, 1, 86400);
			break;
		case 'c':
			demo->cpu = option_number("cpu", optarg, 0, 1023);
			break;
		case 'h':
			print_help(stdout);
			exit(EXIT_SUCCESS);
		default:
			print_help(stderr);
			exit(EXIT_CANNOT);
		}
	}
	if (optind < argc) {
		print_help(stderr);
		exit(EXIT_CANNOT);
	}
}

int main(int argc, char **argv)
{
	struct demo demo = {
		.seconds = 10,
		.cpu	 = host_last_cpu(),
	};

	parse(argc, argv, &demo);
	setlinebuf(stdout);
	host_catch_signals();

	if (!run_demo(&demo)) {
		puts("\ninterrupted");
		return EXIT_INTERRUPTED;
	}
	report_verdict(&demo.report);

	return demo.report.failed ? EXIT_FAILED : EXIT_SUCCESS;
}
