// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * All interleavings of one or two updates of a Xen runstate area with a reader.
 *
 * The writer is arch/x86/kvm/xen_runstate_core.c itself.  Its stores are recorded
 * in phases.  A phase ends at an smp_wmb() or with the update, as the next one
 * begins by a store to the byte that this one stored last.  From the phases comes
 * the history of the area, the values that each byte can have at each position
 * in time.  There are two kinds of histories:
 *
 *  - Bytes: the stores of a phase become visible byte by byte, in any order.
 *  - Pieces: state_entry_time lies in two pieces.  Stores to it become visible in
 *    program order, to one piece at once, to either piece first.
 *
 * A reader reads state_entry_time twice.  Each look gets it in pieces, at
 * positions that never go back.  In between, the reader gets state and totals in
 * any order.  It accepts them if both looks have the same value, without the flag.
 * For each value, the interleaving whose first look ends earliest and whose second
 * look starts latest leaves the widest range of positions to state and totals,
 * which contains the range of every other one: if no position in it has a torn
 * area, no interleaving has.
 */
#include <stdio.h>
#include <stdlib.h>

#include <linux/kvm_host.h>

#include "kselftest.h"
#include "xen.h"

#define MAX_AREA	sizeof(struct vcpu_runstate_info)
#define MAX_STORES	32
#define MAX_PHASES	15
#define MAX_UPDATES	2
#define MAX_POSITIONS	(2 * MAX_PHASES * MAX_UPDATES + 1)
#define MAX_VALUES	8
#define MAX_CANDIDATES	256
#define MAX_PIECES	8
#define ENTRY_BYTES	((int)sizeof(u64))

/* An area in two places, and what was stored there. */
static u8 memory[2][MAX_AREA];
static size_t head;

struct phase {
	struct {
		size_t ofs, len;
		u8 bytes[MAX_AREA];
	} stores[MAX_STORES];
	int nr;
};

struct update {
	struct phase phases[MAX_PHASES];
	int nr;
};

static struct update recorded;

static void record_barrier(void)
{
	if (++recorded.nr == MAX_PHASES)
		ksft_exit_fail_msg("more than %d barriers\n", MAX_PHASES - 1);
}

static void *record_memcpy(void *to, const void *from, size_t len)
{
	struct phase *phase = &recorded.phases[recorded.nr];
	size_t ofs = (u8 *)to - memory[0];

	if (ofs >= sizeof(memory))
		return memcpy(to, from, len);

	if (ofs >= MAX_AREA)
		ofs = ofs - MAX_AREA + head;
	if (ofs + len > MAX_AREA || phase->nr == MAX_STORES)
		ksft_exit_fail_msg("a store of %zu bytes at %zu\n", len, ofs);

	phase->stores[phase->nr].ofs = ofs;
	phase->stores[phase->nr].len = len;
	memcpy(phase->stores[phase->nr++].bytes, from, len);

	return memcpy(to, from, len);
}

#undef smp_wmb
#define smp_wmb()		record_barrier()
#define memcpy(to, from, len)	record_memcpy(to, from, len)
#include "xen_runstate_core.c"
#undef memcpy

/* A change of what was recorded, which must be noticed. */
struct fault {
	const char *name;
	void (*inject)(struct update *update);
};

/* Where the area lies, and how stores become visible. */
struct setup {
	bool long_mode;
	bool no_flag;
	size_t head;
	/* How many bytes of the entry time are in its low piece; 0: byte by byte. */
	int split;
	/* A bit for each update: its high piece is visible first. */
	unsigned int high_first;
	const struct fault *fault;
};

struct byte_values {
	u8 value[MAX_VALUES];
	int nr;
};

struct history {
	int updates;
	u64 entry_times[MAX_UPDATES + 1];
	int positions;
	/* What each byte may be at each position. */
	struct byte_values bytes[MAX_POSITIONS][MAX_AREA];
	/* Positions at which state and totals are those of each update. */
	u64 whole[MAX_UPDATES + 1];
	/* All that the entry time can be, byte by byte and without the flag. */
	struct candidate {
		u64 value;
		/* Positions at which its bytes from one to another may be that. */
		u64 when[ENTRY_BYTES][ENTRY_BYTES];
	} candidates[MAX_CANDIDATES];
	int nr_candidates;
};

