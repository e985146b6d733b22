/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attributes of vCPUs, the setups of VMs in which they are asked for, and the
 * answers.
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

/* How a kind of attributes is asked for; the calls return 0 or an errno. */
struct attr_calls {
	int (*has)(int vcpu, const struct attr *attr);	/* may be NULL */
	int (*get)(int vcpu, const struct attr *attr, void *payload);
};

struct attr {
	const struct attr_calls *calls;
	const char *name;
	__u32 group;
	__u64 number;
	/* Says what the payload means; NULL if there is nothing to get. */
	void (*describe)(char *text, size_t size, const void *payload);
	/* What an errno of GET means here, if it is not what it means elsewhere. */
	struct {
		int err;
		const char *words;
	} reasons[MAX_REASONS];
};

struct answer {
	int has;
	int get;
	char words[64];
};

/* A VM and the vCPU in it that is asked; or why there is none. */
struct subject {
	struct vm vm;
	int vcpu;
	char why_not[80];
};

struct setup {
	const char *name;	/* for programs */
	const char *title;	/* for people */
	const char *prefix;	/* that the names of all its attributes have */
	const struct attr *attrs;
	unsigned int nr_attrs;
	/* Returns false, and says why, if the host does not offer it. */
	bool (*make)(struct subject *subject);
};

extern const struct attr_calls device_attr_calls;

const char *errno_name(int err);
void subject_destroy(struct subject *subject);
struct answer attr_ask(int vcpu, const struct attr *attr);

#endif
