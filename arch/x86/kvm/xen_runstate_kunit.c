// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * KUnit tests of Xen runstate accounting and of the layout of the guest area.
 */
#include <kunit/test.h>
#include <linux/kvm_host.h>
#include <linux/prandom.h>
#include <linux/unaligned.h>

#include "xen.h"
#include "xen_runstate_core.h"

#define NR_STATES	(RUNSTATE_offline + 1)

static u64 sum_of(const struct xen_runstate *rs)
{
	return rs->time[0] + rs->time[1] + rs->time[2] + rs->time[3];
}

static void expect_runstate(struct kunit *test, const char *name,
			    const struct xen_runstate *rs, const struct xen_runstate *want)
{
	int i;

	KUNIT_EXPECT_EQ_MSG(test, rs->state, want->state, "%s", name);
	KUNIT_EXPECT_EQ_MSG(test, rs->preempted, want->preempted, "%s", name);
	KUNIT_EXPECT_EQ_MSG(test, rs->entry_time, want->entry_time, "%s", name);
	for (i = 0; i < NR_STATES; i++)
		KUNIT_EXPECT_EQ_MSG(test, rs->time[i], want->time[i], "%s: time[%d]", name, i);
}

/* One account: before, at @now with @waited, after. */
struct account_row {
	const char *name;
	struct xen_runstate before;
	u64 now;
	u64 waited;
	u32 state;
	struct xen_runstate after;
};

static const struct account_row account_rows[] = {
	{
		"never run is offline since 0",
		{ RUNSTATE_offline }, 500, 0, RUNSTATE_running,
		{ RUNSTATE_running, false, 500, { 0, 0, 0, 500 } },
	}, {
		"an entry time of 0 is not never run",
		{ RUNSTATE_blocked }, 500, 0, RUNSTATE_running,
		{ RUNSTATE_running, false, 500, { 0, 0, 500, 0 } },
	}, {
		"running, and waited for a part of it",
		{ RUNSTATE_running, false, 100, { 100 } }, 150, 20, RUNSTATE_running,
		{ RUNSTATE_running, false, 150, { 130, 20 } },
	}, {
		"waited for all of it",
		{ RUNSTATE_running, false, 100, { 100 } }, 150, 50, RUNSTATE_blocked,
		{ RUNSTATE_blocked, false, 150, { 100, 50 } },
	}, {
		"preempted: runnable is what the thread has waited",
		{ RUNSTATE_runnable, true, 100, { 100 } }, 150, 45, RUNSTATE_running,
		{ RUNSTATE_running, false, 150, { 105, 45 } },
	}, {
		"runnable by userspace: all of it",
		{ RUNSTATE_runnable, false, 100, { 100 } }, 150, 10, RUNSTATE_running,
		{ RUNSTATE_running, false, 150, { 100, 50 } },
	}, {
		"waiting while blocked is not stolen",
		{ RUNSTATE_blocked, false, 100, { 0, 0, 100 } }, 150, 30, RUNSTATE_running,
		{ RUNSTATE_running, false, 150, { 0, 0, 150 } },
	}, {
		"clock behind: the state changes, the totals stay",
		{ RUNSTATE_running, false, 100, { 60, 40 } }, 30, 0, RUNSTATE_blocked,
		{ RUNSTATE_blocked, false, 100, { 60, 40 } },
	}, {
		"clock stands still",
		{ RUNSTATE_offline, false, 100, { 60, 40 } }, 100, 0, RUNSTATE_running,
		{ RUNSTATE_running, false, 100, { 60, 40 } },
	}, {
		"the end of time",
		{ RUNSTATE_running, false, U64_MAX - 5, { U64_MAX - 5 } }, U64_MAX, 5,
		RUNSTATE_running,
		{ RUNSTATE_running, false, U64_MAX, { U64_MAX - 5, 5 } },
	},
};

KUNIT_ARRAY_PARAM_DESC(account, account_rows, name);