static void add_value(struct byte_values *values, u8 value)
{
	for (int i = 0; i < values->nr; i++) {
		if (values->value[i] == value)
			return;
	}
	if (values->nr == MAX_VALUES)
		ksft_exit_fail_msg("more than %d values of a byte\n", MAX_VALUES);
	values->value[values->nr++] = value;
}

/* Each byte of state and totals that can differ does so in each update. */
static struct xen_runstate runstate_of(int nr, u64 entry_time)
{
	struct xen_runstate rs = { .state = nr + 1, .entry_time = entry_time };

	for (int i = 0; i < ARRAY_SIZE(rs.time); i++)
		rs.time[i] = 0x0101010101010101 * (nr + 1) | 0x1010101010101010 * i;

	return rs;
}

/* The area by its ABI. */
static void fill_expected(u8 *area, int nr, u64 entry_time, bool long_mode)
{
	const struct xen_runstate rs = runstate_of(nr, entry_time);
	struct compat_vcpu_runstate_info compat = { .state = rs.state };
	struct vcpu_runstate_info info = { .state = rs.state };

	compat.state_entry_time = rs.entry_time;
	memcpy(compat.time, rs.time, sizeof(rs.time));
	info.state_entry_time = rs.entry_time;
	memcpy(info.time, rs.time, sizeof(rs.time));

	memset(area, 0, MAX_AREA);
	if (long_mode)
		memcpy(area, &info, sizeof(info));
	else
		memcpy(area, &compat, sizeof(compat));
}

static void do_update(const struct setup *setup, int nr, u64 entry_time)
{
	const struct xen_runstate_area area = {
		.page = { memory[0], memory[1] },
		.len = setup->head,
	};
	const struct xen_runstate rs = runstate_of(nr, entry_time);

	for (int i = 0; i < MAX_PHASES; i++)
		recorded.phases[i].nr = 0;
	recorded.nr = 0;
	head = setup->head;
	xen_runstate_store(&area, &rs, setup->long_mode, !setup->no_flag);
	recorded.nr++;
	if (setup->fault)
		setup->fault->inject(&recorded);
}

static struct byte_values *add_position(struct history *h, const u8 *area)
{
	struct byte_values *bytes = h->bytes[h->positions];

	if (++h->positions > MAX_POSITIONS)
		ksft_exit_fail_msg("more than %d positions\n", MAX_POSITIONS);
	for (int i = 0; i < MAX_AREA; i++) {
		bytes[i].value[0] = area[i];
		bytes[i].nr = 1;
	}

	return bytes;
}

/* All of the phase at one position, for the bytes that are not in @but. */
static void add_unordered(struct byte_values *bytes, const struct phase *phase, size_t but_ofs,
			  size_t but_len)
{
	for (int i = 0; i < phase->nr; i++) {
		for (size_t j = 0; j < phase->stores[i].len; j++) {
			size_t ofs = phase->stores[i].ofs + j;

			if (ofs < but_ofs || ofs >= but_ofs + but_len)
				add_value(&bytes[ofs], phase->stores[i].bytes[j]);
		}
	}
}

/* Store those bytes that are in a range; false if there are none. */
static bool store_range(u8 *area, const struct phase *phase, int nr, size_t ofs, size_t len)
{
	bool stored = false;

	for (size_t j = 0; j < phase->stores[nr].len; j++) {
		size_t at = phase->stores[nr].ofs + j;

		if (at >= ofs && at < ofs + len) {
			area[at] = phase->stores[nr].bytes[j];
			stored = true;
		}
	}

	return stored;
}

static void add_phase(struct history *h, const struct setup *setup, const struct phase *phase,
		      int update, u8 *area)
{
	size_t ofs = xen_runstate_entry_ofs(setup->long_mode);
	size_t pieces[2][2] = {
		{ ofs, setup->split },
		{ ofs + setup->split, ENTRY_BYTES - setup->split },
	};
	bool high_first = setup->high_first & 1U << update;

	if (!setup->split) {
		add_unordered(add_position(h, area), phase, 0, 0);
	} else {
		add_unordered(add_position(h, area), phase, ofs, ENTRY_BYTES);
		for (int i = 0; i < phase->nr; i++) {
			for (int j = 0; j < 2; j++) {
				const size_t *piece = pieces[j ^ high_first];

				if (store_range(area, phase, i, piece[0], piece[1]))
					add_unordered(add_position(h, area), phase, ofs, ENTRY_BYTES);
			}
		}
	}

	for (int i = 0; i < phase->nr; i++)
		store_range(area, phase, i, 0, MAX_AREA);
	add_position(h, area);
}

