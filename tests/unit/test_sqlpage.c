/*
 * test_sqlpage.c - denet-sql(7) against the program: every query of the page
 * runs, and the columns that are described are those that the views have.
 *
 * Reads doc/denet-sql.7.in of the source tree, where DN_SRCDIR says it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db.h"
#include "events.h"
#include "guard.h"
#include "mktrace.h"
#include "options.h"
#include "schema_sql.h"
#include "traces.h"
#include "vtab.h"

static char path[MK_PATH];
static struct dn_traces traces;
static struct dn_db *db;
static sqlite3 *h;

static void make_trace(void)
{
	struct mktrace *m = mk_new();
	char in[16] = { 2, 0, 0, 80, 127, 0, 0, 1 };
	uint64_t args[6] = { 3, 100, 200 };
	struct dn_value exec[DN_F_exec_N];
	struct dn_syscall s;

	mk_thread(m, 1, 1, 0, "main");
	for (unsigned i = 0; i < DN_F_exec_N; i++)
		exec[i] = dn_null();
	exec[DN_F_exec_time] = dn_u(MK_ORIGIN + 5);
	exec[DN_F_exec_thread] = exec[DN_F_exec_process] = dn_u(1);
	exec[DN_F_exec_path] = dn_str("/bin/sh", 7);
	exec[DN_F_exec_argv] = dn_str("sh\0-c\0echo hi\0", 14);
	mk_row(m, DN_EV_exec, exec);
	s = mk_sys(1, 0, "openat", 1000, 100, 3, 4, args);
	mk_str(&s, 1, DN_STR_PATH, "/etc/passwd", 11);
	mk_call(m, &s);
	s = mk_sys(1, 1, "read", 2000, 100, 50, 3, args);
	mk_call(m, &s);
	s = mk_sys(1, 2, "connect", 3000, 100, -111, 3, args);
	mk_str(&s, 1, DN_STR_SOCKADDR, in, sizeof(in));
	mk_call(m, &s);
	s = mk_sys(1, 3, "openat", UINT64_C(1050000000), 100, -2, 4, args);
	mk_str(&s, 1, DN_STR_PATH, "/no", 3);
	mk_call(m, &s);
	mk_exit(m, 1, 1, UINT64_C(2000000000), 0, true);
	mk_write(m, path, true);
}

static int setup(void **state)
{
	const struct dn_options o = { .threads = 1, .quiet = true };
	struct dn_vtab_options v = { .prefix = "raw_" };
	char *file[2] = { path, path };
	char err[256];

	(void)state;
	mk_temp(path);
	make_trace();
	assert_int_equal(dn_traces_open(&traces, file, 2), 0);
	assert_int_equal(dn_db_open(NULL, DN_DB_TEMP | DN_DB_NO_SYSCALL, &db, err, sizeof(err)), 0);
	assert_int_equal(dn_traces_load(&traces, &o, db, DN_NEEDS_FDS), 0);
	h = dn_db_handle(db);
	v.trace = traces.vtab;
	v.ntraces = traces.n;
	assert_int_equal(dn_vtab_register(h, &v), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dn_db_close(db);
	dn_traces_close(&traces);
	return unlink(path);
}

static FILE *source(const char *name)
{
	const char *dir = getenv("DN_SRCDIR");
	char full[4096];

	snprintf(full, sizeof(full), "%s/%s", dir ? dir : ".", name);
	return fopen(full, "r");
}

/* The few escapes of roff that the queries have. */
static void unroff(char *s)
{
	char *q = s;

	for (; *s; s++) {
		if (!strncmp(s, "\\(aq", 4)) {
			*q++ = '\'';
			s += 3;
		} else if (!strncmp(s, "\\-", 2)) {
			*q++ = '-';
			s++;
		} else {
			assert_true(*s != '\\');
			*q++ = *s;
		}
	}
	*q = '\0';
}

/* How many rows a query gives, read-only as a user's. */
static int run(const char *sql)
{
	struct dn_guard g = { .needs = DN_NEEDS_NOTHING };
	sqlite3_stmt *st;
	const char *tail;
	int rows = 0, rc;

	dn_guard_set(h, &g);
	if (sqlite3_prepare_v2(h, sql, -1, &st, &tail))
		fail_msg("%s\n%s", sqlite3_errmsg(h), sql);
	assert_int_equal(tail[strspn(tail, " \n")], '\0');
	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		rows++;
	if (rc != SQLITE_DONE)
		fail_msg("%s\n%s", sqlite3_errmsg(h), sql);
	sqlite3_finalize(st);
	dn_guard_set(h, NULL);
	return rows;
}

