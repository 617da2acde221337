/*
 * test_dbpages.c - pages of ours against the same rows that SQLite inserted, and
 * SQLite's own check of the file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "dbpages.h"
#include "scratch.h"

#define LONG 200000

static char text[LONG + 1];

static void exec(sqlite3 *h, const char *sql)
{
	if (sqlite3_exec(h, sql, NULL, NULL, NULL))
		fail_msg("%s: %s", sql, sqlite3_errmsg(h));
}

static int64_t value(sqlite3 *h, const char *sql)
{
	sqlite3_stmt *st;
	int64_t v;

	if (sqlite3_prepare_v2(h, sql, -1, &st, NULL) || sqlite3_step(st) != SQLITE_ROW)
		fail_msg("%s: %s", sql, sqlite3_errmsg(h));
	v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return v;
}

static void check(sqlite3 *h)
{
	sqlite3_stmt *st;

	assert_int_equal(sqlite3_prepare_v2(h, "PRAGMA integrity_check", -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	assert_string_equal(sqlite3_column_text(st, 0), "ok");
	sqlite3_finalize(st);
}

static sqlite3 *reopen(const char *path)
{
	sqlite3 *h;

	assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
	exec(h, "PRAGMA synchronous = OFF");
	return h;
}

/* Tables a and b for our rows; theirs are for SQLite's. */
static sqlite3 *create(const char *path, unsigned page)
{
	sqlite3 *h = reopen(path);
	char sql[64];

	snprintf(sql, sizeof(sql), "PRAGMA page_size = %u; PRAGMA auto_vacuum = NONE", page);
	exec(h, sql);
	exec(h, "CREATE TABLE a (x INTEGER, y INTEGER, s ANY, n INTEGER) STRICT;"
		"CREATE TABLE b (id INTEGER PRIMARY KEY, s ANY) STRICT;"
		"CREATE TABLE theirs_a (x INTEGER, y INTEGER, s ANY, n INTEGER) STRICT;"
		"CREATE TABLE theirs_b (id INTEGER PRIMARY KEY, s ANY) STRICT;");
	return h;
}

static uint32_t root(sqlite3 *h, const char *table)
{
	char sql[128];

	snprintf(sql, sizeof(sql), "SELECT rootpage FROM sqlite_schema WHERE name = '%s'", table);
	return (uint32_t)value(h, sql);
}

static void bind(sqlite3_stmt *st, int at, const struct dn_cell *c)
{
	switch (c->kind) {
	case DN_CELL_INT:
		sqlite3_bind_int64(st, at, c->i);
		break;
	case DN_CELL_TEXT:
		sqlite3_bind_text(st, at, c->p, (int)c->len, SQLITE_STATIC);
		break;
	case DN_CELL_BLOB:
		sqlite3_bind_blob(st, at, c->p, (int)c->len, SQLITE_STATIC);
		break;
	default:
		sqlite3_bind_null(st, at);
	}
}

static void insert(sqlite3_stmt *st, const struct dn_cell *cell, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		bind(st, 1 + (int)i, &cell[i]);
	assert_int_equal(sqlite3_step(st), SQLITE_DONE);
	sqlite3_reset(st);
}

/* Every width of a number, on both sides of where it changes. */
static int64_t number(unsigned i)
{
	uint64_t edge = UINT64_C(1) << i / 6 % 64;

	switch (i % 6) {
	case 0:
		return (int64_t)edge;
	case 1:
		return (int64_t)(edge - 1);
	case 2:
		return (int64_t)(edge + 1);
	case 3:
		return (int64_t)-edge;
	case 4:
		return (int64_t)(-edge - 1);
	default:
		return (int64_t)(-edge + 1);
	}
}

static struct dn_cell string(size_t len, unsigned kind)
{
	return (struct dn_cell){ .p = text, .len = (uint32_t)len, .kind = (uint8_t)kind };
}

