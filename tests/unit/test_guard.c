/*
 * test_guard.c - analyzer/guard.h, analyzer/sqlout.h, analyzer/dbfile.h: what a
 * query may do, how its rows are printed, and when a file is replaced.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db.h"
#include "dbfile.h"
#include "guard.h"
#include "scratch.h"
#include "sqlout.h"

static struct dn_db *db;

static int setup(void **state)
{
	char err[256];

	return scratch_setup(state) || dn_db_open(NULL, DN_DB_TEMP, &db, err, sizeof(err));
}

static int teardown(void **state)
{
	return dn_db_close(db) || scratch_teardown(state);
}

/* --- guard.h ----------------------------------------------------------------- */

static void what_a_query_needs(void **unused)
{
	static const struct { const char *sql; enum dn_needs needs; } q[] = {
		{ "SELECT 1", DN_NEEDS_NOTHING },
		{ "SELECT * FROM raw_errno", DN_NEEDS_NOTHING },
		{ "SELECT value FROM json_each('[1]')", DN_NEEDS_NOTHING },
		{ "SELECT * FROM raw_exec", DN_NEEDS_ROWS },
		{ "SELECT uuid FROM raw_trace", DN_NEEDS_ROWS },
		{ "SELECT calls FROM raw_trace", DN_NEEDS_ROLLUPS },
		{ "SELECT 1 WHERE EXISTS (SELECT 1 FROM raw_path)", DN_NEEDS_ROLLUPS },
		{ "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3)"
		  " SELECT i FROM n, raw_rate", DN_NEEDS_ROLLUPS },
		{ "SELECT * FROM processes", DN_NEEDS_ROWS },
		{ "SELECT * FROM syscall_stats", DN_NEEDS_ROLLUPS },
		{ "SELECT kind FROM fd_opens", DN_NEEDS_FDS },
		{ "SELECT kind, sum(calls) FROM fd_stats GROUP BY 1", DN_NEEDS_FDS },
		{ "SELECT name FROM raw_fd_kind", DN_NEEDS_NOTHING },
		/* Which columns of that view are wanted is the question. */
		{ "SELECT name, fd FROM syscalls WHERE ret < 0", DN_NEEDS_ROWS },
		{ "SELECT name FROM syscalls AS s WHERE s.fd_kind = 'pipe'", DN_NEEDS_FDS },
		{ "SELECT count(*) FROM (SELECT max(fd_name) FROM syscalls GROUP BY pid)", DN_NEEDS_FDS },
		{ "SELECT * FROM syscalls", DN_NEEDS_FDS },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(q) / sizeof(*q); i++) {
		struct dn_guard g = { 0 };
		sqlite3_stmt *st;

		dn_guard_set(dn_db_handle(db), &g);
		if (sqlite3_prepare_v2(dn_db_handle(db), q[i].sql, -1, &st, NULL))
			fail_msg("%s: %s", q[i].sql, dn_db_error(db));
		sqlite3_finalize(st);
		dn_guard_set(dn_db_handle(db), NULL);
		assert_null(g.refused);
		if (i == 8 ? g.needs < q[i].needs : g.needs != q[i].needs)
			fail_msg("%s: needs %d", q[i].sql, g.needs);
	}
}

static void what_a_query_must_not(void **unused)
{
	static const char *const bad[] = {
		"INSERT INTO raw_errno VALUES (1, 'x', 'y')", "DELETE FROM raw_exec",
		"UPDATE raw_trace SET calls = 0", "CREATE TABLE x(a)", "CREATE TEMP TABLE x(a)",
		"DROP VIEW processes", "ATTACH 'x' AS y", "DETACH main", "VACUUM INTO 'x'",
		"PRAGMA writable_schema = 1", "PRAGMA user_version", "PRAGMA journal_mode = WAL",
		"SELECT load_extension('x')", "BEGIN", "COMMIT", "SAVEPOINT s", "REINDEX", "ANALYZE",
		"CREATE VIRTUAL TABLE x USING fts5(y)",
	};
	static const char *const good[] = {
		"EXPLAIN SELECT 1", "EXPLAIN QUERY PLAN SELECT * FROM raw_exec",
		"PRAGMA table_info(raw_exec)", "PRAGMA table_list",
	};
	sqlite3_stmt *st;

	(void)unused;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct dn_guard g = { 0 };

		dn_guard_set(dn_db_handle(db), &g);
		/* VACUUM is asked about only when it runs: it attaches a file then */
		if (!sqlite3_prepare_v2(dn_db_handle(db), bad[i], -1, &st, NULL) &&
		    (sqlite3_step(st) == SQLITE_ROW || sqlite3_errcode(dn_db_handle(db)) == SQLITE_DONE))
			fail_msg("%s is let through", bad[i]);
		/* what SQLite itself does not know needs no reason of ours */
		if (sqlite3_errcode(dn_db_handle(db)) == SQLITE_AUTH)
			assert_non_null(g.refused);
		sqlite3_finalize(st);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct dn_guard g = { 0 };

		dn_guard_set(dn_db_handle(db), &g);
		assert_int_equal(sqlite3_prepare_v2(dn_db_handle(db), good[i], -1, &st, NULL), 0);
		assert_null(g.refused);
		sqlite3_finalize(st);
	}
	dn_guard_set(dn_db_handle(db), NULL);
	assert_int_equal(sqlite3_exec(dn_db_handle(db), "CREATE TABLE free(a)", NULL, NULL, NULL), 0);
}

