/*
 * test_vtab.c - the virtual tables against what was put into the trace.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db.h"
#include "events.h"
#include "mktrace.h"
#include "reader.h"
#include "source.h"
#include "syscalls.h"
#include "vtab.h"

#define CALLS 10000		/* in ten blocks */

struct fixture {
	char path[MK_PATH];
	struct dn_source *src[2];
	struct dn_reader *reader[2];
	sqlite3 *db;
	uint64_t damaged;
};

static void make_trace(const char *path)
{
	struct mktrace *m = mk_new();
	struct dn_value exec[DN_F_exec_N];
	struct dn_syscall s;

	mk_thread(m, 1, 1, 0, "main");
	mk_thread(m, 2, 1, 10, "wor\xffker");
	for (unsigned i = 0; i < DN_F_exec_N; i++)
		exec[i] = dn_null();
	exec[DN_F_exec_time] = dn_u(MK_ORIGIN + 5);
	exec[DN_F_exec_thread] = exec[DN_F_exec_process] = dn_u(1);
	exec[DN_F_exec_path] = dn_str("/bin/sh", 7);
	exec[DN_F_exec_argv] = dn_str("sh\0-c\0echo hi\0", 14);
	exec[DN_F_exec_argv_len] = dn_u(14);
	mk_row(m, DN_EV_exec, exec);
	for (uint32_t i = 0; i < CALLS; i++) {
		uint64_t args[6] = { i % 7, UINT64_C(0xffff888000000000) + i, 4096, 3, 4, 5 };

		s = mk_sys(1 + i % 2, i / 2, i % 5 ? "read" : "mmap", 1000 + i * 100, 50,
			   i % 10 ? (int64_t)i : -11, i % 5 ? 3 : 6, args);
		mk_call(m, &s);
		if (i % 1000 == 999)
			mk_block(m);
	}
	mk_write(m, path, true);
}

static void open_traces(struct fixture *f, unsigned n)
{
	struct dn_vtab_trace t[2];
	struct dn_vtab_options o = { .prefix = "raw_", .trace = t, .ntraces = n,
				     .damaged = &f->damaged };
	char err[256];

	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(dn_source_open(f->path, &f->src[i]), 0);
		assert_int_equal(dn_reader_open(f->src[i], &f->reader[i], err, sizeof(err)), 0);
		t[i] = (struct dn_vtab_trace){ f->reader[i], i + 1,
					       dn_reader_origin(f->reader[i]) };
	}
	assert_int_equal(sqlite3_open(":memory:", &f->db), SQLITE_OK);
	assert_int_equal(dn_vtab_register(f->db, &o), 0);
	/* as every connection of ours */
	sqlite3_db_config(f->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
}

static void open_path(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	mk_temp(f->path);
}

static int setup(void **state)
{
	struct fixture *f = malloc(sizeof(*f));

	assert_non_null(f);
	open_path(f);
	make_trace(f->path);
	open_traces(f, 1);
	*state = f;
	return 0;
}

static int setup_two(void **state)
{
	struct fixture *f = malloc(sizeof(*f));

	assert_non_null(f);
	open_path(f);
	make_trace(f->path);
	open_traces(f, 2);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	sqlite3_close(f->db);
	for (int i = 0; i < 2; i++) {
		dn_reader_close(f->reader[i]);
		dn_source_close(f->src[i]);
	}
	unlink(f->path);
	free(f);
	return 0;
}

/* First column of the first row as text; "NULL" and "none" are themselves. */
static const char *one(struct fixture *f, const char *sql)
{
	static char buf[4096];
	sqlite3_stmt *st;
	int rc = sqlite3_prepare_v2(f->db, sql, -1, &st, NULL);

	if (rc) {
		snprintf(buf, sizeof(buf), "error: %s", sqlite3_errmsg(f->db));
		return buf;
	}
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		const char *p = (const char *)sqlite3_column_text(st, 0);

		snprintf(buf, sizeof(buf), "%s", p ? p : "NULL");
	} else {
		snprintf(buf, sizeof(buf), "%s",
			 rc == SQLITE_DONE ? "none" : sqlite3_errmsg(f->db));
	}
	sqlite3_finalize(st);
	return buf;
}

#define ONE(sql, want) assert_string_equal(one(f, sql), want)