/* Row i of a, and in b a string each 7 rows. len: of the strings. */
static void row(unsigned i, size_t len, struct dn_cell a[4], struct dn_cell b[2])
{
	a[0] = dn_cell_int(number(i));
	a[1] = dn_cell_int(i);
	a[2] = i % 3 ? dn_cell_null() : string(len, i % 2 ? DN_CELL_TEXT : DN_CELL_BLOB);
	a[3] = i % 5 ? dn_cell_int(-(int64_t)i) : dn_cell_null();
	b[0] = dn_cell_null();
	b[1] = string(len, DN_CELL_TEXT);
}

/* The same rows by both ways. lens: the lengths of strings in turn; rows of each. */
static void both(unsigned page, unsigned rows, const size_t *lens, unsigned nlens)
{
	sqlite3 *h = create("x.db", page);
	uint32_t root_a = root(h, "a"), root_b = root(h, "b");
	struct dn_cell a[4], b[2];
	struct dn_dbpages *f;
	struct dn_dbtable *ta, *tb;
	sqlite3_stmt *sa, *sb;

	assert_int_equal(sqlite3_prepare_v2(h, "INSERT INTO theirs_a VALUES (?, ?, ?, ?)", -1, &sa,
					    NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(h, "INSERT INTO theirs_b VALUES (?, ?)", -1, &sb, NULL),
			 SQLITE_OK);
	exec(h, "BEGIN");
	for (unsigned i = 0; i < rows; i++) {
		row(i, lens[i % nlens], a, b);
		insert(sa, a, 4);
		if (i % 7 == 0)
			insert(sb, b, 2);
	}
	exec(h, "COMMIT");
	sqlite3_finalize(sa);
	sqlite3_finalize(sb);
	sqlite3_close(h);

	assert_int_equal(dn_dbpages_open("x.db", &f), 0);
	ta = dn_dbpages_table(f, root_a);
	tb = dn_dbpages_table(f, root_b);
	assert_true(ta && tb);
	for (unsigned i = 0; i < rows; i++) {
		row(i, lens[i % nlens], a, b);
		assert_int_equal(dn_dbtable_row(ta, a, 4), 0);
		if (i % 7 == 0)
			assert_int_equal(dn_dbtable_row(tb, b, 2), 0);
	}
	assert_int_equal(dn_dbpages_close(f), 0);

	h = reopen("x.db");
	check(h);
	assert_int_equal(value(h, "SELECT count(*) FROM a"), rows);
	assert_int_equal(value(h, "SELECT count(*) FROM b"), (rows + 6) / 7);
	assert_int_equal(value(h, "SELECT count(*) FROM a JOIN theirs_a AS t ON t.rowid = a.rowid"
				  " WHERE a.x IS t.x AND a.y IS t.y AND a.s IS t.s AND a.n IS t.n"),
			 rows);
	assert_int_equal(value(h, "SELECT count(*) FROM b JOIN theirs_b AS t ON t.id = b.id"
				  " WHERE b.s IS t.s"), (rows + 6) / 7);
	/* SQLite goes on with them */
	exec(h, "INSERT INTO a SELECT * FROM theirs_a LIMIT 100; DELETE FROM b WHERE id % 2;"
		"CREATE INDEX i ON a (x); VACUUM");
	check(h);
	sqlite3_close(h);
	unlink("x.db");
}

static void test_rows(void **state)
{
	static const size_t len[] = { 0, 1, 5, 20 };

	(void)state;
	for (unsigned rows = 0; rows < 40; rows++)	/* one leaf, and a second */
		both(512, rows, len, 4);
	/* Where a level is full, and the next has one child or two: a leaf has some
	 * 20 of the rows, a page above it 34 children. */
	for (unsigned rows = 600; rows < 1000; rows += 3)
		both(512, rows, len, 4);
	both(512, 60000, len, 4);	/* four levels */
	both(4096, 20000, len, 4);
	both(32768, 20000, len, 4);
	both(65536, 20000, len, 4);
}

/* Around each length at which a string goes on to one page more. */
static void test_long(void **state)
{
	static const unsigned page[] = { 512, 1024, 32768, 65536 };
	size_t len[64];
	unsigned n;

	(void)state;
	for (unsigned p = 0; p < 4; p++) {
		for (unsigned more = 0; more < 3; more++) {
			size_t edge = page[p] - 35 + more * (page[p] - 4);

			for (n = 0; n < 64; n++)
				len[n] = edge - 40 + n;
			both(page[p], 256, len, n);
		}
	}
	len[0] = LONG;
	len[1] = 3;
	both(512, 100, len, 2);
	both(32768, 100, len, 2);
}

/*
 * The page that SQLite keeps for its locks, at 1 GiB, is not ours. The pages
 * before it are a hole in the file that no table has.
 */
static void test_lock_page(void **state)
{
	static const size_t len[] = { 10 };
	const uint32_t before = (1u << 30) / 32768 - 2;
	const uint8_t pages[4] = { before >> 24, (before >> 16) & 0xff, (before >> 8) & 0xff,
				   before & 0xff };
	sqlite3 *h = create("lock.db", 32768);
	uint32_t root_a = root(h, "a");
	struct dn_cell a[4], b[2];
	struct dn_dbpages *f;
	struct dn_dbtable *t;
	int64_t sum = 0;
	int fd;

	(void)state;
	sqlite3_close(h);
	fd = open("lock.db", O_RDWR);
	assert_int_equal(pwrite(fd, pages, 4, 28), 4);
	assert_int_equal(ftruncate(fd, (off_t)before * 32768), 0);
	close(fd);
	assert_int_equal(dn_dbpages_open("lock.db", &f), 0);
	t = dn_dbpages_table(f, root_a);
	assert_non_null(t);
	for (unsigned i = 0; i < 20000; i++) {
		row(i, len[0], a, b);
		assert_int_equal(dn_dbtable_row(t, a, 4), 0);
		sum += i;
	}
	assert_int_equal(dn_dbpages_close(f), 0);
	h = reopen("lock.db");
	assert_true(value(h, "PRAGMA page_count") > before + 4);
	assert_int_equal(value(h, "SELECT sum(y) FROM a"), sum);
	sqlite3_close(h);
	unlink("lock.db");
}

static void test_refused(void **state)
{
	static const char *const odd[] = { "PRAGMA auto_vacuum = FULL", "PRAGMA encoding = 'UTF-16'" };
	struct dn_dbpages *f;
	sqlite3 *h;
	FILE *empty;

	(void)state;
	assert_int_equal(dn_dbpages_open("none.db", &f), -ENOENT);
	assert_null(f);
	empty = fopen("empty.db", "w");
	assert_non_null(empty);
	fclose(empty);
	assert_int_equal(dn_dbpages_open("empty.db", &f), -ENOTSUP);
	for (unsigned i = 0; i < 2; i++) {
		h = reopen("odd.db");
		exec(h, odd[i]);
		exec(h, "CREATE TABLE a (x)");
		sqlite3_close(h);
		assert_int_equal(dn_dbpages_open("odd.db", &f), -ENOTSUP);
		unlink("odd.db");
	}
}

/* A disk that is full, played by the limit of a file's size. */
static void test_full(void **state)
{
	struct rlimit was, small = { .rlim_cur = 200000 };
	sqlite3 *h = create("full.db", 4096);
	uint32_t root_a = root(h, "a");
	struct dn_cell a[4], b[2];
	struct dn_dbpages *f;
	struct dn_dbtable *t;
	int err = 0;

	(void)state;
	sqlite3_close(h);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	small.rlim_max = was.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(dn_dbpages_open("full.db", &f), 0);
	t = dn_dbpages_table(f, root_a);
	for (unsigned i = 0; i < 100000 && !err; i++) {
		row(i, 20, a, b);
		err = dn_dbtable_row(t, a, 4);
	}
	assert_int_equal(err, -EFBIG);
	dn_dbpages_abort(f);
	/* less than is written at once: it fails at the end */
	assert_int_equal(dn_dbpages_open("full.db", &f), 0);
	t = dn_dbpages_table(f, root_a);
	for (unsigned i = 0; i < 7000; i++) {
		row(3, 20, a, b);
		assert_int_equal(dn_dbtable_row(t, a, 4), 0);
	}
	assert_int_equal(dn_dbpages_close(f), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	signal(SIGXFSZ, SIG_DFL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_lock_page),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_full),
	};

	memset(text, 'x', LONG);
	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
