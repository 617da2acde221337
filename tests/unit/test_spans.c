/*
 * Overlapping ranges against the definition: of all ranges over an address, the one
 * with the highest rank.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "spans.h"

#define SPACE 200

static uint32_t by_definition(const struct dn_span *s, size_t n, uint64_t at)
{
	uint32_t best = DN_SPAN_NONE;

	for (size_t i = 0; i < n; i++)
		if (s[i].start <= at && at < s[i].end && (best == DN_SPAN_NONE || s[i].rank > best))
			best = s[i].rank;
	return best;
}

static void check(struct dn_span *span, size_t n)
{
	struct dn_piece *piece;
	size_t pieces;

	assert_int_equal(dn_spans_flatten(span, n, &piece, &pieces), 0);
	assert_true(pieces <= 2 * n + 1);
	for (uint64_t at = 0; at < SPACE + 20; at++)
		assert_int_equal(dn_pieces_find(piece, pieces, at), by_definition(span, n, at));
	for (size_t i = 1; i < pieces; i++) {
		assert_true(piece[i - 1].start < piece[i].start);
		assert_true(piece[i - 1].rank != piece[i].rank);
	}
	free(piece);
}

static void random_ranges(void **state)
{
	struct dn_span span[64];

	(void)state;
	srandom(1);
	for (int round = 0; round < 3000; round++) {
		size_t n = (size_t)random() % 64;
		long longest = 1 + random() % 100;

		for (size_t i = 0; i < n; i++) {
			span[i].start = (uint64_t)(random() % SPACE);
			span[i].end = span[i].start + (uint64_t)(random() % longest);
			span[i].rank = (uint32_t)i;
		}
		for (size_t i = n; i > 1; i--) {	/* ranks in any order */
			size_t k = (size_t)random() % i;
			uint32_t rank = span[k].rank;

			span[k].rank = span[i - 1].rank;
			span[i - 1].rank = rank;
		}
		check(span, n);
	}
}

static void ends(void **state)
{
	struct dn_span whole[] = { { 0, UINT64_MAX, 0 }, { UINT64_MAX - 1, UINT64_MAX, 1 }, { 5, 5, 2 }, { 9, 3, 3 } };
	struct dn_piece *piece;
	size_t n;

	(void)state;
	assert_int_equal(dn_spans_flatten(whole, 4, &piece, &n), 0);
	assert_int_equal(dn_pieces_find(piece, n, 0), 0);
	assert_int_equal(dn_pieces_find(piece, n, 7), 0);
	assert_int_equal(dn_pieces_find(piece, n, UINT64_MAX - 1), 1);
	assert_int_equal(dn_pieces_find(piece, n, UINT64_MAX), DN_SPAN_NONE);
	free(piece);
	check(NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_ranges),
		cmocka_unit_test(ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
