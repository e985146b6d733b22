/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * The attributes of vCPUs, the setups of VMs in which they are queried, and the
 * results.
 */
#ifndef VCPU_ATTRS_ATTR_H
#define VCPU_ATTRS_ATTR_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "util.h"
#include "vm.h"

/* Large enough for every payload. */
#define PAYLOAD_SIZE		128

#define MAX_REASONS		2

struct attr;

/* How a kind of attributes is queried; the calls return 0 or an errno. */
struct attr_calls {
	int (*has)(int vcpu, const struct attr *attr);	/* may be NULL */
	int (*get)(int vcpu, const struct attr *attr, void *payload);
};

/* The two formats of a payload. */
struct attr_type {
	/* For people. */
	void (*describe)(char *text, size_t size, const void *payload);
	/* To stdout: a JSON value of numbers only, null if the attribute is unset. */
	void (*print_json)(const void *payload);
};

struct attr {
	const struct attr_calls *calls;
	const char *name;
	__u32 group;
	__u64 number;
	const struct attr_type *type;	/* NULL if the attribute can only be set */
	/* The meaning of an errno of GET where it differs from the usual one. */
	struct {
		int err;
		const char *words;
	} reasons[MAX_REASONS];
};

struct answer {
	int has;
	int get;
	__u64 payload[PAYLOAD_SIZE / sizeof(__u64)];
};

/*
 * A VM and the vCPU in it that is queried. If there is none, @step is the capability
 * that the host lacks or the call that failed, and either @err or @hint is set.
 */
struct subject {
	struct vm vm;
	int vcpu;
	const char *step;
	int err;
	const char *hint;
};

struct setup {
	const char *name;	/* for programs */
	const char *title;	/* for people */
	const char *prefix;	/* common to the names of its attributes */
	const struct attr *attrs;
	unsigned int nr_attrs;
	/* Returns false if the host does not support it. */
	bool (*make)(struct subject *subject);
};

extern const struct attr_calls device_attr_calls;

void subject_destroy(struct subject *subject);
struct answer attr_query(int vcpu, const struct attr *attr);
void attr_describe(const struct attr *attr, const struct answer *answer, char *text, size_t size);

#endif
