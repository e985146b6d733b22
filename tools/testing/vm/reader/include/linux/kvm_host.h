/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/* What xen_runstate_core.c takes from the kernel, for a program that includes or links it. */
#ifndef READER_LINUX_KVM_HOST_H
#define READER_LINUX_KVM_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/types.h>

#include <asm/barrier.h>

#ifndef sizeof_field
#define sizeof_field(type, member)	sizeof(((type *)0)->member)
#endif

#endif /* READER_LINUX_KVM_HOST_H */
