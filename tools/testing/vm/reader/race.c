// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * A writer of a Xen runstate area and readers of it race on the CPUs of this machine.
 *
 * The writer is arch/x86/kvm/xen_runstate_core.c itself.  State and totals are a
 * function of the entry time, by which a reader sees that an area it accepted is
 * torn.  The lowest byte of the entry time changes in each update.  A reader also
 * counts the updates that may have been under way while it read: if it was one,
 * what is promised holds without exception, if there were more, the value of a
 * piece may recur, and torn areas are counted apart.  orders.c shows that this is
 * what can be promised.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/kvm_host.h>

#include "kselftest.h"

/* In loops of a cycle or so. */
#define MAX_PAUSE	1024

static void pause_for(u64 loops)
{
	while (loops--)
		barrier();
}

static u64 next_random(u64 *random)
{
	*random = *random * 6364136223846793005 + 1442695040888963407;
	return *random >> 33;
}

/* None, or any up to a few times of what it takes to get a line from another CPU. */
static u64 random_pause(u64 *random)
{
	u64 draw = next_random(random);

	return draw & 3 ? (draw >> 2) % MAX_PAUSE : 0;
}

/* An interrupt can hold up the writer anywhere; this does so at each barrier. */
static u64 hold_up;

static void wmb_and_hold_up(void)
{
	barrier();
	pause_for(hold_up);
	barrier();
}

#undef smp_wmb
#define smp_wmb()	wmb_and_hold_up()
#include "xen_runstate_core.c"
#undef smp_wmb
#define smp_wmb()	barrier()

#define AREA_PAGE	4096
#define LINE		64
#define MAX_READERS	4
#define BATCH		16

/* How long the writer stays at a place, and how often all of them may be tried. */
#define PLACE_NS	6000000
#define MAX_ROUNDS	20

/* Readings of each kind that have to meet an update. */
#define ENOUGH		1000

/* What is read: a piece, each byte in turn, or all at once. */
enum step {
	LOW, HIGH, UP, DOWN, ALL,
};

/* Areas whose entry time lies in two lines, in one, or in either. */
enum where {
	ANYWHERE, ACROSS, WITHIN,
};

struct kind {
	const char *name;
	/* How each look gets the entry time. */
	enum step looks[2][3];
	int steps;
	enum where where;
	/*
	 * After one update at the most, no torn area is accepted.  Or some must be,
	 * which shows that the race is close enough.
	 */
	enum { NOTHING, PROMISED, TORN } promise;
};

static const struct kind kinds[] = {
	{ "one_load_within_a_line", { { ALL }, { ALL } }, 1, WITHIN, PROMISED },
	{ "one_load_across_lines", { { ALL }, { ALL } }, 1, ACROSS, NOTHING },
	{ "low_high", { { LOW, HIGH }, { LOW, HIGH } }, 2, ANYWHERE, PROMISED },
	{ "high_low", { { HIGH, LOW }, { HIGH, LOW } }, 2, ANYWHERE, PROMISED },
	{ "high_low_high", { { HIGH, LOW, HIGH }, { HIGH, LOW, HIGH } }, 3, ANYWHERE, PROMISED },
	{ "low_high_then_high_low", { { LOW, HIGH }, { HIGH, LOW } }, 2, ANYWHERE, PROMISED },
	{ "high_low_then_low_high", { { HIGH, LOW }, { LOW, HIGH } }, 2, ANYWHERE, TORN },
	{ "bytes_up", { { UP }, { UP } }, 1, ANYWHERE, PROMISED },
	{ "bytes_down", { { DOWN }, { DOWN } }, 1, ANYWHERE, PROMISED },
	{ "bytes_up_then_down", { { UP }, { DOWN } }, 1, ANYWHERE, PROMISED },
	{ "bytes_down_then_up", { { DOWN }, { UP } }, 1, ANYWHERE, NOTHING },
};

static const char flag_never_seen[] = "without_flag_it_is_never_seen";
static const char torn_without_flag[] = "without_flag_torn_areas_are_accepted";

#define NR_KINDS	((int)ARRAY_SIZE(kinds))

