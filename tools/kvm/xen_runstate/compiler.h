/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XEN_RUNSTATE_COMPILER_H
#define XEN_RUNSTATE_COMPILER_H

#define __noreturn		__attribute((noreturn))
#define __printf(fmt, args)	__attribute((format(printf, fmt, args)))

#endif