/* Positions at which a byte may have a value. */
static u64 byte_when(const struct history *h, size_t byte, u8 value)
{
	u64 when = 0;

	for (int pos = 0; pos < h->positions; pos++) {
		for (int i = 0; i < h->bytes[pos][byte].nr; i++) {
			if (h->bytes[pos][byte].value[i] == value)
				when |= 1ULL << pos;
		}
	}

	return when;
}

/* @when is that of each byte of @value alone. */
static void add_candidate(struct history *h, u64 value, const u64 *when)
{
	struct candidate *candidate = &h->candidates[h->nr_candidates];

	if (++h->nr_candidates > MAX_CANDIDATES)
		ksft_exit_fail_msg("more than %d entry times\n", MAX_CANDIDATES);

	candidate->value = value;
	for (int first = 0; first < ENTRY_BYTES; first++) {
		candidate->when[first][first] = when[first];
		for (int last = first + 1; last < ENTRY_BYTES; last++)
			candidate->when[first][last] = candidate->when[first][last - 1] & when[last];
	}
}

/* All that have the bytes of @value below @byte. */
static void add_candidates(struct history *h, size_t ofs, u64 value, u64 *when, int byte)
{
	struct byte_values all = { .nr = 0 };

	if (byte == ENTRY_BYTES) {
		if (!(value & XEN_RUNSTATE_UPDATE))
			add_candidate(h, value, when);
		return;
	}

	for (int pos = 0; pos < h->positions; pos++) {
		for (int i = 0; i < h->bytes[pos][ofs + byte].nr; i++)
			add_value(&all, h->bytes[pos][ofs + byte].value[i]);
	}
	for (int i = 0; i < all.nr; i++) {
		when[byte] = byte_when(h, ofs + byte, all.value[i]);
		add_candidates(h, ofs, value | (u64)all.value[i] << (8 * byte), when, byte + 1);
	}
}

static void find_whole(struct history *h, const struct setup *setup)
{
	size_t ofs = xen_runstate_entry_ofs(setup->long_mode);
	u8 expected[MAX_AREA];

	for (int nr = 0; nr <= h->updates; nr++) {
		fill_expected(expected, nr, h->entry_times[nr], setup->long_mode);
		h->whole[nr] = ~0ULL;
		for (int pos = 0; pos < h->positions; pos++) {
			for (size_t i = 0; i < MAX_AREA; i++) {
				const struct byte_values *values = &h->bytes[pos][i];

				if (i >= ofs && i < ofs + ENTRY_BYTES)
					continue;
				if (values->nr > 1 || values->value[0] != expected[i])
					h->whole[nr] &= ~(1ULL << pos);
			}
		}
	}

}

static void find_candidates(struct history *h, bool long_mode)
{
	u64 when[ENTRY_BYTES];

	h->nr_candidates = 0;
	add_candidates(h, xen_runstate_entry_ofs(long_mode), 0, when, 0);
}

/* Do the updates; false if one does not leave in the area what it should. */
static bool make_history(struct history *h, const struct setup *setup, int updates,
			 const u64 *entry_times)
{
	u8 area[MAX_AREA], expected[MAX_AREA], real[MAX_AREA];
	bool right = true;

	h->updates = updates;
	h->positions = 0;
	memcpy(h->entry_times, entry_times, (updates + 1) * sizeof(*entry_times));

	fill_expected(area, 0, entry_times[0], setup->long_mode);
	memcpy(memory[0], area, setup->head);
	memcpy(memory[1], area + setup->head, MAX_AREA - setup->head);
	add_position(h, area);

	for (int nr = 1; nr <= updates; nr++) {
		do_update(setup, nr, entry_times[nr]);
		for (int i = 0; i < recorded.nr; i++)
			add_phase(h, setup, &recorded.phases[i], nr - 1, area);

		fill_expected(expected, nr, entry_times[nr], setup->long_mode);
		right = right && !memcmp(area, expected, MAX_AREA);

		/* There was no store that has not been recorded. */
		memcpy(real, memory[0], setup->head);
		memcpy(real + setup->head, memory[1], MAX_AREA - setup->head);
		right = right && !memcmp(real, expected, MAX_AREA);
	}

	find_whole(h, setup);
	return right;
}

/* Bytes of the entry time, first to last, that are read at once. */
struct piece {
	int first, last;
};

