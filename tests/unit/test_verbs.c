/*
 * test_verbs.c - analyzer/options.h, analyzer/verbs.h, analyzer/traces.h and
 * analyzer/report.h: a command line, the files it names, and what is printed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "db.h"
#include "load.h"
#include "mktrace.h"
#include "query.h"
#include "report.h"
#include "scratch.h"
#include "source.h"
#include "traces.h"
#include "verbs.h"
#include "vtab.h"

#define CALLS 25

static void write_trace(const char *path, bool footer)
{
	struct mktrace *m = mk_new();

	mk_thread(m, 1, 1, 0, "main");
	for (uint32_t i = 0; i < CALLS; i++) {
		const uint64_t args[] = { 3, 4, 5 };
		struct dn_syscall s = mk_sys(1, i, i % 5 ? "read" : "futex", 1000 * i, 100,
					     i % 5 ? 1 : -11, 3, args);

		mk_call(m, &s);
	}
	mk_exit(m, 1, 1, 1000 * CALLS, 0, true);
	mk_write(m, path, footer);
}

static int setup(void **state)
{
	FILE *f;

	if (scratch_setup(state))
		return 1;
	write_trace("denet.dnt", true);
	write_trace("cut.dnt", false);
	f = fopen("text", "w");
	return !f || fputs("no trace\n", f) < 0 || fclose(f);
}

/* --- what is printed ----------------------------------------------------------- */

static char said[1 << 16];

static void read_back(const char *path)
{
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(said, 1, sizeof(said) - 1, f);
	said[n] = 0;
	fclose(f);
}

/* Runs f with stdout and stderr in the files "out" and "err". */
static int capture(int (*f)(void *ctx), void *ctx)
{
	int saved[2] = { dup(1), dup(2) }, ret;

	fflush(stdout);
	fflush(stderr);
	assert_true(freopen("out", "w", stdout) && freopen("err", "w", stderr));
	ret = f(ctx);
	fflush(stdout);
	fflush(stderr);
	dup2(saved[0], 1);
	dup2(saved[1], 2);
	close(saved[0]);
	close(saved[1]);
	return ret;
}

/* --- options.h --------------------------------------------------------------- */

struct command {
	struct dn_options o;
	char line[256], *argv[40];
	enum dn_parsed parsed;
	bool run;
};

static int parse_and_run(void *ctx)
{
	struct command *c = ctx;
	int argc = 0;

	c->argv[argc++] = (char *)(uintptr_t)"denet-analyze";
	for (char *w = strtok(c->line, " "); w; w = strtok(NULL, " "))
		c->argv[argc++] = w;
	c->argv[argc] = NULL;
	c->parsed = dn_options_parse(&c->o, argc, c->argv, dn_verbs);
	if (c->parsed != DN_PARSED_RUN || !c->run)
		return c->parsed == DN_PARSED_USAGE ? DN_EXIT_USAGE : DN_EXIT_OK;
	return c->o.verb->run(&c->o);
}

/* Words are separated by one blank. free_options() afterwards. */
static int command(struct command *c, const char *line, bool run)
{
	*c = (struct command){ .run = run };
	assert_true(strlen(line) < sizeof(c->line));
	strcpy(c->line, line);
	return capture(parse_and_run, c);
}

