/*
 * test_sql.c - queries over traces and databases: forms, refusals, statuses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dbfile.h"
#include "events.h"
#include "mktrace.h"
#include "options.h"
#include "sql.h"
#include "sqlout.h"

static char dir[MK_PATH], trace[MK_PATH + 16], cut[MK_PATH + 16], base[MK_PATH + 16];
static char answer[1 << 16], errors[4096];

static void make_trace(const char *path, bool footer)
{
	struct mktrace *m = mk_new();
	uint64_t args[6] = { 3, 100, 200 };
	struct dn_syscall s;

	mk_thread(m, 1, 1, 0, "main");
	for (uint32_t i = 0; i < 10; i++) {
		s = mk_sys(1, i, "read", 1000 * i, 100, i ? 5 : -11, 3, args);
		mk_call(m, &s);
	}
	s = mk_sys(1, 10, "openat", 20000, 7, -2, 4, args);
	mk_str(&s, 1, DN_STR_PATH, "/no,\"such\"\n", 11);
	mk_call(m, &s);
	s = mk_sys(1, 11, "openat", 30000, 7, 4, 4, args);
	mk_str(&s, 1, DN_STR_PATH, "a\xff", 2);
	mk_call(m, &s);
	mk_exit(m, 1, 1, 40000, 0, true);
	mk_write(m, path, footer);
}

static int setup(void **state)
{
	(void)state;
	mk_temp(dir);
	unlink(dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	snprintf(trace, sizeof(trace), "%s/t.dnt", dir);
	snprintf(cut, sizeof(cut), "%s/cut.dnt", dir);
	snprintf(base, sizeof(base), "%s/t.db", dir);
	make_trace(trace, true);
	make_trace(cut, false);
	return 0;
}

static int teardown(void **state)
{
	char cmd[MK_PATH + 16];

	(void)state;
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return system(cmd);
}

static void slurp(FILE *f, char *buf, size_t cap)
{
	size_t n;

	rewind(f);
	n = fread(buf, 1, cap - 1, f);
	buf[n] = '\0';
	fclose(f);
}

enum how { TRACES, DATABASE, IMPORT };

/* Runs one of the functions; what it printed is in answer and errors. */
static int run(enum how how, const struct dn_options *o, const char *path, const char *sql)
{
	FILE *out = tmpfile(), *err = tmpfile();
	int saved = dup(STDERR_FILENO), status;
	char *file[1];
	char name[MK_PATH + 64];

	assert_non_null(out);
	assert_non_null(err);
	snprintf(name, sizeof(name), "%s", path);
	file[0] = name;
	fflush(stderr);
	dup2(fileno(err), STDERR_FILENO);
	if (how == TRACES)
		status = dn_sql_traces(o, file, 1, sql, out);
	else if (how == DATABASE)
		status = dn_sql_database(o, path, sql, out);
	else
		status = dn_sql_import(o, file, 1);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	slurp(out, answer, sizeof(answer));
	slurp(err, errors, sizeof(errors));
	return status;
}

static const struct dn_options text = { .threads = 1, .format = DN_FORMAT_TEXT };
static const struct dn_options csv = { .threads = 1, .format = DN_FORMAT_CSV };
static const struct dn_options json = { .threads = 1, .format = DN_FORMAT_JSON };

#define HAS(buf, s)                                                           \
	do {                                                                  \
		if (!strstr(buf, s))                                          \
			fail_msg("no \"%s\" in \"%s\"", s, buf);              \
	} while (0)