struct look {
	struct piece pieces[MAX_PIECES];
	int nr;
};

struct reader {
	struct look looks[2];
};

/* True if a reader can accept a value as the entry time, and torn totals with it. */
static bool accepts_torn(const struct history *h, const struct reader *reader,
			 const struct candidate *candidate)
{
	const struct look *first = &reader->looks[0], *second = &reader->looks[1];
	int begin = 0, end = h->positions - 1;
	const struct piece *piece;
	u64 when, between;

	for (int i = 0; i < first->nr; i++) {
		piece = &first->pieces[i];
		when = candidate->when[piece->first][piece->last] & (~0ULL << begin);
		if (!when)
			return false;
		begin = __builtin_ctzll(when);
	}

	for (int i = second->nr - 1; i >= 0; i--) {
		piece = &second->pieces[i];
		when = candidate->when[piece->first][piece->last] & (~0ULL >> (63 - end));
		if (!when)
			return false;
		end = 63 - __builtin_clzll(when);
	}

	if (begin > end)
		return false;

	between = (~0ULL << begin) & (~0ULL >> (63 - end));
	for (int nr = 0; nr <= h->updates; nr++) {
		if (candidate->value == h->entry_times[nr])
			return between & ~h->whole[nr];
	}

	return true;
}

static bool accepts_any_torn(const struct history *h, const struct reader *reader)
{
	for (int i = 0; i < h->nr_candidates; i++) {
		if (accepts_torn(h, reader, &h->candidates[i]))
			return true;
	}

	return false;
}

/* True if the lowest @bytes of the entry time take a value that they had before. */
static bool recurs(const struct history *h, const struct setup *setup, int bytes)
{
	size_t ofs = xen_runstate_entry_ofs(setup->long_mode);
	u64 seen[MAX_POSITIONS];
	int nr = 0;

	for (int pos = 0; pos < h->positions; pos++) {
		u64 value = 0;

		/* Within a phase of bytes it is undecided. */
		if (h->bytes[pos][ofs].nr > 1)
			continue;
		for (int i = 0; i < bytes; i++)
			value |= (u64)h->bytes[pos][ofs + i].value[0] << (8 * i);
		if (nr && seen[nr - 1] == value)
			continue;
		for (int i = 0; i < nr; i++) {
			if (seen[i] == value)
				return true;
		}
		seen[nr++] = value;
	}

	return false;
}

/* When a reader accepts no torn area. */
enum promise {
	/*
	 * If pieces are stored at once, after one update, and after two whose low
	 * pieces do not agree; byte by byte, if the lowest byte does not recur.
	 */
	UNLESS_IT_RECURS,
	/* If pieces are stored at once, and entry times are 256 ns or more apart. */
	UNLESS_CLOSE,
	ALWAYS,
	/* It accepts one when a single update comes at the wrong time. */
	NEVER,
};

/* A reader, or some of the same kind, and the torn areas that it can accept. */
struct test {
	const char *name;
	enum promise promise;
	u64 checked, broken;
	u64 after_one, after_two, recurring;
};

/* The pieces in the order in which each look reads them; 0 has the lowest byte. */
struct order {
	struct test *test;
	int nr_pieces;
	const char *looks[2];
};

enum {
	ONE_PIECE,
	LOW_HIGH,
	HIGH_LOW,
	HIGH_LOW_HIGH,
	LOW_HIGH_THEN_HIGH_LOW,
	HIGH_LOW_THEN_LOW_HIGH,
	BYTES_UP,
	BYTES_DOWN,
	BYTES_UP_THEN_DOWN,
	BYTES_DOWN_THEN_UP,
	SPLIT_HIGH_LOW_HIGH,
	THREE_PIECES_FLAG_BETWEEN,
	THREE_PIECES_FLAG_OUTSIDE,
	NR_TESTS,
};

