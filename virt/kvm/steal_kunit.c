// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the steal clock.
 */
#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/slab.h>

#include <kvm/steal.h>

#define NR_THREADS	3
#define NO_LIMIT	U64_MAX

struct steal_test {
	struct kvm_steal_clock clock;
	struct pid *thread[NR_THREADS];
};

/* Pids that no task has; the test's own reference keeps them. */
static int steal_test_init(struct kunit *test)
{
	struct steal_test *st = kunit_kzalloc(test, sizeof(*st), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, st);

	for (i = 0; i < NR_THREADS; i++) {
		st->thread[i] = kunit_kzalloc(test, struct_size(st->thread[i], numbers, 1),
					      GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, st->thread[i]);
		refcount_set(&st->thread[i]->count, 1);
	}

	test->priv = st;
	return 0;
}

static void owner_starts_from_its_own_run_delay(struct kunit *test)
{
	struct steal_test *st = test->priv;

	kvm_steal_clock_own(&st->clock, st->thread[0], 1000);
	KUNIT_EXPECT_EQ(test, kvm_steal_clock_take(&st->clock, st->thread[0], 1000, NO_LIMIT), 0);
	KUNIT_EXPECT_EQ(test, kvm_steal_clock_take(&st->clock, st->thread[0], 1007, NO_LIMIT), 7);
	KUNIT_EXPECT_EQ(test, kvm_steal_clock_take(&st->clock, st->thread[0], 1007, NO_LIMIT), 0);
}

static void entering_again_keeps_the_baseline(struct kunit *test)
{
	struct steal_test *st = test->priv;

	kvm_steal_clock_own(&st->clock, st->thread[0], 1000);
	kvm_steal_clock_own(&st->clock, st->thread[0], 1500);
	KUNIT_EXPECT_EQ(test, kvm_steal_clock_take(&st->clock, st->thread[0], 1500, NO_LIMIT),
			500);
}

static void new_owner_brings_no_past(struct kunit *test)
{
	struct steal_test *st = test->priv;

	kvm_steal_clock_own(&st->clock, st->thread[0], 1000);
	kvm_steal_clock_own(&st->clock, st->thread[1], 5);
	KUNIT_EXPECT_EQ(test, kvm_steal_clock_take(&st->clock, st->thread[1], 5, NO_LIMIT), 0);

	kvm_steal_clock_own(&st->clock, st->thread[0], 9000);
	KUNIT_EXPECT_EQ(test, kvm_steal_clock_take(&st->clock, st->thread[0], 9001, NO_LIMIT), 1);
}

static void other_threads_see_and_move_nothing(struct kunit *test)
{
	struct steal_test *st = test->priv;

	KUNIT_EXPECT_EQ(test, kvm_steal_clock_take(&st->clock, st->thread[0], 70, NO_LIMIT), 0);

	kvm_steal_clock_own(&st->clock, st->thread[0], 1000);
	KUNIT_EXPECT_EQ(test, kvm_steal_clock_take(&st->clock, st->thread[1], 5, NO_LIMIT), 0);
	KUNIT_EXPECT_EQ(test, kvm_steal_clock_take(&st->clock, st->thread[1], 5000, NO_LIMIT), 0);
	KUNIT_EXPECT_EQ(test, kvm_steal_clock_take(&st->clock, st->thread[0], 1010, NO_LIMIT), 10);
}

static void going_back_is_no_steal(struct kunit *test)
{
	struct steal_test *st = test->priv;

	kvm_steal_clock_own(&st->clock, st->thread[0], 1000);
	KUNIT_EXPECT_EQ(test, kvm_steal_clock_take(&st->clock, st->thread[0], 400, NO_LIMIT), 0);
	KUNIT_EXPECT_EQ(test, kvm_steal_clock_take(&st->clock, st->thread[0], 402, NO_LIMIT), 2);
}

