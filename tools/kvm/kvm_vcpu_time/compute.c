// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <string.h>

#include "compute.h"
#include "util.h"

static __u64 min(__u64 a, __u64 b)
{
	return a < b ? a : b;
}

static __u64 excess(__u64 a, __u64 b)
{
	return a > b ? a - b : 0;
}

bool counters_have(const struct counters *counters, unsigned int bits)
{
	return (counters->have & bits) == bits;
}

/* A kernel that counts runstates has them for all vCPUs; they are 0 if it is no Xen guest. */
bool counters_are_xen(const struct counters *counters)
{
	return counters_have(counters, COUNTERS_XEN) &&
	       (counters->value[COUNTER_XEN_RUNNING] || counters->value[COUNTER_XEN_RUNNABLE] ||
		counters->value[COUNTER_XEN_BLOCKED] || counters->value[COUNTER_XEN_OFFLINE]);
}

bool counters_have_halts(const struct counters *counters)
{
	return counters_have(counters, COUNTER_BIT(COUNTER_HALT_WAIT));
}

/* A counter that went back was reset, and has grown from 0 since then. */
__u64 counter_growth(const struct counters *before, const struct counters *now,
		     enum counter counter)
{
	__u64 value = now->value[counter];

	if (!counters_have(now, COUNTER_BIT(counter)) ||
	    !counters_have(before, COUNTER_BIT(counter)))
		return 0;

	return value >= before->value[counter] ? value - before->value[counter] : value;
}

/* The runstates of a Xen guest begin with the vCPU, which may be older than the thread. */
static __u64 time_of_birth(const struct counters *now)
{
	__u64 counted = 0;

	if (counters_are_xen(now)) {
		for (int i = COUNTER_XEN_RUNNING; i <= COUNTER_XEN_OFFLINE; i++)
			counted += now->value[i];
		return excess(now->when, counted);
	}

	return now->thread > 0 ? min(now->born, now->when) : now->when;
}

struct counters counters_at_birth(const struct counters *now)
{
	struct counters birth = *now;

	birth.when = time_of_birth(now);
	birth.runnable = false;
	birth.blocking = false;
	memset(birth.value, 0, sizeof(birth.value));

	return birth;
}

struct counters counters_base(const struct counters *last, const struct counters *now)
{
	bool is_new = now->born + BIRTH_ROUNDING_NS >= last->when;
	struct counters base = *last;

	if (now->thread == last->thread && now->born == last->born)
		return base;

	base.have |= COUNTERS_THREAD;
	base.runnable = false;
	base.value[COUNTER_RAN] = is_new ? 0 : now->value[COUNTER_RAN];
	base.value[COUNTER_WAITED] = is_new ? 0 : now->value[COUNTER_WAITED];

	return base;
}

/* The part of a split that has no state yet. */
struct split {
	struct account *account;
	__u64 *time;
	__u64 left;
};

/* @grown was counted for @state. */
static void take_counted(struct split *split, enum state state, __u64 grown)
{
	__u64 shown = min(split->account->ahead[state], grown);
	__u64 taken = min(grown - shown, split->left);

	split->account->ahead[state] -= shown;
	split->time[state] += taken;
	split->left -= taken;
}

/* @time is going to be counted for @state. */
static void take_ahead(struct split *split, enum state state, __u64 time)
{
	__u64 taken = min(time, split->left);

	split->account->ahead[state] += taken;
	split->time[state] += taken;
	split->left -= taken;
}

static void take_rest(struct split *split, enum state state)
{
	split->time[state] += split->left;
	split->left = 0;
}

/*
 * Of a Xen guest, KVM counts all of the time. What it has not counted yet is in the state
 * that the thread is in.
 */