static void test_text(void **state)
{
	(void)state;
	assert_int_equal(run(TRACES, &text, trace,
			     "SELECT name, count(*) AS n, NULL AS nil, 1.5 AS r FROM syscalls "
			     "GROUP BY name"), DN_EXIT_OK);
	assert_string_equal(answer, "name     n  nil    r\n"
				    "------  --  ---  ---\n"
				    "openat   2       1.5\n"
				    "read    10       1.5\n");
	assert_string_equal(errors, "");
	assert_int_equal(run(TRACES, &text, trace, "SELECT path FROM syscalls WHERE errno = 2"),
			 DN_EXIT_OK);
	assert_string_equal(answer, "path\n--------------\n/no,\"such\"\\x0a\n");
	/* no rows, names only */
	assert_int_equal(run(TRACES, &text, trace, "SELECT pid FROM syscalls WHERE 0;  -- end"),
			 DN_EXIT_OK);
	assert_string_equal(answer, "pid\n---\n");
	/* more than is held back for the widths */
	assert_int_equal(run(TRACES, &text, trace, "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL "
			     "SELECT i + 1 FROM c WHERE i < 1000) SELECT i, 'x' || i AS t FROM c"),
			 DN_EXIT_OK);
	HAS(answer, "\n999  x999\n1000  x1000\n");
	assert_int_equal(
		run(TRACES, &text, trace, "SELECT char(27) || 'a' || char(155, 8238) AS c"),
		DN_EXIT_OK);
	assert_null(strchr(answer, '\033'));
	HAS(answer, "\\x1ba");
}

static void test_csv(void **state)
{
	(void)state;
	assert_int_equal(run(TRACES, &csv, trace,
			     "SELECT path, errno, 'a b' AS \"x,y\", x'0aff' AS b "
			     "FROM syscalls WHERE name = 'openat' ORDER BY start_ns"),
			 DN_EXIT_OK);
	assert_string_equal(answer, "path,errno,\"x,y\",b\r\n"
				    "\"/no,\"\"such\"\"\n\",2,a b,X'0aff'\r\n"
				    "X'61ff',,a b,X'0aff'\r\n");
}

static void test_json(void **state)
{
	(void)state;
	assert_int_equal(run(TRACES, &json, trace,
			     "SELECT path, errno, dur_ns / 2.0 AS d FROM syscalls "
			     "WHERE name = 'openat' ORDER BY start_ns"),
			 DN_EXIT_OK);
	assert_string_equal(answer, "[\n{\"path\":\"/no,\\\"such\\\"\\n\",\"errno\":2,\"d\":3.5},\n"
				    "{\"path\":\"X'61ff'\",\"errno\":null,\"d\":3.5}\n]\n");
	assert_int_equal(run(TRACES, &json, trace, "SELECT 1 AS a WHERE 0"), DN_EXIT_OK);
	assert_string_equal(answer, "[]\n");
	assert_int_equal(run(TRACES, &json, trace, "SELECT 9e999 AS i, CAST(x'ff41' AS TEXT) AS t, "
			     "char(1, 127) AS c"), DN_EXIT_OK);
	assert_string_equal(answer,
			    "[\n{\"i\":9e999,\"t\":\"\\ufffdA\",\"c\":\"\\u0001\\u007f\"}\n]\n");
}

