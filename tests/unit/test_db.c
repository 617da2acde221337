/*
 * test_db.c - a trace into a database and out again: rows, rollups, derived
 * tables, views, findings; the reports are held by tests/cli.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "db.h"
#include "events.h"
#include "load.h"
#include "mktrace.h"
#include "options.h"
#include "query.h"
#include "report.h"
#include "schema_sql.h"
#include "source.h"

#define MS UINT64_C(1000000)

/* --- traces -------------------------------------------------------------- */

static void put_call(struct mktrace *m, uint32_t thread, uint32_t seq, const char *name, uint64_t start,
		     uint64_t dur, int64_t ret, const char *path)
{
	const uint64_t args[] = { 3, 4, 5 };
	struct dn_syscall s = mk_sys(thread, seq, name, start, dur, ret, 3, args);

	if (!strcmp(name, "exit_group"))
		s.flags = DN_CALL_UNFINISHED;
	if (path)
		mk_str(&s, 0, DN_STR_PATH, path, strlen(path));
	mk_call(m, &s);
}

static void put_exec(struct mktrace *m, uint32_t thread, uint64_t time, const char *path,
		     const char *argv, size_t len)
{
	struct dn_value v[DN_F_exec_N];

	for (unsigned i = 0; i < DN_F_exec_N; i++)
		v[i] = dn_null();
	v[DN_F_exec_time] = dn_u(MK_ORIGIN + time);
	v[DN_F_exec_thread] = dn_u(thread);
	v[DN_F_exec_process] = dn_u(thread);
	v[DN_F_exec_path] = dn_str(path, strlen(path));
	v[DN_F_exec_argv] = dn_str(argv, len);
	v[DN_F_exec_argv_len] = dn_u(len);
	v[DN_F_exec_comm] = dn_str("tool", 4);
	mk_row(m, DN_EV_exec, v);
}

static void put_counter(struct mktrace *m, unsigned counter, uint64_t value)
{
	struct dn_value v[DN_F_counter_N] = { dn_u(MK_ORIGIN + 90 * MS), dn_u(counter), dn_u(value) };

	mk_row(m, DN_EV_counter, v);
}

static void put_end(struct mktrace *m, uint64_t time, int status)
{
	struct dn_value v[DN_F_end_N] = { dn_u(MK_ORIGIN + time), dn_u(DN_END_COMMAND),
					  dn_u((uint64_t)status), dn_u(0) };

	mk_row(m, DN_EV_end, v);
}

static void put_loss(struct mktrace *m, uint32_t process, int nr, uint64_t count)
{
	struct dn_value v[DN_F_loss_N];

	for (unsigned i = 0; i < DN_F_loss_N; i++)
		v[i] = dn_null();
	v[DN_F_loss_counter] = dn_u(DN_COUNT_syscall_lost);
	v[DN_F_loss_process] = dn_u(process);
	if (nr >= 0) {
		v[DN_F_loss_abi] = dn_u(DN_ABI_X86_64);
		v[DN_F_loss_nr] = dn_u((uint64_t)nr);
	}
	v[DN_F_loss_count] = dn_u(count);
	v[DN_F_loss_first] = dn_u(MK_ORIGIN + 10 * MS);
	v[DN_F_loss_last] = dn_u(MK_ORIGIN + 20 * MS);
	mk_row(m, DN_EV_loss, v);
}

/* Two processes, three threads: 1 and its thread 2, and 3. */
static void write_trace(const char *path, bool lost)
{
	static const char argv[] = "tool\0-x\0a b\0";
	struct mktrace *m = mk_new();

	mk_thread(m, 1, 1, 0, "sh");
	put_exec(m, 1, 1 * MS, "/bin/tool", argv, sizeof(argv) - 1);
	mk_thread(m, 2, 1, 2 * MS, "worker");
	for (unsigned i = 0; i < 100; i++)
		put_call(m, 1, i, "read", (2 + i % 50) * MS, 1000 + i, 10, NULL);
	mk_block(m);
	for (unsigned i = 0; i < 10; i++)
		put_call(m, 2, i, "openat", (3 + i) * MS, 5000, i % 2 ? 3 : -2, i < 8 ? "/etc/x" : "b\xff");
	mk_thread(m, 3, 3, 5 * MS, "child");
	put_call(m, 3, 0, "futex", 6 * MS, 50 * MS, -512, NULL);
	put_call(m, 3, 1, "exit_group", 60 * MS, 0, 0, NULL);
	mk_exit(m, 2, 1, 60 * MS, 0, false);
	mk_block(m);
	mk_exit(m, 3, 3, 61 * MS, 9, true);
	mk_exit(m, 1, 1, 80 * MS, 3 << 8, true);
	if (lost) {
		put_loss(m, 1, 0, 7);		/* read */
		put_loss(m, 3, -1, 4);		/* of some call */
	}
	put_counter(m, DN_COUNT_attempted, lost ? 123 : 112);
	put_counter(m, DN_COUNT_written, 112);
	put_counter(m, DN_COUNT_syscall_lost, lost ? 11 : 0);
	put_end(m, 81 * MS, 3 << 8);
	mk_write(m, path, true);
}