static void what_is_meant(void **unused)
{
	struct command c;

	(void)unused;
	command(&c, "", false);
	assert_int_equal(c.parsed, DN_PARSED_RUN);
	assert_string_equal(c.o.verb->name, "summary");
	assert_int_equal(c.o.nfile, 1);
	assert_string_equal(c.o.file[0], "denet.dnt");
	assert_int_equal(c.o.tail, -1);
	assert_in_range(c.o.threads, 1, DN_THREADS_MAX);
	assert_false(c.o.color || c.o.quiet || c.o.allow_incomplete || c.o.has_since);
	dn_options_free(&c.o);

	command(&c, "log a.dnt --since 1.5 -q b.dnt --pid 1,2 --pid 3 --tail 7 --syscall read "
		    "--threads 1000 --color always -- --odd", false);
	assert_int_equal(c.parsed, DN_PARSED_RUN);
	assert_string_equal(c.o.verb->name, "log");
	assert_int_equal(c.o.nfile, 3);
	assert_string_equal(c.o.file[2], "--odd");
	assert_true(c.o.has_since && !c.o.has_until && c.o.quiet && c.o.color);
	assert_int_equal(c.o.since.ns, 1500000000);
	assert_int_equal(c.o.npid, 3);
	assert_int_equal(c.o.pid[2], 3);
	assert_int_equal(c.o.ntid, 0);
	assert_int_equal(c.o.tail, 7);
	assert_string_equal(c.o.syscall, "read");
	assert_int_equal(c.o.threads, DN_THREADS_MAX);
	dn_options_free(&c.o);

	command(&c, "--sql SELECT x.dnt --csv", false);
	assert_string_equal(c.o.verb->name, "sql");
	assert_int_equal(c.o.format, DN_FORMAT_CSV);
	dn_options_free(&c.o);
	command(&c, "--db x.db", false);
	assert_string_equal(c.o.verb->name, "import");
	dn_options_free(&c.o);
	command(&c, "x log", false);		/* only the first word is a verb */
	assert_string_equal(c.o.verb->name, "summary");
	assert_int_equal(c.o.nfile, 2);
	dn_options_free(&c.o);
}

static void what_makes_no_sense(void **unused)
{
	static const struct { const char *line, *why; } bad[] = {
		{ "--nonsense", "there is no such option" },
		{ "-x", "cannot understand -x: there is no such option" },
		{ "--sql", "its value is missing" },
		{ "--json=yes", "it takes no value" },
		{ "--threads 0", "it is not a number of threads" },
		{ "--threads 1x", "it is not a number of threads" },
		{ "log --since yesterday", "it is not a time" },
		{ "log --tail -1", "it is not a count" },
		{ "log --pid 1;2", "it is not a list of process ids" },
		{ "log --pid 1,,2", "it is not a list of process ids" },
		{ "log --tid 99999999999", "it is not a list of thread ids" },
		{ "--color blue", "it is not auto, always or never" },
		{ "log --json", "log has no use for it" },
		{ "summary --since 1", "summary has no use for it" },
		{ "log --sql x", "--sql goes with no verb" },
		{ "log --db x", "--db goes with no verb" },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct command c;

		assert_int_equal(command(&c, bad[i].line, false), DN_EXIT_USAGE);
		read_back("err");
		if (!strstr(said, bad[i].why) || !strstr(said, "Try denet-analyze --help"))
			fail_msg("%s: %s", bad[i].line, said);
		dn_options_free(&c.o);
	}
}

static void help_names_everything(void **unused)
{
	struct command c;

	(void)unused;
	command(&c, "log --help", false);
	assert_int_equal(c.parsed, DN_PARSED_DONE);
	dn_options_free(&c.o);
	read_back("out");
	for (const struct dn_verb *v = dn_verbs; v->name; v++)
		assert_non_null(strstr(said, v->help));
	for (char *line = strtok(said, "\n"); line; line = strtok(NULL, "\n"))
		assert_true(strlen(line) <= 80);
}

/* --- verbs.h ----------------------------------------------------------------- */

static int status_of(const struct dn_options *o, struct dn_source *src, void *ctx)
{
	(void)o;
	strcat(ctx, dn_source_name(src));
	return strcmp(dn_source_name(src), "cut.dnt") ? DN_EXIT_OK : DN_EXIT_INCOMPLETE;
}

static int run_each(void *ctx)
{
	struct dn_options *o = ctx;
	static char seen[256];

	seen[0] = 0;
	o->sql = seen;
	return dn_run_each(o, status_of, seen);
}

static void the_worst_of_all_files(void **unused)
{
	static char good[] = "denet.dnt", cut[] = "cut.dnt", none[] = "none.dnt";
	char *files[] = { good, cut, none, good };
	struct dn_options o = { .file = files, .nfile = 1 };

	(void)unused;
	assert_int_equal(capture(run_each, &o), DN_EXIT_OK);
	o.nfile = 2;
	assert_int_equal(capture(run_each, &o), DN_EXIT_INCOMPLETE);
	o.nfile = 4;		/* one that is not there does not end it */
	assert_int_equal(capture(run_each, &o), DN_EXIT_NONE);
	assert_string_equal(o.sql, "denet.dntcut.dntdenet.dnt");
	read_back("err");
	assert_string_equal(said, "denet-analyze: cannot open none.dnt: No such file or directory.\n");
}