/* Everything that is not reading is refused, in traces and in databases. */
static void test_refused(void **state)
{
	static const char *const sql[] = {
		"CREATE TABLE x(a)",
		"CREATE TEMP TABLE x(a)",
		"CREATE TEMP VIEW x AS SELECT 1",
		"DROP TABLE raw_trace",
		"DELETE FROM raw_trace",
		"INSERT INTO raw_note VALUES (1, 'x')",
		"UPDATE raw_trace SET file = 'x'",
		"UPDATE sqlite_master SET sql = ''",
		"ATTACH '/tmp/denet-no' AS x",
		"DETACH main",
		"VACUUM",
		"VACUUM INTO '/tmp/denet-no'",
		"PRAGMA writable_schema = 1",
		"PRAGMA journal_mode = wal",
		"PRAGMA user_version = 7",
		"PRAGMA temp_store_directory = '/'",
		"SELECT load_extension('/tmp/x')",
		"REINDEX",
		"ANALYZE",
		"BEGIN",
		"COMMIT",
		"ROLLBACK",
		"SAVEPOINT x",
		"ALTER TABLE raw_trace ADD c",
		"CREATE VIRTUAL TABLE x USING fts5(a)",
		"DELETE FROM raw_syscall",
		"PRAGMA trusted_schema = 1",
		"SELECT writefile('/tmp/denet-no', 'x')",
		"SELECT readfile('/etc/passwd')",
		"EXPLAIN DELETE FROM raw_trace",
	};
	struct dn_options o = text;

	(void)state;
	o.db = base;
	o.quiet = true;
	assert_int_equal(run(IMPORT, &o, trace, NULL), DN_EXIT_OK);
	for (size_t i = 0; i < sizeof(sql) / sizeof(sql[0]); i++) {
		for (int how = TRACES; how <= DATABASE; how++) {
			if (run((enum how)how, &text, how == TRACES ? trace : base, sql[i]) !=
			    DN_EXIT_NONE)
				fail_msg("%s went through: %s", sql[i], answer);
			HAS(errors, "denet-analyze: cannot run this query: ");
		}
	}
	assert_int_equal(access("/tmp/denet-no", F_OK), -1);
	run(TRACES, &text, trace, "DELETE FROM raw_trace");
	HAS(errors, "nothing is written here: use SELECT");
	/* and these are possible */
	assert_int_equal(run(TRACES, &text, trace, "PRAGMA table_info(syscalls)"), DN_EXIT_OK);
	HAS(answer, "category");
	assert_int_equal(run(TRACES, &text, trace, "SELECT name FROM pragma_table_info('threads')"),
			 DN_EXIT_OK);
	HAS(answer, "thread_id");
	assert_int_equal(run(TRACES, &text, trace, "SELECT value FROM json_each('[7]')"),
			 DN_EXIT_OK);
	assert_int_equal(run(TRACES, &text, trace, "EXPLAIN QUERY PLAN SELECT * FROM syscalls"),
			 DN_EXIT_OK);
}

static void test_errors(void **state)
{
	char path[MK_PATH + 16];

	(void)state;
	assert_int_equal(run(TRACES, &text, trace, "SELEC 1"), DN_EXIT_NONE);
	assert_string_equal(
		errors, "denet-analyze: cannot run this query: near \"SELEC\": syntax error.\n");
	assert_int_equal(run(TRACES, &text, trace, "SELECT nil FROM syscalls"), DN_EXIT_NONE);
	HAS(errors, "no such column: nil");
	assert_int_equal(run(TRACES, &text, trace, ""), DN_EXIT_NONE);
	HAS(errors, "it is empty");
	assert_int_equal(run(TRACES, &text, trace, " -- a remark"), DN_EXIT_NONE);
	HAS(errors, "it is empty");
	assert_int_equal(run(TRACES, &text, trace, "SELECT 1; SELECT 2"), DN_EXIT_NONE);
	HAS(errors, "more than one statement");
	assert_int_equal(run(TRACES, &text, trace, "SELECT 1; ; -- x"), DN_EXIT_OK);
	assert_int_equal(run(TRACES, &text, trace, "SELECT abs(-9223372036854775807 - 1)"),
			 DN_EXIT_NONE);
	HAS(errors, "integer overflow");
	snprintf(path, sizeof(path), "%s/missing", dir);
	assert_int_equal(run(TRACES, &text, path, "SELECT 1"), DN_EXIT_NONE);
	HAS(errors, "cannot open");
	assert_int_equal(run(DATABASE, &text, trace, "SELECT 1"), DN_EXIT_NONE);
	HAS(errors, "is no database");
}

