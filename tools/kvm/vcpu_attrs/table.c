// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "arch.h"
#include "table.h"

/* The longest prefix and three dots. The table has 80 columns at most. */
#define NAME_WIDTH	26

static const char *result(int err, const char *success)
{
	return err ? strerrorname_np(err) ?: "unknown errno" : success;
}

static void print_attr(const struct setup *setup, const struct attr *attr,
		       const struct answer *answer)
{
	char text[64];

	printf("  %-*s %u:%-2llu  %-6s ", NAME_WIDTH, attr->name + strlen(setup->prefix),
	       attr->group, attr->number, attr->calls->has ? result(answer->has, "yes") : "-");
	if (answer->get)
		printf("%s: ", result(answer->get, ""));
	attr_describe(attr, answer, text, sizeof(text));
	puts(text);
}

static void print_setup(const struct setup *setup)
{
	struct subject subject = { 0 };

	printf("\n%s\n", setup->title);
	if (!setup->make(&subject)) {
		printf("  not on this host: %s: %s\n", subject.step,
		       subject.err ? strerror(subject.err) : subject.hint);
		return;
	}

	printf("  %s%-*s attr  HAS    GET\n", setup->prefix,
	       NAME_WIDTH - (int)strlen(setup->prefix), "...");
	for (unsigned int i = 0; i < setup->nr_attrs; i++) {
		struct answer answer = attr_query(subject.vcpu, &setup->attrs[i]);

		print_attr(setup, &setup->attrs[i], &answer);
	}
	subject_destroy(&subject);
}

void table_print(void)
{
	struct utsname host;

	uname(&host);
	printf("Attributes of vCPUs on Linux %s, %s\n", host.release, host.machine);
	for (unsigned int i = 0; i < arch.nr_setups; i++)
		print_setup(&arch.setups[i]);
}
