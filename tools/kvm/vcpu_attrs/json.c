// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * The output of --json. Its keys and values are documented in vcpu_attrs.1, and
 * programs depend on them: add keys, but do not change or remove any.
 */
#include <stdio.h>
#include <string.h>

#include "arch.h"
#include "table.h"

static void print_null(const char *key)
{
	printf(", \"%s\": null", key);
}

/* No string here has a character that JSON requires to be escaped. */
static void print_string(const char *key, const char *text)
{
	printf(", \"%s\": \"%s\"", key, text);
}

/* KVM may return an errno of the kernel's own, which has no name in user space. */
static void print_result(const char *key, int err)
{
	const char *name = err ? strerrorname_np(err) : "ok";

	if (name)
		print_string(key, name);
	else
		printf(", \"%s\": %d", key, err);
}

static void print_setup_error(const struct subject *subject)
{
	printf(", \"setup_error\": {\"step\": \"%s\"", subject->step);
	if (subject->err)
		print_result("errno", subject->err);
	else
		print_null("errno");
	putchar('}');
}

static void print_answer(const struct attr *attr, const struct answer *answer)
{
	print_null("setup_error");
	if (attr->calls->has)
		print_result("has", answer->has);
	else
		print_null("has");
	print_result("get", answer->get);
	fputs(", \"value\": ", stdout);
	if (answer->get || !attr->type)
		fputs("null", stdout);
	else
		attr->type->print_json(answer->payload);
}

static void print_no_answer(const struct subject *subject)
{
	print_setup_error(subject);
	print_null("has");
	print_null("get");
	print_null("value");
}

static void print_setup(const struct setup *setup, const char *separator)
{
	struct subject subject = { 0 };
	bool made = setup->make(&subject);

	for (unsigned int i = 0; i < setup->nr_attrs; i++) {
		const struct attr *attr = &setup->attrs[i];

		printf("%s{\"setup\": \"%s\"", i ? ",\n" : separator, setup->name);
		print_string("name", attr->name);
		if (attr->calls == &device_attr_calls)
			printf(", \"group\": %u", attr->group);
		else
			print_null("group");
		printf(", \"attr\": %llu", attr->number);
		if (made) {
			struct answer answer = attr_query(subject.vcpu, attr);

			print_answer(attr, &answer);
		} else {
			print_no_answer(&subject);
		}
		putchar('}');
	}
	if (made)
		subject_destroy(&subject);
}

void json_print_value(bool is_set, __u64 value)
{
	if (is_set)
		printf("%llu", value);
	else
		fputs("null", stdout);
}

void json_print(void)
{
	for (unsigned int i = 0; i < arch.nr_setups; i++)
		print_setup(&arch.setups[i], i ? ",\n" : "[\n");
	puts("\n]");
}
