/*
 * sql.c - queries over traces and databases, and making a database.
 */
#include "sql.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include "db.h"
#include "dbfile.h"
#include "guard.h"
#include "human.h"
#include "importer.h"
#include "options.h"
#include "say.h"
#include "source.h"
#include "sqlout.h"
#include "traces.h"
#include "vtab.h"

#define BUSY_MS 5000

/* --- one statement ------------------------------------------------------------ */

static void query_error(sqlite3 *db, const struct dn_guard *g)
{
	if (sqlite3_errcode(db) == SQLITE_AUTH && g->refused)
		dn_error("run this query", NULL, g->refused, NULL);
	else
		dn_error("run this query", NULL, sqlite3_errmsg(db), NULL);
}

/* Whether only white space and comments follow. */
static bool nothing_follows(sqlite3 *db, const char *tail)
{
	sqlite3_stmt *st;
	int rc;

	while (tail && *tail) {
		rc = sqlite3_prepare_v2(db, tail, -1, &st, &tail);
		sqlite3_finalize(st);
		if (rc || st)
			return false;
	}
	return true;
}

/* A statement ready to run, or NULL after a sentence. */
static sqlite3_stmt *prepare(sqlite3 *db, const char *sql, struct dn_guard *g)
{
	sqlite3_stmt *st = NULL;
	const char *tail;

	g->refused = NULL;
	if (sqlite3_prepare_v2(db, sql, -1, &st, &tail)) {
		query_error(db, g);
		return NULL;
	}
	if (!st) {
		dn_error("run this query", NULL, "it is empty", NULL);
		return NULL;
	}
	if (!nothing_follows(db, tail)) {
		sqlite3_finalize(st);
		dn_error("run this query", NULL, "more than one statement stands in it", NULL);
		return NULL;
	}
	return st;
}

static int run(const struct dn_options *o, sqlite3 *db, sqlite3_stmt *st,
	       const struct dn_guard *g, FILE *out)
{
	int err = dn_sqlout(out, st, o->format, o->color);

	if (err == -EIO)
		query_error(db, g);
	else if (err)
		dn_error("print the answer", NULL, strerror(-err), NULL);
	return err ? DN_EXIT_NONE : DN_EXIT_OK;
}

static int worse(int a, int b)
{
	if (a == DN_EXIT_NONE || b == DN_EXIT_NONE)
		return DN_EXIT_NONE;
	return a > b ? a : b;
}

/* --- over traces -------------------------------------------------------------- */

static int register_tables(sqlite3 *h, const struct dn_traces *t, uint64_t *damaged)
{
	const struct dn_vtab_options v = { .prefix = "raw_", .trace = t->vtab, .ntraces = t->n,
					   .damaged = damaged };

	return dn_vtab_register(h, &v);
}

int dn_sql_traces(const struct dn_options *o, char *const *file, size_t n, const char *sql,
		  FILE *out)
{
	struct dn_guard g = { .needs = DN_NEEDS_NOTHING };
	struct dn_traces t;
	struct dn_db *db = NULL;
	sqlite3_stmt *st = NULL;
	uint64_t damaged = 0;
	int status = DN_EXIT_NONE;
	char why[256];
	sqlite3 *h;

	if (dn_traces_open(&t, file, n))
		return DN_EXIT_NONE;
	if (dn_db_open(NULL, DN_DB_TEMP | DN_DB_NO_SYSCALL, &db, why, sizeof(why))) {
		dn_error("make a temporary database", NULL, why, NULL);
		goto out;
	}
	h = dn_db_handle(db);
	/* Compiled once to see what it reads, and again when that is there. */
	if (register_tables(h, &t, &damaged))
		goto no_memory;
	dn_guard_set(h, &g);
	st = prepare(h, sql, &g);
	dn_guard_set(h, NULL);
	if (!st)
		goto out;
	sqlite3_finalize(st);
	st = NULL;
	if (g.needs != DN_NEEDS_NOTHING && dn_traces_load(&t, o, db, g.needs))
		goto out;
	if (register_tables(h, &t, &damaged))
		goto no_memory;
	dn_guard_set(h, &g);
	st = prepare(h, sql, &g);
	if (!st)
		goto out;
	status = run(o, h, st, &g, out);
	status = worse(status, dn_traces_status(&t, o, damaged));
	goto out;
no_memory:
	dn_error("run this query", NULL, strerror(ENOMEM), NULL);
out:
	sqlite3_finalize(st);
	if (db)
		dn_guard_set(dn_db_handle(db), NULL);
	dn_db_close(db);
	dn_traces_close(&t);
	return status;
}

/* --- over a database ---------------------------------------------------------- */

static int64_t value(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st = NULL;
	int64_t v = -1;

	if (!sqlite3_prepare_v2(db, sql, -1, &st, NULL) && sqlite3_step(st) == SQLITE_ROW)
		v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return v;
}