static void verbs_answer(void **unused)
{
	static const struct { const char *line; int status; const char *out, *err; } c[] = {
		{ "--color never", DN_EXIT_OK, "read", NULL },
		{ "cut.dnt -q", DN_EXIT_INCOMPLETE, "read", NULL },
		{ "cut.dnt --allow-incomplete", DN_EXIT_OK, "read", NULL },
		{ "text", DN_EXIT_NONE, NULL, "Name a file that denet-record wrote" },
		{ "log", DN_EXIT_OK, "futex(", NULL },
		{ "log --syscall read --tail 1", DN_EXIT_OK, "read(3", NULL },
		{ "sql --sql SELECT\tcount(*)\tFROM\tsyscalls", DN_EXIT_OK, "25", NULL },
		{ "sql denet.dnt SELECT\tsum(ret)\tFROM\tsyscalls", DN_EXIT_OK, "-35", NULL },
		{ "--sql SELEC", DN_EXIT_NONE, NULL, "syntax error" },
		{ "import", DN_EXIT_USAGE, NULL, "--db FILE" },
		{ "import --db all.db denet.dnt", DN_EXIT_OK, NULL, NULL },
		{ "sql all.db SELECT\tcount(*)\tFROM\tsyscalls", DN_EXIT_OK, "25", NULL },
		{ "sql all.db denet.dnt SELECT\t1", DN_EXIT_USAGE, NULL, "Query it alone" },
		{ "import --db other.db all.db", DN_EXIT_USAGE, NULL, "it is a database already" },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(c) / sizeof(*c); i++) {
		struct command k;
		int status = command(&k, c[i].line, true);

		dn_options_free(&k.o);
		read_back("out");
		if (status != c[i].status || (c[i].out && !strstr(said, c[i].out)))
			fail_msg("%s: status %d, %s", c[i].line, status, said);
		read_back("err");
		if (c[i].err && !strstr(said, c[i].err))
			fail_msg("%s: %s", c[i].line, said);
	}
}

/* Two documents of two traces, as another program reads them. */
static void json_of_two_traces(void **unused)
{
	struct command c;

	(void)unused;
	if (system("command -v jq >/dev/null"))
		skip();
	assert_int_equal(command(&c, "--json denet.dnt cut.dnt", true), DN_EXIT_INCOMPLETE);
	dn_options_free(&c.o);
	assert_int_equal(system("test $(jq -c . out | wc -l) = 2"), 0);
	assert_int_equal(system("jq -es '.[0].quality.complete and (.[1].quality.complete | not)'"
				" out >/dev/null"), 0);
	assert_int_equal(system("jq -es 'map(.syscalls | map(.count) | add) == [25, 25]' out >/dev/null"),
			 0);
	assert_int_equal(system("jq -es '.[0].syscalls | map(select(.name == \"futex\"))[0]"
				" | .count == 5 and .errors == 5 and .total_ns == 500' out >/dev/null"),
			 0);
}

/* --- report.h ---------------------------------------------------------------- */

static void a_report_of_nothing(void **unused)
{
	struct dn_options o = { .threads = 1, .quiet = true, .tail = -1 };
	FILE *null = fopen("/dev/null", "w");
	struct dn_source *src;
	struct dn_loaded l;
	struct dn_db *db;
	char err[256];
	FILE *f;

	(void)unused;
	assert_int_equal(dn_db_open(NULL, DN_DB_TEMP, &db, err, sizeof(err)), 0);
	mk_write(mk_new(), "empty.dnt", true);
	assert_int_equal(dn_source_open("empty.dnt", &src), 0);
	assert_int_equal(dn_load(&o, src, db, true, &l), 0);
	dn_source_close(src);
	assert_int_equal(dn_report_summary(null, db, l.trace_id, &o), 0);
	f = fopen("empty.json", "w");
	assert_int_equal(dn_report_json(f, db, l.trace_id), 0);
	fclose(f);
	if (!system("command -v jq >/dev/null"))	/* unmeasured is null or empty, never 0 */
		assert_int_equal(system("jq -e '.syscalls == [] and .processes == []'"
					" empty.json >/dev/null"), 0);
	fclose(null);
	assert_int_equal(dn_db_close(db), 0);
}

