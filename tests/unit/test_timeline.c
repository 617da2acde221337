/*
 * test_timeline.c - the order of records against a sort of all of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "events.h"
#include "mktrace.h"
#include "numbers.h"
#include "reader.h"
#include "source.h"
#include "timeline.h"

#define CALLS 20000u

struct fixture {
	char path[MK_PATH];
	struct dn_source *src;
	struct dn_reader *reader;
	/* what went in: start and ret (its number), sorted by start */
	struct entry { uint64_t start; uint32_t id; } all[CALLS + 10];
	size_t n;
	/* what came out */
	uint32_t got[CALLS + 10];
	size_t ngot;
	size_t stop_after;
};

static int by_start(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

/*
 * Calls by their end, as rings give them: most short, some as long as all of
 * the trace so far; blocks of odd sizes, now and then behind one another.
 */
static void make(struct fixture *f, unsigned long_every)
{
	struct mktrace *m = mk_new();
	uint64_t seed = 88172645463325252u, t = 1000, args[1] = { 0 };

	mk_temp(f->path);
	for (uint32_t i = 0; i < CALLS; i++) {
		uint64_t dur = xorshift(&seed) % 500, start;
		struct dn_syscall s;

		t += xorshift(&seed) % 3 ? 10 : 0;
		if (long_every && xorshift(&seed) % long_every == 0)
			dur = xorshift(&seed) % t;
		start = t > dur ? t - dur : 0;
		/* a ring that is read late */
		if (i / 1000 % 5 == 4)
			start = start > 3000 ? start - 3000 : 0;
		s = mk_sys(1 + i % 7, i, "exit", start, dur, i, 1, args);
		mk_call(m, &s);
		f->all[f->n++] = (struct entry){ MK_ORIGIN + start, i };
		if (xorshift(&seed) % 777 == 0)
			mk_block(m);
	}
	mk_write(m, f->path, true);
	qsort(f->all, f->n, sizeof(f->all[0]), by_start);
	assert_int_equal(dn_source_open(f->path, &f->src), 0);
}

static void open_reader(struct fixture *f)
{
	char err[256];

	assert_int_equal(dn_reader_open(f->src, &f->reader, err, sizeof(err)), 0);
}

static void finish(struct fixture *f)
{
	dn_reader_close(f->reader);
	dn_source_close(f->src);
	unlink(f->path);
	free(f);
}

static bool want(void *ctx, const struct dn_syscall *s)
{
	(void)ctx;
	(void)s;
	return true;
}

static bool want_third(void *ctx, const struct dn_syscall *s)
{
	(void)ctx;
	return s->ret % 3 == 0;
}

static bool want_row(void *ctx, const struct dn_row *r)
{
	(void)ctx;
	(void)r;
	return true;
}

static int call(void *ctx, const struct dn_syscall *s, struct dn_text *line)
{
	(void)ctx;
	dn_text_addf(line, "%" PRId64 " %0200d", s->ret, 7);
	return 0;
}

static int row(void *ctx, const struct dn_row *r, struct dn_text *line)
{
	(void)ctx;
	dn_text_addf(line, "%u", 1000000u + r->event);
	return 0;
}

static int emit(void *ctx, const char *p, size_t len)
{
	struct fixture *f = ctx;

	assert_true(len > 0);
	assert_true(f->ngot < CALLS + 10);
	f->got[f->ngot++] = (uint32_t)strtoul(p, NULL, 10);
	return f->stop_after && f->ngot == f->stop_after ? 42 : 0;
}

static struct dn_timeline line_of(struct fixture *f)
{
	return (struct dn_timeline){
		.reader = f->reader, .events = UINT64_C(1) << DN_EV_syscall, .to = UINT64_MAX,
		.tail = -1, .want_call = want, .want_row = want_row, .call = call, .row = row,
		.emit = emit, .ctx = f,
	};
}

/* Starts must rise; of equal starts any order of blocks will do here. */
static void check(struct fixture *f, size_t from, size_t n, unsigned every)
{
	static uint64_t start_of[CALLS];
	static uint8_t seen[CALLS];
	size_t k = 0;

	memset(seen, 0, sizeof(seen));
	for (size_t i = 0; i < f->n; i++)
		start_of[f->all[i].id] = f->all[i].start;
	for (size_t i = from; i < from + n; i++) {
		if (f->all[i].id % every)
			continue;
		assert_true(k < f->ngot);
		assert_int_equal(start_of[f->got[k]], f->all[i].start);
		assert_int_equal(seen[f->got[k]], 0);
		seen[f->got[k++]] = 1;
	}
	assert_int_equal(k, f->ngot);
}

static void all_of(unsigned long_every, size_t memory)
{
	struct fixture *f = calloc(1, sizeof(*f));
	uint64_t damaged = 1;
	struct dn_timeline t;

	assert_non_null(f);
	make(f, long_every);
	open_reader(f);
	t = line_of(f);
	t.memory = memory;
	assert_int_equal(dn_timeline_run(&t, &damaged), 0);
	assert_int_equal(damaged, 0);
	check(f, 0, f->n, 1);
	finish(f);
}

static void test_short(void **state)
{
	(void)state;
	all_of(0, 0);
}

static void test_long(void **state)
{
	(void)state;
	all_of(100, 0);
}

/* Little memory: runs are dropped and blocks decoded again. */
static void test_evict(void **state)
{
	(void)state;
	all_of(100, 100000);
	all_of(10, 300000);
}

static void test_no_memory(void **state)
{
	(void)state;
	all_of(1000, 5000);
}

static void test_range(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	uint64_t damaged;
	struct dn_timeline t;
	size_t i, n;

	(void)state;
	assert_non_null(f);
	make(f, 50);
	open_reader(f);
	t = line_of(f);
	t.from = f->all[7000].start;
	t.to = f->all[9000].start;
	for (i = 7000; i && f->all[i - 1].start == t.from; i--)
		;
	for (n = 9000 - i; i + n < f->n && f->all[i + n].start <= t.to; n++)
		;
	assert_int_equal(dn_timeline_run(&t, &damaged), 0);
	check(f, i, n, 1);
	f->ngot = 0;
	t.from = f->all[f->n - 1].start + 1;
	t.to = UINT64_MAX;
	assert_int_equal(dn_timeline_run(&t, &damaged), 0);
	assert_int_equal(f->ngot, 0);
	finish(f);
}

static void test_tail(void **state)
{
	static const int64_t tails[] = { 0, 1, 2, 100, 5000, CALLS - 1, CALLS, CALLS + 1, 9999999 };
	static uint32_t whole[CALLS + 10];
	struct fixture *f = calloc(1, sizeof(*f));
	uint64_t damaged;
	struct dn_timeline t;

	(void)state;
	assert_non_null(f);
	make(f, 50);
	open_reader(f);
	for (int third = 0; third < 2; third++) {
		size_t n;

		t = line_of(f);
		t.want_call = third ? want_third : want;
		f->ngot = 0;
		assert_int_equal(dn_timeline_run(&t, &damaged), 0);
		check(f, 0, f->n, third ? 3 : 1);
		n = f->ngot;
		memcpy(whole, f->got, sizeof(whole));
		for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
			size_t k = (size_t)tails[i] < n ? (size_t)tails[i] : n;

			f->ngot = 0;
			t.tail = tails[i];
			assert_int_equal(dn_timeline_run(&t, &damaged), 0);
			assert_int_equal(f->ngot, k);
			assert_memory_equal(f->got, whole + n - k, k * sizeof(whole[0]));
		}
	}
	finish(f);
}

