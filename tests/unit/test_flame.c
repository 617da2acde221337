/*
 * test_flame.c - analyzer/stacks.h, analyzer/folded.h and analyzer/flame.h: stacks out
 * of a database, with names that want to be something else.
 *
 *   test_flame --page FILE [N]   writes the page of the made-up stacks there, of N
 *                                frames at random: what tests/oracle/flame.sh looks at
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "block.h"
#include "db.h"
#include "flame.h"
#include "flametree.h"
#include "folded.h"
#include "options.h"
#include "stacks.h"
#include "text.h"

static struct dn_db *db;
static int64_t trace;

static void sql(const char *statement)
{
	if (dn_db_exec(db, statement))
		fail_msg("%s: %s", statement, dn_db_error(db));
}

/* Of a table (stack, parent, name, object, kind). */
#define FROM_NODES                                                                                  \
	"INSERT INTO raw_node SELECT stack, 1, parent, stack FROM node;"                             \
	"INSERT INTO raw_place SELECT stack, 1, NULL, 0, kind, object, NULL, name, NULL, NULL FROM node;"

static const char hostile[] =
	/* stack, parent, name as a blob */
	"CREATE TEMP TABLE node AS SELECT column1 AS stack, column2 AS parent, column3 AS name, column4 AS object,"
	" column5 AS kind FROM (VALUES"
	" (1, NULL, 'main', '/usr/bin/target', 'file'),"
	" (2, 1, 'work(int, char const*)', '/usr/bin/target', 'file'),"
	" (3, 2, '</script><script>alert(1)</script>', '/tmp/<b>.so', 'file'),"
	" (4, 2, 'semi;colon' || char(10) || 'newline 5', '/x;y', 'file'),"
	" (5, 2, '\"quotes\" & ''apostrophes'' <!-- -->', NULL, 'file'),"
	" (6, 2, CAST(X'ff80fe' AS TEXT), CAST(X'c3' AS TEXT), 'file'),"
	" (7, 2, char(27) || '[31mred' || char(8238) || 'turned', '/x', 'file'),"
	" (8, 4, 'entry_SYSCALL_64', '[kernel]', 'kernel'),"
	" (9, 8, 'vfs_read', '[kernel]', 'kernel'),"
	" (10, 2, '__proto__', NULL, 'file'),"
	" (11, 2, 'constructor', NULL, 'file'),"
	" (12, 2, '', NULL, 'file'),"
	" (13, NULL, '[no stack: paged out]', NULL, 'mark'),"
	" (14, 2, 'std::vector<std::pair<int, std::string>>::push_back(std::pair<int, std::string>&&)',"
	"  'libstdc++.so.6', 'file'),"
	" (15, 14, 'malloc', '/lib/libc.so.6', 'file'),"
	" (16, 99, 'orphan', NULL, 'file'),"
	" (17, 18, 'round', NULL, 'file'),"
	" (18, 17, 'and round', NULL, 'file'));"
	FROM_NODES
	"INSERT INTO raw_thread (thread, trace_id, process, tid, pid, comm) VALUES (71, 1, 71, 71, 70, 'target'),"
	" (72, 1, 71, 72, 70, 'work er;1');"
	"INSERT INTO raw_weight SELECT 1, what, tid, stack, NULL, 1, w, NULL FROM"
	" (SELECT column1 AS stack, column2 AS w FROM (VALUES (1, 5), (3, 40), (4, 1), (5, 30), (6, 20), (7, 25),"
	" (8, 4), (9, 90), (10, 15), (11, 15), (12, 10), (13, 12), (14, 60), (15, 80), (16, 3), (17, 2))),"
	" (SELECT column1 AS what, column2 AS tid FROM (VALUES ('samples', 71), ('samples', 72), ('calls', 71)));"
	"INSERT INTO raw_weight VALUES (1, 'offcpu', 71, 9, 1, 3, 2500000, NULL),"
	" (1, 'offcpu', 71, 15, 1, 1, 700499, NULL),"
	" (1, 'offcpu', 71, 14, 1, 1, 499, NULL)";