static void split_xen(struct split *split, const struct counters *before,
		      const struct counters *now, __u64 ran, __u64 halted)
{
	static const struct {
		enum state state;
		enum counter counter;
	} rows[] = {
		{ STATE_STEAL,   COUNTER_XEN_RUNNABLE },
		{ STATE_OFFLINE, COUNTER_XEN_OFFLINE },
		{ STATE_BLOCKED, COUNTER_XEN_BLOCKED },
		{ STATE_RUNNING, COUNTER_XEN_RUNNING },
	};
	struct account *account = split->account;
	__u64 span = split->left, counted = 0, ahead = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		__u64 grown = counter_growth(before, now, rows[i].counter);

		take_counted(split, rows[i].state, grown);
		counted += grown;
	}

	take_ahead(split, STATE_RUNNING, excess(ran, split->time[STATE_RUNNING]));
	if (now->thread <= 0)
		take_ahead(split, STATE_OFFLINE, split->left);
	else
		take_ahead(split, now->runnable ? STATE_STEAL : STATE_BLOCKED, split->left);

	/* No more can have been shown too early than is not counted yet. */
	account->uncounted = excess(account->uncounted + span, counted);
	for (int i = 0; i < NR_STATES; i++) {
		account->ahead[i] = min(account->ahead[i], account->uncounted - ahead);
		ahead += account->ahead[i];
	}

	/* A vCPU that halts in KVM is in the runstate running. */
	halted = min(halted, split->time[STATE_RUNNING]);
	split->time[STATE_RUNNING] -= halted;
	split->time[STATE_HALTED] += halted;
}

/*
 * Of others, the thread's time is known: on a CPU, waiting for one, asleep; and perhaps for
 * how long it was asleep because the guest had halted.
 */
static void split_thread(struct split *split, const struct counters *before,
			 const struct counters *now, __u64 ran, __u64 polled, __u64 halted)
{
	bool kernel_counts = counters_have(now, COUNTER_BIT(COUNTER_STEAL));
	struct account *account = split->account;

	take_counted(split, STATE_STEAL,
		     counter_growth(before, now, kernel_counts ? COUNTER_STEAL : COUNTER_WAITED));
	if (ran)
		account->ahead[STATE_STEAL] = 0;
	else if (before->runnable && now->runnable)
		take_ahead(split, STATE_STEAL, split->left);

	polled = min(polled, ran);
	ran = min(ran - polled, split->left);
	split->time[STATE_RUNNING] += ran;
	split->left -= ran;

	take_counted(split, STATE_HALTED, halted);
	if (now->blocking)
		take_ahead(split, STATE_HALTED, split->left);
	else
		account->ahead[STATE_HALTED] = 0;

	take_rest(split, STATE_BLOCKED);
}

void account_split(struct account *account, const struct counters *before,
		   const struct counters *now, __u64 time[NR_STATES])
{
	struct split split = {
		.account = account,
		.time	 = time,
		.left	 = excess(now->when, before->when),
	};
	__u64 ran, polled, halted;

	memset(time, 0, NR_STATES * sizeof(time[0]));
	if (before->thread != now->thread || before->born != now->born)
		account->ahead[STATE_STEAL] = 0;

	ran = counter_growth(before, now, COUNTER_RAN);
	polled = counter_growth(before, now, COUNTER_HALT_POLL_SUCCESS) +
		 counter_growth(before, now, COUNTER_HALT_POLL_FAIL);
	halted = counter_growth(before, now, COUNTER_HALT_WAIT) + polled;

	if (counters_are_xen(now))
		split_xen(&split, before, now, ran, halted);
	else if (now->thread == THREAD_NONE)
		take_rest(&split, STATE_OFFLINE);
	else if (counters_have(now, COUNTERS_THREAD))
		split_thread(&split, before, now, ran, polled, halted);
}

void account_split_halted(__u64 halted, __u64 time[NR_STATES])
{
	halted = min(halted, time[STATE_BLOCKED]);
	time[STATE_BLOCKED] -= halted;
	time[STATE_HALTED] += halted;
}