/* Steal is what the thread has waited, as far as it was for the vCPU. */
static void account(struct xen_runstate *rs, u32 state, u64 elapsed, u64 waited)
{
	u64 limit = xen_runstate_steal_limit(xen_runstate_charged(rs), elapsed);

	xen_runstate_account(rs, state, elapsed, min(waited, limit));
}

static void account_by_rows(struct kunit *test)
{
	const struct account_row *row = test->param_value;
	struct xen_runstate rs = row->before;

	account(&rs, row->state, xen_runstate_elapsed(&rs, row->now), row->waited);
	expect_runstate(test, row->name, &rs, &row->after);
}

/* KVM_SET_CLOCK to @now */
static const struct set_back_row {
	const char *name;
	struct xen_runstate before;
	u64 now;
	struct xen_runstate after;
} set_back_rows[] = {
	{
		"not ahead of the clock",
		{ RUNSTATE_running, false, 100, { 40, 30, 20, 10 } }, 100,
		{ RUNSTATE_running, false, 100, { 40, 30, 20, 10 } },
	}, {
		"running pays",
		{ RUNSTATE_running, false, 100, { 40, 30, 20, 10 } }, 61,
		{ RUNSTATE_running, false, 61, { 1, 30, 20, 10 } },
	}, {
		"running pays, whatever the state is",
		{ RUNSTATE_runnable, true, 100, { 40, 30, 20, 10 } }, 60,
		{ RUNSTATE_runnable, true, 60, { 0, 30, 20, 10 } },
	}, {
		"blocked pays what running cannot",
		{ RUNSTATE_offline, false, 100, { 40, 30, 20, 10 } }, 45,
		{ RUNSTATE_offline, false, 45, { 0, 30, 5, 10 } },
	}, {
		"to what was stolen",
		{ RUNSTATE_running, false, 100, { 40, 30, 20, 10 } }, 40,
		{ RUNSTATE_running, false, 40, { 0, 30, 0, 10 } },
	}, {
		"below what was stolen",
		{ RUNSTATE_running, false, 100, { 40, 30, 20, 10 } }, 39,
		{ RUNSTATE_running, false, 40, { 0, 30, 0, 10 } },
	}, {
		"to 0",
		{ RUNSTATE_blocked, false, 100, { 40, 30, 20, 10 } }, 0,
		{ RUNSTATE_blocked, false, 40, { 0, 30, 0, 10 } },
	}, {
		"to 0, and nothing was stolen",
		{ RUNSTATE_blocked, false, 100, { 80, 0, 20, 0 } }, 0,
		{ RUNSTATE_blocked, false, 0, { 0, 0, 0, 0 } },
	}, {
		"never run",
		{ RUNSTATE_offline }, 0,
		{ RUNSTATE_offline },
	},
};

KUNIT_ARRAY_PARAM_DESC(set_back, set_back_rows, name);

static void clock_set_back(struct kunit *test)
{
	const struct set_back_row *row = test->param_value;
	struct xen_runstate rs = row->before;
	int i;

	/* Doing it again changes nothing. */
	for (i = 0; i < 2; i++) {
		xen_runstate_set_back(&rs, row->now);
		expect_runstate(test, row->name, &rs, &row->after);
	}
}

static void never_run_is_offline(struct kunit *test)
{
	const struct xen_runstate want = { .state = RUNSTATE_offline };
	struct xen_runstate rs;

	memset(&rs, 0xff, sizeof(rs));
	xen_runstate_init(&rs);
	expect_runstate(test, "init", &rs, &want);
}

/*
 * The naive model walks through each nanosecond.  One counts if the clock has
 * not shown it before; it goes to the state that the vCPU is in, save for the
 * first @waited of those in which the vCPU was to run.
 */
