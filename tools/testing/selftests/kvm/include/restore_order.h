/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * Permutations of the steps by which a VMM restores a VM, and rules on which step has
 * to come first.
 */
#ifndef SELFTEST_KVM_RESTORE_ORDER_H
#define SELFTEST_KVM_RESTORE_ORDER_H

#include <string.h>

#include <linux/types.h>

#define MAX_RESTORE_STEPS	8

struct restore_order {
	int nr;
	int steps[MAX_RESTORE_STEPS];
};

/* What happens if @then comes before @first: bits, which the test names. */
struct restore_rule {
	int first;
	int then;
	unsigned int otherwise;
};

/* The permutation of that number, of which 0 leaves the steps in their order. */
static inline struct restore_order restore_permutation(int nr_steps, int nr)
{
	struct restore_order order = { .nr = nr_steps };

	for (int i = 0; i < nr_steps; i++)
		order.steps[i] = i;
	for (int i = 0; i < nr_steps; i++) {
		const int pick = i + nr % (nr_steps - i);
		const int step = order.steps[pick];

		nr /= nr_steps - i;
		memmove(&order.steps[i + 1], &order.steps[i], (pick - i) * sizeof(step));
		order.steps[i] = step;
	}
	return order;
}

static inline bool restore_comes_before(const struct restore_order *order, int first, int then)
{
	for (int i = 0; order->steps[i] != then; i++) {
		if (order->steps[i] == first)
			return true;
	}
	return false;
}

static inline unsigned int restore_effects(const struct restore_order *order,
					   const struct restore_rule *rules, int nr_rules)
{
	unsigned int effects = 0;

	for (int i = 0; i < nr_rules; i++) {
		if (!restore_comes_before(order, rules[i].first, rules[i].then))
			effects |= rules[i].otherwise;
	}
	return effects;
}

struct restore_order_text {
	char s[200];
};

static inline struct restore_order_text restore_order_text(const struct restore_order *order,
							   const char *const *names)
{
	struct restore_order_text text = {};

	for (int i = 0; i < order->nr; i++) {
		strcat(text.s, i ? ", " : "");
		strcat(text.s, names[order->steps[i]]);
	}
	return text;
}

/* How often each step came before each other one. */
struct restore_coverage {
	int before[MAX_RESTORE_STEPS][MAX_RESTORE_STEPS];
};

static inline void restore_cover(struct restore_coverage *coverage,
				 const struct restore_order *order)
{
	for (int i = 0; i < order->nr; i++)
		for (int j = i + 1; j < order->nr; j++)
			coverage->before[order->steps[i]][order->steps[j]]++;
}

/* The least that it was for any two. */
static inline int restore_least_covered(const struct restore_coverage *coverage, int nr_steps)
{
	int least = coverage->before[0][1];

	for (int i = 0; i < nr_steps; i++) {
		for (int j = 0; j < nr_steps; j++) {
			if (i != j && coverage->before[i][j] < least)
				least = coverage->before[i][j];
		}
	}
	return least;
}

#endif /* SELFTEST_KVM_RESTORE_ORDER_H */
