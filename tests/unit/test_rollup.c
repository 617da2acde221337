/*
 * test_rollup.c - analyzer/rollup.h and strstat.h, held against a plain list.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mktrace.h"
#include "numbers.h"
#include "rollup.h"
#include "syscalls.h"

#define LIMIT (4u << 20)

static void results(void **unused)
{
	static const struct { unsigned abi; int64_t ret; unsigned flags; int want; } table[] = {
		{ DN_ABI_X86_64, 0, 0, 0 },
		{ DN_ABI_X86_64, 17, 0, 0 },
		{ DN_ABI_X86_64, -1, 0, 1 },
		{ DN_ABI_X86_64, -4095, 0, 4095 },
		{ DN_ABI_X86_64, -4096, 0, 0 },
		{ DN_ABI_X86_64, -511, 0, 511 },
		{ DN_ABI_X86_64, -512, 0, -512 },
		{ DN_ABI_X86_64, -516, 0, -516 },
		{ DN_ABI_X86_64, -517, 0, 517 },
		{ DN_ABI_X86_64, 0xfffffffe, 0, 0 },	/* an address like any other */
		{ DN_ABI_I386, 0xfffffffe, 0, 2 },
		{ DN_ABI_I386, -2, 0, 2 },
		{ DN_ABI_ARM, 0xfffffe00, 0, -512 },
		{ DN_ABI_I386, 0xf7fb0000, 0, 0 },
		{ DN_ABI_X32, -2, 0, 2 },
		{ DN_ABI_X86_64, -2, DN_CALL_NO_ENTER, 2 },
		{ DN_ABI_X86_64, -2, DN_CALL_UNFINISHED, DN_RESULT_UNFINISHED },
		{ DN_ABI_X86_64, INT64_MIN, 0, 0 },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct dn_syscall s = { .abi = (uint8_t)table[i].abi, .ret = table[i].ret,
					.flags = table[i].flags };

		assert_int_equal(dn_call_result(&s), table[i].want);
	}
}

/* A call of a few shapes, sometimes with strings. */
static void random_call(struct dn_syscall *s, char *path)
{
	static const unsigned nrs[] = { 0, 1, 2, 59, 202, 257, 999999 };
	static const int64_t rets[] = { 0, 5, -2, -11, -512, 1 << 20 };

	memset(s, 0, sizeof(*s));
	s->abi = number(10) ? DN_ABI_X86_64 : DN_ABI_I386;
	s->thread = 1 + (uint32_t)number(20);
	s->nr = nrs[number(sizeof(nrs) / sizeof(*nrs))];
	s->ret = rets[number(sizeof(rets) / sizeof(*rets))];
	s->start = MK_ORIGIN + number(UINT64_C(1) << (10 + number(25)));
	s->dur = number(UINT64_C(1) << (1 + number(30)));
	if (!number(50))
		s->flags = DN_CALL_UNFINISHED;
	else if (!number(50))
		s->flags = DN_CALL_NO_ENTER;
	if (!number(3)) {
		int len = sprintf(path, "/path/%u", (unsigned)number(50));

		s->nstr = 1;
		s->str[0] = (struct dn_call_str){ .kind = number(4) ? DN_STR_PATH : DN_STR_SOCKADDR,
						  .len = (uint32_t)len, .p = path };
	}
}

/* --- the plain list ------------------------------------------------------ */

struct plain {
	uint32_t thread, nr;
	int result;
	unsigned abi;
	uint64_t count, timed, total, min, max, hist[DN_HIST_BUCKETS];
};

struct list {
	struct plain *row;
	size_t n;
};

static struct plain *list_find(struct list *l, uint32_t thread, unsigned abi, uint32_t nr, int result)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->row[i].thread == thread && l->row[i].abi == abi && l->row[i].nr == nr &&
		    l->row[i].result == result)
			return &l->row[i];
	return NULL;
}

static void list_add(struct list *l, const struct dn_syscall *s)
{
	int result = dn_call_result(s);
	struct plain *p = list_find(l, s->thread, s->abi, s->nr, result);

	if (!p) {
		l->row = realloc(l->row, (l->n + 1) * sizeof(*l->row));
		assert_non_null(l->row);
		p = &l->row[l->n++];
		memset(p, 0, sizeof(*p));
		p->thread = s->thread;
		p->abi = s->abi;
		p->nr = s->nr;
		p->result = result;
		p->min = UINT64_MAX;
	}
	p->count++;
	if (s->flags & (DN_CALL_UNFINISHED | DN_CALL_NO_ENTER))
		return;
	p->timed++;
	p->total += s->dur;
	p->min = s->dur < p->min ? s->dur : p->min;
	p->max = s->dur > p->max ? s->dur : p->max;
	p->hist[dn_hist_bucket(s->dur)]++;
}

