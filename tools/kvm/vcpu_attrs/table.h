/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All attributes and what the host answers, for people or for programs.
 */
#ifndef VCPU_ATTRS_TABLE_H
#define VCPU_ATTRS_TABLE_H

void table_print(void);
void json_print(void);

#endif
