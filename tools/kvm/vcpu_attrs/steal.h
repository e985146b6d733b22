/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stolen time at work, in three acts.
 */
#ifndef VCPU_ATTRS_STEAL_H
#define VCPU_ATTRS_STEAL_H

struct steal_options;

int steal_show(const struct steal_options *options);

#endif