static struct test tests[NR_TESTS] = {
	[ONE_PIECE]			= { .name = "one_piece", .promise = ALWAYS },
	[LOW_HIGH]			= { .name = "low_high" },
	[HIGH_LOW]			= { .name = "high_low" },
	[HIGH_LOW_HIGH]			= { .name = "high_low_high", .promise = UNLESS_CLOSE },
	[LOW_HIGH_THEN_HIGH_LOW]	= { .name = "low_high_then_high_low" },
	[HIGH_LOW_THEN_LOW_HIGH]	= { .name = "high_low_then_low_high", .promise = NEVER },
	[BYTES_UP]			= { .name = "bytes_up" },
	[BYTES_DOWN]			= { .name = "bytes_down" },
	[BYTES_UP_THEN_DOWN]		= { .name = "bytes_up_then_down" },
	[BYTES_DOWN_THEN_UP]		= { .name = "bytes_down_then_up", .promise = NEVER },
	[SPLIT_HIGH_LOW_HIGH]		= { .name = "high_low_high_one_of_them_in_two_pieces" },
	[THREE_PIECES_FLAG_BETWEEN]	= { .name = "three_pieces_flag_between" },
	[THREE_PIECES_FLAG_OUTSIDE]	= { .name = "three_pieces_flag_outside", .promise = NEVER },
};

#define MAX_ORDERS	80

static struct order orders[MAX_ORDERS] = {
	{ &tests[ONE_PIECE],			1, { "0", "0" } },
	{ &tests[LOW_HIGH],			2, { "01", "01" } },
	{ &tests[HIGH_LOW],			2, { "10", "10" } },
	{ &tests[HIGH_LOW_HIGH],		2, { "101", "101" } },
	{ &tests[LOW_HIGH_THEN_HIGH_LOW],	2, { "01", "10" } },
	{ &tests[HIGH_LOW_THEN_LOW_HIGH],	2, { "10", "01" } },
	{ &tests[BYTES_UP],			8, { "01234567", "01234567" } },
	{ &tests[BYTES_DOWN],			8, { "76543210", "76543210" } },
	{ &tests[BYTES_UP_THEN_DOWN],		8, { "01234567", "76543210" } },
	{ &tests[BYTES_DOWN_THEN_UP],		8, { "76543210", "01234567" } },
};

static int nr_orders = 10;

/*
 * True if the flag is read between the two times that the lowest byte is read, and
 * not after another piece that the second look begins with.
 */
static bool flag_between(const struct order *order)
{
	char flag = '0' + order->nr_pieces - 1;

	return strrchr(order->looks[0], flag) >= strchr(order->looks[0], '0') ||
	       order->looks[1][0] == flag;
}

static void add_order(struct test *test, int nr_pieces, const char *first, const char *second)
{
	if (nr_orders == MAX_ORDERS)
		ksft_exit_fail_msg("more than %d orders\n", MAX_ORDERS);
	orders[nr_orders++] = (struct order) { test, nr_pieces, { first, second } };
}

static void add_orders(void)
{
	static const char *const three[] = { "012", "021", "102", "120", "201", "210" };
	static const char *const split[][4] = {
		{ "2012", "2102" },
		{ "12012", "12021", "21012", "21021" },
	};
	struct order *order;

	for (int i = 0; i < ARRAY_SIZE(split); i++) {
		for (int j = 0; j < ARRAY_SIZE(split[i]) && split[i][j]; j++) {
			for (int k = 0; k < ARRAY_SIZE(split[i]) && split[i][k]; k++)
				add_order(&tests[SPLIT_HIGH_LOW_HIGH], 3, split[i][j], split[i][k]);
		}
	}

	for (int i = 0; i < ARRAY_SIZE(three); i++) {
		for (int j = 0; j < ARRAY_SIZE(three); j++) {
			add_order(&tests[THREE_PIECES_FLAG_OUTSIDE], 3, three[i], three[j]);
			order = &orders[nr_orders - 1];
			if (flag_between(order))
				order->test = &tests[THREE_PIECES_FLAG_BETWEEN];
		}
	}
}

/* @starts has the first byte of each piece, and where the last one ends. */
static void set_reader(struct reader *reader, const struct order *order, const int *starts)
{
	for (int i = 0; i < 2; i++) {
		struct look *look = &reader->looks[i];

		look->nr = strlen(order->looks[i]);
		for (int j = 0; j < look->nr; j++) {
			int piece = order->looks[i][j] - '0';

			look->pieces[j].first = starts[piece];
			look->pieces[j].last = starts[piece + 1] - 1;
		}
	}
}

/*
 * True if low pieces of two updates, or what the writer stores in their place, can
 * be equal: in all but the lowest byte they are.
 */
static bool low_pieces_agree(const struct history *h, int bytes)
{
	u64 differ;

	for (int i = 0; i <= h->updates; i++) {
		for (int j = 0; j < i; j++) {
			differ = h->entry_times[i] ^ h->entry_times[j];
			if (!(differ << (64 - 8 * bytes) >> (64 - 8 * bytes) >> 8))
				return true;
		}
	}

	return false;
}

