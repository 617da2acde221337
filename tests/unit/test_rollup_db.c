/*
 * test_rollup_db.c - analyzer/strstat.h and analyzer/rollup_db.h: strings that are
 * counted, and rollups that reach the database in one piece or in many.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "block.h"
#include "db.h"
#include "mktrace.h"
#include "numbers.h"
#include "query.h"
#include "rollup.h"
#include "rollup_db.h"

static uint64_t state = 11;

static uint64_t rnd(void)
{
	return xorshift(&state);
}

/* --- strstat.h --------------------------------------------------------------- */

#define NAMES 300

static void counted_as_in_a_plain_list(void **unused)
{
	static struct dn_strstat_row want[NAMES][2][3];
	static char name[NAMES][16];
	struct dn_strstat s = { .limit = 4 << 20 };
	uint32_t rows = 0;

	(void)unused;
	for (int i = 1; i < NAMES; i++)		/* the first is empty */
		snprintf(name[i], sizeof(name[i]), "n%d", i * i);
	for (int i = 0; i < 30000; i++) {
		size_t n = (size_t)(rnd() % NAMES);
		unsigned nr = (unsigned)(rnd() % 2), result = (unsigned)(rnd() % 3);
		struct dn_strstat_row *w = &want[n][nr][result];
		struct dn_strstat_row k = { .thread = 5, .nr = nr, .result = (int16_t)result,
					    .abi = 1, .count = 1, .total = rnd() % 100,
					    .first = (int64_t)(rnd() % 1000), .last = 2000 - i % 7 };

		rows += !w->count;
		if (!w->count || k.first < w->first)
			w->first = k.first;
		if (!w->count || k.last > w->last)
			w->last = k.last;
		w->count++;
		w->total += k.total;
		if (i % 100 == 0)
			dn_strstat_new_block(&s);
		assert_int_equal(dn_strstat_add(&s, name[n], (uint32_t)strlen(name[n]), &k), 0);
	}
	assert_int_equal(s.nrows, rows);
	assert_int_equal(s.nstrings, NAMES);
	for (uint32_t i = 0; i < s.nrows; i++) {
		const struct dn_strstat_row *r = &s.row[i], *w;
		char text[16] = "";
		int n = 0;

		assert_true(s.string[r->string].len < sizeof(text));
		memcpy(text, dn_strstat_bytes(&s, r->string), s.string[r->string].len);
		while (n < NAMES && strcmp(name[n], text))
			n++;
		assert_true(n < NAMES);
		w = &want[n][r->nr][r->result];
		assert_int_equal(r->count, w->count);
		assert_int_equal(r->total, w->total);
		assert_int_equal(r->first, w->first);
		assert_int_equal(r->last, w->last);
	}
	dn_strstat_clear(&s);
	assert_int_equal(s.nrows + s.nstrings + s.bytes, 0);
	dn_strstat_free(&s);
}

/* The empty string as the very first: there is no arena yet. */
static void an_empty_string(void **unused)
{
	struct dn_strstat s = { .limit = 4 << 20 };
	const struct dn_strstat_row k = { .count = 1 };

	(void)unused;
	assert_int_equal(dn_strstat_add(&s, "", 0, &k), 0);
	assert_int_equal(dn_strstat_add(&s, NULL, 0, &k), 0);
	assert_int_equal(s.nstrings, 1);
	assert_int_equal(s.row[0].count, 2);
	dn_strstat_free(&s);
}

/* The same address holds another string in the next block. */
static void addresses_end_with_their_block(void **unused)
{
	struct dn_strstat s = { .limit = 4 << 20 };
	const struct dn_strstat_row k = { .count = 1 };
	char p[4] = "one";

	(void)unused;
	assert_int_equal(dn_strstat_add(&s, p, 3, &k), 0);
	memcpy(p, "two", 3);
	dn_strstat_new_block(&s);
	assert_int_equal(dn_strstat_add(&s, p, 3, &k), 0);
	assert_int_equal(s.nstrings, 2);
	assert_memory_equal(dn_strstat_bytes(&s, 1), "two", 3);
	dn_strstat_free(&s);
}