static void model_account(struct xen_runstate *model, u32 state, u64 now, u64 waited)
{
	bool to_run = model->state == RUNSTATE_running || model->preempted;

	while (model->entry_time < now) {
		if (to_run && waited) {
			model->time[RUNSTATE_runnable]++;
			waited--;
		} else if (to_run) {
			model->time[RUNSTATE_running]++;
		} else {
			model->time[model->state]++;
		}
		model->entry_time++;
	}

	model->state = state;
	model->preempted = false;
}

/* Running pays for each nanosecond by which the clock is set back, then blocked. */
static void model_set_back(struct xen_runstate *model, u64 now)
{
	u32 payer;

	while (model->entry_time > now) {
		payer = model->time[RUNSTATE_running] ? RUNSTATE_running : RUNSTATE_blocked;
		if (!model->time[payer])
			break;
		model->time[payer]--;
		model->entry_time--;
	}
}

static void random_history(struct kunit *test, u64 seed)
{
	struct xen_runstate rs, model = { .state = RUNSTATE_offline };
	u64 now = 0, elapsed, waited, delta;
	struct rnd_state rnd;
	u32 state;
	int i, from, to;

	prandom_seed_state(&rnd, seed);
	xen_runstate_init(&rs);

	for (i = 0; i < 5000; i++) {
		state = prandom_u32_state(&rnd) % NR_STATES;

		switch (prandom_u32_state(&rnd) % 16) {
		case 0:
			/* KVM_SET_CLOCK to an earlier time, or a clock that drifts */
			now -= min_t(u64, now, prandom_u32_state(&rnd) % 200);
			if (prandom_u32_state(&rnd) % 2) {
				xen_runstate_set_back(&rs, now);
				model_set_back(&model, now);
			}
			continue;
		case 1:
			/* ADJUST: some of one total to another, and a new state */
			from = prandom_u32_state(&rnd) % NR_STATES;
			to = prandom_u32_state(&rnd) % NR_STATES;
			delta = model.time[from] / 2;
			model.time[from] -= delta;
			model.time[to] += delta;
			model.state = state;
			model.preempted = false;
			rs = model;
			continue;
		}

		now += prandom_u32_state(&rnd) % 100;
		elapsed = xen_runstate_elapsed(&rs, now);
		waited = elapsed ? prandom_u32_state(&rnd) % (elapsed + 1) : 0;

		account(&rs, state, elapsed, waited);
		model_account(&model, state, now, waited);
		rs.preempted = state == RUNSTATE_runnable && prandom_u32_state(&rnd) % 2;
		model.preempted = rs.preempted;

		KUNIT_ASSERT_EQ(test, rs.state, model.state);
		KUNIT_ASSERT_EQ(test, rs.entry_time, model.entry_time);
		KUNIT_ASSERT_MEMEQ(test, rs.time, model.time, sizeof(rs.time));
		KUNIT_ASSERT_EQ(test, sum_of(&rs), rs.entry_time);
		KUNIT_ASSERT_TRUE(test, xen_runstate_valid(&rs, max(now, rs.entry_time)));
	}
}

static void account_like_the_model(struct kunit *test)
{
	static const u64 seeds[] = { 1, 2021, 0x5eed, 0xdecafbad };
	int i;

	for (i = 0; i < ARRAY_SIZE(seeds); i++)
		random_history(test, seeds[i]);
}

static const struct valid_row {
	const char *name;
	struct xen_runstate rs;
	u64 latest;
	bool valid;
} valid_rows[] = {
	{ "nothing at all",	{ 0, false, 0, { 0, 0, 0, 0 } },		0,	 true  },
	{ "adds up",		{ 0, false, 10, { 1, 2, 3, 4 } },		10,	 true  },
	{ "too little",		{ 0, false, 10, { 1, 2, 3, 3 } },		10,	 false },
	{ "too much",		{ 0, false, 10, { 1, 2, 3, 5 } },		10,	 false },
	{ "too late",		{ 0, false, 11, { 1, 2, 3, 5 } },		10,	 false },
	{ "one total wraps",	{ 0, false, 10, { 12, -2ULL, 0, 0 } },		U64_MAX, false },
	{ "two halves wrap",	{ 0, false, 0, { BIT_ULL(63), BIT_ULL(63) } },	U64_MAX, false },
	{ "four quarters wrap",	{ 0, false, 4, { BIT_ULL(62) + 1, BIT_ULL(62) + 1,
						 BIT_ULL(62) + 1, BIT_ULL(62) + 1 } },
										U64_MAX, false },
	{ "all there is",	{ 0, false, U64_MAX, { U64_MAX, 0, 0, 0 } },	U64_MAX, true  },
};