struct counts {
	u64 readings, met, accepted, flags;
	/* Torn areas accepted after one update at the most, and after more. */
	u64 torn, torn_later;
};

struct reader {
	pthread_t thread;
	int cpu;
	u64 random;
	struct counts counts[NR_KINDS];
	struct counts no_flag;
};

/* Where the area is now, as the guest and as KVM see it. */
static struct {
	u8 *area, *entry;
	size_t split;
	bool long_mode, update_flag, crosses;
	struct xen_runstate_area mapped;
} place;

static u8 *guest, *host[2];

static struct {
	u64 begun __attribute__((aligned(LINE)));
	u64 ended;
	bool stop __attribute__((aligned(LINE)));
	bool done;
} shared;

static pthread_barrier_t barrier_of_place;
static struct reader readers[MAX_READERS];
static int nr_readers;
static u64 updates;

static u64 total_of(u64 entry_time, int state)
{
	return entry_time * (0x9e3779b97f4a7c15 + 2 * state);
}

static u32 state_of(u64 entry_time)
{
	return total_of(entry_time, 7) >> 62;
}

/* A piece that a line ends behind, or begins with, is read by one load within the line. */
static u64 read_low(void)
{
	if (!place.crosses)
		return READ_ONCE(*(u32 *)place.entry);

	return READ_ONCE(*(u64 *)(place.entry + place.split - sizeof(u64))) >>
	       (8 * (sizeof(u64) - place.split));
}

static u64 read_high(void)
{
	if (!place.crosses)
		return (u64)READ_ONCE(*(u32 *)(place.entry + place.split)) << 32;

	return READ_ONCE(*(u64 *)(place.entry + place.split)) << (8 * place.split);
}

static u64 read_byte(int nr)
{
	return (u64)READ_ONCE(place.entry[nr]) << (8 * nr);
}

/* One read of the entry time; false if its two high pieces differ. */
static bool look(const struct kind *kind, int nr, u64 *random, u64 *value)
{
	u64 high = 0, low = 0, again, loops = random_pause(random);
	bool have_high = false;

	*value = 0;

	for (int step = 0; step < kind->steps; step++) {
		switch (kind->looks[nr][step]) {
		case ALL:
			*value = READ_ONCE(*(u64 *)place.entry);
			return true;
		case UP:
			for (int i = 0; i < sizeof(u64); i++) {
				*value |= read_byte(i);
				pause_for(loops / sizeof(u64));
			}
			return true;
		case DOWN:
			for (int i = sizeof(u64) - 1; i >= 0; i--) {
				*value |= read_byte(i);
				pause_for(loops / sizeof(u64));
			}
			return true;
		case LOW:
			low = read_low();
			break;
		case HIGH:
			again = read_high();
			if (have_high && again != high)
				return false;
			high = again;
			have_high = true;
			break;
		}
		if (step + 1 < kind->steps)
			pause_for(loops);
	}

	*value = high | low;
	return true;
}

static void read_area(struct reader *reader, const struct kind *kind, struct counts *counts)
{
	const u64 *field = (u64 *)place.entry;
	u64 first, second, ended, begun, time[4];
	bool torn;
	u32 state;

	ended = READ_ONCE(shared.ended);
	smp_rmb();
	if (!look(kind, 0, &reader->random, &first))
		return;
	pause_for(random_pause(&reader->random));
	smp_rmb();
	state = READ_ONCE(*(u32 *)place.area);
	for (int i = 0; i < ARRAY_SIZE(time); i++)
		time[i] = READ_ONCE(field[1 + i]);
	smp_rmb();
	pause_for(random_pause(&reader->random));
	if (!look(kind, 1, &reader->random, &second))
		return;
	smp_rmb();
	begun = READ_ONCE(shared.begun);

	counts->readings++;
	counts->met += begun != ended;
	counts->flags += !!((first | second) & XEN_RUNSTATE_UPDATE);
	if (first != second || first & XEN_RUNSTATE_UPDATE)
		return;

	/* What was there before the first update does not count. */
	counts->accepted += !!first;
	torn = state != state_of(first);
	for (int i = 0; i < ARRAY_SIZE(time); i++)
		torn = torn || time[i] != total_of(first, i);
	if (torn && begun - ended <= 1)
		counts->torn++;
	else if (torn)
		counts->torn_later++;
}

