// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"
#include "host.h"
#include "output.h"
#include "watch.h"

/* A command that is recorded. */
struct command {
	pid_t pid;
	int status;
};

static void set_of_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGCHLD);
	sigaddset(set, SIGWINCH);
}

/* They are waited for. */
static void block_signals(sigset_t *before)
{
	sigset_t set;

	set_of_signals(&set);
	sigprocmask(SIG_BLOCK, &set, before);
}

/* Returns the signal, or 0 at the deadline. */
static int wait_until(__u64 deadline)
{
	sigset_t set;

	set_of_signals(&set);
	return host_wait_for_signal(&set, deadline);
}

static void start_command(struct command *command, char **argv, const sigset_t *mask)
{
	command->pid = fork();
	if (command->pid < 0)
		die("are there too many processes?", "fork: %s", strerror(errno));
	if (command->pid)
		return;
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(argv[0], argv);
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, argv[0], strerror(errno));
	_exit(EXIT_CANNOT);
}

static bool has_ended(struct command *command)
{
	int status;

	if (waitpid(command->pid, &status, WNOHANG) != command->pid)
		return false;
	command->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	command->pid = 0;

	return true;
}

/* An interrupt of the terminal has reached the command as well, and it may take its time. */
static void end_command(struct command *command, int number)
{
	if (!command->pid)
		return;
	if (number != SIGINT)
		kill(command->pid, number);
	while (!has_ended(command))
		wait_until(host_now() + NSEC_PER_SEC);
}

static void look(struct model *model, pid_t pid)
{
	struct found found = discover(pid);

	model_update(model, &found);
	discover_free(&found);
}

/* Returns false if the program is to end. */
static bool wait_for_look(struct command *command, struct output *output,
			  const struct model *model, __u64 deadline)
{
	for (;;) {
		int number = wait_until(deadline);

		switch (number) {
		case 0:
			return true;
		case SIGCHLD:
			if (command->pid && has_ended(command))
				return false;
			break;
		case SIGWINCH:
			output_resized(output, model);
			break;
		default:
			end_command(command, number);
			return false;
		}
	}
}

static void watch_host(const struct options *options, struct output *output,
		       struct command *command)
{
	__u64 next = host_now();
	struct model model = { 0 };

	for (unsigned int looks = 0;; looks++) {
		__u64 now;

		look(&model, options->pid);
		output_look(output, &model);
		if (options->once || (options->count && looks == options->count))
			break;
		now = host_now();
		next += options->interval;
		if (next < now)
			next = now;
		if (!wait_for_look(command, output, &model, next))
			break;
	}
	if (command->pid)
		end_command(command, SIGTERM);
	model_free(&model);
}

static void watch_roots(const struct options *options, struct output *output)
{
	struct model model = { 0 };

	for (unsigned int i = 0; i < options->nr_roots; i++) {
		files_set_root(options->roots[i]);
		look(&model, options->pid);
		output_look(output, &model);
	}
	model_free(&model);
}

int watch(const struct options *options)
{
	struct command command = { 0 };
	struct output output;
	sigset_t before;

	block_signals(&before);
	output_open(&output, options);
	if (options->command)
		start_command(&command, options->command, &before);
	if (options->nr_roots)
		watch_roots(options, &output);
	else
		watch_host(options, &output, &command);
	output_close(&output);

	return command.status;
}
