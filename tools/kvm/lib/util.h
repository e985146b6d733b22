/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * What any program needs: exit statuses, error messages and option values.
 */
#ifndef KVM_LIB_UTIL_H
#define KVM_LIB_UTIL_H

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

#define __noreturn		__attribute((noreturn))
#define __printf(fmt, args)	__attribute((format(printf, fmt, args)))

/* Exit statuses besides EXIT_SUCCESS. */
#define EXIT_FAILED		1	/* checks failed */
#define EXIT_CANNOT		2	/* cannot run here, or with these options */
#define EXIT_INTERRUPTED	130

/* Prints what failed and what to do about it, then ends the program. */
void __noreturn __printf(2, 3) die(const char *advice, const char *fmt, ...);

/* The value @text of a command line option; ends the program if it is not in range. */
unsigned int option_number(const char *option, const char *text, unsigned int min,
			   unsigned int max);

#endif
