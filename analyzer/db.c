/*
 * db.c - a database that is being filled: connection, statements, rows.
 *
 * Everything between dn_db_open() and dn_db_close() is one transaction without
 * journal: a database that was not closed is thrown away, never repaired (the
 * importer writes under another name and renames).
 */
#include "db.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "block.h"
#include "callstr.h"
#include "events.h"
#include "reader.h"
#include "shell_quote.h"
#include "utf8.h"

#define STMTS_MAX 32
#define ADDRESSES 2

/* What becomes of the number in a field. */
enum how {
	AS_IT_IS,
	AS_ID,			/* dn_db_id() */
	AS_FIGURE,		/* NULL where no machine reaches it */
	AS_SOCKADDR,		/* as a text */
};

/* 2.3 years of one thread in ns, 72 PB. Figures are added up, and SQLite's sum()
 * ends in an error when it overflows: one forged row would spoil every answer. */
#define FIGURE_MAX (UINT64_C(1) << 56)

struct dn_db {
	sqlite3 *h;
	unsigned flags;
	int64_t trace_id;
	uint64_t origin;
	sqlite3_stmt *row[DN_EV_MAX];
	uint8_t how[DN_EV_MAX][DN_FIELDS_MAX];	/* enum how */
	struct { const char *sql; sqlite3_stmt *st; } stmt[STMTS_MAX];
	unsigned nstmt;
	struct dn_callstr_buf address[ADDRESSES];	/* of one row */
	char *command;		/* of an exec, quoted */
	size_t command_cap;
};