static int hold_bucket(void *ctx, unsigned bucket, uint64_t n)
{
	assert_int_equal(((struct plain *)ctx)->hist[bucket], n);
	return 0;
}

static void hold_against(struct list *l, const struct dn_rollup *r)
{
	assert_int_equal(l->n, r->stats.n);
	for (uint32_t i = 0; i < r->stats.n; i++) {
		const struct dn_stat *s = &r->stats.stat[i];
		struct plain *p = list_find(l, s->thread, s->abi, s->nr, s->result);

		assert_non_null(p);
		assert_int_equal(s->count, p->count);
		assert_int_equal(s->timed, p->timed);
		assert_int_equal(s->total, p->total);
		assert_int_equal(s->min, p->min);
		assert_int_equal(s->max, p->max);
		assert_int_equal(s->category, dn_syscall_category(p->abi, p->nr));
		dn_hist_each(&s->hist, hold_bucket, p);
		assert_int_equal(dn_hist_total(&s->hist), p->timed);
	}
}

static void the_same_as_a_plain_list(void **unused)
{
	struct dn_rollup *whole = dn_rollup_new(MK_ORIGIN, LIMIT), *part[3];
	struct list l = { 0 };
	struct dn_syscall s;
	uint64_t last = 0;
	char path[64];

	(void)unused;
	for (int i = 0; i < 3; i++)
		part[i] = dn_rollup_new(MK_ORIGIN, LIMIT);
	for (int i = 0; i < 30000; i++) {
		random_call(&s, path);
		dn_rollup_new_block(whole);	/* path is written over each time */
		dn_rollup_new_block(part[i % 3]);
		assert_int_equal(dn_rollup_call(whole, &s), 0);
		assert_int_equal(dn_rollup_call(part[i % 3], &s), 0);
		list_add(&l, &s);
		if (s.flags & (DN_CALL_UNFINISHED | DN_CALL_NO_ENTER))
			s.dur = 0;
		last = s.start + s.dur > last ? s.start + s.dur : last;
	}
	hold_against(&l, whole);
	for (int i = 1; i < 3; i++) {
		assert_int_equal(dn_rollup_merge(part[0], part[i]), 0);
		dn_rollup_free(part[i]);
	}
	hold_against(&l, part[0]);
	assert_int_equal(part[0]->buckets, whole->buckets);
	assert_int_equal(part[0]->calls, 30000);
	assert_int_equal(part[0]->last, last);
	assert_int_equal(whole->last, last);
	assert_int_equal(part[0]->rate.width, whole->rate.width);
	assert_memory_equal(part[0]->rate.cell, whole->rate.cell,
			    DN_RATE_BUCKETS * sizeof(*whole->rate.cell));
	assert_int_equal(part[0]->paths.nrows, whole->paths.nrows);
	assert_int_equal(part[0]->addrs.nrows, whole->addrs.nrows);
	dn_rollup_free(part[0]);
	dn_rollup_free(whole);
	free(l.row);
}

static void call_at(struct dn_syscall *s, uint32_t thread, uint64_t dur)
{
	memset(s, 0, sizeof(*s));
	s->abi = DN_ABI_X86_64;
	s->thread = thread;
	s->start = MK_ORIGIN;
	s->dur = dur;
}

static uint64_t folded_total(const struct dn_rollup *r)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < r->folds.n; i++) {
		assert_int_equal(r->folds.stat[i].thread, 0);
		n += dn_hist_total(&r->folds.stat[i].hist);
	}
	for (uint32_t i = 0; i < r->stats.n; i++)
		assert_int_equal(r->stats.stat[i].hist.used, 0);
	return n;
}

/* Beyond a number of keys in the whole trace, and however it was split. */
static void too_many_threads_fold(void **unused)
{
	(void)unused;
	for (uint32_t keys = DN_DETAIL_KEYS; keys <= DN_DETAIL_KEYS + 1; keys++) {
		struct dn_rollup *whole = dn_rollup_new(MK_ORIGIN, LIMIT);
		struct dn_rollup *a = dn_rollup_new(MK_ORIGIN, LIMIT);
		struct dn_rollup *b = dn_rollup_new(MK_ORIGIN, LIMIT);
		struct dn_syscall s;

		for (uint32_t i = 0; i < keys; i++) {
			call_at(&s, i, i % 16);
			assert_int_equal(dn_rollup_call(whole, &s), 0);
			assert_int_equal(dn_rollup_call(i % 2 ? a : b, &s), 0);
		}
		assert_false(a->folded || b->folded);
		assert_int_equal(dn_rollup_merge(a, b), 0);
		assert_int_equal(whole->folded, keys > DN_DETAIL_KEYS);
		assert_int_equal(a->folded, whole->folded);
		if (whole->folded) {
			assert_int_equal(folded_total(a), keys);
			assert_int_equal(folded_total(whole), keys);
			assert_int_equal(whole->folds.n, 1);
			call_at(&s, 5, 3);
			assert_int_equal(dn_rollup_call(whole, &s), 0);
			assert_int_equal(folded_total(whole), keys + 1);
		}
		dn_rollup_free(whole);
		dn_rollup_free(a);
		dn_rollup_free(b);
	}
}

