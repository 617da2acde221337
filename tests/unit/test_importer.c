/*
 * test_importer.c - the calls in a database against the virtual table.
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
#include "importer.h"
#include "mktrace.h"
#include "options.h"
#include "traces.h"
#include "vtab.h"

#define COLUMNS "trace_id, thread, seq, cpu, abi, nr, start, dur, ret, flags, arg0, arg1, arg2," \
		" arg3, arg4, arg5, path, path2, text, sockaddr, argv, str_flags"

/* Calls of every kind; `different` paths. */
static void make_trace(const char *path, unsigned calls, unsigned different)
{
	struct mktrace *m = mk_new();
	char in[16] = { 2, 0, 0, 80, 127, 0, 0, 1 };
	uint64_t args[6] = { UINT64_MAX, 0, 1, UINT64_C(1) << 63, 7, 8 };
	struct dn_syscall s;

	mk_thread(m, 1, 1, 0, "main");
	mk_thread(m, 9, 1, 0, "other");
	for (uint32_t i = 0; i < calls; i++) {
		char name[64];
		int len = snprintf(name, sizeof(name), "/dir/%u", i % different);

		s = mk_sys(i % 3 ? 1 : 9, i, i % 2 ? "openat" : "mmap", i * 10, i, -2,
			   i % 2 ? 4 : 6, args);
		s.cpu = UINT16_MAX;
		if (i % 2)
			mk_str(&s, 1, DN_STR_PATH, name, (size_t)len);
		if (i % 11 == 1)
			mk_str(&s, 2, DN_STR_PATH, "b\xff", 2);
		if (i % 100 == 3)
			s.flags = DN_CALL_NO_ENTER;
		if (i % 100 == 5)
			s.flags = DN_CALL_UNFINISHED;
		mk_call(m, &s);
	}
	s = mk_sys(1, calls, "connect", 5, 1, 0, 3, args);
	mk_str(&s, 1, DN_STR_SOCKADDR, in, sizeof(in));
	mk_call(m, &s);
	s = mk_sys(1, calls + 1, "execve", 6, 1, 0, 3, args);
	mk_str(&s, 0, DN_STR_PATH, "/bin/ls", 7);
	mk_str(&s, 1, DN_STR_ARGV, "ls\0a b\0", 7);
	s.str[1].flags = DN_STR_TRUNCATED;
	s.str[1].true_len = 100;
	mk_call(m, &s);
	/* numbers that only the file's own types bound */
	s = mk_sys(1, UINT32_MAX, "read", 7, 1, 0, 3, args);
	s.nr = UINT32_MAX;
	s.abi = 200;
	s.flags = 0x40000000;
	mk_call(m, &s);
	mk_write(m, path, true);
}

static int64_t value(sqlite3 *h, const char *sql)
{
	sqlite3_stmt *st;
	int64_t v;

	if (sqlite3_prepare_v2(h, sql, -1, &st, NULL))
		fail_msg("%s: %s", sql, sqlite3_errmsg(h));
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return v;
}

/* A database of n copies of the trace; the virtual tables as t_*. */
struct fixture {
	char trace[MK_PATH], path[MK_PATH];
	struct dn_traces t;
	struct dn_db *db;
	sqlite3 *h;
	struct dn_imported im;
};

static void import(struct fixture *f, unsigned n)
{
	const struct dn_options o = { .threads = 1, .quiet = true };
	struct dn_vtab_options v = { .prefix = "t_" };
	char *file[2] = { f->trace, f->trace };
	struct dn_import_place place;
	char err[256];

	mk_temp(f->path);
	assert_int_equal(dn_traces_open(&f->t, file, n), 0);
	assert_int_equal(dn_db_open(f->path, DN_DB_NO_SYSCALL, &f->db, err, sizeof(err)), 0);
	assert_int_equal(dn_traces_load(&f->t, &o, f->db, DN_NEEDS_ROWS), 0);
	assert_int_equal(dn_import_tables(f->db, &place), 0);
	assert_int_equal(dn_db_close(f->db), 0);
	assert_int_equal(dn_import_calls(f->path, &place, f->t.vtab, n, NULL, NULL, &f->im), 0);
	assert_int_equal(dn_db_open(f->path, DN_DB_NO_SYSCALL, &f->db, err, sizeof(err)), 0);
	f->h = dn_db_handle(f->db);
	v.trace = f->t.vtab;
	v.ntraces = n;
	assert_int_equal(dn_vtab_register(f->h, &v), 0);
}