static void test_counts(void **state)
{
	struct fixture *f = *state;

	ONE("SELECT count(*) FROM raw_syscall", "10000");
	ONE("SELECT count(*) FROM raw_thread_start", "2");
	ONE("SELECT count(*) FROM raw_exec", "1");
	ONE("SELECT count(*) FROM raw_end", "0");
	ONE("SELECT count(DISTINCT rowid) FROM raw_syscall", "10000");
	ONE("SELECT sum(start) FROM raw_syscall", "5009500000");
	ONE("SELECT min(seq) || ' ' || max(seq) || ' ' || sum(seq) FROM raw_syscall",
	    "0 4999 24995000");
	ONE("SELECT count(*) FROM raw_syscall WHERE dur = 50 AND trace_id = 1", "10000");
	assert_int_equal(f->damaged, 0);
}

static void test_columns(void **state)
{
	struct fixture *f = *state;

	ONE("SELECT thread FROM raw_syscall WHERE start = 1100", "2");
	ONE("SELECT arg1 FROM raw_syscall WHERE start = 1100", "-131391639519231");
	ONE("SELECT arg3 FROM raw_syscall WHERE start = 1100", "NULL");
	ONE("SELECT arg5 FROM raw_syscall WHERE start = 1000", "5");
	ONE("SELECT ret FROM raw_syscall WHERE start = 1000", "-11");
	ONE("SELECT count(path) FROM raw_syscall", "0");
	ONE("SELECT comm FROM raw_thread_start WHERE thread = 1", "main");
	ONE("SELECT typeof(comm) || hex(comm) FROM raw_thread_start WHERE thread = 2",
	    "blob776F72FF6B6572");
	ONE("SELECT parent_thread FROM raw_thread_start", "NULL");
	ONE("SELECT time FROM raw_exec", "5");
	ONE("SELECT command FROM raw_exec", "sh -c 'echo hi'");
	ONE("SELECT typeof(argv) FROM raw_exec", "blob");
	/* every field of every event is a column of its table */
	for (unsigned id = 0; id < DN_EV_MAX; id++) {
		const struct dn_event_desc *d = dn_event_desc(id);

		for (unsigned i = 0; d && i < d->nfields; i++) {
			char sql[200];

			snprintf(sql, sizeof(sql), "SELECT count(\"%s\") >= 0 FROM raw_%s",
				 d->field[i].name, d->name);
			ONE(sql, "1");
		}
	}
}

static void test_pushdown(void **state)
{
	struct fixture *f = *state;
	static const char *const term[] = {
		"start < 1000", "start <= 1000", "start > 1000899", "start >= 1000900",
		"start = 5000", "start < 5000.5", "start > 5000.5", "start >= -1e300",
		"start < 9e18", "start < NULL", "start < 'x'", "start BETWEEN 3000 AND 7000",
		"start > 9000 AND start < 8000", "thread = 1", "thread = '1'", "thread = 1.0",
		"thread = 1.5", "thread IN (1, 2)", "thread IN (2, 7, NULL)", "thread = NULL",
		"nr = 0", "nr IN (9, 9, 9)", "nr IN (SELECT 0 UNION SELECT 9)",
		"nr IN (0) AND nr IN (9)", "nr = 0 AND nr = 9", "abi = 1 AND nr = 9 AND thread = 2",
		"abi = 2", "trace_id = 1", "trace_id IN (1, 2)", "trace_id = 2",
		"nr = 0 OR thread = 1", "start < 2000 OR start > 999000",
		"nr IN (0) AND start > 500000 AND thread IN (1) AND ret < 0",
		"rowid = (SELECT max(rowid) FROM raw_syscall)", "nr NOT IN (0)", "start IS NULL",
		"start IN (1000, 1100, 1150)",
	};

	/* +column hides a term from the virtual table */
	assert_int_equal(sqlite3_exec(f->db,
				      "CREATE TABLE copy AS SELECT rowid AS id, * FROM raw_syscall",
				      NULL, NULL, NULL),
			 0);
	for (size_t i = 0; i < sizeof(term) / sizeof(term[0]); i++) {
		char sql[500], want[32];

		snprintf(sql, sizeof(sql), "SELECT count(*) FROM copy WHERE %s", term[i]);
		if (!strncmp(term[i], "rowid", 5))
			strcpy(want, "1");
		else
			snprintf(want, sizeof(want), "%s", one(f, sql));
		snprintf(sql, sizeof(sql), "SELECT count(*) FROM raw_syscall WHERE %s", term[i]);
		if (strcmp(one(f, sql), want))
			fail_msg("%s: %s rows, want %s", term[i], one(f, sql), want);
	}
	/* a join with the table on the inner side */
	ONE("SELECT count(*) FROM (SELECT 1 AS a UNION SELECT 2) CROSS JOIN raw_syscall ON thread "
	    "= a",
	    "10000");
}

