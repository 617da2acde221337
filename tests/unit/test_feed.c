/*
 * test_feed.c - analyzer/feed.h, analyzer/parallel.h, analyzer/load.h: the same
 * records for whoever pulls them, for any number of workers, and in a database.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "db.h"
#include "events.h"
#include "feed.h"
#include "load.h"
#include "mktrace.h"
#include "options.h"
#include "parallel.h"
#include "query.h"
#include "reader.h"
#include "rollup.h"
#include "scratch.h"
#include "source.h"

#define BLOCKS 9
#define CALLS 3000		/* a block: more than a chunk of a feed */
#define THREADS 3

static char path_of[64];

/* Call k of the trace. */
static struct dn_syscall call(uint32_t k)
{
	const uint64_t args[] = { 3, k, 100 };
	struct dn_syscall s = mk_sys(1 + k % THREADS, k / THREADS, k % 7 ? "read" : "openat",
				     1000 * (uint64_t)k, k % 500, k % 11 ? (int64_t)k : -2, 3, args);

	if (k % 7 == 0) {
		snprintf(path_of, sizeof(path_of), "/a/path/%u", k);
		mk_str(&s, 1, DN_STR_PATH, path_of, strlen(path_of));
	}
	return s;
}

/* Block `broken` gets a payload that ends early; BLOCKS: none does. */
static void write_trace(const char *path, uint32_t broken)
{
	struct mktrace *m = mk_new();

	for (uint32_t b = 0; b < BLOCKS; b++) {
		struct dn_value v[DN_F_comm_N];

		for (unsigned f = 0; f < DN_F_comm_N; f++)
			v[f] = dn_u(b);
		v[DN_F_comm_time] = dn_u(MK_ORIGIN + 1000 * (uint64_t)b * CALLS);
		v[DN_F_comm_comm] = dn_str("name", 4);
		if (!b)
			for (uint32_t t = 1; t <= THREADS; t++)
				mk_thread(m, t, 1, 0, "main");
		mk_row(m, DN_EV_comm, v);
		for (uint32_t i = 0; i < CALLS; i++) {
			struct dn_syscall s = call(b * CALLS + i);

			mk_call(m, &s);
		}
		mk_block(m);
		if (b == broken)	/* no strings, and a column that is not there */
			mk_payload(m, "\0\0\1\1\5\1", 6, 1000 * (uint64_t)b * CALLS,
				   1000 * (uint64_t)(b + 1) * CALLS);
	}
	mk_exit(m, 1, 1, 1000 * (uint64_t)BLOCKS * CALLS, 0, true);
	mk_write(m, path, true);
}

static int setup(void **state)
{
	if (scratch_setup(state))
		return 1;
	write_trace("good.dnt", BLOCKS);
	write_trace("bad.dnt", 4);
	return 0;
}

static void reader_open(const char *path, struct dn_source **src, struct dn_reader **r)
{
	char err[256];

	assert_int_equal(dn_source_open(path, src), 0);
	assert_int_equal(dn_reader_open(*src, r, err, sizeof(err)), 0);
}

/* --- feed.h ------------------------------------------------------------------ */

static bool every_third(const void *ctx, const struct dn_syscall *s)
{
	return s->thread == *(const uint32_t *)ctx;
}

/* Pulls everything and checks it against call(). Returns the rows. */
static uint64_t pull(struct dn_feed *f, bool strings)
{
	const struct dn_feed_chunk *c;
	uint64_t n = 0, before = 0;
	int ret;

	while ((ret = dn_feed_next(f, &c)) > 0) {
		assert_true(c->rows > 0);
		for (uint32_t i = 0; i < c->rows; i++) {
			const struct dn_feed_call *o = &c->call[i];
			uint32_t k = o->seq * THREADS + o->thread - 1;
			struct dn_syscall s = call(k);
			uint64_t place = (uint64_t)c->block << 32 | o->row;

			assert_int_equal(o->start, s.start);
			assert_int_equal(o->dur, s.dur);
			assert_int_equal(o->ret, s.ret);
			assert_memory_equal(o->args, s.args, sizeof(s.args));
			assert_int_equal(o->nr, s.nr);
			assert_int_equal(o->cpu, s.cpu);
			assert_int_equal(o->row, k % CALLS);
			assert_true(!n || place > before);
			assert_int_equal(o->nstr, strings ? s.nstr : 0);
			if (o->nstr) {
				assert_int_equal(o->str[0].len, s.str[0].len);
				assert_memory_equal(o->str[0].p, s.str[0].p, s.str[0].len);
			}
			before = place;
			n++;
		}
	}
	assert_int_equal(ret, 0);
	return n;
}

static uint64_t feed(const struct dn_feed_spec *spec, uint64_t *damaged)
{
	struct dn_feed *f;
	uint64_t n;

	assert_int_equal(dn_feed_open(spec, &f), 0);
	n = pull(f, spec->strings);
	*damaged = dn_feed_damaged(f);
	dn_feed_close(f);
	return n;
}

