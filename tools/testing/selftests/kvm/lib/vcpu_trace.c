// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test_util.h"
#include "vcpu_trace.h"

#define TRACEFS		"/sys/kernel/tracing"

struct path {
	char s[192];
};

static struct path file_of(const struct trace *trace, const char *format, const char *event)
{
	struct path path;
	size_t used;

	used = snprintf(path.s, sizeof(path.s), "%s/", trace->dir);
	snprintf(path.s + used, sizeof(path.s) - used, format, event);
	return path;
}

static FILE *open_file(const struct path *path, const char *mode)
{
	FILE *file = fopen(path->s, mode);

	TEST_ASSERT(file, "%s: %s", path->s, strerror(errno));
	return file;
}

static void write_file(const struct path *path, const char *text)
{
	FILE *file = open_file(path, "w");

	TEST_ASSERT(fputs(text, file) != EOF && !fclose(file), "%s: %s", path->s, strerror(errno));
}

bool trace_is_available(void)
{
	return !access(TRACEFS "/instances", W_OK);
}

struct trace trace_open(void)
{
	struct trace trace;

	snprintf(trace.dir, sizeof(trace.dir), TRACEFS "/instances/kvm_selftest-%d", getpid());
	TEST_ASSERT(!mkdir(trace.dir, 0700), "%s: %s", trace.dir, strerror(errno));
	return trace;
}

void trace_close(struct trace *trace)
{
	TEST_ASSERT(!rmdir(trace->dir), "%s: %s", trace->dir, strerror(errno));
}

void trace_enable(struct trace *trace, const char *event)
{
	struct path path = file_of(trace, "events/kvm/%s/filter", event);
	char filter[32];

	/* set_event_pid would lose what happens while the thread is scheduled out. */
	snprintf(filter, sizeof(filter), "common_pid == %d", gettid());
	write_file(&path, filter);

	path = file_of(trace, "events/kvm/%s/enable", event);
	write_file(&path, "1");
}

unsigned int trace_take(struct trace *trace, const char *event, struct trace_line *lines,
			unsigned int max)
{
	struct path path = file_of(trace, "trace", NULL);
	unsigned int nr = 0;
	char line[512], name[64];
	FILE *file;

	snprintf(name, sizeof(name), ": %s: ", event);
	file = open_file(&path, "r");
	while (fgets(line, sizeof(line), file)) {
		const char *at = strstr(line, name);

		TEST_ASSERT(!strstr(line, "LOST"), "events were lost: %s", line);
		if (*line == '#' || !at)
			continue;
		TEST_ASSERT(nr < max, "more than %u events %s", max, event);
		at += strlen(name);
		line[strcspn(line, "\n")] = '\0';
		snprintf(lines[nr++].text, sizeof(lines->text), "%s", at);
	}
	fclose(file);

	/* That clears it. */
	fclose(open_file(&path, "w"));
	return nr;
}

struct trace_line trace_fields(const struct trace *trace, const char *event)
{
	struct path path = file_of(trace, "events/kvm/%s/format", event);
	struct trace_line fields = {};
	FILE *file = open_file(&path, "r");
	char line[256];

	while (fgets(line, sizeof(line), file)) {
		char *end = strchr(line, ';'), *name;
		size_t used = strlen(fields.text);

		if (!strstr(line, "\tfield:") || !end)
			continue;
		*end = '\0';
		name = strrchr(line, ' ') + 1;
		if (strncmp(name, "common_", strlen("common_")))
			snprintf(fields.text + used, sizeof(fields.text) - used, "%s%s",
				 used ? " " : "", name);
	}
	fclose(file);
	return fields;
}
