/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * Lists all attributes and the results of their queries.
 */
#ifndef VCPU_ATTRS_TABLE_H
#define VCPU_ATTRS_TABLE_H

#include <linux/types.h>
#include <stdbool.h>

/* For people. */
void table_print(void);

/* For programs. */
void json_print(void);

/* The value of an attribute that is a single number, or null if it is unset. */
void json_print_value(bool is_set, __u64 value);

#endif