static void test_status(void **state)
{
	struct dn_options o = text;

	(void)state;
	assert_int_equal(run(TRACES, &text, cut, "SELECT count(*) AS n FROM syscalls"),
			 DN_EXIT_INCOMPLETE);
	assert_string_equal(answer, " n\n--\n12\n");
	HAS(errors, "is incomplete");
	assert_int_equal(run(TRACES, &text, cut, "SELECT calls FROM traces"), DN_EXIT_INCOMPLETE);
	o.allow_incomplete = true;
	o.quiet = true;
	assert_int_equal(run(TRACES, &o, cut, "SELECT calls FROM traces"), DN_EXIT_OK);
	assert_string_equal(errors, "");
	o.allow_incomplete = false;
	o.db = base;
	assert_int_equal(run(IMPORT, &o, cut, NULL), DN_EXIT_INCOMPLETE);
	assert_int_equal(run(DATABASE, &text, base, "SELECT count(*) AS n FROM syscalls"),
			 DN_EXIT_INCOMPLETE);
	assert_string_equal(answer, " n\n--\n12\n");
}

/* The same answers from the trace and from its database. */
static void test_same(void **state)
{
	static const char *const sql[] = {
		"SELECT * FROM syscalls ORDER BY thread_id, seq",
		"SELECT * FROM syscall_stats ORDER BY name",
		"SELECT * FROM processes",
		"SELECT * FROM threads",
		"SELECT * FROM files ORDER BY path",
		"SELECT * FROM errors ORDER BY name",
		"SELECT * FROM categories ORDER BY 1, 2",
		"SELECT * FROM raw_syscall ORDER BY thread, seq",
	};
	static char first[sizeof(answer)];
	struct dn_options o = text;

	(void)state;
	o.db = base;
	assert_int_equal(run(IMPORT, &o, trace, NULL), DN_EXIT_OK);
	HAS(errors, "12 system calls");
	for (size_t i = 0; i < sizeof(sql) / sizeof(sql[0]); i++) {
		assert_int_equal(run(TRACES, &csv, trace, sql[i]), DN_EXIT_OK);
		strcpy(first, answer);
		assert_int_equal(run(DATABASE, &csv, base, sql[i]), DN_EXIT_OK);
		assert_string_equal(answer, first);
	}
}

static void write_file(const char *path, const char *s)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(s, f);
	fclose(f);
}

