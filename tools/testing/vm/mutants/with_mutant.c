// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * Runs a test while a mutant of the kernel is active:
 *
 *	with_mutant NUMBER PROGRAM [ARGUMENT...]
 *	with_mutant NUMBER kunit SUITE
 *
 * KUnit's report is passed on.  The status is the test's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PARAMETER	"/sys/module/kernel/parameters/kvm_mutant"
#define SUITES		"/sys/kernel/debug/kunit"

static void write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0) {
		fprintf(stderr, "with_mutant: %s: %s\n", path, strerror(errno));
		exit(1);
	}
	close(fd);
}

static int run_kunit(const char *suite)
{
	char path[256], line[4096];
	bool failed = false;
	FILE *results;

	snprintf(path, sizeof(path), SUITES "/%s/run", suite);
	write_to(path, "run");

	snprintf(path, sizeof(path), SUITES "/%s/results", suite);
	results = fopen(path, "r");
	if (!results)
		return 1;
	while (fgets(line, sizeof(line), results)) {
		failed |= !strncmp(line, "not ok ", 7);
		fputs(line, stdout);
	}
	fclose(results);
	return failed;
}

static int run_program(char *argv[])
{
	int status;
	pid_t pid;

	pid = fork();
	if (!pid) {
		execv(argv[0], argv);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid)
		return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char *argv[])
{
	int status;

	if (argc < 3) {
		fprintf(stderr, "usage: with_mutant NUMBER PROGRAM|kunit ARGUMENT...\n");
		return 1;
	}
	write_to(PARAMETER, argv[1]);
	status = strcmp(argv[2], "kunit") ? run_program(argv + 2) : run_kunit(argv[3]);
	write_to(PARAMETER, "0");
	return status;
}