static void test_stop(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	uint64_t damaged;
	struct dn_timeline t;

	(void)state;
	assert_non_null(f);
	make(f, 50);
	open_reader(f);
	f->stop_after = 3;
	t = line_of(f);
	assert_int_equal(dn_timeline_run(&t, &damaged), 42);
	assert_int_equal(f->ngot, 3);
	finish(f);
}

/* A block that does not decode: the others come, and it counts once. */
static void test_damaged(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct mktrace *m = mk_new();
	uint64_t damaged, args[1] = { 0 };
	struct dn_syscall s = mk_sys(1, 0, "exit", 10, 1, 1, 1, args);
	struct dn_timeline t;

	(void)state;
	assert_non_null(f);
	mk_temp(f->path);
	mk_call(m, &s);
	mk_payload(m, "\x7f\x7f", 2, 5, 6);
	mk_exit(m, 1, 1, 7, 0, true);
	mk_write(m, f->path, true);
	assert_int_equal(dn_source_open(f->path, &f->src), 0);
	open_reader(f);
	t = line_of(f);
	t.events |= UINT64_C(1) << DN_EV_thread_exit;
	t.tail = 10;
	assert_int_equal(dn_timeline_run(&t, &damaged), 0);
	assert_int_equal(damaged, 1);
	assert_int_equal(f->ngot, 2);
	assert_int_equal(f->got[0], 1000000 + DN_EV_thread_exit);
	assert_int_equal(f->got[1], 1);
	finish(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_evict),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_tail),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
