/*
 * test_counters.c - what the views make of performance counters: sums, shares, verdicts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "db.h"
#include "events.h"
#include "load.h"
#include "mktrace.h"
#include "options.h"
#include "query.h"
#include "report.h"
#include "source.h"

static void put_count(struct mktrace *m, uint32_t thread, enum dn_perf counter, uint64_t value, uint64_t enabled,
		      uint64_t running)
{
	struct dn_value v[DN_F_perf_counter_N] = { dn_u(MK_ORIGIN + 900), dn_u(thread), dn_u(counter), dn_u(value),
						   dn_u(enabled), dn_u(running) };

	mk_row(m, DN_EV_perf_counter, v);
}

/* A thread with these counts in 1,000 ns; those of 0 there are none of. */
static void put_counts(struct mktrace *m, uint32_t thread, uint64_t cycles, uint64_t instructions, uint64_t stalled)
{
	put_count(m, thread, DN_PERF_CYCLES, cycles, 1000, 1000);
	if (instructions)
		put_count(m, thread, DN_PERF_INSTRUCTIONS, instructions, 1000, 1000);
	if (stalled)
		put_count(m, thread, DN_PERF_STALLED_BACKEND, stalled, 1000, 1000);
}

static void put_probe(struct mktrace *m, const char *rung, const char *reason)
{
	struct dn_value v[DN_F_probe_N] = { dn_str("counters", 8), dn_str(rung, strlen(rung)),
					    reason ? dn_str(reason, strlen(reason)) : dn_null() };

	mk_row(m, DN_EV_probe, v);
}

/* Readings of the host with so much time waited for memory until then. */
static void put_pressure(struct mktrace *m, const uint64_t *waited, unsigned n)
{
	struct dn_value v[DN_F_host_sample_N];

	for (unsigned i = 0; i < n; i++) {
		for (unsigned f = 0; f < DN_F_host_sample_N; f++)
			v[f] = dn_null();
		v[DN_F_host_sample_time] = dn_u(MK_ORIGIN + 100 * i);
		v[DN_F_host_sample_psi_mem_some] = dn_u(waited[i]);
		mk_row(m, DN_EV_host_sample, v);
	}
}

/* The trace, in a database; m is gone. */
static struct dn_db *loaded(struct mktrace *m)
{
	struct dn_options o = { .threads = 1, .quiet = true, .tail = -1 };
	struct dn_source *src;
	struct dn_loaded l;
	struct dn_db *db;
	char path[MK_PATH], err[256];

	mk_temp(path);
	mk_write(m, path, true);
	if (dn_db_open(NULL, DN_DB_TEMP, &db, err, sizeof(err)))
		fail_msg("%s", err);
	assert_int_equal(dn_source_open(path, &src), 0);
	assert_int_equal(dn_load(&o, src, db, true, &l), 0);
	dn_source_close(src);
	unlink(path);
	return db;
}

/* All rows of a query: "|" between columns, a line each. */
static void expect(struct dn_db *db, const char *sql, const char *want)
{
	struct dn_query *q = dn_query_new(db, sql);
	char got[4096] = "";
	size_t n = 0;
	int ret;

	if (!q)
		fail_msg("%s: %s", sql, dn_db_error(db));
	while ((ret = dn_query_step(q)) > 0)
		for (int i = 0; i < dn_query_columns(q); i++)
			n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%s", dn_query_null(q, i) ? "-" :
					      dn_query_text(q, i, NULL), i + 1 < dn_query_columns(q) ? "|" : "\n");
	if (ret)
		fail_msg("%s: %s", sql, dn_db_error(db));
	dn_query_free(q);
	if (strcmp(got, want))
		fail_msg("%s\n--- want\n%s--- got\n%s", sql, want, got);
}

static struct mktrace *with_threads(uint32_t n)
{
	struct mktrace *m = mk_new();

	for (uint32_t i = 1; i <= n; i++)
		mk_thread(m, i, i, 0, "work");
	return m;
}