static int open_db(void **state)
{
	const struct dn_file_header h = { .wall_ns = 1700000000000000000 };
	char why[256];

	(void)state;
	if (dn_db_open(NULL, DN_DB_TEMP | DN_DB_NO_SYSCALL | DN_DB_REPORT, &db, why, sizeof(why)))
		return 1;
	trace = dn_db_begin_trace(db, "run </title>.dnt", &h, 1);
	sql("INSERT INTO raw_exec (trace_id, time, command) VALUES (1, 0, 'sh -c ''echo \"</h1><b>\"; ./target''');"
	    "INSERT INTO raw_environment (trace_id, key, value) VALUES (1, 'host.name', 'host.example.org')");
	return trace != 1;
}

static int close_db(void **state)
{
	(void)state;
	dn_db_close(db);
	return 0;
}

static char *folded(enum dn_weight of, enum dn_stacks_by by)
{
	struct dn_flametree *t = dn_flametree_new(1000, 100);
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_int_equal(dn_stacks_frames(db, trace, t, true), 0);
	assert_true(dn_stacks_weigh(db, trace, t, of, by, true) >= 0);
	assert_int_equal(dn_folded_write(f, t, dn_weight_names[of].ns), 0);
	fclose(f);
	dn_flametree_free(t);
	return text;
}

static void folded_stacks(void **unused)
{
	char *text;

	(void)unused;
	sql(hostile);
	text = folded(DN_WEIGHT_OFFCPU, DN_BY_NONE);	/* us; what comes to 0 is left out */
	assert_string_equal(text,
		"target;main;work(int, char const*);semi:colon\\x0anewline 5;entry_SYSCALL_64_[k];vfs_read_[k] 2500\n"
		"target;main;work(int, char const*);std::vector<std::pair<int, std::string>>::push_back"
		"(std::pair<int, std::string>&&);malloc 700\n");
	free(text);
	text = folded(DN_WEIGHT_CALLS, DN_BY_PROCESS);
	assert_non_null(strstr(text, "target-70;[frames missing];orphan 3\n"));
	assert_non_null(strstr(text, "target-70;[no stack: paged out] 12\n"));
	assert_non_null(strstr(text, ";\\xff\\x80\\xfe 20\n"));
	assert_non_null(strstr(text, ";\\x1b[31mred\\xe2\\x80\\xaeturned 25\n"));
	assert_non_null(strstr(text, ";[unknown] 10\n"));
	free(text);
	text = folded(DN_WEIGHT_SAMPLES, DN_BY_THREAD);
	assert_non_null(strstr(text, "target-70/71;main 5\n"));
	assert_non_null(strstr(text, "work_er:1-70/72;main 5\n"));
	free(text);
	text = folded(DN_WEIGHT_CALLTIME, DN_BY_NONE);
	assert_string_equal(text, "");
	free(text);
	assert_int_equal(dn_stacks_has(db, trace, DN_WEIGHT_CALLS), 1);
	assert_int_equal(dn_stacks_has(db, trace, DN_WEIGHT_CALLTIME), 0);
}

/* Lines stand behind names, and are no more to be trusted than those. */
static void lines(void **unused)
{
	char *text;

	(void)unused;
	sql(hostile);
	sql("UPDATE raw_place SET file = '/src/main.c', line = 12 WHERE name = 'main';"
	    "UPDATE raw_place SET file = 'plain.c', line = 4000000000 WHERE name LIKE 'work%';"
	    "UPDATE raw_place SET file = '/src/a;b' || char(10) || ' c', line = 1 WHERE name LIKE 'std::vector%';"
	    "UPDATE raw_place SET file = '/src/directory/', line = 2 WHERE name = 'malloc';"
	    "UPDATE raw_place SET file = X'2f2fff2e63', line = 3 WHERE name = 'vfs_read';");
	text = folded(DN_WEIGHT_OFFCPU, DN_BY_NONE);
	assert_string_equal(text,
		"target;main main.c:12;work(int, char const*) plain.c:4000000000;"
		"semi:colon\\x0anewline 5;entry_SYSCALL_64_[k];vfs_read \\xff.c:3_[k] 2500\n"
		"target;main main.c:12;work(int, char const*) plain.c:4000000000;std::vector<std::pair<int, std::string>>::push_back"
		"(std::pair<int, std::string>&&) a:b\\x0a c:1;malloc [unknown]:2 700\n");
	free(text);
}

static char *page(const struct dn_options *o, int trees)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_int_equal(dn_flame_write(f, db, trace, o), trees);
	fclose(f);
	assert_int_equal(strlen(text), len);
	return text;
}

