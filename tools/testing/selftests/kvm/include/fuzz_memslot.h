/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * A memslot that comes and goes while vCPUs' areas lie in it, whose pages are
 * dropped, and whose dirty pages are logged: whatever KVM writes must be in the log,
 * or in the vCPUs' dirty rings if the VM has these.
 */
#ifndef SELFTEST_KVM_FUZZ_MEMSLOT_H
#define SELFTEST_KVM_FUZZ_MEMSLOT_H

#include <pthread.h>

#include "fuzz.h"

/*
 * @pages and @flags are those of the slot at present; no pages, no slot.  @clean is
 * what its memory was when no page was dirty, @dirty what was logged since.  @lock is
 * held by a thread that changes anything.
 */
extern struct fuzz_slot {
	struct kvm_vm *vm;
	u32 number;
	u64 gpa;
	int max_pages;
	size_t page_size;
	char *memory;
	int pages;
	u32 flags;
	char *clean;
	unsigned long dirty;
	u32 reaped[FUZZ_VCPUS];
	pthread_mutex_t lock;
} fuzz_slot;

/* Half of the VMs have rings, if there are any.  To be called before there are vCPUs. */
void fuzz_choose_dirty_ring(struct kvm_vm *vm);

static inline size_t fuzz_slot_size(void)
{
	return fuzz_slot.max_pages * fuzz_slot.page_size;
}

/* Take over the slot @number of @vm, which has @pages at @gpa. */
void fuzz_take_slot(struct kvm_vm *vm, u32 number, u64 gpa, int pages);

/* KVM has given the VM up, and takes no ioctl any more. */
void fuzz_abandon_slot(void);

/* True if KVM could write @size bytes at @gpa, if nobody changed the slot. */
bool fuzz_slot_has(u64 gpa, size_t size);

/* Have a slot for kvm_vm_free() to delete. */
void fuzz_restore_slot(void);

/*
 * Actions, whichever vCPU they are for
 */

void fuzz_change_slot(struct kvm_vcpu *vcpu);
void fuzz_drop_page(struct kvm_vcpu *vcpu);

/* While others write: what was logged is kept in mind. */
void fuzz_reap_dirty_pages(struct kvm_vcpu *vcpu);

/* While nobody does: each page that is not as it was must have been logged. */
void fuzz_check_dirty_pages(struct kvm_vcpu *vcpu);

#endif /* SELFTEST_KVM_FUZZ_MEMSLOT_H */
