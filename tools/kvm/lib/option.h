/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Values of options on the command line.
 */
#ifndef KVM_LIB_OPTION_H
#define KVM_LIB_OPTION_H

unsigned int option_number(const char *option, const char *text, unsigned int min,
			   unsigned int max);

#endif