/* A connection that can only read, to a database of ours. */
static int open_database(const char *path, sqlite3 **db)
{
	int64_t version;
	char why[128];
	int rc = sqlite3_open_v2(path, db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc || dn_db_harden(*db)) {
		dn_error("open", path, *db ? sqlite3_errmsg(*db) : sqlite3_errstr(rc), NULL);
		return -EIO;
	}
	sqlite3_busy_timeout(*db, BUSY_MS);
	if (value(*db, "PRAGMA application_id") != DN_DB_APPLICATION_ID) {
		dn_error("use", path, "it is no database that denet-analyze wrote", NULL);
		return -EBADMSG;
	}
	version = value(*db, "PRAGMA user_version");
	if (version > DN_DB_VERSION) {
		snprintf(why, sizeof(why), "it has version %" PRId64 " and this is version %d",
			 version, DN_DB_VERSION);
		dn_error("use", path, why, "Use a newer denet-analyze");
		return -EPROTONOSUPPORT;
	}
	return 0;
}

int dn_sql_database(const struct dn_options *o, const char *path, const char *sql, FILE *out)
{
	struct dn_guard g = { .needs = DN_NEEDS_NOTHING };
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;
	int status = DN_EXIT_NONE;

	if (open_database(path, &db))
		goto out;
	dn_guard_set(db, &g);
	st = prepare(db, sql, &g);
	if (!st)
		goto out;
	status = run(o, db, st, &g, out);
	dn_guard_set(db, NULL);
	if (status == DN_EXIT_OK && !o->allow_incomplete && g.needs != DN_NEEDS_NOTHING &&
	    value(db, "SELECT count(*) FROM raw_trace WHERE complete IS NOT 1") > 0)
		status = DN_EXIT_INCOMPLETE;
out:
	sqlite3_finalize(st);
	sqlite3_close(db);
	return status;
}

/* --- making a database -------------------------------------------------------- */

struct watch {
	struct dn_progress line;
	uint64_t whole;
};

static void look(void *ctx, uint64_t calls)
{
	struct watch *w = ctx;

	dn_progress_at(&w->line, calls, w->whole, calls);
}

/* Closes the database (*db) and puts the calls into its file. Says what fails. */
static int import_calls(const struct dn_options *o, struct dn_db **db, const char *path,
			const struct dn_traces *t, struct dn_imported *im)
{
	struct watch w = { .whole =
				   (uint64_t)value(dn_db_handle(*db),
						   "SELECT ifnull(sum(calls), 0) FROM raw_trace") };
	struct dn_import_place place;
	int err = dn_import_tables(*db, &place);

	if (err) {
		dn_error("write", o->db, dn_db_error(*db), NULL);
		return err;
	}
	err = dn_db_close(*db);
	*db = NULL;
	dn_progress_begin(&w.line, "importing", o->quiet);
	if (!err)
		err = dn_import_calls(path, &place, t->vtab, t->n, look, &w, im);
	dn_progress_end(&w.line);
	if (err && im->unread)
		dn_error("read", dn_source_name(t->trace[im->unread - t->vtab].src), strerror(-err),
			 NULL);
	else if (err)
		dn_error("write", o->db, strerror(-err), NULL);
	return err;
}

static void say_done(const struct dn_options *o, size_t traces, const struct dn_imported *im)
{
	char calls[DN_HUMAN_SIZE], bytes[DN_HUMAN_SIZE];
	struct stat st;

	if (o->quiet || stat(o->db, &st))
		return;
	dn_remark("%s: %zu trace%s, %s system calls, %s", o->db, traces, traces == 1 ? "" : "s",
		  dn_human_digits(calls, sizeof(calls), im->calls),
		  dn_human_bytes(bytes, sizeof(bytes), (uint64_t)st.st_size));
}

int dn_sql_import(const struct dn_options *o, char *const *file, size_t n)
{
	struct dn_imported im = { 0 };
	struct dn_traces t = { 0 };
	struct dn_db *db = NULL;
	struct dn_newfile f;
	int status = DN_EXIT_NONE, err;
	char why[256];

	if (dn_dbfile_begin(&f, o->db, why, sizeof(why))) {
		dn_error("write", o->db, why, "Name another file");
		return DN_EXIT_NONE;
	}
	if (dn_traces_open(&t, file, n))
		goto out;
	err = dn_db_open(f.temp, DN_DB_NO_SYSCALL, &db, why, sizeof(why));
	if (err) {
		dn_error("write", o->db, why, NULL);
		goto out;
	}
	if (dn_traces_load(&t, o, db, DN_NEEDS_FDS))
		goto out;
	if (import_calls(o, &db, f.temp, &t, &im))
		goto out;
	err = dn_newfile_commit(&f);
	if (err) {
		dn_error("write", o->db, strerror(-err), NULL);
		goto out;
	}
	say_done(o, n, &im);
	status = dn_traces_status(&t, o, im.damaged);
out:
	dn_db_close(db);
	dn_newfile_abort(&f);
	dn_traces_close(&t);
	return status;
}