static void every_call_once(void **unused)
{
	struct dn_feed_spec spec = { .event = DN_EV_syscall, .to = UINT64_MAX };
	const uint32_t thread = 2;
	struct dn_source *src;
	uint64_t damaged;

	(void)unused;
	reader_open("good.dnt", &src, &spec.reader);
	assert_int_equal(feed(&spec, &damaged), BLOCKS * CALLS);
	spec.strings = true;
	assert_int_equal(feed(&spec, &damaged), BLOCKS * CALLS);
	assert_int_equal(damaged, 0);
	spec.keep = every_third;
	spec.ctx = &thread;
	assert_int_equal(feed(&spec, &damaged), BLOCKS * CALLS / THREADS);
	spec.keep = NULL;
	/* times: at least what is wanted, and whole blocks are left out */
	spec.from = MK_ORIGIN + 1000 * (2 * CALLS + 10);
	spec.to = MK_ORIGIN + 1000 * (2 * CALLS + 19);
	assert_in_range(feed(&spec, &damaged), 10, CALLS);
	spec.from = spec.to = MK_ORIGIN + (UINT64_C(1) << 50);
	assert_int_equal(feed(&spec, &damaged), 0);
	dn_reader_close(spec.reader);
	dn_source_close(src);
}

static void rows_of_other_kinds(void **unused)
{
	struct dn_feed_spec spec = { .event = DN_EV_comm, .to = UINT64_MAX };
	const struct dn_feed_chunk *c;
	struct dn_source *src;
	struct dn_feed *f;
	uint64_t n = 0;

	(void)unused;
	reader_open("good.dnt", &src, &spec.reader);
	assert_int_equal(dn_feed_open(&spec, &f), 0);
	while (dn_feed_next(f, &c) > 0) {
		assert_int_equal(c->nfields, DN_F_comm_N);
		assert_null(c->call);
		assert_int_equal(c->first_row, 0);
		for (uint32_t i = 0; i < c->rows; i++, n++) {
			const struct dn_value *v = c->value + i * c->nfields;

			assert_int_equal(v[DN_F_comm_time].u, MK_ORIGIN + 1000 * n * CALLS);
			assert_int_equal(v[DN_F_comm_comm].len, 4);
			assert_memory_equal(v[DN_F_comm_comm].p, "name", 4);
		}
	}
	assert_int_equal(n, BLOCKS);
	dn_feed_close(f);
	dn_reader_close(spec.reader);
	dn_source_close(src);
}

static void damage_is_counted(void **unused)
{
	struct dn_feed_spec spec = { .event = DN_EV_syscall, .to = UINT64_MAX };
	struct dn_source *src;
	uint64_t damaged;

	(void)unused;
	reader_open("bad.dnt", &src, &spec.reader);
	assert_int_equal(feed(&spec, &damaged), BLOCKS * CALLS);
	assert_int_equal(damaged, 1);
	dn_reader_close(spec.reader);
	dn_source_close(src);
}

/* Closing never waits for the rest of the file, wherever the thread is. */
static void closed_at_any_time(void **unused)
{
	struct dn_feed_spec spec = { .event = DN_EV_syscall, .to = UINT64_MAX };
	const struct dn_feed_chunk *c;
	struct dn_source *src;
	struct dn_feed *f[4];

	(void)unused;
	reader_open("good.dnt", &src, &spec.reader);
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < 4; i++)	/* several on one reader */
			assert_int_equal(dn_feed_open(&spec, &f[i]), 0);
		for (int i = 0; i < 4; i++)
			for (int k = 0; k < round % 6; k++)
				assert_int_equal(dn_feed_next(f[i], &c), 1);
		for (int i = 0; i < 4; i++)
			dn_feed_close(f[i]);
	}
	dn_feed_close(NULL);
	dn_reader_close(spec.reader);
	dn_source_close(src);
}

/* --- parallel.h -------------------------------------------------------------- */

static void at_least_once(void *ctx, uint64_t calls)
{
	unsigned *n = ctx;

	++*n;
	assert_true(calls <= BLOCKS * CALLS);
}

static void workers_count_the_same(void **unused)
{
	(void)unused;
	for (unsigned workers = 1; workers <= 5; workers++) {
		struct dn_parallel p = { .workers = workers, .progress = at_least_once };
		struct dn_source *src;
		uint64_t count = 0, errors = 0, total = 0, want = 0;
		unsigned looked = 0;
		char err[256];

		p.ctx = &looked;
		reader_open("good.dnt", &src, &p.reader);
		assert_int_equal(dn_db_open(NULL, DN_DB_TEMP, &p.db, err, sizeof(err)), 0);
		assert_true(dn_db_begin_trace(p.db, "x", dn_reader_header(p.reader), MK_ORIGIN) > 0);
		assert_int_equal(dn_parallel_run(&p), 0);
		for (uint32_t i = 0; i < p.rollup->stats.n; i++) {
			count += p.rollup->stats.stat[i].count;
			total += p.rollup->stats.stat[i].total;
			if (dn_result_is_error(p.rollup->stats.stat[i].result))
				errors += p.rollup->stats.stat[i].count;
		}
		for (uint32_t k = 0; k < BLOCKS * CALLS; k++)
			want += k % 500;
		assert_int_equal(p.rollup->calls, BLOCKS * CALLS);
		assert_int_equal(count, BLOCKS * CALLS);
		assert_int_equal(total, want);
		assert_int_equal(errors, (BLOCKS * CALLS + 10) / 11);
		assert_int_equal(p.last, MK_ORIGIN + 1000 * (uint64_t)BLOCKS * CALLS);
		assert_int_equal(p.rows_skipped, 0);
		assert_true(looked > 0 || workers > 1);
		dn_rollup_free(p.rollup);
		assert_int_equal(dn_query_value(p.db, "SELECT count(*) FROM raw_comm", 0, -1), BLOCKS);
		assert_int_equal(dn_db_close(p.db), 0);
		dn_reader_close(p.reader);
		dn_source_close(src);
	}
}