/* The verdicts of the first denet, and where one ends and the next begins. */
static void verdicts(void **state)
{
	struct mktrace *m = with_threads(8);
	struct dn_db *db;

	(void)state;
	put_probe(m, "perf", NULL);
	put_counts(m, 1, 1000, 500, 700);
	put_counts(m, 2, 1000, 2000, 100);
	put_counts(m, 3, 1000, 1200, 300);
	put_counts(m, 4, 1000, 900, 500);	/* not above a half */
	put_counts(m, 5, 1000, 1000, 600);	/* not below one */
	put_counts(m, 6, 1000, 2000, 200);	/* not below a fifth */
	put_counts(m, 7, 1000, 1500, 100);	/* not above one and a half */
	put_counts(m, 8, 1000, 500, 0);
	db = loaded(m);
	expect(db, "SELECT process_id, ipc, backend_share, verdict, lacks FROM process_counters ORDER BY 1",
	       "1|0.5|0.7|memory-bound|-\n"
	       "2|2.0|0.1|cpu-bound|-\n"
	       "3|1.2|0.3|mixed|-\n"
	       "4|0.9|0.5|mixed|-\n"
	       "5|1.0|0.6|mixed|-\n"
	       "6|2.0|0.2|mixed|-\n"
	       "7|1.5|0.1|mixed|-\n"
	       "8|0.5|-|insufficient-data|stalled-cycles-backend was not counted\n");
	expect(db, "SELECT cycles, instructions, stalled_backend, cache_misses, pressure_share, verdict FROM trace_counters",
	       "8000|9600|2500|-|-|mixed\n");
	expect(db, "SELECT text, value, unit FROM findings WHERE text LIKE '%memory%'",
	       "work (1001) is bound by memory: 70.0 % of its cycles were stalled, with 0.50 instructions a cycle|700|cycles\n");
	dn_db_close(db);
}

/* Few of all cycles are no finding. */
static void a_small_one(void **state)
{
	struct mktrace *m = with_threads(2);
	struct dn_db *db;

	(void)state;
	put_counts(m, 1, 1000, 500, 700);
	put_counts(m, 2, 9001, 20000, 100);
	db = loaded(m);
	expect(db, "SELECT count(*) FROM findings WHERE text LIKE '%memory%'", "0\n");
	expect(db, "SELECT count(*) FROM process_counters WHERE verdict = 'memory-bound'", "1\n");
	dn_db_close(db);
}

/* Two threads of a process, and one of another; what counted for a part of the time stands for the whole. */
static void sums(void **state)
{
	struct mktrace *m = mk_new();
	struct dn_db *db;

	(void)state;
	mk_thread(m, 1, 1, 0, "one");
	mk_thread(m, 2, 1, 0, "two");
	mk_thread(m, 3, 3, 0, "other");
	put_count(m, 1, DN_PERF_CACHE_REFERENCES, 100, 1000, 500);
	put_count(m, 2, DN_PERF_CACHE_REFERENCES, 300, 3000, 1500);
	put_count(m, 1, DN_PERF_CACHE_MISSES, 20, 1000, 1000);
	put_count(m, 2, DN_PERF_CACHE_MISSES, 60, 3000, 3000);
	put_count(m, 3, DN_PERF_CACHE_MISSES, 0, 2000, 0);
	put_count(m, 1, DN_PERF_PAGE_FAULTS, 7, 1000, 1000);
	put_count(m, 3, DN_PERF_PAGE_FAULTS, 5, 2000, 2000);
	put_count(m, 9, DN_PERF_PAGE_FAULTS, 1, 10, 10);	/* its beginning was lost */
	db = loaded(m);
	expect(db, "SELECT process_id, tid, comm, counter, value, scaled, enabled_ns, running_ns FROM counters"
	       " ORDER BY thread_id, counter",
	       "1|1001|one|cache-misses|20|0|1000|1000\n"
	       "1|1001|one|cache-references|200|1|1000|500\n"
	       "1|1001|one|page-faults|7|0|1000|1000\n"
	       "1|1002|two|cache-misses|60|0|3000|3000\n"
	       "1|1002|two|cache-references|600|1|3000|1500\n"
	       "3|1003|other|cache-misses|-|1|2000|0\n"
	       "3|1003|other|page-faults|5|0|2000|2000\n"
	       "-|-|-|page-faults|1|0|10|10\n");
	expect(db, "SELECT process_id, pid, comm, cache_references, cache_misses, cache_miss_rate, page_faults, scaled, cycles"
	       " FROM process_counters ORDER BY 1",
	       "1|1001|one|800|80|0.1|7|1|-\n"
	       "3|1003|other|-|-|-|5|1|-\n");
	/* Of all time a fifth was without a count, and is taken to be as the rest. */
	expect(db, "SELECT cache_misses, page_faults, lacks FROM trace_counters",
	       "120|13|cycles and instructions were not counted\n");
	dn_db_close(db);
}