static void test_two(void **state)
{
	struct fixture *f = *state;

	ONE("SELECT count(*) FROM raw_syscall", "20000");
	ONE("SELECT count(*) FROM raw_syscall WHERE trace_id = 2", "10000");
	ONE("SELECT count(*) FROM raw_syscall WHERE trace_id IN (2, 3)", "10000");
	ONE("SELECT count(DISTINCT rowid) FROM raw_syscall", "20000");
	ONE("SELECT min(thread) FROM raw_syscall WHERE trace_id = 2", "4294967297");
	ONE("SELECT count(*) FROM raw_syscall WHERE thread = 4294967298", "5000");
	ONE("SELECT process FROM raw_thread_start WHERE trace_id = 2", "4294967297");
	ONE("SELECT count(*) FROM raw_syscall a JOIN raw_syscall b ON a.start = b.start "
	    "AND a.trace_id < b.trace_id WHERE a.start < 3000", "20");
}

static void test_early_end(void **state)
{
	struct fixture *f = *state;

	/* The feed is stopped while its ring is full. */
	for (int i = 0; i < 50; i++)
		ONE("SELECT seq FROM raw_syscall LIMIT 1", "0");
	ONE("SELECT count(*) FROM (SELECT 1 FROM raw_syscall LIMIT 7777)", "7777");
}

static void test_refused(void **state)
{
	struct fixture *f = *state;

	assert_non_null(strstr(one(f, "DELETE FROM raw_syscall"), "may not be modified"));
	ONE("CREATE VIRTUAL TABLE x USING raw_syscall('/etc/passwd')",
	    "no such module: raw_syscall");
}

static void test_view(void **state)
{
	struct fixture *f = *state;

	/* INNOCUOUS: a view may use it though schemas are not trusted */
	assert_int_equal(sqlite3_exec(f->db, "CREATE VIEW v AS SELECT nr, dur FROM raw_syscall",
				      NULL, NULL, NULL), 0);
	ONE("SELECT count(*) FROM v WHERE nr = 9", "2000");
}

