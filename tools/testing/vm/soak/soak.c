// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * Runs programs at once, each in rounds, until the time is over:
 *
 *	soak SECONDS SEED LIMIT LIST
 *
 * LIST has a line for each program, PATH [ARGUMENT...]; an argument "@" becomes
 * SEED in the first round, SEED + 1 in the second, and so on.  No round begins
 * when the time is over, and one that has begun ends by itself, or is killed
 * after LIMIT seconds.  A program of which a round failed or skipped gets no
 * other.
 *
 * Reports in KTAP, with each program's rounds and the sums of what these did,
 * which they report in lines "# did NUMBER WHAT".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/compiler.h>

#include "kselftest.h"

#define BLANKS		"\t\n "
#define MAX_PROGRAMS	32
#define MAX_ARGS	16
#define MAX_DEEDS	8

/* A kind of thing done, in all rounds. */
struct deed {
	char what[64];
	unsigned long long count;
};

struct program {
	char *argv[MAX_ARGS + 1];
	unsigned int rounds;
	struct deed deeds[MAX_DEEDS];
	FILE *output;
	pid_t pid;		/* 0 when it does not run */
	int status;		/* of its last round */
};

static struct program programs[MAX_PROGRAMS];
static unsigned int nr_programs;
static unsigned long long seed;
static unsigned int limit;
static time_t end;

static void __noreturn die(const char *what)
{
	printf("Bail out! soak: %s: %s\n", what, strerror(errno));
	exit(1);
}

static time_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static const char *name_of(const struct program *program)
{
	return strrchr(program->argv[0], '/') + 1;
}

static void read_programs(const char *path)
{
	char *line = NULL, *word, *rest;
	FILE *list = fopen(path, "re");
	size_t size = 0;

	if (!list)
		die(path);
	while (getline(&line, &size, list) > 0) {
		struct program *program = &programs[nr_programs++];
		unsigned int argc = 0;

		errno = E2BIG;
		if (nr_programs > MAX_PROGRAMS)
			die(path);
		rest = strdup(line);
		while ((word = strtok_r(rest, BLANKS, &rest))) {
			if (argc == MAX_ARGS)
				die(path);
			program->argv[argc++] = word;
		}
		errno = EINVAL;
		if (!argc || !strchr(program->argv[0], '/'))
			die(path);
	}
	fclose(list);
	free(line);
}

/* Puts this round's seed where it belongs.  The round is a process of its own. */
static void __noreturn run(struct program *program)
{
	char number[24];

	snprintf(number, sizeof(number), "%llu", seed + program->rounds);
	for (char **arg = program->argv; *arg; arg++) {
		if (!strcmp(*arg, "@"))
			*arg = number;
	}
	dup2(fileno(program->output), STDOUT_FILENO);
	dup2(fileno(program->output), STDERR_FILENO);
	alarm(limit);
	execv(program->argv[0], program->argv);
	fprintf(stderr, "%s: %s\n", program->argv[0], strerror(errno));
	_exit(127);
}

static void start_round(struct program *program)
{
	int fd = memfd_create(name_of(program), MFD_CLOEXEC);

	program->output = fd < 0 ? NULL : fdopen(fd, "r+");
	if (!program->output)
		die("memfd_create");
	printf("# %s begins round %u\n", name_of(program), program->rounds + 1);
	fflush(NULL);
	program->pid = fork();
	if (program->pid < 0)
		die("fork");
	if (!program->pid)
		run(program);
}

static void add_deed(struct program *program, const char *what, unsigned long long count)
{
	struct deed *deed = program->deeds;

	while (deed->what[0] && strcmp(deed->what, what))
		deed++;
	errno = E2BIG;
	if (deed == &program->deeds[MAX_DEEDS - 1])
		die(what);
	snprintf(deed->what, sizeof(deed->what), "%s", what);
	deed->count += count;
}

/* Takes what the round did from its output, which is shown if it went wrong. */
static void end_round(struct program *program)
{
	unsigned long long count;
	char *line = NULL;
	size_t size = 0;
	char what[64];

	program->pid = 0;
	program->rounds++;
	if (program->status)
		printf("# %s, round %u, seed %llu:\n", name_of(program), program->rounds,
		       seed + program->rounds - 1);
	rewind(program->output);
	while (getline(&line, &size, program->output) > 0) {
		line[strcspn(line, "\r\n")] = '\0';
		if (sscanf(line, " # did %llu %63[^\n]", &count, what) == 2)
			add_deed(program, what, count);
		if (program->status)
			printf("#   %s\n", line);
	}
	free(line);
	fclose(program->output);
}

/* Waits for the end of a round; NULL if none is under way. */
static struct program *await_round(void)
{
	int status;
	pid_t pid;

	while ((pid = wait(&status)) > 0) {
		for (unsigned int i = 0; i < nr_programs; i++) {
			if (programs[i].pid == pid) {
				programs[i].status = status;
				return &programs[i];
			}
		}
	}
	return NULL;
}

static bool has_skipped(const struct program *program)
{
	return WIFEXITED(program->status) && WEXITSTATUS(program->status) == KSFT_SKIP;
}

static void report_program(unsigned int nr, const struct program *program)
{
	const int status = program->status;
	const struct deed *deed;

	if (has_skipped(program)) {
		printf("ok %u - %s # SKIP in round %u\n", nr, name_of(program), program->rounds);
		return;
	}
	printf("%s %u - %s # %u rounds", status ? "not ok" : "ok", nr, name_of(program),
	       program->rounds);
	for (deed = program->deeds; deed->what[0]; deed++)
		printf(", %llu %s", deed->count, deed->what);
	if (WIFSIGNALED(status))
		printf("; the last one was killed by signal %d", WTERMSIG(status));
	else if (status)
		printf("; the last one has exit status %d", WEXITSTATUS(status));
	printf("\n");
}

int main(int argc, char *argv[])
{
	unsigned int i, nr_passed = 0;
	struct program *program;
	bool failed = false;

	errno = EINVAL;
	if (argc != 5)
		die("SECONDS SEED LIMIT LIST");
	end = now() + strtoul(argv[1], NULL, 10);
	seed = strtoull(argv[2], NULL, 10);
	limit = strtoul(argv[3], NULL, 10);
	read_programs(argv[4]);

	printf("KTAP version 1\n1..%u\n", nr_programs);
	for (i = 0; i < nr_programs; i++)
		start_round(&programs[i]);
	while ((program = await_round())) {
		end_round(program);
		if (!program->status && now() < end)
			start_round(program);
	}
	for (i = 0; i < nr_programs; i++) {
		report_program(i + 1, &programs[i]);
		nr_passed += !programs[i].status;
		failed |= programs[i].status && !has_skipped(&programs[i]);
	}
	return failed || !nr_passed;
}