/* True if two updates follow each other within 256 ns. */
static bool close_entry_times(const struct history *h)
{
	for (int nr = 1; nr <= h->updates; nr++) {
		if (h->entry_times[nr] >> 8 == h->entry_times[nr - 1] >> 8)
			return true;
	}

	return false;
}

static bool is_promised(const struct history *h, const struct setup *setup, enum promise promise)
{
	switch (promise) {
	case NEVER:
		return false;
	case ALWAYS:
		return true;
	case UNLESS_CLOSE:
		if (setup->split && !close_entry_times(h))
			return true;
		break;
	case UNLESS_IT_RECURS:
		break;
	}

	if (!setup->split)
		return !recurs(h, setup, 1);

	return h->updates == 1 || !low_pieces_agree(h, setup->split);
}

static void check_reader(const struct history *h, const struct setup *setup,
			 const struct order *order, const int *starts)
{
	struct test *test = order->test;
	struct reader reader;

	test->checked++;
	set_reader(&reader, order, starts);
	if (!accepts_any_torn(h, &reader))
		return;

	if (recurs(h, setup, setup->split ?: 1))
		test->recurring++;
	else if (h->updates == 1)
		test->after_one++;
	else
		test->after_two++;

	if (!is_promised(h, setup, test->promise) || test->broken++ || setup->fault)
		return;
	ksft_print_msg("%s: a torn area is accepted: looks %s and %s, piece 1 from byte %d on, %s\n",
		       test->name, order->looks[0], order->looks[1], starts[1],
		       setup->split ? "stored in pieces" : "stored byte by byte");
	for (int nr = 0; nr <= h->updates; nr++)
		ksft_print_msg("entry time %d: %016lx\n", nr, h->entry_times[nr]);
}

static void check_order(const struct history *h, const struct setup *setup,
			const struct order *order)
{
	int starts[MAX_PIECES + 1] = { 0 };

	switch (order->nr_pieces) {
	case 1:
		starts[1] = ENTRY_BYTES;
		check_reader(h, setup, order, starts);
		break;
	case 2:
		starts[2] = ENTRY_BYTES;
		for (starts[1] = 1; starts[1] < ENTRY_BYTES; starts[1]++) {
			if (!setup->split || setup->split == starts[1])
				check_reader(h, setup, order, starts);
		}
		break;
	case 3:
		starts[3] = ENTRY_BYTES;
		for (starts[1] = 1; starts[1] < ENTRY_BYTES - 1; starts[1]++) {
			for (starts[2] = starts[1] + 1; starts[2] < ENTRY_BYTES; starts[2]++)
				check_reader(h, setup, order, starts);
		}
		break;
	default:
		for (int i = 0; i <= ENTRY_BYTES; i++)
			starts[i] = i;
		check_reader(h, setup, order, starts);
	}
}

static u64 histories, wrong;

static bool any_broken(void)
{
	for (int i = 0; i < NR_TESTS; i++) {
		if (tests[i].broken)
			return true;
	}

	return false;
}

/* Each reader that reads pieces no larger than those that are stored. */
static void check_history(struct setup *setup, int updates, const u64 *entry_times)
{
	static struct history h;

	for (setup->split = 0; setup->split < ENTRY_BYTES; setup->split++) {
		for (setup->high_first = 0; setup->high_first < 1U << updates; setup->high_first++) {
			if (!make_history(&h, setup, updates, entry_times))
				wrong++;
			find_candidates(&h, setup->long_mode);
			histories++;
			for (int i = 0; i < nr_orders; i++) {
				if (!setup->split || orders[i].nr_pieces == 2)
					check_order(&h, setup, &orders[i]);
			}
			if (!setup->split)
				break;
		}
	}
}

/*
 * Bytes of entry times.  It matters only which of them are equal, and whether a
 * lowest one equals the value that the writer stores in its place meanwhile.
 */
static const u8 lowest[] = { 0x00, 0x01, 0xfe, 0xff };
static const u8 others[] = { 0x01, 0x02, 0x03 };

#define SAME	0x1010101010101010

