// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "files.h"
#include "host.h"

static const char *files_root = "";

void files_set_root(const char *root)
{
	files_root = root;
}

bool files_are_of_this_host(void)
{
	return !*files_root;
}

static __u64 clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);

	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

__u64 files_now(void)
{
	char text[64];

	if (files_are_of_this_host())
		return host_now();
	if (file_read(text, sizeof(text), PROC "/uptime") < 0)
		die("copy it too, as it has the time of the other files",
		    "%s" PROC "/uptime: %s", files_root, strerror(errno));

	return strtod(text, NULL) * NSEC_PER_SEC;
}

/* /proc counts the time for which the host was suspended, and CLOCK_MONOTONIC does not. */
__u64 files_from_ticks(__u64 ticks)
{
	__u64 since_boot = ticks * (NSEC_PER_SEC / sysconf(_SC_CLK_TCK)), suspended = 0;

	if (files_are_of_this_host())
		suspended = clock_ns(CLOCK_BOOTTIME) - clock_ns(CLOCK_MONOTONIC);

	return since_boot > suspended ? since_boot - suspended : 0;
}

/* Returns false, and sets errno, if the path is too long. */
static bool make_path(char path[PATH_MAX], const char *fmt, va_list args)
{
	int used = snprintf(path, PATH_MAX, "%s", files_root);

	errno = ENAMETOOLONG;
	if (used >= PATH_MAX)
		return false;

	return vsnprintf(path + used, PATH_MAX - used, fmt, args) < PATH_MAX - used;
}

ssize_t file_read(char *text, size_t size, const char *fmt, ...)
{
	char path[PATH_MAX];
	ssize_t len = -1;
	va_list args;
	bool fits;
	int fd;

	text[0] = '\0';
	va_start(args, fmt);
	fits = make_path(path, fmt, args);
	va_end(args);
	if (!fits)
		return -1;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	len = read(fd, text, size - 1);
	text[len > 0 ? len : 0] = '\0';
	close(fd);

	return len;
}

ssize_t file_readlink(char *text, size_t size, const char *fmt, ...)
{
	char path[PATH_MAX];
	ssize_t len = -1;
	va_list args;

	va_start(args, fmt);
	if (make_path(path, fmt, args))
		len = readlink(path, text, size - 1);
	va_end(args);
	text[len > 0 ? len : 0] = '\0';

	return len;
}

bool file_read_u64(__u64 *value, const char *fmt, ...)
{
	char path[PATH_MAX], text[32], *end;
	va_list args;
	bool fits;

	va_start(args, fmt);
	fits = vsnprintf(path, sizeof(path), fmt, args) < (int)sizeof(path);
	va_end(args);
	if (!fits || file_read(text, sizeof(text), "%s", path) <= 0)
		return false;
	*value = strtoull(text, &end, 10);

	return end != text;
}

DIR *file_opendir(const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list args;
	bool fits;

	va_start(args, fmt);
	fits = make_path(path, fmt, args);
	va_end(args);

	return fits ? opendir(path) : NULL;
}

long parse_number(const char *text)
{
	char *end;
	long number = strtol(text, &end, 10);

	return *text >= '0' && *text <= '9' && !*end && number <= INT_MAX ? number : -1;
}