KUNIT_ARRAY_PARAM_DESC(valid, valid_rows, name);

static void validate_by_rows(struct kunit *test)
{
	const struct valid_row *row = test->param_value;

	KUNIT_EXPECT_EQ(test, xen_runstate_valid(&row->rs, row->latest), row->valid);
}

/* No state: what there is stays. */
#define KEEP	U32_MAX

static const struct adjust_row {
	const char *name;
	struct xen_runstate before, delta, after;
	bool fits;
} adjust_rows[] = {
	{
		"nothing",
		{ 2, false, 10, { 1, 2, 3, 4 } }, { KEEP, false, 0, { 0, 0, 0, 0 } },
		{ 2, false, 10, { 1, 2, 3, 4 } }, true,
	}, {
		"a state, and nothing else",
		{ 2, false, 10, { 1, 2, 3, 4 } }, { 3, false, 0, { 0, 0, 0, 0 } },
		{ 3, false, 10, { 1, 2, 3, 4 } }, true,
	}, {
		"a state ends a preemption",
		{ 1, true, 10, { 1, 2, 3, 4 } }, { 1, false, 0, { 0, 0, 0, 0 } },
		{ 1, false, 10, { 1, 2, 3, 4 } }, true,
	}, {
		"no state does not",
		{ 1, true, 10, { 1, 2, 3, 4 } }, { KEEP, false, 0, { 0, 0, 0, 0 } },
		{ 1, true, 10, { 1, 2, 3, 4 } }, true,
	}, {
		"from one to another",
		{ 0, false, 10, { 1, 2, 3, 4 } }, { 0, false, 0, { 2, 0, -2ULL, 0 } },
		{ 0, false, 10, { 3, 2, 1, 4 } }, true,
	}, {
		"down to zero",
		{ 0, false, 10, { 1, 2, 3, 4 } },
		{ 0, false, -10ULL, { -1ULL, -2ULL, -3ULL, -4ULL } },
		{ 0, false, 0, { 0, 0, 0, 0 } }, true,
	}, {
		"a total below zero",
		{ 0, false, 10, { 1, 2, 3, 4 } }, { 0, false, 0, { -2ULL, 2, 0, 0 } },
		{}, false,
	}, {
		"the entry time below zero",
		{ 0, false, 10, { 10, 0, 0, 0 } }, { 0, false, -11ULL, { 0, 0, 0, 0 } },
		{}, false,
	}, {
		"a total past the end",
		{ 0, false, 10, { 0, 0, 0, U64_MAX } }, { 0, false, 0, { 0, 0, 0, 1 } },
		{}, false,
	}, {
		"the most negative delta",
		{ 0, false, 10, { 10, 0, 0, 0 } }, { 0, false, 0, { BIT_ULL(63), 0, 0, 0 } },
		{}, false,
	}, {
		"the most negative delta, and room for it",
		{ 0, false, U64_MAX, { U64_MAX, 0, 0, 0 } },
		{ 0, false, BIT_ULL(63), { BIT_ULL(63), 0, 0, 0 } },
		{ 0, false, S64_MAX, { S64_MAX, 0, 0, 0 } }, true,
	},
};

KUNIT_ARRAY_PARAM_DESC(adjust, adjust_rows, name);

