/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * Faults on demand: of all allocations that the kernel makes for the calling thread,
 * and all copies from and to its memory, the Nth fails.  See
 * Documentation/fault-injection/fault-injection.rst.
 */
#ifndef SELFTEST_KVM_FAULT_INJECTION_H
#define SELFTEST_KVM_FAULT_INJECTION_H

#include "test_util.h"

/* Skip if this kernel injects no faults.  Otherwise enable it everywhere, silently. */
void require_fault_injection(void);

/* For the calling thread, and no other. */
int fail_nth_open(void);

/* From here on the @n-th is to fail. */
void fail_nth_begin(int fd, unsigned int n);

/*
 * Nothing fails any more.  Returns whether something did, other than the calls made
 * here: they copy as well.
 */
bool fail_nth_end(int fd);

/*
 * A page of a file, which is mapped again for each call and far from all else: to read
 * it takes page tables, to write it a page as well.
 */
struct remote_payload {
	int fd;
	void *addr;
};

struct remote_payload remote_payload_create(void);
void remote_payload_renew(const struct remote_payload *payload, const void *value, size_t size);
void remote_payload_destroy(const struct remote_payload *payload);

#endif /* SELFTEST_KVM_FAULT_INJECTION_H */
