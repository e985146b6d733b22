/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * Random calls from a seed.  Each seed is a test of its own, and a process of its
 * own.  Most do one call after the other, which is checked against a model; every
 * fourth lets threads race, of which less is known.  All choices come from the seed,
 * so that --seed and --steps do again what failed; only what a value owes to a clock,
 * and how threads meet, is never the same.
 */
#ifndef SELFTEST_KVM_FUZZ_H
#define SELFTEST_KVM_FUZZ_H

#include <linux/bits.h>

#include "attr_util.h"
#include "kvm_util.h"

/*
 * Random numbers that a seed decides on, each thread's its own
 */

u64 fuzz_random(void);

static inline u64 fuzz_below(u64 n)
{
	return fuzz_random() % n;
}

static inline bool fuzz_one_in(u64 n)
{
	return !fuzz_below(n);
}

/* Any number of digits is as likely as any other. */
static inline u64 fuzz_magnitude(void)
{
	return fuzz_random() >> fuzz_below(64);
}

/* A power of two, its negative, or a neighbour of these. */
u64 fuzz_boundary(void);

/*
 * Calls
 */

#define FUZZ_VCPUS	3

/* Set by the creator of the VM. */
extern struct kvm_vcpu *fuzz_vcpus[FUZZ_VCPUS];

/* Of racing threads, each has a vCPU for which it alone may do what is @owned. */
struct fuzz_action {
	void (*act)(struct kvm_vcpu *vcpu);
	int weight;
	bool owned;
};

/*
 * @run is fuzz_take_turns() or fuzz_race(); @setup makes the first VM; @check_vcpu is
 * called for a vCPU after a step, @check_all after each round of racing threads.
 */
struct fuzz_mode {
	const char *name;
	void (*run)(unsigned int steps);
	void (*setup)(void);
	void (*check_vcpu)(struct kvm_vcpu *vcpu);
	void (*check_all)(void);
	const struct fuzz_action *actions;
	int nr_actions;
};

/* Shared, so that the parent can report at what its child failed. */
struct fuzz_thread {
	const struct fuzz_mode *mode;
	struct kvm_vcpu *own;
	struct kvm_vcpu *called;
	struct user_memory memory;
	u64 seed;
	int todo;
	char call[256];
};

extern __thread struct fuzz_thread *fuzz_self;

/* What is being called, and with what. */
void __printf(1, 2) fuzz_call(const char *fmt, ...);

/* A good payload: all @size bytes of it, and nothing behind them. */
void *fuzz_good_pointer(const void *payload, size_t size);

/*
 * An address at which not all of @size bytes can be read or, if @get, written.  What
 * can be is as in @payload, unless that is only read.
 */
void *fuzz_bad_pointer(const void *payload, size_t size, bool get);

void fuzz_take_turns(unsigned int steps);
void fuzz_race(unsigned int steps);

void fuzz_main(int argc, char *argv[], const struct fuzz_mode *turns,
	       const struct fuzz_mode *races);

#endif /* SELFTEST_KVM_FUZZ_H */
