/*
 * fd_db.c - counts by kind of descriptor and spans of descriptors, as rows.
 */
#include "fd_db.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "fdpass.h"

static int store_span(void *ctx, const struct dn_fd_span *s)
{
	struct dn_db *db = ctx;
	struct sqlite3_stmt *st = dn_db_stmt(db,
		"INSERT INTO raw_fd_open VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
	int64_t trace = dn_db_trace_id(db);

	if (!st)
		return -EIO;
	dn_bind_int(st, 1, trace);
	dn_bind_int(st, 2, dn_db_id(trace, s->process));
	dn_bind_int(st, 3, s->fd);
	dn_bind_int(st, 4, s->from ? (int64_t)(s->from - dn_db_origin(db)) : 0);
	if (s->to < UINT64_MAX)
		dn_bind_int(st, 5, (int64_t)(s->to - dn_db_origin(db)));
	else
		dn_bind_null(st, 5);
	dn_bind_int(st, 6, s->kind);
	if (s->name)
		dn_bind_str(st, 7, s->name, s->len);
	else
		dn_bind_null(st, 7);
	dn_bind_int(st, 8, s->cloexec);
	dn_bind_int(st, 9, s->origin);
	dn_bind_int(st, 10, s->inferred);
	return dn_db_run(db, st);
}

static int store_counts(struct dn_db *db, const struct dn_fdpass *p)
{
	struct sqlite3_stmt *st = dn_db_stmt(db,
		"INSERT INTO raw_fd_stat VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
		" ON CONFLICT DO UPDATE SET calls = calls + excluded.calls,"
		" errors = errors + excluded.errors, total = total + excluded.total,"
		" bytes_in = bytes_in + excluded.bytes_in,"
		" bytes_out = bytes_out + excluded.bytes_out");
	bool together = dn_db_flags(db) & DN_DB_REPORT;
	int64_t trace = dn_db_trace_id(db);
	int err = st ? 0 : -EIO;

	for (uint32_t i = 0; !err && i < p->ncounts; i++) {
		const struct dn_fd_count *c = &p->count[i];

		dn_bind_int(st, 1, trace);
		dn_bind_int(st, 2, dn_db_id(trace, together ? 0 : c->thread));
		dn_bind_int(st, 3, c->kind);
		dn_bind_int(st, 4, (int64_t)c->calls);
		dn_bind_int(st, 5, (int64_t)c->errors);
		dn_bind_int(st, 6, (int64_t)c->total);
		dn_bind_int(st, 7, (int64_t)c->in);
		dn_bind_int(st, 8, (int64_t)c->out);
		err = dn_db_run(db, st);
	}
	return err;
}

static int note_overflow(struct dn_db *db)
{
	struct sqlite3_stmt *st = dn_db_stmt(db,
		"INSERT INTO raw_note VALUES (?1, 'too many descriptors were open at one time: what"
		" some of them were is not known')");

	if (!st)
		return -EIO;
	dn_bind_int(st, 1, dn_db_trace_id(db));
	return dn_db_run(db, st);
}

int dn_fd_store(struct dn_db *db, struct dn_reader *reader, unsigned workers)
{
	struct dn_fdpass p = { .reader = reader, .workers = workers, .ctx = db };
	int err;

	if (!(dn_db_flags(db) & DN_DB_REPORT))
		p.span = store_span;
	err = dn_fdpass_run(&p);
	if (!err)
		err = store_counts(db, &p);
	if (!err && p.overflowed)
		err = note_overflow(db);
	free(p.count);
	return err;
}
