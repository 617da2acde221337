/*
 * test_filter.c - analyzer/vtab_filter.h: what SQLite asks of a scan and what the
 * scan makes of it. A table of numbers is filtered by our plan alone and by SQLite's own
 * test alone; ours must never leave out a row that SQLite keeps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "events.h"
#include "numbers.h"
#include "vtab_filter.h"

/* The columns of the table: trace_id, then those of a system call that matter. */
enum { TRACE = 0, THREAD = 1 + DN_F_syscall_thread, ABI = 1 + DN_F_syscall_abi,
       NR = 1 + DN_F_syscall_nr, START = 1 + DN_F_syscall_start };

#define ROWS 400

static sqlite3 *db;
static unsigned passed;			/* rows that our filter let through */
static char plan[64];

/* Row i of the table; the times have negative ones among them. */
static int64_t cell(int col, int64_t i)
{
	switch (col) {
	case TRACE:
		return 1 + i % 2;
	case THREAD:
		return i % 7;
	case ABI:
		return 1 + i % 3;
	case NR:
		return i % 11;
	case START:
		return 10 * (i - ROWS / 2);
	}
	return 0;
}

static bool passes(const struct dn_vtab_filter *f, int64_t i)
{
	return dn_vtab_set_has(&f->set[DN_VTAB_TRACE], cell(TRACE, i)) &&
	       dn_vtab_set_has(&f->set[DN_VTAB_THREAD], cell(THREAD, i)) &&
	       dn_vtab_set_has(&f->set[DN_VTAB_ABI], cell(ABI, i)) &&
	       dn_vtab_set_has(&f->set[DN_VTAB_NR], cell(NR, i)) &&
	       cell(START, i) >= f->from && cell(START, i) <= f->to;
}

/* --- a virtual table ----------------------------------------------------------- */

struct cursor {
	sqlite3_vtab_cursor base;
	struct dn_vtab_filter f;
	int64_t i;
};

static int connect(sqlite3 *h, void *aux, int argc, const char *const *argv, sqlite3_vtab **out,
		   char **err)
{
	char sql[1024] = "CREATE TABLE x(c0 INTEGER";

	(void)aux;
	(void)argc;
	(void)argv;
	(void)err;
	for (int i = 1; i <= 1 + DN_F_syscall_N; i++)
		sprintf(sql + strlen(sql), ", c%d INTEGER", i);
	strcat(sql, ")");
	*out = sqlite3_malloc(sizeof(**out));
	memset(*out, 0, sizeof(**out));
	return sqlite3_declare_vtab(h, sql);
}

static int disconnect(sqlite3_vtab *t)
{
	sqlite3_free(t);
	return SQLITE_OK;
}

static int best_index(sqlite3_vtab *t, sqlite3_index_info *info)
{
	(void)t;
	return dn_vtab_plan(info, true, START);
}

static int cursor_open(sqlite3_vtab *t, sqlite3_vtab_cursor **out)
{
	struct cursor *c = sqlite3_malloc(sizeof(*c));

	(void)t;
	memset(c, 0, sizeof(*c));
	*out = &c->base;
	return SQLITE_OK;
}

static int cursor_close(sqlite3_vtab_cursor *b)
{
	struct cursor *c = (struct cursor *)b;

	dn_vtab_filter_clear(&c->f);
	sqlite3_free(c);
	return SQLITE_OK;
}

static void skip_rows(struct cursor *c)
{
	while (c->i < ROWS && !passes(&c->f, c->i))
		c->i++;
	passed += c->i < ROWS;
}

static int filter(sqlite3_vtab_cursor *b, int num, const char *str, int argc, sqlite3_value **argv)
{
	struct cursor *c = (struct cursor *)b;
	int rc;

	(void)num;
	dn_vtab_filter_clear(&c->f);
	rc = dn_vtab_filter_read(&c->f, str, argc, argv);
	snprintf(plan, sizeof(plan), "%s", str);
	c->i = 0;
	skip_rows(c);
	return rc;
}

static int next(sqlite3_vtab_cursor *b)
{
	struct cursor *c = (struct cursor *)b;

	c->i++;
	skip_rows(c);
	return SQLITE_OK;
}

static int eof(sqlite3_vtab_cursor *b)
{
	return ((struct cursor *)b)->i >= ROWS;
}

static int column(sqlite3_vtab_cursor *b, sqlite3_context *ctx, int col)
{
	sqlite3_result_int64(ctx, cell(col, ((struct cursor *)b)->i));
	return SQLITE_OK;
}

static int row_id(sqlite3_vtab_cursor *b, sqlite3_int64 *id)
{
	*id = ((struct cursor *)b)->i;
	return SQLITE_OK;
}

static const sqlite3_module module = {
	.xConnect = connect, .xBestIndex = best_index, .xDisconnect = disconnect,
	.xOpen = cursor_open, .xClose = cursor_close, .xFilter = filter, .xNext = next,
	.xEof = eof, .xColumn = column, .xRowid = row_id,
};

