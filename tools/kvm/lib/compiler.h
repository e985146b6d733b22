/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_LIB_COMPILER_H
#define KVM_LIB_COMPILER_H

#define __noreturn		__attribute((noreturn))
#define __printf(fmt, args)	__attribute((format(printf, fmt, args)))

#endif