static void test_target(void **state)
{
	struct dn_options o = text;
	char path[MK_PATH + 64], other[MK_PATH + 16];
	struct stat st;
	sqlite3 *h;

	(void)state;
	snprintf(path, sizeof(path), "%s/target", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
	o.db = path;
	o.quiet = true;
	write_file(path, "precious");
	assert_int_equal(run(IMPORT, &o, trace, NULL), DN_EXIT_NONE);
	HAS(errors, "no database that denet-analyze wrote");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 8);
	unlink(path);
	/* another program's database */
	assert_int_equal(sqlite3_open(path, &h), 0);
	sqlite3_exec(h, "CREATE TABLE t(a)", NULL, NULL, NULL);
	sqlite3_close(h);
	assert_int_equal(run(IMPORT, &o, trace, NULL), DN_EXIT_NONE);
	unlink(path);
	/* a link is not followed, where it points nothing is made */
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(run(IMPORT, &o, trace, NULL), DN_EXIT_NONE);
	HAS(errors, "symbolic link");
	assert_int_equal(access(other, F_OK), -1);
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(run(IMPORT, &o, trace, NULL), DN_EXIT_NONE);
	HAS(errors, "directory");
	rmdir(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(run(IMPORT, &o, trace, NULL), DN_EXIT_NONE);
	unlink(path);
	/* ours is replaced, and only by a whole one */
	assert_int_equal(run(IMPORT, &o, trace, NULL), DN_EXIT_OK);
	assert_int_equal(dn_dbfile_is_ours(path, false), 1);
	assert_int_equal(run(IMPORT, &o, other, NULL), DN_EXIT_NONE);
	assert_int_equal(run(DATABASE, &csv, path, "SELECT count(*) FROM syscalls"), DN_EXIT_OK);
	assert_string_equal(answer, "count(*)\r\n12\r\n");
	assert_int_equal(run(IMPORT, &o, trace, NULL), DN_EXIT_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	unlink(path);
	snprintf(path, sizeof(path), "%s/no/such/dir", dir);
	assert_int_equal(run(IMPORT, &o, trace, NULL), DN_EXIT_NONE);
	/* nothing is left behind */
	snprintf(path, sizeof(path), "ls -A %s | grep -q 'denet-'", dir);
	assert_int_not_equal(system(path), 0);
}

static struct dn_value inet(const char *host_port)
{
	return dn_str(host_port, 16);
}

/* A TCP socket between these ends, since then. */
static void mk_sock(struct mktrace *m, uint64_t time, uint32_t id, unsigned origin, const char *local,
		    const char *remote)
{
	const struct dn_value v[] = { dn_u(time), dn_u(id), dn_u(1), dn_u(0), dn_u(3), dn_u(origin),
				      dn_null(), dn_u(2), dn_u(1), dn_u(6), dn_u(1), dn_u(id),
				      dn_u(1), dn_null(), inet(local), inet(remote) };

	mk_row(m, DN_EV_sock, v);
}

/* Times and bytes that cannot be do not keep a query from its answer. */
static void test_sockets(void **state)
{
	static const char a[16] = { 2, 0, 0, 80, 127, 0, 0, 1 }, b[16] = { 2, 0, 1, 0, 127, 0, 0, 1 };
	struct mktrace *m = mk_new();
	uint64_t args[6] = { 3, 100, 200 };
	char path[MK_PATH + 16];
	struct dn_syscall s;

	(void)state;
	mk_thread(m, 1, 1, 0, "main");
	mk_sock(m, MK_ORIGIN, 1, DN_SOCK_ACCEPT, a, b);
	mk_sock(m, MK_ORIGIN + (UINT64_C(1) << 63), 2, DN_SOCK_ACCEPT, b, a);
	mk_sock(m, MK_ORIGIN + 5, 3, DN_SOCK_SOCKET, b, a);
	for (uint32_t i = 0; i < 3; i++) {
		s = mk_sys(1, i, "read", 1000 * i, 100, i ? INT64_MAX : 5, 3, args);
		mk_call(m, &s);
	}
	/* seccomp refused it: a return without entry */
	mk_row(m, DN_EV_sock_event, (const struct dn_value[]){
		dn_u(MK_ORIGIN + 9), dn_u(3), dn_u(DN_SOCK_EV_CONNECT), dn_u(1), dn_u(7), dn_null(),
		dn_u(7), dn_u(7), dn_u(1), dn_null(), inet(a), dn_null(), dn_null(), dn_null(),
		dn_null(), dn_null(), dn_null(), dn_null() });
	snprintf(path, sizeof(path), "%s/sock.dnt", dir);
	mk_write(m, path, true);
	assert_int_equal(run(TRACES, &csv, path, "SELECT sock_id, peer_sock_id FROM v_conn ORDER BY 1"),
			 DN_EXIT_OK);
	assert_string_equal(answer, "sock_id,peer_sock_id\r\n1,3\r\n2,\r\n3,1\r\n");
	assert_int_equal(run(TRACES, &csv, path, "SELECT direction, failed, error FROM v_conn "
			     "WHERE sock_id = 3"), DN_EXIT_OK);
	assert_string_equal(answer, "direction,failed,error\r\nout,1,EPERM\r\n");
	assert_int_equal(run(TRACES, &csv, path, "SELECT calls, bytes_in FROM fd_stats"), DN_EXIT_OK);
	assert_string_equal(answer, "calls,bytes_in\r\n3,5\r\n");
	/* thousands of connections to one address: both ends are looked for at once */
	assert_int_equal(run(TRACES, &csv, path, "EXPLAIN QUERY PLAN SELECT peer_sock_id FROM v_conn"),
			 DN_EXIT_OK);
	HAS(answer, "(trace_id=? AND local=? AND remote=?)");
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_csv),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_target),
		cmocka_unit_test(test_sockets),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