static int setup(void **state)
{
	char sql[256];

	(void)state;
	if (sqlite3_open(":memory:", &db) || sqlite3_create_module(db, "v", &module, NULL))
		return 1;
	/* the same rows in a table that knows nothing of us */
	snprintf(sql, sizeof(sql), "CREATE TABLE t AS SELECT c0, c%d, c%d, c%d, c%d FROM v", THREAD,
		 ABI, NR, START);
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static int teardown(void **state)
{
	(void)state;
	return sqlite3_close(db);
}

/* The rows of a table where a condition in terms of $h, $a, $n, $s holds. */
static int64_t count(const char *table, const char *where)
{
	char sql[512];
	sqlite3_stmt *st;
	int64_t n;
	size_t at = (size_t)snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s WHERE ", table);

	for (; *where; where++) {
		static const char names[] = "thans";
		static const int col[] = { TRACE, THREAD, ABI, NR, START };

		if (*where == '$')
			at += (size_t)snprintf(sql + at, sizeof(sql) - at, "c%d",
					       col[strchr(names, *++where) - names]);
		else
			sql[at++] = *where;
	}
	sql[at] = 0;
	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL))
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return n;
}

static void never_a_row_too_few(void **unused)
{
	static const struct { const char *where; bool exact; const char *plan; } q[] = {
		{ "$t = 2", true, "t" },
		{ "$h = 3 AND $n = 3", true, "hn" },
		{ "$n IN (1, 5, 9, 9)", true, "N" },
		{ "$n IN (1, 5) AND $n IN (5, 9)", false, NULL },
		{ "$a IN (1, NULL)", true, "A" },
		{ "$a IN (SELECT value FROM json_each('[3, 1, 2, 1]'))", true, "A" },
		{ "$a IN (1, 'x')", false, "A" },
		{ "$n = 5.0", false, "n" },
		{ "$n = 5.5", false, "n" },
		{ "$n = '5'", true, "n" },
		{ "$n = 'five'", false, "n" },
		{ "$n = NULL", true, NULL },
		{ "$n IS NULL", false, NULL },
		{ "$n > 5", false, "" },
		{ "$s < 40", true, "<" },
		{ "$s <= 40", true, "l" },
		{ "$s > -40", true, ">" },
		{ "$s >= -40", true, "g" },
		{ "$s = 50", true, "=" },
		{ "$s = 50.0", true, "=" },
		{ "$s = 50.5", true, "=" },
		{ "$s < 40.5", true, "<" },
		{ "$s > 40.5", true, ">" },
		{ "$s < -40.5", true, "<" },
		{ "$s >= -40.5 AND $s <= 99.9", true, NULL },
		{ "$s BETWEEN 10 AND 500 AND $h IN (0, 6)", true, NULL },
		{ "$s < 1e300", true, "<" },
		{ "$s > -1e300", true, ">" },
		{ "$s > 9223372036854775807", false, ">" },
		{ "$s < -9223372036854775808", false, "<" },
		{ "$s < 'text'", false, "<" },
		{ "$s < '40'", true, "<" },
		{ "$h = 3 OR $n = 4", false, NULL },
		{ "NOT $h = 3", false, "" },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(q) / sizeof(*q); i++) {
		int64_t want = count("t", q[i].where), got;

		passed = 0;
		strcpy(plan, "none");
		got = count("v", q[i].where);
		if (got != want)
			fail_msg("%s: %d rows, SQLite has %d", q[i].where, (int)got, (int)want);
		if (q[i].exact && passed != want)
			fail_msg("%s: %u rows came out for %d", q[i].where, passed, (int)want);
		if (q[i].plan && strcmp(q[i].plan, plan))
			fail_msg("%s: plan %s", q[i].where, plan);
	}
}

static void random_conditions(void **unused)
{
	static const char *const ops[] = { "=", "<", "<=", ">", ">=" };

	(void)unused;
	for (int i = 0; i < 3000; i++) {
		char where[256];
		unsigned from = (unsigned)number(4000), half = (unsigned)number(2), op = (unsigned)number(5);
		unsigned h = (unsigned)number(9), n = (unsigned)number(12);

		snprintf(where, sizeof(where), "$s %s %d%s AND $%c IN (%u, %u) AND $h %s %u", ops[op],
			 (int)from - 2000, half ? ".5" : "", "an"[number(2)], n, (unsigned)number(12),
			 number(2) ? "=" : "<>", h);
		assert_int_equal(count("v", where), count("t", where));
	}
}

static void a_clear_filter_lets_all_through(void **unused)
{
	struct dn_vtab_filter f = { 0 };

	(void)unused;
	dn_vtab_filter_clear(&f);
	assert_true(f.from == INT64_MIN && f.to == INT64_MAX);
	for (int i = 0; i < DN_VTAB_SETS; i++)
		assert_true(dn_vtab_set_has(&f.set[i], INT64_MIN));
	for (int i = 0; i < ROWS; i++)
		assert_true(passes(&f, i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(never_a_row_too_few),
		cmocka_unit_test(random_conditions),
		cmocka_unit_test(a_clear_filter_lets_all_through),
	};

	return cmocka_run_group_tests_name("filter", tests, setup, teardown);
}