static void pin_to(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		ksft_exit_fail_perror("sched_setaffinity");
}

static void read_place(struct reader *reader)
{
	do {
		for (int i = 0; i < NR_KINDS; i++) {
			struct counts *counts = place.update_flag ? &reader->counts[i] :
								    &reader->no_flag;

			if (kinds[i].where == (place.crosses ? WITHIN : ACROSS))
				continue;
			for (int j = 0; j < BATCH; j++)
				read_area(reader, &kinds[i], counts);
		}
	} while (!READ_ONCE(shared.stop));
}

static void *read_places(void *arg)
{
	struct reader *reader = arg;

	pin_to(reader->cpu);
	for (;;) {
		pthread_barrier_wait(&barrier_of_place);
		if (shared.done)
			return NULL;
		read_place(reader);
		pthread_barrier_wait(&barrier_of_place);
	}
}

static u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* The lowest byte always changes, and a higher one now and then. */
static u64 next_entry_time(u64 entry_time, u64 *random)
{
	u64 draw = next_random(random);
	u64 delta = 1 + draw % 255;

	if (!(draw & 0x30000))
		delta += 1ULL << (8 * (1 + (draw >> 20) % 5));

	return entry_time + delta;
}

static void write_place(void)
{
	static u64 random = 1, entry_time = 1;
	struct xen_runstate rs = { .state = 0 };
	u64 end = now_ns() + PLACE_NS;

	do {
		for (int i = 0; i < BATCH; i++) {
			entry_time = next_entry_time(entry_time, &random);
			rs.entry_time = entry_time;
			rs.state = state_of(entry_time);
			for (int j = 0; j < ARRAY_SIZE(rs.time); j++)
				rs.time[j] = total_of(entry_time, j);

			hold_up = random_pause(&random);

			WRITE_ONCE(shared.begun, ++updates);
			smp_wmb();
			xen_runstate_store(&place.mapped, &rs, place.long_mode, place.update_flag);
			smp_wmb();
			WRITE_ONCE(shared.ended, updates);
			pause_for(8 * random_pause(&random));
		}
	} while (now_ns() < end);
}

static void race_at(size_t start, bool long_mode, bool update_flag)
{
	size_t ofs = xen_runstate_entry_ofs(long_mode);
	size_t size = xen_runstate_area_size(long_mode);
	size_t to_line = LINE - (start + ofs) % LINE;

	place.area = guest + start;
	place.entry = place.area + ofs;
	place.crosses = to_line < sizeof(u64);
	place.split = place.crosses ? to_line : sizeof(u32);
	place.long_mode = long_mode;
	place.update_flag = update_flag;
	place.mapped.page[0] = host[0] + start;
	place.mapped.page[1] = host[1];
	place.mapped.len = AREA_PAGE - start < size ? AREA_PAGE - start : size;

	/* Without what was written in another layout or place. */
	memset(place.area, 0, size);
	shared.stop = false;
	pthread_barrier_wait(&barrier_of_place);
	write_place();
	WRITE_ONCE(shared.stop, true);
	pthread_barrier_wait(&barrier_of_place);
}

/* At each offset in a line, and with each number of bytes on the first of two pages. */
static void race_everywhere(bool update_flag)
{
	for (int long_mode = 0; long_mode < 2; long_mode++) {
		for (size_t i = 0; i < LINE; i++)
			race_at(AREA_PAGE / 2 + i, long_mode, update_flag);
		for (size_t i = 1; i < xen_runstate_area_size(long_mode); i++)
			race_at(AREA_PAGE - i, long_mode, update_flag);
	}
}

static void add_counts(struct counts *sum, const struct counts *counts)
{
	sum->readings += counts->readings;
	sum->met += counts->met;
	sum->accepted += counts->accepted;
	sum->flags += counts->flags;
	sum->torn += counts->torn;
	sum->torn_later += counts->torn_later;
}

static struct counts sum_of(int kind)
{
	struct counts sum = { .readings = 0 };

