// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>

#include "arch.h"
#include "table.h"

/* No text in here has a character that JSON would want escaped. */
static void print_string(const char *key, const char *text)
{
	if (text)
		printf(", \"%s\": \"%s\"", key, text);
	else
		printf(", \"%s\": null", key);
}

static const char *result_name(int err)
{
	return err ? errno_name(err) : "ok";
}

static void print_answer(const struct attr *attr, const struct answer *answer)
{
	print_string("has", attr->calls->has ? result_name(answer->has) : NULL);
	print_string("get", result_name(answer->get));
	print_string("value", answer->get ? NULL : answer->words);
	print_string("why", answer->get ? answer->words : NULL);
}

static void print_no_answer(const char *why_not)
{
	print_string("has", NULL);
	print_string("get", NULL);
	print_string("value", NULL);
	print_string("why", why_not);
}

static void print_setup(const struct setup *setup, const char *separator)
{
	struct subject subject = { 0 };
	bool made = setup->make(&subject);

	for (unsigned int i = 0; i < setup->nr_attrs; i++) {
		const struct attr *attr = &setup->attrs[i];

		printf("%s{\"setup\": \"%s\"", i ? ",\n" : separator, setup->name);
		print_string("name", attr->name);
		printf(", \"group\": %u, \"attr\": %llu", attr->group, attr->number);
		if (made) {
			struct answer answer = attr_ask(subject.vcpu, attr);

			print_answer(attr, &answer);
		} else {
			print_no_answer(subject.why_not);
		}
		putchar('}');
	}
	if (made)
		subject_destroy(&subject);
}

void json_print(void)
{
	for (unsigned int i = 0; i < arch.nr_setups; i++)
		print_setup(&arch.setups[i], i ? ",\n" : "[\n");
	puts("\n]");
}