static void excess_is_dropped(struct kunit *test)
{
	struct steal_test *st = test->priv;

	kvm_steal_clock_own(&st->clock, st->thread[0], 0);
	KUNIT_EXPECT_EQ(test, kvm_steal_clock_take(&st->clock, st->thread[0], 900, 100), 100);
	KUNIT_EXPECT_EQ(test, kvm_steal_clock_take(&st->clock, st->thread[0], 901, 100), 1);
	KUNIT_EXPECT_EQ(test, kvm_steal_clock_take(&st->clock, st->thread[0], 950, 0), 0);
	KUNIT_EXPECT_EQ(test, kvm_steal_clock_take(&st->clock, st->thread[0], 950, 100), 0);
}

static void idle_is_an_owner_without_news(struct kunit *test)
{
	struct steal_test *st = test->priv;

	kvm_steal_clock_own(&st->clock, st->thread[0], 30);
	KUNIT_EXPECT_TRUE(test, kvm_steal_clock_idle(&st->clock, 30));
	KUNIT_EXPECT_FALSE(test, kvm_steal_clock_idle(&st->clock, 31));

	kvm_steal_clock_take(&st->clock, st->thread[0], 31, 0);
	KUNIT_EXPECT_TRUE(test, kvm_steal_clock_idle(&st->clock, 31));
}

static void references_are_balanced(struct kunit *test)
{
	struct steal_test *st = test->priv;
	int i;

	kvm_steal_clock_destroy(&st->clock);

	for (i = 0; i < 10; i++)
		kvm_steal_clock_own(&st->clock, st->thread[i % NR_THREADS], i);

	KUNIT_EXPECT_EQ(test, refcount_read(&st->thread[0]->count), 2);
	kvm_steal_clock_destroy(&st->clock);
	KUNIT_EXPECT_NULL(test, st->clock.owner);

	for (i = 0; i < NR_THREADS; i++)
		KUNIT_EXPECT_EQ(test, refcount_read(&st->thread[i]->count), 1);
}

/*
 * Threads wait at random and take turns.  What the clock gives never exceeds
 * what the owner of the moment has waited while it was the owner.
 */
static void random_histories(struct kunit *test)
{
	struct steal_test *st = test->priv;
	u64 run_delay[NR_THREADS] = { 11, 7777, U64_MAX / 2 };
	u64 waited = 0, taken = 0, dropped = 0, growth, limit, got;
	struct rnd_state rnd;
	int i, t, owner = -1;

	prandom_seed_state(&rnd, 20210301);

	for (i = 0; i < 20000; i++) {
		t = prandom_u32_state(&rnd) % NR_THREADS;

		switch (prandom_u32_state(&rnd) % 4) {
		case 0:
			growth = prandom_u32_state(&rnd) % 100;
			run_delay[t] += growth;
			if (t == owner)
				waited += growth;
			break;
		case 1:
			if (t != owner)
				waited = 0;
			kvm_steal_clock_own(&st->clock, st->thread[t], run_delay[t]);
			owner = t;
			break;
		default:
			limit = prandom_u32_state(&rnd) % 200;
			got = kvm_steal_clock_take(&st->clock, st->thread[t], run_delay[t], limit);
			if (t != owner) {
				KUNIT_ASSERT_EQ(test, got, 0);
				break;
			}
			KUNIT_ASSERT_EQ(test, got, min(waited, limit));
			taken += got;
			dropped += waited - got;
			waited = 0;
		}
	}

	KUNIT_EXPECT_GT(test, taken, 0);
	KUNIT_EXPECT_GT(test, dropped, 0);
	kvm_steal_clock_destroy(&st->clock);
}

static struct kunit_case steal_cases[] = {
	KUNIT_CASE(owner_starts_from_its_own_run_delay),
	KUNIT_CASE(entering_again_keeps_the_baseline),
	KUNIT_CASE(new_owner_brings_no_past),
	KUNIT_CASE(other_threads_see_and_move_nothing),
	KUNIT_CASE(going_back_is_no_steal),
	KUNIT_CASE(excess_is_dropped),
	KUNIT_CASE(idle_is_an_owner_without_news),
	KUNIT_CASE(references_are_balanced),
	KUNIT_CASE(random_histories),
	{}
};

static struct kunit_suite steal_suite = {
	.name = "kvm_steal_clock",
	.init = steal_test_init,
	.test_cases = steal_cases,
};

kunit_test_suite(steal_suite);
