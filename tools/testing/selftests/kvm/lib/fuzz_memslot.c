// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <asm/barrier.h>
#include <linux/sizes.h>

#include "fuzz_memslot.h"

/* Enough for what is written from one check of the rings to the next. */
#define FUZZ_RING_SIZE	SZ_32K

struct fuzz_slot fuzz_slot = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

void fuzz_choose_dirty_ring(struct kvm_vm *vm)
{
	const bool has_rings = kvm_has_cap(KVM_CAP_DIRTY_LOG_RING) ||
			       kvm_has_cap(KVM_CAP_DIRTY_LOG_RING_ACQ_REL);

	if (fuzz_one_in(2) && has_rings)
		vm_enable_dirty_ring(vm, FUZZ_RING_SIZE);
}

void fuzz_take_slot(struct kvm_vm *vm, u32 number, u64 gpa, int pages)
{
	fuzz_slot.vm = vm;
	fuzz_slot.number = number;
	fuzz_slot.gpa = gpa;
	fuzz_slot.max_pages = pages;
	fuzz_slot.page_size = vm->page_size;
	fuzz_slot.memory = addr_gpa2hva(vm, gpa);
	fuzz_slot.pages = pages;
	fuzz_slot.flags = 0;
	memset(fuzz_slot.reaped, 0, sizeof(fuzz_slot.reaped));
	fuzz_slot.clean = realloc(fuzz_slot.clean, fuzz_slot_size());
	TEST_ASSERT(fuzz_slot.clean, "no memory");
}

void fuzz_abandon_slot(void)
{
	fuzz_slot.vm = NULL;
}

bool fuzz_slot_has(u64 gpa, size_t size)
{
	const u64 offset = gpa - fuzz_slot.gpa, bytes = fuzz_slot.pages * fuzz_slot.page_size;

	return !(fuzz_slot.flags & KVM_MEM_READONLY) && offset < bytes && size <= bytes - offset;
}

static void fuzz_set_slot(int pages, u32 flags)
{
	vm_set_user_memory_region(fuzz_slot.vm, fuzz_slot.number, flags, fuzz_slot.gpa,
				  pages * fuzz_slot.page_size, fuzz_slot.memory);
	fuzz_slot.pages = pages;
	fuzz_slot.flags = flags;
}

void fuzz_restore_slot(void)
{
	if (!fuzz_slot.pages)
		fuzz_set_slot(fuzz_slot.max_pages, 0);
}

/* What is logged from now on is a change of what is there now. */
static void fuzz_start_log(void)
{
	memcpy(fuzz_slot.clean, fuzz_slot.memory, fuzz_slot_size());
	fuzz_slot.dirty = 0;
}

static void fuzz_replace_slot(void)
{
	const int pages = fuzz_one_in(2) ? fuzz_slot.max_pages : fuzz_below(fuzz_slot.max_pages);
	const u32 flags = fuzz_one_in(4) ? KVM_MEM_READONLY :
			  fuzz_one_in(2) ? KVM_MEM_LOG_DIRTY_PAGES : 0;

	fuzz_call("memslot of %d pages, flags 0x%x", pages, flags);
	if (fuzz_slot.pages)
		fuzz_set_slot(0, 0);
	if (pages)
		fuzz_set_slot(pages, flags);
}

/* To log or not can be changed in place. */
static void fuzz_flip_log(void)
{
	const u32 flags = fuzz_slot.flags ^ KVM_MEM_LOG_DIRTY_PAGES;

	fuzz_call("memslot, flags 0x%x", flags);
	fuzz_set_slot(fuzz_slot.pages, flags);
}

static struct kvm_dirty_gfn *fuzz_ring_entry(struct kvm_vcpu *vcpu)
{
	struct kvm_dirty_gfn *ring = vcpu_map_dirty_ring(vcpu);

	return &ring[fuzz_slot.reaped[vcpu->id] % vcpu->dirty_gfns_count];
}

static void fuzz_reap_ring(struct kvm_vcpu *vcpu)
{
	struct kvm_dirty_gfn *entry = fuzz_ring_entry(vcpu);

	/* KVM sets the flag when the entry is complete. */
	while (smp_load_acquire(&entry->flags) & KVM_DIRTY_GFN_F_DIRTY) {
		TEST_ASSERT(entry->slot == fuzz_slot.number && entry->offset < fuzz_slot.max_pages,
			    "page %llu of slot %u is in vCPU %u's ring", entry->offset, entry->slot,
			    vcpu->id);
		fuzz_slot.dirty |= BIT(entry->offset);
		/* KVM may use the entry again as soon as it sees that. */
		smp_store_release(&entry->flags, KVM_DIRTY_GFN_F_RESET);
		fuzz_slot.reaped[vcpu->id]++;
		entry = fuzz_ring_entry(vcpu);
	}
}

static void fuzz_reap(void)
{
	unsigned long dirty = 0;

	if (fuzz_slot.vm->dirty_ring_size) {
		for (int i = 0; i < FUZZ_VCPUS; i++)
			fuzz_reap_ring(fuzz_vcpus[i]);
		kvm_vm_reset_dirty_ring(fuzz_slot.vm);
	} else if (fuzz_slot.flags & KVM_MEM_LOG_DIRTY_PAGES) {
		kvm_vm_get_dirty_log(fuzz_slot.vm, fuzz_slot.number, &dirty);
		fuzz_slot.dirty |= dirty;
	}
}

void fuzz_change_slot(struct kvm_vcpu *vcpu)
{
	if (!fuzz_slot.vm)
		return;
	pthread_mutex_lock(&fuzz_slot.lock);
	if (fuzz_slot.pages && !(fuzz_slot.flags & KVM_MEM_READONLY) && fuzz_one_in(2))
		fuzz_flip_log();
	else
		fuzz_replace_slot();
	fuzz_start_log();
	pthread_mutex_unlock(&fuzz_slot.lock);
}

void fuzz_drop_page(struct kvm_vcpu *vcpu)
{
	const size_t size = fuzz_slot.page_size;
	const int page = fuzz_below(fuzz_slot.max_pages);

	fuzz_call("MADV_DONTNEED of page %d", page);
	pthread_mutex_lock(&fuzz_slot.lock);
	TEST_ASSERT_EQ(madvise(fuzz_slot.memory + page * size, size, MADV_DONTNEED), 0);
	memset(fuzz_slot.clean + page * size, 0, size);
	pthread_mutex_unlock(&fuzz_slot.lock);
}

void fuzz_reap_dirty_pages(struct kvm_vcpu *vcpu)
{
	fuzz_call("dirty pages");
	pthread_mutex_lock(&fuzz_slot.lock);
	fuzz_reap();
	pthread_mutex_unlock(&fuzz_slot.lock);
}

void fuzz_check_dirty_pages(struct kvm_vcpu *vcpu)
{
	const size_t size = fuzz_slot.page_size;

	if (!fuzz_slot.vm)
		return;
	fuzz_call("dirty pages");
	fuzz_reap();
	for (int i = 0; fuzz_slot.flags & KVM_MEM_LOG_DIRTY_PAGES && i < fuzz_slot.pages; i++) {
		TEST_ASSERT(fuzz_slot.dirty & BIT(i) ||
			    !memcmp(fuzz_slot.memory + i * size, fuzz_slot.clean + i * size, size),
			    "page %d was written, and is not dirty", i);
	}
	fuzz_start_log();
}