	for (int i = 0; i < nr_readers; i++)
		add_counts(&sum, &readers[i].counts[kind]);

	return sum;
}

static bool enough(void)
{
	for (int i = 0; i < NR_KINDS; i++) {
		struct counts sum = sum_of(i);

		if (sum.met < ENOUGH || !sum.accepted || (kinds[i].promise == TORN && !sum.torn))
			return false;
	}

	return true;
}

/* The guest has its pages side by side, KVM has each of them mapped elsewhere. */
static void map_pages(void)
{
	int fd = memfd_create("area", 0);

	if (fd < 0 || ftruncate(fd, 2 * AREA_PAGE))
		ksft_exit_fail_perror("memfd_create");
	guest = mmap(NULL, 2 * AREA_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	for (int i = 0; i < 2; i++) {
		host[i] = mmap(NULL, AREA_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			       i * AREA_PAGE);
		if (host[i] == MAP_FAILED || guest == MAP_FAILED)
			ksft_exit_fail_perror("mmap");
	}
}

/* The writer gets the first CPU, and each reader another one. */
static void start_readers(void)
{
	int writer_cpu = -1;
	cpu_set_t cpus;

	if (sched_getaffinity(0, sizeof(cpus), &cpus))
		ksft_exit_fail_perror("sched_getaffinity");

	for (int cpu = 0; cpu < CPU_SETSIZE && nr_readers < MAX_READERS; cpu++) {
		if (!CPU_ISSET(cpu, &cpus))
			continue;
		if (writer_cpu < 0) {
			writer_cpu = cpu;
			continue;
		}
		readers[nr_readers].cpu = cpu;
		readers[nr_readers].random = cpu;
		nr_readers++;
	}
	if (!nr_readers)
		return;

	pthread_barrier_init(&barrier_of_place, NULL, 1 + nr_readers);
	for (int i = 0; i < nr_readers; i++) {
		errno = pthread_create(&readers[i].thread, NULL, read_places, &readers[i]);
		if (errno)
			ksft_exit_fail_perror("pthread_create");
	}
	pin_to(writer_cpu);
}

static void stop_readers(void)
{
	shared.done = true;
	pthread_barrier_wait(&barrier_of_place);
	for (int i = 0; i < nr_readers; i++)
		pthread_join(readers[i].thread, NULL);
}

static void skip(const char *name)
{
	ksft_test_result_code(KSFT_SKIP, name, "one CPU, nothing races");
}

static void report(const char *name, const struct counts *sum, bool passed)
{
	ksft_print_msg("%s: %lu readings, %lu met an update, %lu saw the flag, %lu accepted, torn %lu after one update, %lu after more\n",
		       name, sum->readings, sum->met, sum->flags, sum->accepted, sum->torn,
		       sum->torn_later);
	ksft_test_result(passed, "%s\n", name);
}

int main(void)
{
	struct counts sum = { .readings = 0 };

	ksft_print_header();
	ksft_set_plan(NR_KINDS + 2);

	map_pages();
	start_readers();
	if (!nr_readers) {
		for (int i = 0; i < NR_KINDS; i++)
			skip(kinds[i].name);
		skip(flag_never_seen);
		skip(torn_without_flag);
		ksft_finished();
	}

	for (int i = 0; i < MAX_ROUNDS && !enough(); i++)
		race_everywhere(true);
	race_everywhere(false);
	stop_readers();

	ksft_print_msg("%lu updates, %d readers\n", updates, nr_readers);
	for (int i = 0; i < NR_KINDS; i++) {
		sum = sum_of(i);
		report(kinds[i].name, &sum, updates && sum.met >= ENOUGH && sum.accepted &&
					    (kinds[i].promise == NOTHING ||
					     !sum.torn == (kinds[i].promise == PROMISED)));
	}

	memset(&sum, 0, sizeof(sum));
	for (int i = 0; i < nr_readers; i++)
		add_counts(&sum, &readers[i].no_flag);
	report(flag_never_seen, &sum, sum.met >= ENOUGH && !sum.flags);
	/* This shows that a torn area is noticed. */
	report(torn_without_flag, &sum, sum.torn);

	ksft_finished();
}