/* --- databases ----------------------------------------------------------- */

static const struct dn_options options = { .threads = 1, .quiet = true, .tail = -1 };

static void load_into(struct dn_db *db, const char *path, unsigned threads)
{
	struct dn_options o = options;
	struct dn_source *src;
	struct dn_loaded l;

	o.threads = threads;
	assert_int_equal(dn_source_open(path, &src), 0);
	assert_int_equal(dn_load(&o, src, db, true, &l), 0);
	assert_true(l.complete);
	assert_int_equal(l.origin, MK_ORIGIN);
	dn_source_close(src);
}

static struct dn_db *open_temp(void)
{
	struct dn_db *db;
	char err[256];

	if (dn_db_open(NULL, DN_DB_TEMP, &db, err, sizeof(err)))
		fail_msg("%s", err);
	return db;
}

static char *scratch(void)
{
	static char path[64];
	int fd;

	strcpy(path, "test_db.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	return path;
}

static struct dn_db *loaded(bool lost, unsigned threads)
{
	struct dn_db *db = open_temp();
	char *path = scratch();

	write_trace(path, lost);
	load_into(db, path, threads);
	unlink(path);
	return db;
}

/* All rows of a query as text, "|" between columns, a line each. */
static void rows(struct dn_db *db, const char *sql, char *out, size_t cap)
{
	struct dn_query *q = dn_query_new(db, sql);
	size_t n = 0;
	int ret;

	if (!q)
		fail_msg("%s: %s", sql, dn_db_error(db));
	*out = 0;
	while ((ret = dn_query_step(q)) > 0) {
		for (int i = 0; i < dn_query_columns(q); i++)
			n += (size_t)snprintf(out + n, cap - n, "%s%s", i ? "|" : "",
					      dn_query_null(q, i) ? "-" : dn_query_text(q, i, NULL));
		n += (size_t)snprintf(out + n, cap - n, "\n");
		assert_true(n < cap);
	}
	if (ret)
		fail_msg("%s: %s", sql, dn_db_error(db));
	dn_query_free(q);
}

static void expect(struct dn_db *db, const char *sql, const char *want)
{
	char got[4096];

	rows(db, sql, got, sizeof(got));
	if (strcmp(got, want))
		fail_msg("%s\n--- want\n%s--- got\n%s", sql, want, got);
}

/* --- tests --------------------------------------------------------------- */

static void the_views(void **unused)
{
	struct dn_db *db = loaded(false, 1);

	(void)unused;
	expect(db,
	       "SELECT trace_id, command, started, duration_ns, end_reason, exit_code, exit_signal, abi,"
	       " complete, exact, attempted, written, calls, lost FROM traces",
	       "1|tool -x 'a b'|2026-01-02T03:04:05.000000000Z|81000000|command|3|-|x86_64|1|1|112|112|"
	       "112|0\n");
	expect(db,
	       "SELECT process_id, parent_id, pid, origin, comm, path, argv, start_ns, end_ns, dur_ns,"
	       " exit_code, exit_signal, threads, calls, errors, syscall_ns FROM processes",
	       "1|-|1001|target|tool|/bin/tool|tool -x 'a b'|0|80000000|80000000|3|-|2|110|5|154950\n"
	       "3|-|1003|target|child|-|-|5000000|61000000|56000000|-|9|1|2|0|50000000\n");
	expect(db,
	       "SELECT thread_id, process_id, tid, pid, comm, end_ns, calls, errors FROM threads",
	       "1|1|1001|1001|tool|80000000|100|0\n"
	       "2|1|1002|1001|worker|60000000|10|5\n"
	       "3|3|1003|1003|child|61000000|2|0\n");
	expect(db,
	       "SELECT name, category, count, errors, restarts, unfinished, lost, total_ns, min_ns, mean_ns,"
	       " max_ns FROM syscall_stats ORDER BY count DESC, name",
	       "read|file_io|100|0|0|0|0|104950|1000|1049|1099\n"
	       "openat|file_io|10|5|0|0|0|50000|5000|5000|5000\n"
	       "exit_group|process|1|0|0|1|0|0|-|-|-\n"
	       "futex|ipc|1|0|1|0|0|50000000|50000000|50000000|50000000\n");
	expect(db, "SELECT name, p50_ns, p90_ns, p99_ns FROM syscall_stats WHERE name = 'openat'",
	       "openat|5000|5000|5000\n");
	expect(db, "SELECT pid, name, errno, error, count FROM errors", "1001|openat|2|ENOENT|5\n");
	expect(db,
	       "SELECT typeof(path), hex(path), calls, errors, opens, failed_opens, errnos FROM files",
	       "text|2F6574632F78|8|4|4|4|ENOENT\n"
	       "blob|62FF|2|1|1|1|ENOENT\n");
	expect(db, "SELECT category, count, errors, share FROM categories WHERE count > 0",
	       "file_io|110|5|0.982142857142857\nprocess|1|0|0.00892857142857143\n"
	       "ipc|1|0|0.00892857142857143\n");
	expect(db, "SELECT count(*), sum(share) FROM categories", "10|1.0\n");
	expect(db, "SELECT sum(count), min(width_ns), max(width_ns) FROM rates", "112|1000000|1000000\n");
	expect(db, "SELECT sum(count) FROM latencies", "111\n");
	expect(db, "SELECT count(*) FROM losses", "0\n");
	expect(db, "SELECT pid, path, argv, comm FROM execs", "1001|/bin/tool|tool -x 'a b'|tool\n");
	dn_db_close(db);
}

/* What was lost is in every total, by call where that is known. */
static void losses_count(void **unused)
{
	struct dn_db *db = loaded(true, 1);

	(void)unused;
	expect(db, "SELECT exact, attempted, written, calls, lost FROM traces", "1|123|112|112|11\n");
	expect(db, "SELECT name, count, lost FROM syscall_stats WHERE lost > 0", "read|107|7\n");
	expect(db, "SELECT pid, name, count, lost FROM process_syscalls WHERE lost > 0",
	       "1001|read|107|7\n");
	expect(db, "SELECT pid, calls, lost FROM processes", "1001|110|7\n1003|2|4\n");
	expect(db, "SELECT category, count, lost FROM categories WHERE lost > 0",
	       "file_io|117|7\nother|4|4\n");
	expect(db, "SELECT sum(count) FROM categories", "123\n");
	expect(db, "SELECT counter, process_id, name, count, first_ns FROM losses",
	       "syscall_lost|1|read|7|10000000\nsyscall_lost|3|-|4|10000000\n");
	expect(db, "SELECT rank, value FROM findings ORDER BY rank LIMIT 1", "1|11\n");
	dn_db_close(db);
}

/* Two traces in one database: ids tell them apart, and nothing is joined across. */
static void two_traces(void **unused)
{
	struct dn_db *db = open_temp();
	char *path = scratch();

	(void)unused;
	write_trace(path, false);
	load_into(db, path, 1);
	write_trace(path, true);
	load_into(db, path, 2);
	unlink(path);
	expect(db, "SELECT trace_id, calls, lost FROM traces", "1|112|0\n2|112|11\n");
	expect(db, "SELECT trace_id, count(*), count(DISTINCT process_id) FROM processes GROUP BY 1",
	       "1|2|2\n2|2|2\n");
	expect(db, "SELECT count(DISTINCT thread_id) FROM threads", "6\n");
	expect(db, "SELECT trace_id, sum(count) FROM process_syscalls GROUP BY 1", "1|112\n2|119\n");
	expect(db, "SELECT trace_id, sum(count) FROM categories GROUP BY 1", "1|112\n2|123\n");
	expect(db,
	       "SELECT count(*) FROM threads AS t JOIN processes AS p USING (process_id)"
	       " WHERE t.trace_id <> p.trace_id", "0\n");
	expect(db, "SELECT trace_id, min(rank), count(DISTINCT rank) = max(rank) FROM findings GROUP BY 1",
	       "1|1|1\n2|1|1\n");
	dn_db_close(db);
}

/* Everything in every table, in storage order. */
static char *dump(struct dn_db *db)
{
	struct dn_query *tables = dn_query_new(db,
		"SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
	size_t len = 0, cap = 8 << 20;
	char *out = malloc(cap);

	assert_non_null(tables);
	assert_non_null(out);
	while (dn_query_step(tables) > 0) {
		const char *name = dn_query_text(tables, 0, NULL);
		char sql[128];

		snprintf(sql, sizeof(sql), "SELECT * FROM \"%s\"", name);
		if (!strcmp(name, "raw_syscall_name"))	/* large and always the same */
			continue;
		len += (size_t)snprintf(out + len, cap - len, "[%s]\n", name);
		rows(db, sql, out + len, cap - len);
		len += strlen(out + len);
	}
	dn_query_free(tables);
	return out;
}

/* A larger trace of many blocks, so that workers meet. */
static void write_large(const char *path)
{
	static const char *const names[] = { "read", "write", "openat", "futex" };
	struct mktrace *m = mk_new();
	char file[32];

	for (uint32_t b = 0; b < 60; b++) {
		mk_thread(m, b + 1, b / 4 * 4 + 1, b * MS, "many");
		for (uint32_t i = 0; i < 500; i++) {
			sprintf(file, "/f/%u", i * b % 97);
			put_call(m, 1 + i % (b + 1), b * 500 + i, names[(i + b) % 4],
				 b * 40 * MS + i * 1000, (i * 7919 + b * 31) % 100000,
				 i % 9 ? 0 : -(int)(1 + i % 30), (i + b) % 4 == 2 ? file : NULL);
		}
		mk_exit(m, b + 1, b / 4 * 4 + 1, (b + 1000) * MS, 0, b % 4 == 3);
		mk_block(m);
	}
	mk_write(m, path, true);
}

static void any_number_of_workers(void **unused)
{
	char *path = scratch(), *want = NULL;

	(void)unused;
	write_large(path);
	for (unsigned n = 1; n <= DN_THREADS_MAX; n++) {
		struct dn_db *db = open_temp();
		char *got;

		load_into(db, path, n);
		got = dump(db);
		if (want)
			assert_string_equal(got, want);
		else
			want = strdup(got);
		free(got);
		dn_db_close(db);
	}
	free(want);
	unlink(path);
}

/* Each view has the columns its description says, in that order, with a unit
 * and a meaning. */
static void views_are_described(void **unused)
{
	struct dn_db *db = open_temp();
	struct dn_query *q = NULL;
	char *sql = strdup(dn_views_sql), *line, *save = NULL;
	int col = 0, views = 0;

	(void)unused;
	assert_non_null(sql);
	for (line = strtok_r(sql, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char name[64], query[128];
		int n = 0;

		if (!strncmp(line, "-- view ", 8) &&
		    sscanf(line, "-- view %63[a-z_]: %n", name, &n) == 1 && n && line[n]) {
			snprintf(query, sizeof(query), "SELECT * FROM %s LIMIT 1", name);
			q = dn_query_new(db, query);
			if (!q)
				fail_msg("%s: %s", name, dn_db_error(db));
			col = 0;
			views++;
		} else if (q && sscanf(line, "--   %63[a-z_0-9]: %n", name, &n) == 1 && n) {
			const char *doc = strstr(line, ": ");

			assert_true(col < dn_query_columns(q));
			assert_string_equal(name, dn_query_name(q, col++));
			doc = strchr(doc + 2, ':');
			assert_non_null(doc);
			assert_true(strlen(doc) > 4);
		} else if (q && !strncmp(line, "CREATE VIEW ", 12)) {
			assert_int_equal(col, dn_query_columns(q));
			assert_true(dn_query_step(q) >= 0);
			dn_query_free(q);
			q = NULL;
		}
	}
	free(sql);
	assert_null(q);
	assert_int_equal(dn_query_value(db, "SELECT count(*) FROM sqlite_schema WHERE type = 'view'"
					    " AND name NOT LIKE 'raw%'", 0, -1), views);
	dn_db_close(db);
}

/* A view of a stranger's database must work under trusted_schema = off, and
 * with nothing of ours registered. */
static void any_sqlite_reads_it(void **unused)
{
	char *trace = strdup(scratch()), *path = scratch(), err[256];
	struct dn_db *db;
	sqlite3 *h;
	sqlite3_stmt *views, *st;

	(void)unused;
	write_trace(trace, true);
	unlink(path);
	assert_int_equal(dn_db_open(path, 0, &db, err, sizeof(err)), 0);
	load_into(db, trace, 1);
	assert_int_equal(dn_db_close(db), 0);

	assert_int_equal(sqlite3_open_v2(path, &h, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(dn_db_harden(h), 0);
	assert_int_equal(sqlite3_prepare_v2(h, "SELECT name FROM sqlite_schema WHERE type = 'view'", -1,
					    &views, NULL), SQLITE_OK);
	while (sqlite3_step(views) == SQLITE_ROW) {
		char *sql = sqlite3_mprintf("SELECT * FROM %w", sqlite3_column_text(views, 0));
		int ret;

		assert_int_equal(sqlite3_prepare_v2(h, sql, -1, &st, NULL), SQLITE_OK);
		while ((ret = sqlite3_step(st)) == SQLITE_ROW)
			;
		assert_int_equal(ret, SQLITE_DONE);
		sqlite3_finalize(st);
		sqlite3_free(sql);
	}
	sqlite3_finalize(views);
	/* Every query that a finding names runs. */
	assert_int_equal(sqlite3_prepare_v2(h, "SELECT sql FROM findings", -1, &views, NULL), SQLITE_OK);
	while (sqlite3_step(views) == SQLITE_ROW) {
		const char *sql = (const char *)sqlite3_column_text(views, 0);
		int ret;

		if (sqlite3_prepare_v2(h, sql, -1, &st, NULL) != SQLITE_OK)
			fail_msg("%s: %s", sql, sqlite3_errmsg(h));
		ret = sqlite3_step(st);
		assert_true(ret == SQLITE_ROW || ret == SQLITE_DONE);
		sqlite3_finalize(st);
	}
	sqlite3_finalize(views);
	sqlite3_close(h);

	/* Opened again it takes another trace. */
	assert_int_equal(dn_db_open(path, 0, &db, err, sizeof(err)), 0);
	load_into(db, trace, 1);
	expect(db, "SELECT count(*) FROM traces", "2\n");
	assert_int_equal(dn_db_close(db), 0);
	unlink(path);
	unlink(trace);
	free(trace);
}

static void strangers_are_refused(void **unused)
{
	char *path = scratch(), err[256];
	struct dn_db *db;
	sqlite3 *h;
	FILE *f;

	(void)unused;
	f = fopen(path, "w");
	fputs("a text that is no database, and long enough to have a header of a hundred bytes. ", f);
	fputs("It goes on for a little while so that it is.\n", f);
	fclose(f);
	assert_int_equal(dn_db_open(path, 0, &db, err, sizeof(err)), -EEXIST);
	assert_null(db);
	assert_true(strlen(err) > 0);

	unlink(path);
	assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, "CREATE TABLE t (a)", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(h);
	assert_int_equal(dn_db_open(path, 0, &db, err, sizeof(err)), -EEXIST);

	assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, "PRAGMA application_id = 0x444e4554; PRAGMA user_version = 99",
				      NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(h);
	assert_int_equal(dn_db_open(path, 0, &db, err, sizeof(err)), -EEXIST);
	assert_non_null(strstr(err, "99"));
	unlink(path);
}

/* Both reports of traces with and without losses run to their end. */
static void reports_run(void **unused)
{
	(void)unused;
	for (int lost = 0; lost < 2; lost++) {
		struct dn_db *db = loaded(lost, 1);
		char *text;
		size_t len;
		FILE *f = open_memstream(&text, &len);

		assert_int_equal(dn_report_json(f, db, 1), 0);
		assert_int_equal(dn_report_summary(f, db, 1, &options), 0);
		fclose(f);
		assert_non_null(strstr(text, lost ? "\"syscalls\":{\"total\":123," :
						    "\"syscalls\":{\"total\":112,"));
		assert_non_null(strstr(text, "tool -x 'a b'"));
		free(text);
		dn_db_close(db);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_views),
		cmocka_unit_test(losses_count),
		cmocka_unit_test(two_traces),
		cmocka_unit_test(any_number_of_workers),
		cmocka_unit_test(views_are_described),
		cmocka_unit_test(any_sqlite_reads_it),
		cmocka_unit_test(strangers_are_refused),
		cmocka_unit_test(reports_run),
	};

	return cmocka_run_group_tests_name("db", tests, NULL, NULL);
}