static int count(const char *text, const char *what)
{
	int n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

static void the_page(void **unused)
{
	struct dn_options o = { .has_of = true, .of = DN_WEIGHT_CALLS };
	char *text, *data;

	(void)unused;
	if (!dn_flame_built())
		skip();
	sql(hostile);
	text = page(&o, 3);
	assert_int_equal(strncmp(text, "<!DOCTYPE html>\n<!-- denet flame graph -->\n", 43), 0);
	assert_non_null(strstr(text, "content=\"default-src 'none'; script-src 'sha256-"));
	assert_int_equal(count(text, "</script>"), 2);	/* the data and ours */
	assert_int_equal(count(text, "<script"), 2);
	assert_int_equal(count(text, "@"), count(strstr(text, "<script>"), "@") + count(text, "@media"));
	data = strstr(text, "<script type=\"application/json\"");
	assert_non_null(data);
	*strstr(data, "</script>") = 0;
	assert_int_equal(count(data + 1, "<"), 0);
	assert_non_null(strstr(data, "\"\\u003c/script>\\u003cscript>alert(1)\\u003c/script>\""));
	assert_non_null(strstr(data, "\"\\\\xff\\\\x80\\\\xfe\""));
	assert_non_null(strstr(data, "\"first\":2"));
	assert_non_null(strstr(data, "The trace is incomplete"));
	free(text);
}

static void a_page_without_stacks(void **unused)
{
	struct dn_options o = { 0 };
	char *text;

	(void)unused;
	if (!dn_flame_built())
		skip();
	text = page(&o, 0);
	assert_non_null(strstr(text, "No stacks were recorded."));
	free(text);
}

/* n frames with names as long as those of C++, a weight on each. */
static void make_many(int n)
{
	char statement[2048];

	snprintf(statement, sizeof(statement),
		 "CREATE TEMP TABLE node AS WITH RECURSIVE f(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM f"
		 " WHERE i < %d) SELECT i AS stack, iif(i < 4, NULL, i - 1 - i * 7919 %% min(i - 1, 3001)) AS parent,"
		 " printf('project::module%%d::Class%%d<std::string, unsigned long>::method_%%d(int, std::string"
		 " const&)', i %% 17, i %% 211, i %% 5003) AS name, '/usr/lib/libproject.so.' || (i %% 5) AS object,"
		 " iif(i %% 11 = 0, 'kernel', 'file') AS kind FROM f;"
		 FROM_NODES
		 "INSERT INTO raw_thread (thread, trace_id, process, tid, pid, comm) VALUES (1, 1, 1, 70, 70, 'many');"
		 "INSERT INTO raw_weight SELECT 1, what, 1, stack, NULL, 1, 1 + abs(stack * 104729) %% 1000, NULL"
		 " FROM raw_node, (SELECT 'samples' AS what UNION SELECT 'offcpu')", n);
	sql(statement);
}

static void a_hundred_thousand(void **unused)
{
	struct dn_options o = { 0 };
	char *text;

	(void)unused;
	if (!dn_flame_built())
		skip();
	make_many(100000);
	text = page(&o, 2);
	assert_true(strlen(text) < 3 << 20);
	assert_non_null(strstr(text, "\"frames\":"));
	free(text);
}

static int write_page(const char *path, int n)
{
	struct dn_options o = { 0 };
	FILE *f = fopen(path, "w");
	int ret;

	if (!f || open_db(NULL))
		return 1;
	if (n)
		make_many(n);
	else
		sql(hostile);
	ret = dn_flame_write(f, db, trace, &o);
	close_db(NULL);
	return fclose(f) || ret < 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(folded_stacks, open_db, close_db),
		cmocka_unit_test_setup_teardown(lines, open_db, close_db),
		cmocka_unit_test_setup_teardown(the_page, open_db, close_db),
		cmocka_unit_test_setup_teardown(a_page_without_stacks, open_db, close_db),
		cmocka_unit_test_setup_teardown(a_hundred_thousand, open_db, close_db),
	};

	if (argc > 2 && !strcmp(argv[1], "--page"))
		return !dn_flame_built() ? 77 : write_page(argv[2], argc > 3 ? atoi(argv[3]) : 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