/* Strings of every kind, in the columns that are for them. */
static void test_strings(void **state)
{
	struct fixture f0, *f = &f0;
	struct mktrace *m = mk_new();
	struct dn_syscall s;
	uint64_t args[6] = { 3, 100, 200, 300, 0, 0 };
	char in[16] = { 2, 0, 0, 80, 127, 0, 0, 1 };
	char in6[28] = { 10, 0, 1, (char)187 };
	char un[10] = { 1, 0, '/', 'r', 'u', 'n', '/', 'x' };
	char abstract[6] = { 1, 0, 0, 'a', 'b', 'c' };
	char *big = malloc(1 << 20);

	(void)state;
	open_path(f);
	in6[8 + 0] = 0x20, in6[8 + 1] = 0x01, in6[8 + 15] = 1;
	s = mk_sys(1, 0, "renameat2", 0, 1, 0, 5, args);
	mk_str(&s, 1, DN_STR_PATH, "/tmp/a", 6);
	mk_str(&s, 3, DN_STR_PATH, "b\x80", 2);
	mk_call(m, &s);
	s = mk_sys(1, 1, "connect", 10, 1, 0, 3, args);
	mk_str(&s, 1, DN_STR_SOCKADDR, in, sizeof(in));
	mk_call(m, &s);
	s = mk_sys(1, 2, "connect", 20, 1, 0, 3, args);
	mk_str(&s, 1, DN_STR_SOCKADDR, in6, sizeof(in6));
	mk_call(m, &s);
	s = mk_sys(1, 3, "connect", 30, 1, 0, 3, args);
	mk_str(&s, 1, DN_STR_SOCKADDR, un, sizeof(un));
	mk_call(m, &s);
	s = mk_sys(1, 4, "accept", 40, 1, 0, 3, args);
	mk_str(&s, 1, DN_STR_SOCKADDR_OUT, abstract, sizeof(abstract));
	mk_call(m, &s);
	s = mk_sys(1, 5, "execve", 50, 1, 0, 3, args);
	mk_str(&s, 0, DN_STR_PATH, "/bin/ls", 7);
	mk_str(&s, 1, DN_STR_ARGV, "ls\0a b\0", 7);
	s.str[1].flags = DN_STR_TRUNCATED;
	s.str[1].true_len = 1000;
	mk_call(m, &s);
	s = mk_sys(1, 6, "open", 60, 1, -14, 3, args);
	mk_str(&s, 0, DN_STR_PATH, "", 0);
	s.str[0].flags = DN_STR_UNREADABLE;
	mk_call(m, &s);
	s = mk_sys(1, 7, "open", 70, 1, -2, 3, args);
	mk_str(&s, 0, DN_STR_PATH, "", 0);
	mk_call(m, &s);
	s = mk_sys(1, 8, "mkdir", 80, 1, 0, 2, args);
	memset(big, 'x', 1 << 20);
	mk_str(&s, 0, DN_STR_PATH, big, 1 << 20);
	mk_call(m, &s);
	s = mk_sys(1, 9, "exit_group", 90, 1, 0, 1, args);
	s.flags = DN_CALL_UNFINISHED;
	mk_call(m, &s);
	s = mk_sys(1, 10, "getpid", 100, 1, -38, 0, args);
	s.flags = DN_CALL_NO_ENTER;
	mk_call(m, &s);
	mk_write(m, f->path, false);
	open_traces(f, 1);

	ONE("SELECT path FROM raw_syscall WHERE seq = 0", "/tmp/a");
	ONE("SELECT hex(path2) || typeof(path2) FROM raw_syscall WHERE seq = 0", "6280blob");
	ONE("SELECT sockaddr FROM raw_syscall WHERE seq = 1", "127.0.0.1:80");
	ONE("SELECT sockaddr FROM raw_syscall WHERE seq = 2", "[2001::1]:443");
	ONE("SELECT sockaddr FROM raw_syscall WHERE seq = 3", "unix:/run/x");
	ONE("SELECT sockaddr FROM raw_syscall WHERE seq = 4", "unix:@abc");
	ONE("SELECT argv FROM raw_syscall WHERE seq = 5", "ls 'a b'");
	ONE("SELECT str_flags FROM raw_syscall WHERE seq = 5", "1");
	ONE("SELECT path FROM raw_syscall WHERE seq = 5", "/bin/ls");
	ONE("SELECT path FROM raw_syscall WHERE seq = 6", "NULL");
	ONE("SELECT str_flags FROM raw_syscall WHERE seq = 6", "4");
	ONE("SELECT path = '' FROM raw_syscall WHERE seq = 7", "1");
	ONE("SELECT length(path) FROM raw_syscall WHERE seq = 8", "1048576");
	ONE("SELECT count(*) FROM raw_syscall WHERE dur IS NULL", "2");
	ONE("SELECT ret FROM raw_syscall WHERE seq = 9", "NULL");
	ONE("SELECT start FROM raw_syscall WHERE seq = 10", "NULL");
	ONE("SELECT ret FROM raw_syscall WHERE seq = 10", "-38");
	ONE("SELECT str_flags FROM raw_syscall WHERE seq = 10", "NULL");
	sqlite3_close(f->db);
	dn_reader_close(f->reader[0]);
	dn_source_close(f->src[0]);
	unlink(f->path);
	free(big);
}

/* A payload that does not decode costs itself and is counted. */
static void test_damaged(void **state)
{
	struct fixture f0, *f = &f0;
	struct mktrace *m = mk_new();
	uint64_t args[6] = { 0 };
	struct dn_syscall s = mk_sys(1, 0, "getpid", 0, 1, 1, 0, args);

	(void)state;
	open_path(f);
	mk_call(m, &s);
	mk_payload(m, "\x7f\x7f\x7f", 3, 1, 2);
	s.seq = 1;
	mk_call(m, &s);
	mk_write(m, f->path, true);
	open_traces(f, 1);
	ONE("SELECT count(*) FROM raw_syscall", "2");
	assert_int_equal(f->damaged, 1);
	sqlite3_close(f->db);
	dn_reader_close(f->reader[0]);
	dn_source_close(f->src[0]);
	unlink(f->path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_columns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pushdown, setup, teardown),
		cmocka_unit_test_setup_teardown(test_two, setup_two, teardown),
		cmocka_unit_test_setup_teardown(test_early_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_view, setup, teardown),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