static void test_queries(void **state)
{
	FILE *f = source("doc/denet-sql.7.in");
	char line[512], sql[4096] = "";
	int queries = 0, with_rows = 0;
	enum { TEXT, MARKED, QUERY } at = TEXT;

	(void)state;
	if (!f)
		skip();
	while (fgets(line, sizeof(line), f)) {
		if (!strcmp(line, ".\\\" query\n")) {
			assert_int_equal(at, TEXT);
			at = MARKED;
		} else if (!strcmp(line, ".EX\n")) {
			/* an example without the mark would never be run */
			assert_int_equal(at, MARKED);
			at = QUERY;
			sql[0] = '\0';
		} else if (!strcmp(line, ".EE\n")) {
			assert_int_equal(at, QUERY);
			at = TEXT;
			with_rows += run(sql) > 0;
			queries++;
		} else if (at == QUERY) {
			unroff(line);
			/* a page is 80 columns wide, and indents by 7 */
			assert_true(strlen(line) <= 73);
			assert_true(strlen(sql) + strlen(line) < sizeof(sql));
			strcat(sql, line);
		}
	}
	fclose(f);
	assert_int_equal(at, TEXT);
	assert_true(queries >= 10);
	/* most find something in this small trace */
	assert_true(with_rows > queries / 2);
}

/* "a b c " of a view as the database has them. */
static void columns_of(const char *view, char *out, size_t cap)
{
	sqlite3_stmt *st;

	out[0] = '\0';
	assert_int_equal(
		sqlite3_prepare_v2(h, "SELECT name FROM pragma_table_info(?1)", -1, &st, NULL),
		SQLITE_OK);
	sqlite3_bind_text(st, 1, view, -1, SQLITE_STATIC);
	while (sqlite3_step(st) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(st, 0);

		assert_true(strlen(out) + strlen(name) + 2 < cap);
		strcat(out, name);
		strcat(out, " ");
	}
	sqlite3_finalize(st);
}

static void check_view(const char *view, const char *described)
{
	char real[4096];

	columns_of(view, real, sizeof(real));
	if (strcmp(real, described))
		fail_msg("view %s\nhas       %s\ndescribed %s", view, real, described);
}

/* The name between `before` and a colon, into out. */
static bool word(const char *line, const char *before, char out[64])
{
	size_t n = strlen(before), len;

	if (strncmp(line, before, n))
		return false;
	len = strspn(line + n, "abcdefghijklmnopqrstuvwxyz0123456789_");
	if (!len || len > 63 || line[n + len] != ':')
		return false;
	memcpy(out, line + n, len);
	out[len] = '\0';
	return true;
}

static void test_columns(void **state)
{
	FILE *f = fmemopen((void *)dn_views_sql, sizeof(dn_views_sql) - 1, "r");
	char line[512], view[64] = "", described[4096] = "", name[64];
	sqlite3_stmt *st;
	int views = 0;

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (word(line, "-- view ", view)) {
			described[0] = '\0';
		} else if (*view && word(line, "--   ", name)) {
			assert_true(strlen(described) + strlen(name) + 2 < sizeof(described));
			strcat(described, name);
			strcat(described, " ");
		} else if (!strncmp(line, "CREATE VIEW", 11) && *view) {
			check_view(view, described);
			view[0] = '\0';
			views++;
		}
	}
	fclose(f);
	/* and there is none without a description */
	assert_int_equal(sqlite3_prepare_v2(h,
					    "SELECT count(*) FROM sqlite_schema WHERE type = 'view'"
					    " AND name NOT LIKE 'raw\\_%' ESCAPE '\\'",
					    -1, &st, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(st, 0), views);
	sqlite3_finalize(st);
}

/* Every view can be read whole. */
static void test_views(void **state)
{
	sqlite3_stmt *st;
	char sql[128];

	(void)state;
	assert_int_equal(sqlite3_prepare_v2(h, "SELECT name FROM sqlite_schema WHERE type = 'view'",
					    -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		snprintf(sql, sizeof(sql), "SELECT * FROM \"%s\"", sqlite3_column_text(st, 0));
		run(sql);
	}
	sqlite3_finalize(st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_queries),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_views),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