static void done(struct fixture *f)
{
	assert_int_equal(dn_db_close(f->db), 0);
	dn_traces_close(&f->t);
	unlink(f->path);
	unlink(f->trace);
}

/* The file is sound to SQLite. */
static void check(sqlite3 *h)
{
	assert_int_equal(value(h, "SELECT count(*) FROM pragma_integrity_check"
				  " WHERE integrity_check <> 'ok'"), 0);
}

static void compare(struct fixture *f)
{
	assert_int_equal(value(f->h, "SELECT count(*) FROM (SELECT " COLUMNS " FROM raw_syscall "
				     "EXCEPT SELECT " COLUMNS " FROM t_syscall)"), 0);
	assert_int_equal(value(f->h, "SELECT count(*) FROM (SELECT " COLUMNS " FROM t_syscall "
				     "EXCEPT SELECT " COLUMNS " FROM raw_syscall)"), 0);
	assert_int_equal(value(f->h, "SELECT count(*) FROM raw_syscall"),
			 value(f->h, "SELECT count(*) FROM t_syscall"));
	check(f->h);
	assert_int_equal(value(f->h, "SELECT count(*) FROM raw_syscall"), f->im.calls);
}

static void test_same(void **state)
{
	struct fixture f = { .db = NULL };

	(void)state;
	mk_temp(f.trace);
	make_trace(f.trace, 5000, 10);
	import(&f, 1);
	compare(&f);
	assert_int_equal(f.im.calls, 5003);
	assert_int_equal(f.im.damaged, 0);
	/* each combination once */
	assert_int_equal(f.im.strings,
			 value(f.h, "SELECT count(*) FROM (SELECT DISTINCT path, path2,"
				    " text, sockaddr, argv, str_flags FROM t_syscall WHERE "
				    "str_flags IS NOT NULL)"));
	assert_int_equal(value(f.h, "SELECT count(*) FROM raw_syscall_strings"), f.im.strings);
	done(&f);
}

static void test_many_strings(void **state)
{
	struct fixture f = { .db = NULL };

	(void)state;
	mk_temp(f.trace);
	make_trace(f.trace, 60000, 60000);	/* the hash table grows several times */
	import(&f, 1);
	compare(&f);
	assert_true(f.im.strings >= 30000);
	done(&f);
}

static void test_two(void **state)
{
	struct fixture f = { .db = NULL };

	(void)state;
	mk_temp(f.trace);
	make_trace(f.trace, 1000, 10);
	import(&f, 2);
	compare(&f);
	assert_int_equal(f.im.calls, 2 * 1003);
	assert_int_equal(value(f.h, "SELECT count(*) FROM raw_syscall WHERE trace_id = 2"), 1003);
	assert_int_equal(value(f.h, "SELECT count(DISTINCT thread) FROM raw_syscall"), 4);
	/* strings are shared */
	assert_int_equal(value(f.h, "SELECT count(*) FROM raw_syscall_strings"), f.im.strings);
	assert_int_equal(
		value(f.h, "SELECT count(DISTINCT path || ifnull(hex(path2), '')) "
			   "FROM raw_syscall_strings WHERE path LIKE '/dir%'"),
		value(f.h, "SELECT count(*) FROM raw_syscall_strings WHERE path LIKE '/dir%'"));
	/* the views see them */
	assert_int_equal(value(f.h, "SELECT count(*) FROM syscalls"), 2 * 1003);
	assert_int_equal(value(f.h, "SELECT count(*) FROM syscalls WHERE pid = 1001"), 2 * 1003);
	done(&f);
}

static void test_empty(void **state)
{
	struct fixture f = { .db = NULL };

	(void)state;
	mk_temp(f.trace);
	mk_write(mk_new(), f.trace, true);
	import(&f, 1);
	compare(&f);
	assert_int_equal(f.im.calls, 0);
	done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_many_strings),
		cmocka_unit_test(test_two),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
