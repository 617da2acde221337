/*
 * extension.c - denet.so: a trace in any sqlite3 shell.
 *
 *   $ DENET_TRACE=run.dnt sqlite3
 *   sqlite> .load ./denet
 *   sqlite> SELECT name, count(*) FROM syscalls GROUP BY name;
 *
 * The trace is named by the environment of whoever started the program, never
 * by SQL: a query from elsewhere can read no other file through it, and a
 * program with raised privilege none at all (secure_getenv).
 *
 * Rows of events and counts of the calls are loaded into a database of our
 * own, which the host then holds as the attached, read-only schema `denet`
 * with all views; the calls stay in the file behind raw_syscall.
 */
#include "extension_api.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "load.h"
#include "options.h"
#include "reader.h"
#include "source.h"
#include "vtab.h"

#ifndef DN_VERSION
#include "config.h"
#endif

SQLITE_EXTENSION_INIT1

/* What the virtual tables stand on, as long as the connection lives. */
struct state {
	struct dn_source *src;
	struct dn_reader *reader;
};

static void state_free(void *p)
{
	struct state *s = p;

	if (!s)
		return;
	dn_reader_close(s->reader);
	dn_source_close(s->src);
	free(s);
}

static int fail(char **errmsg, const char *path, const char *why)
{
	*errmsg = sqlite3_mprintf("denet: %s%s%s", path, *path ? ": " : "", why);
	return SQLITE_ERROR;
}

static void version(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	(void)argc;
	(void)argv;
	sqlite3_result_text(ctx, DN_VERSION, -1, SQLITE_STATIC);
}

/* The loaded database as bytes of SQLite's allocator, or NULL. */
static unsigned char *load(struct dn_source *src, sqlite3_int64 *size, uint64_t *origin,
			   char *why, size_t len)
{
	const struct dn_options o = { .threads = 1, .quiet = true };
	unsigned char *p = NULL;
	struct dn_loaded l;
	struct dn_db *db;

	if (dn_db_open(NULL, DN_DB_TEMP | DN_DB_NO_SYSCALL, &db, why, len))
		return NULL;
	if (dn_load(&o, src, db, true, &l)) {
		strncat(why, "it cannot be read", len - 1);
		goto out;
	}
	*origin = l.origin;
	if (!dn_db_exec(db, "COMMIT; BEGIN"))
		p = sqlite3_serialize(dn_db_handle(db), "main", size, 0);
	if (!p)
		strncat(why, "there is no memory", len - 1);
out:
	dn_db_close(db);
	return p;
}

/* Puts the bytes there as schema `denet`; takes them in any case. */
static int attach(sqlite3 *db, unsigned char *p, sqlite3_int64 size)
{
	int rc = sqlite3_exec(db, "ATTACH ':memory:' AS denet", NULL, NULL, NULL);

	if (rc) {
		sqlite3_free(p);
		return rc;
	}
	return sqlite3_deserialize(db, "denet", p, size, size,
				   SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_READONLY);
}

__attribute__((visibility("default"))) int sqlite3_denet_init(sqlite3 *db, char **errmsg,
							      const sqlite3_api_routines *api);

int sqlite3_denet_init(sqlite3 *db, char **errmsg, const sqlite3_api_routines *api)
{
	const char *path = secure_getenv("DENET_TRACE");
	struct dn_vtab_trace trace = { .trace_id = 1 };
	struct dn_vtab_options o = { .prefix = "raw_", .trace = &trace, .ntraces = 1 };
	struct state *s = NULL;
	unsigned char *p;
	sqlite3_int64 size;
	char why[256] = "";
	int rc = SQLITE_ERROR, err;

	SQLITE_EXTENSION_INIT2(api)
	if (sqlite3_libversion_number() < 3037000)
		return fail(errmsg, "", "it needs SQLite 3.37 or later");
	if (!path || !*path)
		return fail(errmsg, "", "the variable DENET_TRACE names no trace");
	s = calloc(1, sizeof(*s));
	if (!s)
		return SQLITE_NOMEM;
	err = dn_source_open(path, &s->src);
	if (!err && !dn_source_seekable(s->src))
		err = -ESPIPE;
	if (err) {
		fail(errmsg, path, strerror(-err));
		goto out;
	}
	if (dn_reader_open(s->src, &s->reader, why, sizeof(why))) {
		fail(errmsg, path, why);
		goto out;
	}
	trace.reader = s->reader;
	p = load(s->src, &size, &trace.origin, why, sizeof(why));
	if (!p) {
		fail(errmsg, path, why);
		goto out;
	}
	rc = attach(db, p, size);
	if (!rc && dn_vtab_register(db, &o))
		rc = SQLITE_NOMEM;
	if (rc) {
		fail(errmsg, path, sqlite3_errmsg(db));
		goto out;
	}
	/* The function holds the state; it is freed when SQLite refuses it, too. */
	rc = sqlite3_create_function_v2(db, "denet_version", 0, SQLITE_UTF8 | SQLITE_DETERMINISTIC |
					SQLITE_INNOCUOUS, s, version, NULL, NULL, state_free);
	s = NULL;
out:
	state_free(s);
	return rc;
}