/* All entry times that grow, and differ in the bytes of @set only. */
static void check_entry_times(struct setup *setup, int updates, unsigned int set)
{
	int digits[ENTRY_BYTES * (MAX_UPDATES + 1)] = { 0 };
	u64 entry_times[MAX_UPDATES + 1];
	bool grow, more;

	do {
		for (int nr = 0; nr <= updates; nr++)
			entry_times[nr] = SAME;

		more = false;
		for (int i = 0; i < ENTRY_BYTES * (updates + 1); i++) {
			int byte = i / (updates + 1), nr = i % (updates + 1);
			const u8 *values = byte ? others : lowest;
			int nr_values = byte ? ARRAY_SIZE(others) : ARRAY_SIZE(lowest);

			if (!(set & 1U << byte))
				continue;
			entry_times[nr] &= ~(0xffULL << (8 * byte));
			entry_times[nr] |= (u64)values[digits[i]] << (8 * byte);
			/* Count up for the next turn. */
			if (!more) {
				more = ++digits[i] < nr_values;
				digits[i] %= nr_values;
			}
		}

		grow = true;
		for (int nr = 1; nr <= updates; nr++)
			grow = grow && entry_times[nr] > entry_times[nr - 1];
		if (grow)
			check_history(setup, updates, entry_times);
	} while (more);
}

static void reset_tests(void)
{
	for (int i = 0; i < NR_TESTS; i++) {
		tests[i].checked = 0;
		tests[i].broken = 0;
		tests[i].after_one = 0;
		tests[i].after_two = 0;
		tests[i].recurring = 0;
	}
	histories = 0;
	wrong = 0;
}

static void check_all(struct setup *setup, int updates)
{
	for (unsigned int set = 1; set < 1U << ENTRY_BYTES; set++) {
		if (__builtin_popcount(set) <= 2)
			check_entry_times(setup, updates, set);
		if (setup->fault && any_broken())
			return;
	}
}

static void report_orders(void)
{
	for (int i = 0; i < NR_TESTS; i++) {
		const struct test *test = &tests[i];
		bool passed = test->checked && !test->broken;

		/* This shows that the search finds torn areas. */
		if (test->promise == NEVER)
			passed = test->after_one;
		ksft_print_msg("%s: of %lu histories torn: %lu by one update, %lu by two, %lu where a piece recurs\n",
			       test->name, test->checked, test->after_one, test->after_two,
			       test->recurring);
		ksft_test_result(passed, "%s\n", test->name);
	}

	ksft_test_result(histories && !wrong, "area_is_right_after_each_update\n");
}

/*
 * All orders are checked in one layout, on one page.  They are the same in others
 * if the history is.
 */
static bool same_history(const struct history *h, const struct history *as, bool long_mode)
{
	size_t ofs = xen_runstate_entry_ofs(long_mode);

	if (h->positions != as->positions || memcmp(h->whole, as->whole, sizeof(h->whole)))
		return false;

	for (int pos = 0; pos < h->positions; pos++) {
		for (int i = 0; i < ENTRY_BYTES; i++) {
			const struct byte_values *values = &h->bytes[pos][ofs + i];
			const struct byte_values *other = &as->bytes[pos][XEN_RUNSTATE_OFS64 + i];

			if (values->nr != other->nr ||
			    memcmp(values->value, other->value, values->nr))
				return false;
		}
	}

	return true;
}

static void report_places(void)
{
	static const u64 entry_times[] = { 0x1fe, 0x2fe, 0x20304050607080ff };
	struct setup whole = { .long_mode = true, .head = MAX_AREA };
	static struct history h, as;
	int places = 0, different = 0;

	make_history(&as, &whole, 2, entry_times);
	for (int long_mode = 0; long_mode < 2; long_mode++) {
		for (size_t head = 1; head <= MAX_AREA; head++) {
			struct setup setup = { .long_mode = long_mode, .head = head };

			places++;
			if (!make_history(&h, &setup, 2, entry_times) ||
			    !same_history(&h, &as, long_mode)) {
				if (!different++)
					ksft_print_msg("%zu bytes on the first page, long mode %d\n",
						       head, long_mode);
			}
		}
	}
	ksft_test_result(places && !different, "same_in_both_layouts_and_on_two_pages\n");
}