/* Whoever asks first never holds more than the limit. */
static void full_before_the_limit(void **unused)
{
	struct dn_strstat s = { .limit = 100000 };
	const struct dn_strstat_row k = { .count = 1 };
	char name[200];
	unsigned n = 0;

	(void)unused;
	while (!dn_strstat_full(&s, 1, sizeof(name))) {
		memset(name, 'x', sizeof(name));
		snprintf(name, sizeof(name), "%u", n++);
		dn_strstat_new_block(&s);
		assert_int_equal(dn_strstat_add(&s, name, sizeof(name), &k), 0);
	}
	assert_in_range(n, 100, 500);
	assert_true(s.bytes + s.nrows * sizeof(*s.row) + s.nstrings * sizeof(*s.string) <= s.limit);
	assert_false(dn_strstat_full(&s, 0, 0));
	dn_strstat_free(&s);
}

/* --- rollup_db.h ------------------------------------------------------------- */

#define CALLS 60000
#define PATH 400

static void make_call(uint32_t k, struct dn_syscall *s, char *path, struct sockaddr_in *addr)
{
	static const char *const names[] = { "read", "openat", "connect", "futex" };
	const uint64_t args[] = { 3, 4, 5 };

	*s = mk_sys(1 + k % 5, k / 5, names[k % 4], 1000 * (uint64_t)k, k * 7 % 100000,
		    k % 9 ? 0 : -2, 3, args);
	if (k % 4 == 1) {
		/* long and often new: the table of strings overflows */
		memset(path, 'x', PATH);
		memcpy(path, "/\xff\0", 2 + k % 2);
		snprintf(path + PATH - 10, 10, "%u", k % 40000);
		mk_str(s, 1, DN_STR_PATH, path, PATH);
	} else if (k % 4 == 2) {
		*addr = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(80),
					      .sin_addr = { htonl(0xc0000200 + k % 50) } };
		mk_str(s, 1, DN_STR_SOCKADDR, (char *)addr, sizeof(*addr));
	}
	if (k % 13 == 0)
		s->flags = DN_CALL_UNFINISHED;
}

static struct dn_db *open_db(unsigned flags)
{
	const struct dn_file_header h = { .boot_ns = MK_ORIGIN };
	struct dn_db *db;
	char err[256];

	assert_int_equal(dn_db_open(NULL, DN_DB_TEMP | flags, &db, err, sizeof(err)), 0);
	assert_int_equal(dn_db_begin_trace(db, "x", &h, MK_ORIGIN), 1);
	return db;
}

/* Counts all calls and stores them; spills: how often room was made. */
static struct dn_db *store(size_t limit, unsigned flags, unsigned *spills)
{
	struct dn_rollup *r = dn_rollup_new(MK_ORIGIN, limit);
	struct dn_db *db = open_db(flags);
	struct sockaddr_in addr;
	struct dn_syscall s;
	char path[PATH];
	int err;

	*spills = 0;
	for (uint32_t k = 0; k < CALLS; k++) {
		make_call(k, &s, path, &addr);
		dn_rollup_new_block(r);
		err = dn_rollup_call(r, &s);
		if (err == -ENOSPC) {
			++*spills;
			assert_int_equal(dn_rollup_spill(db, r), 0);
			err = dn_rollup_call(r, &s);
		}
		assert_int_equal(err, 0);
	}
	assert_int_equal(dn_rollup_store(db, r), 0);
	dn_rollup_free(r);
	return db;
}

/* Both give the same rows. Returns how many. */
static unsigned same(struct dn_db *a, struct dn_db *b, const char *sql)
{
	struct dn_query *p = dn_query_new(a, sql), *q = dn_query_new(b, sql);
	unsigned rows = 0;
	int more;

	assert_non_null(p);
	assert_non_null(q);
	while (more = dn_query_step(p), assert_int_equal(dn_query_step(q), more), more > 0) {
		for (int i = 0; i < dn_query_columns(p); i++) {
			size_t n, k;
			const char *x = dn_query_text(p, i, &n), *y = dn_query_text(q, i, &k);

			assert_int_equal(dn_query_type(p, i), dn_query_type(q, i));
			assert_int_equal(n, k);
			assert_memory_equal(x, y, n);
		}
		rows++;
	}
	assert_int_equal(more, 0);
	dn_query_free(p);
	dn_query_free(q);
	return rows;
}