static int exec(sqlite3 *h, const char *sql)
{
	return sqlite3_exec(h, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : -EIO;
}

static int64_t pragma(sqlite3 *h, const char *sql)
{
	sqlite3_stmt *st;
	int64_t v = -1;

	if (sqlite3_prepare_v2(h, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
		v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return v;
}

int dn_db_harden(sqlite3 *h)
{
	int on;

	if (sqlite3_db_config(h, SQLITE_DBCONFIG_DEFENSIVE, 1, &on) != SQLITE_OK ||
	    sqlite3_db_config(h, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, &on) != SQLITE_OK ||
	    sqlite3_db_config(h, SQLITE_DBCONFIG_DQS_DML, 0, &on) != SQLITE_OK ||
	    sqlite3_db_config(h, SQLITE_DBCONFIG_DQS_DDL, 0, &on) != SQLITE_OK)
		return -EIO;
	sqlite3_limit(h, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_limit(h, SQLITE_LIMIT_LENGTH, 64 << 20);	/* zeroblob() and the like */
	return exec(h, "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0");
}

static int fresh_schema(struct dn_db *db, unsigned flags)
{
	char sql[128];
	int err;

	snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d",
		 DN_DB_APPLICATION_ID, DN_DB_VERSION);
	err = exec(db->h, sql);
	return err ? err : dn_db_schema(db->h, flags);
}

/* Begins the transaction, and the schema where the file is new. */
static int prepare(struct dn_db *db, unsigned flags, char *err, size_t errlen)
{
	int64_t id, version;
	/* A defensive connection refuses journal_mode = OFF: that comes before. */
	int ret = exec(db->h, "PRAGMA page_size = 32768; PRAGMA auto_vacuum = NONE;"
			      "PRAGMA encoding = 'UTF-8'; PRAGMA journal_mode = OFF;"
			      "PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;"
			      "PRAGMA cache_size = -32768");

	if (!ret)
		ret = dn_db_harden(db->h);

	if (!ret)
		ret = exec(db->h, "BEGIN EXCLUSIVE");
	if (!ret)
		ret = dn_db_functions(db->h);
	if (ret)
		goto failed;
	id = pragma(db->h, "PRAGMA application_id");
	version = pragma(db->h, "PRAGMA user_version");
	if (!id && !version && !pragma(db->h, "SELECT count(*) FROM sqlite_schema")) {
		ret = fresh_schema(db, flags);
	} else if (id != DN_DB_APPLICATION_ID) {
		snprintf(err, errlen, "it is a database of another program");
		return -EEXIST;
	} else if (version != DN_DB_VERSION) {
		snprintf(err, errlen, "it is a denet database of version %d and this is version %d",
			 (int)version, DN_DB_VERSION);
		return -EEXIST;
	}
	if (!ret)
		return 0;
failed:
	snprintf(err, errlen, "%s", sqlite3_errmsg(db->h));
	return sqlite3_errcode(db->h) == SQLITE_NOTADB ? -EEXIST : ret;
}

static void set_hows(struct dn_db *db)
{
	for (unsigned e = 0; e < DN_EV_MAX; e++) {
		const struct dn_event_desc *d = dn_event_desc(e);
		bool summed = e == DN_EV_thread_exit || e == DN_EV_process_sample ||
			      e == DN_EV_loss || e == DN_EV_counter || e == DN_EV_transfer ||
			      e == DN_EV_sock_event;

		for (unsigned i = 0; d && i < d->nfields; i++) {
			const char *unit = d->field[i].unit;

			if (!strcmp(unit, "id"))
				db->how[e][i] = AS_ID;
			else if (!strcmp(unit, "sockaddr"))
				db->how[e][i] = AS_SOCKADDR;
			else if (summed && (!strcmp(unit, "ns") || !strcmp(unit, "bytes") ||
					    !strcmp(unit, "count")))
				db->how[e][i] = AS_FIGURE;
		}
	}
}

int dn_db_open(const char *path, unsigned flags, struct dn_db **out, char *err, size_t errlen)
{
	struct dn_db *db = calloc(1, sizeof(*db));
	int ret;

	*out = NULL;
	snprintf(err, errlen, "there is no memory");
	if (!db)
		return -ENOMEM;
	db->flags = flags;
	/* The empty name is a file of SQLite's own, deleted at once, that lives
	 * in the cache until it outgrows it: memory stays bounded. */
	ret = sqlite3_open_v2(flags & DN_DB_TEMP ? "" : path, &db->h,
			      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
	if (ret != SQLITE_OK) {
		snprintf(err, errlen, "%s", db->h ? sqlite3_errmsg(db->h) : sqlite3_errstr(ret));
		ret = -EIO;
	} else {
		ret = prepare(db, flags, err, errlen);
	}
	set_hows(db);
	if (ret) {
		sqlite3_close(db->h);
		free(db);
		return ret;
	}
	*err = 0;
	*out = db;
	return 0;
}

int dn_db_close(struct dn_db *db)
{
	int err;

	if (!db)
		return 0;
	for (unsigned i = 0; i < DN_EV_MAX; i++)
		sqlite3_finalize(db->row[i]);
	for (unsigned i = 0; i < db->nstmt; i++)
		sqlite3_finalize(db->stmt[i].st);
	err = exec(db->h, "COMMIT");
	if (sqlite3_close(db->h) != SQLITE_OK)
		err = -EBUSY;
	free(db->command);
	for (unsigned i = 0; i < ADDRESSES; i++)
		dn_callstr_release(&db->address[i]);
	free(db);
	return err;
}

sqlite3 *dn_db_handle(struct dn_db *db)
{
	return db->h;
}

const char *dn_db_error(const struct dn_db *db)
{
	return sqlite3_errmsg(db->h);
}

unsigned dn_db_flags(const struct dn_db *db)
{
	return db->flags;
}

int64_t dn_db_trace_id(const struct dn_db *db)
{
	return db->trace_id;
}

uint64_t dn_db_origin(const struct dn_db *db)
{
	return db->origin;
}

/* --- statements ---------------------------------------------------------- */

int dn_db_exec(struct dn_db *db, const char *sql)
{
	return exec(db->h, sql);
}

sqlite3_stmt *dn_db_stmt(struct dn_db *db, const char *sql)
{
	sqlite3_stmt *st;

	for (unsigned i = 0; i < db->nstmt; i++)
		if (db->stmt[i].sql == sql) {
			sqlite3_clear_bindings(db->stmt[i].st);
			return db->stmt[i].st;
		}
	assert(db->nstmt < STMTS_MAX);
	if (sqlite3_prepare_v3(db->h, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL) != SQLITE_OK)
		return NULL;
	db->stmt[db->nstmt].sql = sql;
	db->stmt[db->nstmt++].st = st;
	return st;
}

int dn_db_run(struct dn_db *db, sqlite3_stmt *st)
{
	(void)db;
	while (sqlite3_step(st) == SQLITE_ROW)
		;
	switch (sqlite3_reset(st)) {
	case SQLITE_OK:
		return 0;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_FULL:
		return -ENOSPC;
	default:
		return -EIO;
	}
}

void dn_bind_int(sqlite3_stmt *st, int i, int64_t v)
{
	sqlite3_bind_int64(st, i, v);
}

void dn_bind_null(sqlite3_stmt *st, int i)
{
	sqlite3_bind_null(st, i);
}

void dn_bind_str(sqlite3_stmt *st, int i, const char *p, size_t len)
{
	if (dn_utf8_text(p, len))
		sqlite3_bind_text64(st, i, p, len, SQLITE_STATIC, SQLITE_UTF8);
	else
		sqlite3_bind_blob64(st, i, p, len, SQLITE_STATIC);
}

void dn_bind_blob(sqlite3_stmt *st, int i, const void *p, size_t len)
{
	sqlite3_bind_blob64(st, i, p, len, SQLITE_STATIC);
}

/* --- rows ---------------------------------------------------------------- */

/* argv quoted for a shell, in db->command. The length, or -ENOMEM. */
static long quote(struct dn_db *db, const struct dn_value *argv)
{
	size_t len = dn_shell_quote(argv->p, argv->len, db->command, db->command_cap);

	if (len > db->command_cap) {
		char *p = realloc(db->command, len);

		if (!p)
			return -ENOMEM;
		db->command = p;
		db->command_cap = len;
		dn_shell_quote(argv->p, argv->len, p, len);
	}
	return (long)len;
}

static int bind_command(struct dn_db *db, sqlite3_stmt *st, int i, const struct dn_row *r)
{
	const unsigned argv = (unsigned)dn_db_argv_field(r->event);
	long len;

	if (r->nfields <= argv || r->v[argv].null) {
		dn_bind_null(st, i);
		return 0;
	}
	len = quote(db, &r->v[argv]);
	if (len < 0)
		return (int)len;
	dn_bind_str(st, i, db->command ? db->command : "", (size_t)len);
	return 0;
}

static sqlite3_stmt *row_stmt(struct dn_db *db, unsigned event)
{
	char *sql;

	if (!db->row[event]) {
		sql = dn_db_insert_sql(event);
		if (sql)
			sqlite3_prepare_v3(db->h, sql, -1, SQLITE_PREPARE_PERSISTENT, &db->row[event],
					   NULL);
		free(sql);
	}
	return db->row[event];
}

static void bind_number(struct dn_db *db, sqlite3_stmt *st, int at, uint64_t u, unsigned how)
{
	if (how == AS_ID)
		dn_bind_int(st, at, dn_db_id(db->trace_id, (uint32_t)u));
	else if (how == AS_FIGURE && u > FIGURE_MAX)
		dn_bind_null(st, at);
	else
		dn_bind_int(st, at, (int64_t)u);
}

static int bind_address(struct dn_callstr_buf *b, sqlite3_stmt *st, int at, const struct dn_value *v)
{
	const struct dn_call_str s = { .kind = DN_STR_SOCKADDR, .p = v->p, .len = (uint32_t)v->len };
	const char *text;
	size_t len;

	if (dn_callstr_text(&s, b, &text, &len))
		return -ENOMEM;
	dn_bind_str(st, at, text, len);
	return 0;
}

int dn_db_row(struct dn_db *db, const struct dn_row *r, uint64_t order)
{
	const struct dn_event_desc *d = dn_event_desc(r->event);
	unsigned addresses = 0;
	sqlite3_stmt *st;
	int err = 0;

	if (!d || r->event == DN_EV_syscall)
		return 0;
	st = row_stmt(db, r->event);
	if (!st)
		return -EIO;
	dn_bind_int(st, 1, ((db->trace_id - 1) << 48) + (int64_t)order);
	dn_bind_int(st, 2, db->trace_id);
	for (unsigned i = 0; !err && i < d->nfields; i++) {
		const struct dn_value *v = i < r->nfields ? &r->v[i] : NULL;
		int at = 3 + (int)i;

		if (!v || v->null)
			dn_bind_null(st, at);
		else if (db->how[r->event][i] == AS_SOCKADDR)
			err = bind_address(&db->address[addresses++ % ADDRESSES], st, at, v);
		else if (d->field[i].type == DN_STR)
			dn_bind_str(st, at, v->p, v->len);
		else if (d->field[i].type == DN_TIME)
			dn_bind_int(st, at, (int64_t)(v->u - db->origin));
		else
			bind_number(db, st, at, v->u, db->how[r->event][i]);
	}
	if (!err && dn_db_argv_field(r->event) >= 0)
		err = bind_command(db, st, 3 + (int)d->nfields, r);
	return err ? err : dn_db_run(db, st);
}

/* --- traces -------------------------------------------------------------- */

static void uuid_text(const uint8_t *u, char out[37])
{
	snprintf(out, 37,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1],
		 u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14],
		 u[15]);
}

int64_t dn_db_begin_trace(struct dn_db *db, const char *file, const struct dn_file_header *h,
			  uint64_t origin)
{
	int64_t id = pragma(db->h, "SELECT ifnull(max(trace_id), 0) + 1 FROM raw_trace");
	sqlite3_stmt *st = dn_db_stmt(db,
		"INSERT INTO raw_trace (trace_id, file, uuid, format_major, format_minor, abi,"
		" word_bits, big_endian, origin, wall) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	char uuid[37];
	int err;

	if (id < 1 || !st)
		return -EIO;
	if (id > DN_DB_TRACES_MAX)
		return -E2BIG;
	uuid_text(h->uuid, uuid);
	dn_bind_int(st, 1, id);
	/* A file name need not be UTF-8 and the column is TEXT. */
	sqlite3_bind_text(st, 2, dn_utf8_text(file, strlen(file)) ? file : "(not UTF-8)", -1,
			  SQLITE_STATIC);
	sqlite3_bind_text(st, 3, uuid, -1, SQLITE_STATIC);
	dn_bind_int(st, 4, h->major);
	dn_bind_int(st, 5, h->minor);
	dn_bind_int(st, 6, h->native_abi);
	dn_bind_int(st, 7, h->word_bits);
	dn_bind_int(st, 8, h->big_endian);
	dn_bind_int(st, 9, (int64_t)origin);
	dn_bind_int(st, 10, (int64_t)h->wall_ns);
	err = dn_db_run(db, st);
	if (err)
		return err;
	db->trace_id = id;
	db->origin = origin;
	return id;
}

static int store_header(struct dn_db *db, const struct dn_file_header *h)
{
	sqlite3_stmt *st = dn_db_stmt(db,
		"UPDATE raw_trace SET uuid = ?2, abi = ?3, word_bits = ?4, big_endian = ?5, wall = ?6"
		" WHERE trace_id = ?1");
	char uuid[37];

	if (!st)
		return -EIO;
	uuid_text(h->uuid, uuid);
	dn_bind_int(st, 1, db->trace_id);
	sqlite3_bind_text(st, 2, uuid, -1, SQLITE_STATIC);
	dn_bind_int(st, 3, h->native_abi);
	dn_bind_int(st, 4, h->word_bits);
	dn_bind_int(st, 5, h->big_endian);
	dn_bind_int(st, 6, (int64_t)h->wall_ns);
	return dn_db_run(db, st);
}

static int store_report(struct dn_db *db, const struct dn_read_report *rep,
			const struct dn_db_totals *t)
{
	sqlite3_stmt *st = dn_db_stmt(db,
		"UPDATE raw_trace SET last = ?2, bytes = ?3, blocks = ?4, complete = ?5,"
		" clean_end = ?6, header_ok = ?7, cut = ?8, damaged = ?9, lost = ?10,"
		" duplicated = ?11, reordered = ?12, foreign_blocks = ?13, unknown = ?14,"
		" skipped = ?15, latency_detail = ?16, calls = ?17, rows_skipped = ?18"
		" WHERE trace_id = ?1");
	const uint64_t v[] = { rep->bytes, rep->blocks, rep->complete, rep->clean_end,
			       rep->header_ok, rep->cut, rep->damaged, rep->lost, rep->duplicated,
			       rep->reordered, rep->foreign, rep->unknown, rep->skipped,
			       t->latency_detail, t->calls, t->rows_skipped };

	if (!st)
		return -EIO;
	dn_bind_int(st, 1, db->trace_id);
	if (t->last)
		dn_bind_int(st, 2, (int64_t)(t->last - db->origin));
	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++)
		dn_bind_int(st, 3 + (int)i, (int64_t)v[i]);
	return dn_db_run(db, st);
}

static int store_gaps(struct dn_db *db, const struct dn_read_report *rep)
{
	sqlite3_stmt *gap = dn_db_stmt(db, "INSERT INTO raw_gap VALUES (?, ?, ?, ?, ?)");
	sqlite3_stmt *note = dn_db_stmt(db, "INSERT INTO raw_note VALUES (?, ?)");
	int err = gap && note ? 0 : -EIO;

	for (size_t i = 0; !err && i < rep->ngaps; i++) {
		const struct dn_read_gap *g = &rep->gap[i];

		dn_bind_int(gap, 1, db->trace_id);
		dn_bind_int(gap, 2, (int64_t)g->seq);
		dn_bind_int(gap, 3, (int64_t)g->count);
		dn_bind_null(gap, 4);
		dn_bind_null(gap, 5);
		if (g->after)
			dn_bind_int(gap, 4, (int64_t)(g->after - db->origin));
		if (g->before)
			dn_bind_int(gap, 5, (int64_t)(g->before - db->origin));
		err = dn_db_run(db, gap);
	}
	for (size_t i = 0; !err && i < rep->nnotes; i++) {
		dn_bind_int(note, 1, db->trace_id);
		sqlite3_bind_text(note, 2, rep->note[i], -1, SQLITE_STATIC);
		err = dn_db_run(db, note);
	}
	return err;
}

int dn_db_end_trace(struct dn_db *db, const struct dn_file_header *h, const struct dn_read_report *rep,
		    const struct dn_db_totals *t, const struct dn_namer *namer)
{
	int err = store_header(db, h);

	if (!err)
		err = store_report(db, rep, t);
	if (!err)
		err = store_gaps(db, rep);
	if (!err)
		err = dn_db_derive(db->h, db->trace_id);
	if (!err && namer)
		err = namer->name(namer, db, db->trace_id);
	return err ? err : dn_db_find(db->h, db->trace_id);
}