/* Without the flag, a reader that finds the new entry time finds its totals. */
static void report_no_flag(void)
{
	static const struct order one_piece = { NULL, 1, { "0", "0" } };
	static const int starts[] = { 0, ENTRY_BYTES };
	static const u64 entry_times[] = { 0x1fe, 0x20304050607080ff };
	int places = 0, early = 0, flags = 0;
	static struct history h;
	struct reader reader;

	set_reader(&reader, &one_piece, starts);
	for (int long_mode = 0; long_mode < 2; long_mode++) {
		size_t flag_ofs = xen_runstate_entry_ofs(long_mode) + ENTRY_BYTES - 1;

		for (size_t head = 1; head <= MAX_AREA; head++) {
			struct setup setup = {
				.long_mode = long_mode, .head = head, .no_flag = true,
			};

			places += make_history(&h, &setup, 1, entry_times);
			find_candidates(&h, long_mode);
			for (int i = 0; i < h.nr_candidates; i++) {
				if (h.candidates[i].value == entry_times[1])
					early += accepts_torn(&h, &reader, &h.candidates[i]);
			}
			for (int pos = 0; pos < h.positions; pos++) {
				for (int i = 0; i < h.bytes[pos][flag_ofs].nr; i++)
					flags += h.bytes[pos][flag_ofs].value[i] >> 7;
			}
		}
	}

	ksft_test_result(places == 2 * MAX_AREA && !early, "without_flag_entry_time_is_last\n");
	ksft_test_result(places == 2 * MAX_AREA && !flags, "without_flag_it_is_never_seen\n");
}

/* The phases of an update, which faults are injected into. */
enum {
	SET_FLAG,
	THIRD_BYTE,
	TOTALS,
	ENTRY_TIME,
	CLEAR_FLAG,
	NR_PHASES,
};

static void flag_is_not_first(struct update *update)
{
	update->phases[SET_FLAG].nr = 0;
}

static void third_byte_is_not_stored(struct update *update)
{
	update->phases[THIRD_BYTE].nr = 0;
}

static void third_byte_is_the_new_one(struct update *update)
{
	update->phases[THIRD_BYTE].stores[0].bytes[0] =
		update->phases[ENTRY_TIME].stores[0].bytes[0];
}

static void entry_time_is_before_totals(struct update *update)
{
	struct phase totals = update->phases[TOTALS];

	update->phases[TOTALS] = update->phases[ENTRY_TIME];
	update->phases[ENTRY_TIME] = totals;
}

/* The barrier behind a phase is missing. */
static void merge(struct update *update, int nr)
{
	struct phase *phase = &update->phases[nr], *next = phase + 1;

	for (int i = 0; i < next->nr; i++)
		phase->stores[phase->nr++] = next->stores[i];
	update->nr--;
	for (int i = nr + 1; i < update->nr; i++)
		update->phases[i] = update->phases[i + 1];
}

static void no_barrier_after_flag(struct update *update)
{
	merge(update, SET_FLAG);
}

static void no_barrier_after_third_byte(struct update *update)
{
	merge(update, THIRD_BYTE);
}

static void no_barrier_after_totals(struct update *update)
{
	merge(update, TOTALS);
}

static void no_barrier_after_entry_time(struct update *update)
{
	merge(update, ENTRY_TIME);
}

#define FAULT(name)	{ #name, name }

static const struct fault faults[] = {
	FAULT(flag_is_not_first),
	FAULT(third_byte_is_not_stored),
	FAULT(third_byte_is_the_new_one),
	FAULT(entry_time_is_before_totals),
	FAULT(no_barrier_after_flag),
	FAULT(no_barrier_after_third_byte),
	FAULT(no_barrier_after_totals),
	FAULT(no_barrier_after_entry_time),
};

/* With each of the faults, a reader accepts what it must not. */
static void report_faults(void)
{
	struct setup setup = { .long_mode = true, .head = MAX_AREA };

	do_update(&setup, 0, 0);
	for (int i = 0; i < ARRAY_SIZE(faults); i++) {
		reset_tests();
		if (recorded.nr == NR_PHASES) {
			setup.fault = &faults[i];
			check_all(&setup, 1);
			setup.fault = NULL;
			do_update(&setup, 0, 0);
		} else {
			ksft_print_msg("an update has %d phases, not %d\n", recorded.nr, NR_PHASES);
		}
		ksft_test_result(any_broken(), "noticed_if_%s\n", faults[i].name);
	}
}

int main(void)
{
	struct setup setup = { .long_mode = true, .head = MAX_AREA };

	ksft_print_header();
	ksft_set_plan(NR_TESTS + 4 + ARRAY_SIZE(faults));

	add_orders();
	check_all(&setup, 1);
	check_all(&setup, 2);
	report_orders();
	report_places();
	report_no_flag();
	report_faults();

	ksft_finished();
}