/* The host's pressure decides where the counters do not, and for the trace alone. */
static void pressure(void **state)
{
	static const uint64_t most[] = { 4, 5, 5, 9 }, half[] = { 4, 5, 5 };
	struct mktrace *m = with_threads(1);
	struct dn_db *db;

	(void)state;
	put_counts(m, 1, 1000, 1200, 300);
	put_pressure(m, most, 4);
	db = loaded(m);
	expect(db, "SELECT round(pressure_share, 3), verdict FROM trace_counters", "0.667|memory-bound\n");
	expect(db, "SELECT verdict FROM process_counters", "mixed\n");
	dn_db_close(db);

	m = with_threads(1);
	put_counts(m, 1, 1000, 2000, 100);
	put_pressure(m, most, 4);
	db = loaded(m);
	expect(db, "SELECT verdict FROM trace_counters", "cpu-bound\n");
	dn_db_close(db);

	m = with_threads(1);
	put_counts(m, 1, 1000, 1200, 300);
	put_pressure(m, half, 3);
	db = loaded(m);
	expect(db, "SELECT pressure_share, verdict FROM trace_counters", "0.5|mixed\n");
	dn_db_close(db);

	m = with_threads(1);
	put_pressure(m, most, 4);
	db = loaded(m);
	expect(db, "SELECT ipc, verdict FROM trace_counters", "-|memory-bound\n");
	dn_db_close(db);
}

/* Without counters there is a row all the same, which says why. */
static void none(void **state)
{
	struct mktrace *m = with_threads(1);
	struct dn_db *db;

	(void)state;
	put_probe(m, "none", "no such thing");
	db = loaded(m);
	expect(db, "SELECT cycles, scaled, verdict, lacks FROM trace_counters", "-|-|insufficient-data|no such thing\n");
	expect(db, "SELECT count(*) FROM counters", "0\n");
	expect(db, "SELECT count(*) FROM process_counters", "0\n");
	dn_db_close(db);
}

/* What was not counted is no 0 on the page either. */
static void summary(void **state)
{
	const struct dn_options o = { .threads = 1 };
	struct mktrace *m = with_threads(2);
	char page[8192];
	struct dn_db *db;
	size_t n;
	FILE *f = tmpfile();

	(void)state;
	put_counts(m, 1, 3000, 1500, 2100);
	put_counts(m, 2, 1000, 0, 0);
	put_count(m, 2, DN_PERF_TASK_CLOCK, 5000000, 1000, 500);
	db = loaded(m);
	assert_non_null(f);
	assert_int_equal(dn_report_summary(f, db, 1, &o), 0);
	rewind(f);
	n = fread(page, 1, sizeof(page) - 1, f);
	page[n] = 0;
	fclose(f);
	assert_non_null(strstr(page, "\n  cycles                   4.0 k     work              75.0 %\n"));
	assert_non_null(strstr(page, "\n  task-clock               10.0 ms   work             100.0 %  in part\n"));
	assert_non_null(strstr(page, "\n     1001  work             3.0 k  0.50         -         -   70.0 %  memory-bound\n"));
	assert_non_null(strstr(page, "\n     1002  work             1.0 k  -            -         -        -  insufficient-data\n"));
	dn_db_close(db);
}

/* Numbers that no CPU counts end no query. */
static void absurd(void **state)
{
	struct mktrace *m = with_threads(2);
	struct dn_db *db;

	(void)state;
	for (uint32_t i = 1; i <= 2; i++)
		for (unsigned k = 0; k <= DN_PERF_KINDS; k++)	/* one of no name, too */
			put_count(m, i, (enum dn_perf)k, INT64_MAX, i == 1 ? INT64_MAX : 0, i == 1 ? 1 : UINT64_MAX);
	db = loaded(m);
	expect(db, "SELECT count(*) FROM counters", "22\n");
	expect(db, "SELECT process_id, ipc, verdict FROM process_counters ORDER BY 1",
	       "1|1.0|mixed\n2|-|insufficient-data\n");
	expect(db, "SELECT verdict FROM trace_counters", "insufficient-data\n");
	dn_db_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts),
		cmocka_unit_test(a_small_one),
		cmocka_unit_test(sums),
		cmocka_unit_test(pressure),
		cmocka_unit_test(none),
		cmocka_unit_test(summary),
		cmocka_unit_test(absurd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