/* --- sqlout.h ---------------------------------------------------------------- */

static const char query[] = "SELECT 1 AS n, 'a,\"b\"' AS \"the name\", NULL AS gap, 2.5 AS r"
			    " UNION ALL SELECT -9223372036854775807, 'line\nbreak', 'x', 1e300"
			    " UNION ALL SELECT 3, '', ' ', 0.1";

/* Prints the query into a file. */
static int print_to(const char *path, const char *sql, enum dn_format format)
{
	FILE *f = fopen(path, "w");
	sqlite3_stmt *st;
	int ret;

	assert_non_null(f);
	if (sqlite3_prepare_v2(dn_db_handle(db), sql, -1, &st, NULL))
		fail_msg("%s: %s", sql, dn_db_error(db));
	ret = dn_sqlout(f, st, format, false);
	sqlite3_finalize(st);
	fclose(f);
	return ret;
}

static const char *file(const char *path)
{
	static char buf[1 << 16];
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(buf, 1, sizeof(buf) - 1, f);
	buf[n] = 0;
	fclose(f);
	return buf;
}

static void csv_as_the_shell_of_sqlite(void **unused)
{
	char cmd[1024];

	(void)unused;
	if (system("command -v sqlite3 >/dev/null"))
		skip();
	assert_int_equal(print_to("ours.csv", query, DN_FORMAT_CSV), 0);
	/* its CSV goes in again: the values come out as they went in */
	snprintf(cmd, sizeof(cmd),
		 "sqlite3 :memory: '.mode csv' '.import ours.csv t' '.mode quote' "
		 "'SELECT n, \"the name\", gap, r + 0 IN (2.5, 1e300, 0.1) FROM t' >got");
	assert_int_equal(system(cmd), 0);
	assert_string_equal(file("got"),
			    "'1','a,\"b\"','',1\n'-9223372036854775807','line\nbreak','x',1\n"
			    "'3','',' ',1\n");
	assert_int_equal(print_to("none.csv", "SELECT 1 AS a, 2 AS b WHERE 0", DN_FORMAT_CSV), 0);
	assert_string_equal(file("none.csv"), "a,b\r\n");	/* RFC 4180 */
}

static void json_as_jq_reads_it(void **unused)
{
	(void)unused;
	if (system("command -v jq >/dev/null"))
		skip();
	assert_int_equal(print_to("ours.json", query, DN_FORMAT_JSON), 0);
	assert_int_equal(system("jq -r '.[] | [.\"the name\", .gap, .r] | tojson' ours.json >got"), 0);
	assert_string_equal(file("got"), "[\"a,\\\"b\\\"\",null,2.5]\n"
					 "[\"line\\nbreak\",\"x\",1e+300]\n[\"\",\" \",0.1]\n");
	assert_non_null(strstr(file("ours.json"), "-9223372036854775807"));	/* all digits */
	assert_int_equal(print_to("none.json", "SELECT 1 WHERE 0", DN_FORMAT_JSON), 0);
	assert_int_equal(system("jq -e '. == []' none.json >/dev/null"), 0);
	assert_int_equal(print_to("blob.json", "SELECT x'6869' AS b, CAST(x'ff' AS TEXT) AS t",
				  DN_FORMAT_JSON), 0);
	assert_int_equal(system("jq -e '.[0] | .b == \"X\\u00276869\\u0027\" and .t == \"\\ufffd\"'"
				" blob.json >/dev/null"), 0);
}

static void text_for_people(void **unused)
{
	(void)unused;
	assert_int_equal(print_to("t", "SELECT 'a' AS name, 5 AS n UNION ALL SELECT 'b\33c', 1000",
				  DN_FORMAT_TEXT), 0);
	assert_string_equal(file("t"), "name       n\n------  ----\na          5\nb\\x1bc  1000\n");
	assert_int_equal(print_to("t", "SELECT abs(-9223372036854775807 - 1)", DN_FORMAT_TEXT), -EIO);
	assert_int_equal(print_to("/dev/full", query, DN_FORMAT_CSV), -EPIPE);
}