/* --- load.h ------------------------------------------------------------------ */

static const struct dn_options quiet = { .threads = 2, .quiet = true, .tail = -1 };

static int load(const void *p, size_t len, struct dn_db *db, struct dn_loaded *l)
{
	struct dn_source *src = dn_source_memory(p, len);
	int ret = dn_load(&quiet, src, db, false, l);

	dn_source_close(src);
	return ret;
}

static void a_trace_in_a_database(void **unused)
{
	struct dn_options forgiving = quiet;
	struct dn_loaded l;
	struct dn_source *src;
	struct dn_db *db;
	char err[256];

	(void)unused;
	forgiving.allow_incomplete = true;
	assert_int_equal(dn_db_open(NULL, DN_DB_TEMP | DN_DB_NO_SYSCALL, &db, err, sizeof(err)), 0);
	assert_int_equal(dn_source_open("good.dnt", &src), 0);
	assert_int_equal(dn_load(&quiet, src, db, false, &l), 0);
	dn_source_close(src);
	assert_int_equal(l.trace_id, 1);
	assert_int_equal(l.origin, MK_ORIGIN);
	assert_true(l.complete);
	assert_int_equal(dn_loaded_status(&quiet, &l), DN_EXIT_OK);

	assert_int_equal(dn_source_open("bad.dnt", &src), 0);
	assert_int_equal(dn_load(&quiet, src, db, false, &l), 0);
	dn_source_close(src);
	assert_int_equal(l.trace_id, 2);
	assert_false(l.complete);
	assert_int_equal(dn_loaded_status(&quiet, &l), DN_EXIT_INCOMPLETE);
	assert_int_equal(dn_loaded_status(&forgiving, &l), DN_EXIT_OK);

	for (int id = 1; id <= 2; id++) {	/* the good blocks of both are the same */
		assert_int_equal(dn_query_value(db, "SELECT calls FROM raw_trace WHERE trace_id = ?1",
						id, -1), BLOCKS * CALLS);
		assert_int_equal(dn_query_value(db, "SELECT sum(count) FROM raw_syscall_stat "
						"WHERE trace_id = ?1", id, -1), BLOCKS * CALLS);
		assert_int_equal(dn_query_value(db, "SELECT count(DISTINCT path) FROM raw_path "
						"WHERE trace_id = ?1", id, -1),
				 (BLOCKS * CALLS + 6) / 7);
		assert_int_equal(dn_query_value(db, "SELECT sum(count) FROM raw_rate "
						"WHERE trace_id = ?1", id, -1), BLOCKS * CALLS);
		assert_int_equal(dn_query_value(db, "SELECT count(*) FROM raw_process "
						"WHERE trace_id = ?1", id, -1), 1);
	}
	assert_int_equal(dn_db_close(db), 0);
}

static void what_is_no_trace(void **unused)
{
	struct dn_loaded l;
	struct dn_db *db;
	char err[256];
	int saved = dup(2);

	(void)unused;
	assert_true(freopen("said", "w+", stderr) != NULL);
	assert_int_equal(dn_db_open(NULL, DN_DB_TEMP, &db, err, sizeof(err)), 0);
	assert_int_equal(load("", 0, db, &l), -ENODATA);
	assert_int_equal(load("#!/bin/sh\n", 10, db, &l), -EBADMSG);
	assert_int_equal(l.trace_id, 0);
	fflush(stderr);
	dup2(saved, 2);
	close(saved);
	assert_int_equal(dn_query_value(db, "SELECT count(*) FROM raw_trace", 0, -1), 0);
	assert_int_equal(dn_db_close(db), 0);
	assert_int_equal(system("test $(wc -l <said) = 2 && grep -q 'Name a file that denet-record wrote' said"),
			 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_call_once),
		cmocka_unit_test(rows_of_other_kinds),
		cmocka_unit_test(damage_is_counted),
		cmocka_unit_test(closed_at_any_time),
		cmocka_unit_test(workers_count_the_same),
		cmocka_unit_test(a_trace_in_a_database),
		cmocka_unit_test(what_is_no_trace),
	};

	return cmocka_run_group_tests_name("feed", tests, setup, scratch_teardown);
}