static void too_many_buckets_fold(void **unused)
{
	struct dn_rollup *r = dn_rollup_new(MK_ORIGIN, LIMIT);
	struct dn_syscall s;
	uint64_t n = 0;

	(void)unused;
	for (uint32_t thread = 0; thread < DN_DETAIL_BUCKETS / 512; thread++)
		for (unsigned b = 0; b < 512; b++, n++) {
			call_at(&s, thread, dn_hist_low(b));
			assert_int_equal(dn_rollup_call(r, &s), 0);
		}
	assert_false(r->folded);
	assert_int_equal(r->buckets, DN_DETAIL_BUCKETS);
	call_at(&s, 0, dn_hist_low(600));
	assert_int_equal(dn_rollup_call(r, &s), 0);
	assert_true(r->folded);
	assert_int_equal(folded_total(r), n + 1);
	dn_rollup_free(r);
}

static void full_tables_say_so(void **unused)
{
	struct dn_rollup *r = dn_rollup_new(MK_ORIGIN, LIMIT);
	struct dn_syscall s;
	char path[256];
	uint32_t i;
	int err = 0;

	(void)unused;
	for (i = 0; !err; i++) {
		call_at(&s, i, 1);
		err = dn_rollup_call(r, &s);
	}
	assert_int_equal(err, -ENOSPC);
	assert_int_equal(i - 1, DN_STAT_KEYS);
	assert_int_equal(r->calls, DN_STAT_KEYS);
	assert_true(r->folded);
	dn_rollup_clear_stats(r);
	assert_int_equal(dn_rollup_call(r, &s), 0);
	assert_int_equal(r->stats.n, 1);
	assert_int_equal(folded_total(r), DN_STAT_KEYS + 1);

	for (err = 0, i = 0; !err && i < 1000000; i++) {
		call_at(&s, 1, 1);
		s.nstr = 1;
		s.str[0] = (struct dn_call_str){ .kind = DN_STR_PATH, .p = path, .len = 200 };
		memset(path, 'x', sizeof(path));
		memcpy(path, &i, sizeof(i));
		dn_rollup_new_block(r);
		err = dn_rollup_call(r, &s);
	}
	assert_int_equal(err, -ENOSPC);
	assert_in_range(i, LIMIT / 400, LIMIT / 200);
	assert_int_equal(r->paths.nrows, i - 1);
	dn_strstat_clear(&r->paths);
	assert_int_equal(dn_rollup_call(r, &s), 0);
	assert_int_equal(r->paths.nrows, 1);
	dn_rollup_free(r);
}

static void strings_by_their_bytes(void **unused)
{
	struct dn_strstat_row k = { .nr = 2, .count = 1, .total = 10, .first = 5, .last = 5 };
	struct dn_strstat t = { .limit = LIMIT };
	const char text[] = "ab\0ab\0abc";

	(void)unused;
	assert_int_equal(dn_strstat_add(&t, text, 2, &k), 0);
	k.first = k.last = 3;
	assert_int_equal(dn_strstat_add(&t, text + 3, 2, &k), 0);	/* the same elsewhere */
	k.last = 9;
	assert_int_equal(dn_strstat_add(&t, text, 2, &k), 0);
	assert_int_equal(dn_strstat_add(&t, text + 6, 3, &k), 0);
	assert_int_equal(dn_strstat_add(&t, text, 5, &k), 0);		/* a NUL inside */
	k.result = 2;
	assert_int_equal(dn_strstat_add(&t, text, 2, &k), 0);
	assert_int_equal(t.nstrings, 3);
	assert_int_equal(t.nrows, 4);
	assert_int_equal(t.row[0].count, 3);
	assert_int_equal(t.row[0].total, 30);
	assert_int_equal(t.row[0].first, 3);
	assert_int_equal(t.row[0].last, 9);
	assert_memory_equal(dn_strstat_bytes(&t, t.row[2].string), "ab\0ab", 5);
	dn_strstat_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results),
		cmocka_unit_test(the_same_as_a_plain_list),
		cmocka_unit_test(too_many_threads_fold),
		cmocka_unit_test(too_many_buckets_fold),
		cmocka_unit_test(full_tables_say_so),
		cmocka_unit_test(strings_by_their_bytes),
	};

	return cmocka_run_group_tests_name("rollup", tests, NULL, NULL);
}