static void in_parts_as_in_one(void **unused)
{
	unsigned none, some;
	struct dn_db *whole = store(64 << 20, 0, &none), *parts = store(4 << 20, 0, &some);

	(void)unused;
	assert_int_equal(none, 0);
	assert_true(some > 0);
	assert_true(same(whole, parts, "SELECT * FROM raw_syscall_stat") > 20);
	assert_true(same(whole, parts, "SELECT * FROM raw_path") >= 10000);
	assert_true(same(whole, parts, "SELECT * FROM raw_address") > 25);
	assert_true(same(whole, parts, "SELECT * FROM raw_thread_calls") == 5);
	assert_true(same(whole, parts, "SELECT * FROM raw_result") > 4);
	assert_true(same(whole, parts, "SELECT * FROM raw_rate") > 50);
	assert_true(same(whole, parts, "SELECT * FROM raw_latency ORDER BY 1, 2, 3, 4, 5, 6") > 100);
	assert_int_equal(dn_db_close(whole) | dn_db_close(parts), 0);
}

static void what_the_tables_say(void **unused)
{
	unsigned spills;
	struct dn_db *db = store(64 << 20, 0, &spills);
	uint64_t failed = 0, timed = 0, total = 0;
	struct sockaddr_in addr;
	struct dn_syscall s;
	char path[PATH];

	(void)unused;
	for (uint32_t k = 0; k < CALLS; k++) {
		make_call(k, &s, path, &addr);
		if (s.flags & DN_CALL_UNFINISHED)
			continue;
		failed += s.ret < 0;
		timed++;
		total += s.dur;
	}
#define VALUE(sql) dn_query_value(db, sql, 0, -1)
	assert_int_equal(VALUE("SELECT sum(count) FROM raw_syscall_stat"), CALLS);
	assert_int_equal(VALUE("SELECT sum(count) FROM raw_syscall_stat WHERE result > 0"), failed);
	assert_int_equal(VALUE("SELECT sum(timed) FROM raw_syscall_stat"), timed);
	assert_int_equal(VALUE("SELECT sum(total) FROM raw_result"), total);
	assert_int_equal(VALUE("SELECT sum(count) FROM raw_latency"), timed);
	assert_int_equal(VALUE("SELECT sum(count) FROM raw_rate"), CALLS);
	assert_int_equal(VALUE("SELECT sum(errors) FROM raw_rate"), failed);
	assert_int_equal(VALUE("SELECT sum(calls) FROM raw_thread_calls"), CALLS);
	assert_int_equal(VALUE("SELECT sum(count) FROM raw_path"), CALLS / 4);
	assert_int_equal(VALUE("SELECT count(*) FROM raw_path WHERE typeof(path) != 'blob'"), 0);
	assert_int_equal(VALUE("SELECT max(length(path)) FROM raw_path"), PATH);
	assert_int_equal(VALUE("SELECT sum(count) FROM raw_address"), CALLS / 4);
	assert_int_equal(VALUE("SELECT count(*) FROM raw_address WHERE family != 'inet' OR port != 80"),
			 0);
	assert_int_equal(VALUE("SELECT count(DISTINCT address) FROM raw_address"), 25);
	assert_int_equal(VALUE("SELECT count(*) FROM raw_address WHERE address = '192.0.2.2:80'") > 0,
			 1);
	assert_int_equal(dn_db_close(db), 0);
}

/* For our own reports: failed calls by thread, durations of all threads together. */
static void what_a_report_needs(void **unused)
{
	unsigned spills;
	struct dn_db *all = store(64 << 20, 0, &spills), *db = store(64 << 20, DN_DB_REPORT, &spills);

	(void)unused;
	assert_int_equal(VALUE("SELECT count(*) FROM raw_syscall_stat WHERE result <= 0"), 0);
	assert_int_equal(VALUE("SELECT sum(count) FROM raw_syscall_stat"),
			 dn_query_value(all, "SELECT sum(count) FROM raw_syscall_stat WHERE result > 0",
					0, -1));
	assert_int_equal(VALUE("SELECT count(thread) FROM raw_latency"), 0);
	assert_true(same(all, db, "SELECT abi, nr, result, bucket, sum(count) FROM raw_latency"
				  " GROUP BY 1, 2, 3, 4") > 100);
	assert_true(same(all, db, "SELECT * FROM raw_result") > 4);
	assert_int_equal(dn_db_close(db) | dn_db_close(all), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counted_as_in_a_plain_list),
		cmocka_unit_test(an_empty_string),
		cmocka_unit_test(addresses_end_with_their_block),
		cmocka_unit_test(full_before_the_limit),
		cmocka_unit_test(in_parts_as_in_one),
		cmocka_unit_test(what_the_tables_say),
		cmocka_unit_test(what_a_report_needs),
	};

	return cmocka_run_group_tests_name("rollup_db", tests, NULL, NULL);
}