/* --- traces.h ---------------------------------------------------------------- */

struct open_args {
	struct dn_traces t;
	char **file;
	size_t n;
};

static int open_traces(void *ctx)
{
	struct open_args *a = ctx;

	return dn_traces_open(&a->t, a->file, a->n);
}

static int status_of_traces(void *ctx)
{
	struct open_args *a = ctx;
	const struct dn_options o = { .threads = 1 };

	return dn_traces_status(&a->t, &o, 0);
}

static void several_in_one_database(void **unused)
{
	static char good[] = "denet.dnt", cut[] = "cut.dnt", text[] = "text", none[] = "none";
	const struct dn_options strict = { .threads = 1, .quiet = true },
				mild = { .threads = 1, .quiet = true, .allow_incomplete = true };
	char *two[] = { good, cut }, *bad[] = { good, text }, *gone[] = { none };
	struct open_args a = { .file = bad, .n = 2 };
	char err[256];

	(void)unused;
	assert_int_equal(capture(open_traces, &a), -EBADMSG);
	assert_int_equal(a.t.n, 0);
	a.file = gone;
	a.n = 1;
	assert_int_equal(capture(open_traces, &a), -ENOENT);
	for (int rollups = 0; rollups < 2; rollups++) {
		struct dn_db *db;

		a.file = two;
		a.n = 2;
		assert_int_equal(capture(open_traces, &a), 0);
		assert_int_equal(a.t.vtab[1].trace_id, 2);
		assert_int_equal(a.t.vtab[0].origin, MK_ORIGIN);
		assert_int_equal(dn_traces_status(&a.t, &strict, 0), DN_EXIT_OK);	/* not read yet */
		assert_int_equal(dn_db_open(NULL, DN_DB_TEMP | DN_DB_NO_SYSCALL, &db, err,
					    sizeof(err)), 0);
		assert_int_equal(dn_traces_load(&a.t, &strict, db,
						rollups ? DN_NEEDS_ROLLUPS : DN_NEEDS_ROWS), 0);
		assert_true(a.t.trace[0].complete && !a.t.trace[1].complete);
		assert_int_equal(dn_query_value(db, "SELECT count(*) FROM raw_thread", 0, -1), 2);
		assert_int_equal(dn_query_value(db, "SELECT sum(count) FROM raw_syscall_stat", 0, -1),
				 rollups ? 2 * CALLS : -1);
		assert_int_equal(dn_traces_status(&a.t, &strict, 0), DN_EXIT_INCOMPLETE);
		assert_int_equal(dn_traces_status(&a.t, &mild, 0), DN_EXIT_OK);
		assert_int_equal(capture(status_of_traces, &a), DN_EXIT_INCOMPLETE);
		read_back("err");
		assert_string_equal(said, "denet-analyze: cut.dnt is incomplete: the answer is of what "
					  "could be read\n");
		a.t.n = 1;		/* the whole one alone */
		assert_int_equal(dn_traces_status(&a.t, &strict, 0), DN_EXIT_OK);
		assert_int_equal(dn_traces_status(&a.t, &strict, 1), DN_EXIT_INCOMPLETE);
		a.t.n = 2;
		assert_int_equal(dn_db_close(db), 0);
		dn_traces_close(&a.t);
		assert_int_equal(a.t.n, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_meant),
		cmocka_unit_test(what_makes_no_sense),
		cmocka_unit_test(help_names_everything),
		cmocka_unit_test(the_worst_of_all_files),
		cmocka_unit_test(verbs_answer),
		cmocka_unit_test(json_of_two_traces),
		cmocka_unit_test(a_report_of_nothing),
		cmocka_unit_test(several_in_one_database),
	};

	return cmocka_run_group_tests_name("verbs", tests, setup, scratch_teardown);
}