static void adjust_by_rows(struct kunit *test)
{
	const struct adjust_row *row = test->param_value;
	struct xen_runstate rs = row->before;

	KUNIT_EXPECT_EQ(test, xen_runstate_adjust(&rs, &row->delta), row->fits);
	if (row->fits)
		expect_runstate(test, row->name, &rs, &row->after);
}

/*
 * The area at each offset of a page, its rest on a page that is elsewhere.  The
 * bytes are put together here one by one from the ABI.
 */
#define CANARY		0xa5
#define MARGIN		16
#define PADDING		-1

static int expected_byte(const struct xen_runstate *rs, bool long_mode, size_t i)
{
	size_t word = long_mode ? 8 : 4;

	if (i < 4)
		return (rs->state >> (8 * i)) & 0xff;
	if (i < word)
		return PADDING;

	i -= word;
	if (i < 8)
		return (rs->entry_time >> (8 * i)) & 0xff;

	i -= 8;
	return (rs->time[i / 8] >> (8 * (i % 8))) & 0xff;
}

static u8 *byte_at(u8 *const *page, size_t pos)
{
	return &page[pos / PAGE_SIZE][pos % PAGE_SIZE];
}

static void check_area(struct kunit *test, u8 *const *page, size_t start,
		       bool long_mode, bool update_flag)
{
	const struct xen_runstate rs = {
		.state = RUNSTATE_blocked,
		.entry_time = 0x0102030405060708,
		.time = { 0x1112131415161718, 0x2122232425262728,
			  0x3132333435363738, 0x4142434445464748 },
	};
	size_t size = long_mode ? 48 : 44, pos;
	const struct xen_runstate_area area = {
		.page = { page[0] + start, page[1] },
		.len = min(size, PAGE_SIZE - start),
	};
	int want;

	KUNIT_ASSERT_EQ(test, xen_runstate_area_size(long_mode), size);
	xen_runstate_store(&area, &rs, long_mode, update_flag);

	for (pos = start > MARGIN ? start - MARGIN : 0;
	     pos < min(start + size + MARGIN, 2 * PAGE_SIZE); pos++) {
		want = CANARY;
		if (pos >= start && pos < start + size) {
			want = expected_byte(&rs, long_mode, pos - start);
			if (want == PADDING)
				want = CANARY;
		}
		KUNIT_ASSERT_EQ_MSG(test, *byte_at(page, pos), want,
				    "offset %zu, byte %zd, long mode %d, update flag %d",
				    start, (ssize_t)(pos - start), long_mode, update_flag);
		*byte_at(page, pos) = CANARY;
	}
}

static void area_at_every_offset(struct kunit *test)
{
	u8 *mem = kunit_kmalloc(test, 4 * PAGE_SIZE, GFP_KERNEL);
	u8 *page[2] = { mem + 2 * PAGE_SIZE, mem };
	size_t start;
	int mode;

	KUNIT_ASSERT_NOT_NULL(test, mem);
	memset(mem, CANARY, 4 * PAGE_SIZE);

	for (start = 0; start < PAGE_SIZE; start++) {
		for (mode = 0; mode < 4; mode++)
			check_area(test, page, start, mode & 1, mode & 2);
	}

	KUNIT_EXPECT_NULL(test, memchr_inv(mem, CANARY, 4 * PAGE_SIZE));
}

#define FLAG	XEN_RUNSTATE_UPDATE

static const struct load_row {
	const char *name;
	struct xen_runstate rs;
	bool in_use;
} load_rows[] = {
	{ "in use",			{ 2, false, 10, { 1, 2, 3, 4 } }, true },
	{ "offline",			{ 3, false, 10, { 1, 2, 3, 4 } }, true },
	{ "all there is",		{ 0, false, S64_MAX, { S64_MAX } }, true },
	{ "cleared",			{ 0, false, 0, { 0, 0, 0, 0 } }, false },
	{ "never entered",		{ 3, false, 0, { 0, 0, 0, 0 } }, false },
	{ "no such state",		{ 4, false, 10, { 1, 2, 3, 4 } }, false },
	{ "no such state by a high byte", { BIT(31), false, 10, { 1, 2, 3, 4 } }, false },
	{ "does not add up",		{ 2, false, 10, { 1, 2, 3, 5 } }, false },
	{ "adds up by wrapping",	{ 2, false, 10, { 12, -2ULL, 0, 0 } }, false },
	{ "being updated",		{ 2, false, FLAG + 10, { FLAG + 10 } }, false },
	{ "being updated, half way",	{ 2, false, FLAG + 10, { 1, 2, 3, 4 } }, false },
};