/* --- dbfile.h ---------------------------------------------------------------- */

static void make_database(const char *path, int id)
{
	char sql[100];
	sqlite3 *h;

	unlink(path);
	snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; CREATE TABLE t(a)", id);
	assert_int_equal(sqlite3_open(path, &h), 0);
	assert_int_equal(sqlite3_exec(h, sql, NULL, NULL, NULL), 0);
	sqlite3_close(h);
}

static void write_to(const char *path, const char *s)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(s, f);
	fclose(f);
}

static void whose_database(void **unused)
{
	(void)unused;
	make_database("ours", DN_DB_APPLICATION_ID);
	make_database("theirs", 1234);
	write_to("text", "SQLite format 3");
	assert_int_equal(symlink("ours", "link"), 0);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(dn_dbfile_is_ours("ours", false), 1);
	assert_int_equal(dn_dbfile_is_ours("theirs", false), 0);
	assert_int_equal(dn_dbfile_is_ours("text", false), 0);
	assert_int_equal(dn_dbfile_is_ours("fifo", false), 0);	/* and it does not wait there */
	assert_int_equal(dn_dbfile_is_ours("link", true), 1);
	assert_int_equal(dn_dbfile_is_ours("link", false), -ELOOP);
	assert_int_equal(dn_dbfile_is_ours("none", true), -ENOENT);
}

static void in_its_place_when_it_is_whole(void **unused)
{
	struct dn_newfile f;
	char why[128];

	(void)unused;
	for (int again = 0; again < 2; again++) {	/* the second replaces the first */
		assert_int_equal(dn_dbfile_begin(&f, "new.db", why, sizeof(why)), 0);
		assert_int_equal(access("new.db", F_OK), again ? 0 : -1);
		make_database(f.temp, DN_DB_APPLICATION_ID);
		assert_int_equal(dn_newfile_commit(&f), 0);
		assert_null(f.temp);
		assert_int_equal(dn_dbfile_is_ours("new.db", false), 1);
	}
	assert_int_equal(dn_dbfile_begin(&f, "new.db", why, sizeof(why)), 0);
	dn_newfile_abort(&f);
	dn_newfile_abort(&f);
	assert_int_equal(dn_dbfile_is_ours("new.db", false), 1);
	/* what somebody put there in the meantime stays */
	assert_int_equal(dn_dbfile_begin(&f, "late.db", why, sizeof(why)), 0);
	write_to("late.db", "precious");
	assert_int_equal(dn_newfile_commit(&f), -EEXIST);
	assert_string_equal(file("late.db"), "precious");
	assert_int_not_equal(system("ls -A | grep -q '^[.]denet-'"), 0);
}

static void targets_that_stay(void **unused)
{
	struct dn_newfile f;
	char why[128];

	(void)unused;
	write_to("precious", "text");
	assert_int_equal(dn_dbfile_begin(&f, "precious", why, sizeof(why)), -EEXIST);
	assert_non_null(strstr(why, "no database that denet-analyze wrote"));
	assert_int_equal(dn_dbfile_begin(&f, ".", why, sizeof(why)), -EEXIST);
	assert_string_equal(why, "it is a directory");
	assert_int_equal(symlink("nowhere", "dangling"), 0);
	assert_int_equal(dn_dbfile_begin(&f, "dangling", why, sizeof(why)), -ELOOP);
	assert_int_equal(dn_dbfile_begin(&f, "", why, sizeof(why)), -EINVAL);
	assert_int_equal(dn_dbfile_begin(&f, "no/such/x.db", why, sizeof(why)), -ENOENT);
	assert_string_equal(file("precious"), "text");
}

/* A signal that ends the process takes the temporary file along. */
static void a_signal_cleans_up(void **unused)
{
	int status;
	pid_t pid;

	(void)unused;
	assert_int_equal(mkdir("sig", 0700), 0);
	pid = fork();
	if (!pid) {
		struct dn_newfile f;
		char why[128];

		signal(SIGTERM, SIG_DFL);
		if (dn_dbfile_begin(&f, "sig/x.db", why, sizeof(why)) || access(f.temp, F_OK))
			_exit(1);
		raise(SIGTERM);
		_exit(2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	assert_int_equal(rmdir("sig"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_query_needs),
		cmocka_unit_test(what_a_query_must_not),
		cmocka_unit_test(csv_as_the_shell_of_sqlite),
		cmocka_unit_test(json_as_jq_reads_it),
		cmocka_unit_test(text_for_people),
		cmocka_unit_test(whose_database),
		cmocka_unit_test(in_its_place_when_it_is_whole),
		cmocka_unit_test(targets_that_stay),
		cmocka_unit_test(a_signal_cleans_up),
	};

	return cmocka_run_group_tests_name("guard", tests, setup, teardown);
}
