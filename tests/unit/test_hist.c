/*
 * test_hist.c - analyzer/hist.h and analyzer/rate.h: buckets, errors, merging.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hist.h"
#include "numbers.h"
#include "rate.h"

static uint64_t state = 42;

/* A number of at most `bits` bits (xorshift64). */
static uint64_t of_bits(unsigned bits)
{
	uint64_t v = xorshift(&state);

	return bits >= 64 ? v : v & ((UINT64_C(1) << bits) - 1);
}

static void buckets_are_in_order(void **unused)
{
	(void)unused;
	for (unsigned b = 0; b + 1 < DN_HIST_BUCKETS; b++) {
		uint64_t low = dn_hist_low(b), next = dn_hist_low(b + 1);

		assert_true(low < next);
		assert_int_equal(dn_hist_bucket(low), b);
		assert_int_equal(dn_hist_bucket(next - 1), b);
		assert_in_range(dn_hist_value(b), low, next - 1);
	}
	assert_int_equal(dn_hist_bucket(UINT64_MAX), DN_HIST_BUCKETS - 1);
}

static void a_bucket_is_narrow(void **unused)
{
	(void)unused;
	for (int i = 0; i < 100000; i++) {
		uint64_t v = of_bits(1 + (unsigned)i % 62), at = dn_hist_value(dn_hist_bucket(v));
		uint64_t off = at > v ? at - v : v - at;

		assert_true(off * 32 <= v);
	}
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void quantiles_follow_a_sorted_list(void **unused)
{
	static const unsigned num[] = { 1, 50, 90, 99, 100 };
	uint64_t v[5000];
	struct dn_hist h = { 0 };

	(void)unused;
	for (size_t i = 0; i < 5000; i++) {
		v[i] = of_bits(1 + (unsigned)of_bits(5));
		assert_true(dn_hist_add(&h, v[i]) >= 0);
	}
	qsort(v, 5000, sizeof(*v), compare);
	for (size_t i = 0; i < sizeof(num) / sizeof(*num); i++) {
		uint64_t want = v[(5000 * num[i] + 99) / 100 - 1];

		assert_int_equal(dn_hist_quantile(&h, num[i], 100),
				 dn_hist_value(dn_hist_bucket(want)));
	}
	assert_int_equal(dn_hist_total(&h), 5000);
	dn_hist_free(&h);
	assert_int_equal(dn_hist_quantile(&h, 1, 2), 0);
}

static int same_bucket(void *ctx, unsigned bucket, uint64_t n)
{
	uint64_t *want = ctx;

	assert_int_equal(want[bucket], n);
	want[bucket] = 0;
	return 0;
}

static void merging_adds(void **unused)
{
	uint64_t want[DN_HIST_BUCKETS] = { 0 };
	struct dn_hist a = { 0 }, b = { 0 };
	int fresh = 0;

	(void)unused;
	for (int i = 0; i < 20000; i++) {
		uint64_t v = of_bits(40);

		want[dn_hist_bucket(v)]++;
		assert_true(dn_hist_add(i % 3 ? &a : &b, v) >= 0);
	}
	for (unsigned i = 0; i < DN_HIST_BUCKETS; i++)
		fresh += want[i] != 0;
	fresh -= (int)a.used;
	assert_int_equal(dn_hist_merge(&a, &b), fresh);
	dn_hist_each(&a, same_bucket, want);
	for (unsigned i = 0; i < DN_HIST_BUCKETS; i++)
		assert_int_equal(want[i], 0);
	dn_hist_free(&a);
	dn_hist_free(&b);
}

static void a_count_stops_at_its_limit(void **unused)
{
	struct dn_hist h = { 0 };

	(void)unused;
	assert_int_equal(dn_hist_put(&h, 7, UINT64_MAX), 1);
	assert_int_equal(dn_hist_add(&h, 7), 0);
	assert_int_equal(dn_hist_put(&h, 7, 5), 0);
	assert_int_equal(dn_hist_total(&h), DN_HIST_COUNT_MAX);
	assert_int_equal(h.used, 1);
	dn_hist_free(&h);
}

/* The rate table that t, category i % 10 gives, n of them. */
static void fill(struct dn_rate *r, const uint64_t *t, size_t n, size_t step, size_t from)
{
	for (size_t i = from; i < n; i += step)
		dn_rate_add(r, t[i], (unsigned)(i % DN_CATEGORY_MAX), i % 7 == 0, i);
}

static void rates_do_not_depend_on_the_split(void **unused)
{
	static const unsigned bits[] = { 20, 31, 33, 45, 63 };
	static uint64_t t[4000];

	(void)unused;
	for (size_t k = 0; k < sizeof(bits) / sizeof(*bits); k++) {
		struct dn_rate whole, a, b;

		for (size_t i = 0; i < 4000; i++)
			t[i] = of_bits(bits[k]);
		assert_int_equal(dn_rate_init(&whole) | dn_rate_init(&a) | dn_rate_init(&b), 0);
		fill(&whole, t, 4000, 1, 0);
		fill(&a, t, 100, 1, 0);		/* the narrow one first */
		fill(&b, t, 4000, 1, 100);
		dn_rate_merge(&a, &b);
		assert_int_equal(whole.width, a.width);
		assert_int_equal(whole.used, a.used);
		assert_memory_equal(whole.cell, a.cell, DN_RATE_BUCKETS * sizeof(*a.cell));
		dn_rate_free(&whole);
		dn_rate_free(&a);
		dn_rate_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_are_in_order),
		cmocka_unit_test(a_bucket_is_narrow),
		cmocka_unit_test(quantiles_follow_a_sorted_list),
		cmocka_unit_test(merging_adds),
		cmocka_unit_test(a_count_stops_at_its_limit),
		cmocka_unit_test(rates_do_not_depend_on_the_split),
	};

	return cmocka_run_group_tests_name("hist", tests, NULL, NULL);
}