KUNIT_ARRAY_PARAM_DESC(load, load_rows, name);

/* In either layout, at an odd address, and nothing else is read. */
static void area_is_loaded_if_in_use(struct kunit *test)
{
	const struct load_row *row = test->param_value;
	const struct xen_runstate *want = &row->rs;
	u8 buf[1 + XEN_RUNSTATE_MAX_SIZE];
	struct xen_runstate rs;
	size_t ofs;
	int i, mode;

	for (mode = 0; mode < 2; mode++) {
		ofs = mode ? 8 : 4;

		memset(buf, CANARY, sizeof(buf));
		put_unaligned_le32(want->state, buf + 1);
		put_unaligned_le64(want->entry_time, buf + 1 + ofs);
		for (i = 0; i < NR_STATES; i++)
			put_unaligned_le64(want->time[i], buf + 1 + ofs + 8 + 8 * i);

		memset(&rs, CANARY, sizeof(rs));
		KUNIT_EXPECT_EQ(test, xen_runstate_load(&rs, buf + 1, mode), row->in_use);
		if (row->in_use)
			expect_runstate(test, row->name, &rs, want);
	}
}

/* The topmost bit of the entry time is the flag's and never part of the time. */
static void flag_is_not_seen_at_rest(struct kunit *test)
{
	const struct xen_runstate rs = { .entry_time = U64_MAX, .time = { U64_MAX } };
	u8 buf[48];
	const struct xen_runstate_area area = { .page = { buf }, .len = sizeof(buf) };
	int flag;

	for (flag = 0; flag < 2; flag++) {
		xen_runstate_store(&area, &rs, true, flag);
		KUNIT_EXPECT_EQ(test, get_unaligned_le64(buf + 8), U64_MAX >> 1);
	}
}

/*
 * On pages that overlap, where the first total overlaps the entry time, what
 * was stored last is what remains.
 */
static void entry_time_is_stored_after_the_totals(struct kunit *test)
{
	const struct xen_runstate rs = { .entry_time = 0x0102, .time = { 0x0304 } };
	u8 buf[48];
	const struct xen_runstate_area area = { .page = { buf, buf + 8 }, .len = 16 };
	int flag;

	for (flag = 0; flag < 2; flag++) {
		memset(buf, CANARY, sizeof(buf));
		xen_runstate_store(&area, &rs, true, flag);
		KUNIT_EXPECT_EQ(test, get_unaligned_le64(buf + 8), 0x0102);
	}
}

static struct kunit_case runstate_cases[] = {
	KUNIT_CASE(never_run_is_offline),
	KUNIT_CASE_PARAM(account_by_rows, account_gen_params),
	KUNIT_CASE_PARAM(clock_set_back, set_back_gen_params),
	KUNIT_CASE(account_like_the_model),
	KUNIT_CASE_PARAM(validate_by_rows, valid_gen_params),
	KUNIT_CASE_PARAM(adjust_by_rows, adjust_gen_params),
	KUNIT_CASE(area_at_every_offset),
	KUNIT_CASE_PARAM(area_is_loaded_if_in_use, load_gen_params),
	KUNIT_CASE(flag_is_not_seen_at_rest),
	KUNIT_CASE(entry_time_is_stored_after_the_totals),
	{}
};

static struct kunit_suite runstate_suite = {
	.name = "kvm_xen_runstate",
	.test_cases = runstate_cases,
};

kunit_test_suite(runstate_suite);
