/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * Files of /proc and debugfs, or of a copy of them below another root.
 */
#ifndef KVM_VCPU_TIME_FILES_H
#define KVM_VCPU_TIME_FILES_H

#include <dirent.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "util.h"

#define PROC		"/proc"
#define DEBUGFS_KVM	"/sys/kernel/debug/kvm"

/* "" for the files of the host itself. */
void files_set_root(const char *root);
bool files_are_of_this_host(void);

/* The time of the files: CLOCK_MONOTONIC, or what the uptime of a copy says, in ns. */
__u64 files_now(void);

/* Converts a time of /proc, in clock ticks since the host was booted. */
__u64 files_from_ticks(__u64 ticks);

/* Return the length, or -1 and set errno; the text of file_read() ends with a NUL. */
ssize_t __printf(3, 4) file_read(char *text, size_t size, const char *fmt, ...);
ssize_t __printf(3, 4) file_readlink(char *text, size_t size, const char *fmt, ...);

bool __printf(2, 3) file_read_u64(__u64 *value, const char *fmt, ...);
DIR * __printf(1, 2) file_opendir(const char *fmt, ...);

/* The number that @text is, or -1. */
long parse_number(const char *text);

#endif
