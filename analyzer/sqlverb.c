/*
 * sqlverb.c - the verbs `sql` and `import`: where the query comes from, and
 * what the files are.
 *
 *   denet-analyze --sql QUERY [FILE...]
 *   denet-analyze sql [FILE...] QUERY     the last word, if it is no file
 *   denet-analyze sql [FILE...] < QUERY
 *   denet-analyze --db FILE [FILE...]     and --sql QUERY over it then
 *
 * A file may be a database that --db made, alone.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dbfile.h"
#include "options.h"
#include "say.h"
#include "sql.h"
#include "text.h"
#include "verbs.h"

#define QUERY_MAX (1u << 20)	/* SQLite's own limit is 1,000,000,000 bytes */

static char default_file[] = "denet.dnt";

/* A query has more than one word, and a file would have to be there. */
static bool is_query(const char *word)
{
	return strpbrk(word, " \t\n;") && access(word, F_OK);
}

/* All of standard input. 0 or a negative errno. */
static int read_query(struct dn_text *t)
{
	char buf[4096];
	size_t n;

	while ((n = fread(buf, 1, sizeof(buf), stdin)) > 0) {
		dn_text_bytes(t, buf, n);
		if (t->len > QUERY_MAX)
			return -E2BIG;
	}
	if (ferror(stdin))
		return -EIO;
	if (t->failed)
		return -ENOMEM;
	/* SQLite would stop at a NUL without a word. */
	return t->len && memchr(t->p, 0, t->len) ? -EINVAL : 0;
}

static bool standard_input_is_a_trace(const struct dn_options *o, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(o->file[i], "-"))
			return true;
	return false;
}

static int query(const struct dn_options *o, char **file, size_t n, const char *sql)
{
	if (o->db) {
		int status = dn_sql_import(o, file, n);
		int answer;

		if (status != DN_EXIT_OK && status != DN_EXIT_INCOMPLETE)
			return status;
		answer = dn_sql_database(o, o->db, sql, stdout);
		return answer == DN_EXIT_OK ? status : answer;
	}
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(file[i], "-") || dn_dbfile_is_ours(file[i], true) <= 0)
			continue;
		if (o->nsymfs) {
			dn_error("name functions in", file[i], "it is a database, and has the names that it was made with",
				 "Give --symfs where it is made, with --db");
			return DN_EXIT_USAGE;
		}
		if (n == 1)
			return dn_sql_database(o, file[i], sql, stdout);
		dn_error("query", file[i], "it is a database and there are other files",
			 "Query it alone");
		return DN_EXIT_USAGE;
	}
	return dn_sql_traces(o, file, n, sql, stdout);
}

int dn_sql_main(const struct dn_options *o)
{
	char *standard[] = { default_file };
	struct dn_text t = { 0 };
	const char *sql = o->sql;
	char **file = o->file;
	size_t n = o->nfile;
	int status = DN_EXIT_USAGE, err;

	if (!sql && is_query(file[n - 1]))
		sql = file[--n];
	if (!n) {
		file = standard;
		n = 1;
	}
	if (!sql && (isatty(STDIN_FILENO) || standard_input_is_a_trace(o, n))) {
		dn_error("run a query", NULL, "there is none", "Give it with --sql STATEMENT");
		goto out;
	}
	if (!sql) {
		err = read_query(&t);
		sql = t.p ? t.p : "";
		if (err) {
			dn_error("read the query", "from standard input",
				 err == -EINVAL ? "there is a NUL byte in it" : strerror(-err),
				 NULL);
			status = DN_EXIT_NONE;
			goto out;
		}
	}
	status = query(o, file, n, sql);
out:
	dn_text_free(&t);
	return status;
}

int dn_import_main(const struct dn_options *o)
{
	if (!o->db) {
		dn_error("import", NULL, "the name of the database is missing",
			 "Give it with --db FILE");
		return DN_EXIT_USAGE;
	}
	for (size_t i = 0; i < o->nfile; i++) {
		if (!strcmp(o->file[i], "-") || dn_dbfile_is_ours(o->file[i], true) <= 0)
			continue;
		dn_error("import", o->file[i], "it is a database already", "Query it with --sql");
		return DN_EXIT_USAGE;
	}
	return dn_sql_import(o, o->file, o->nfile);
}
