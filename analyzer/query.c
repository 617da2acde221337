/*
 * query.c - a prepared statement behind plain types.
 */
#include "query.h"

#include <errno.h>
#include <stdlib.h>

#include <sqlite3.h>

#include "db.h"

struct dn_query {
	sqlite3_stmt *st;
};

struct dn_query *dn_query_new(struct dn_db *db, const char *sql)
{
	struct dn_query *q = malloc(sizeof(*q));

	if (!q)
		return NULL;
	if (sqlite3_prepare_v2(dn_db_handle(db), sql, -1, &q->st, NULL) != SQLITE_OK || !q->st) {
		free(q);
		return NULL;
	}
	return q;
}

void dn_query_free(struct dn_query *q)
{
	if (!q)
		return;
	sqlite3_finalize(q->st);
	free(q);
}

void dn_query_bind(struct dn_query *q, int param, int64_t v)
{
	if (param <= sqlite3_bind_parameter_count(q->st))
		sqlite3_bind_int64(q->st, param, v);
}

void dn_query_bind_text(struct dn_query *q, int param, const char *s)
{
	sqlite3_bind_text(q->st, param, s, -1, SQLITE_TRANSIENT);
}

int dn_query_step(struct dn_query *q)
{
	switch (sqlite3_step(q->st)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		sqlite3_reset(q->st);
		return 0;
	default:
		return sqlite3_reset(q->st) == SQLITE_NOMEM ? -ENOMEM : -EIO;
	}
}

int dn_query_columns(const struct dn_query *q)
{
	return sqlite3_column_count(q->st);
}

const char *dn_query_name(const struct dn_query *q, int col)
{
	return sqlite3_column_name(q->st, col);
}

enum dn_cell dn_query_type(const struct dn_query *q, int col)
{
	switch (sqlite3_column_type(q->st, col)) {
	case SQLITE_INTEGER:
		return DN_CELL_INT;
	case SQLITE_FLOAT:
		return DN_CELL_REAL;
	case SQLITE_TEXT:
		return DN_CELL_TEXT;
	case SQLITE_BLOB:
		return DN_CELL_BLOB;
	default:
		return DN_CELL_NULL;
	}
}

bool dn_query_null(const struct dn_query *q, int col)
{
	return dn_query_type(q, col) == DN_CELL_NULL;
}

int64_t dn_query_int(const struct dn_query *q, int col)
{
	return sqlite3_column_int64(q->st, col);
}

double dn_query_real(const struct dn_query *q, int col)
{
	return sqlite3_column_double(q->st, col);
}

const char *dn_query_text(const struct dn_query *q, int col, size_t *len)
{
	/* sqlite3_column_text() ends a BLOB with NUL too, its bytes unchanged in
	 * a UTF-8 database. */
	const char *p = (const char *)sqlite3_column_text(q->st, col);

	if (len)
		*len = p ? (size_t)sqlite3_column_bytes(q->st, col) : 0;
	return p ? p : "";
}

int64_t dn_query_value(struct dn_db *db, const char *sql, int64_t param, int64_t none)
{
	struct dn_query *q = dn_query_new(db, sql);
	int64_t v = none;

	if (!q)
		return none;
	dn_query_bind(q, 1, param);
	if (dn_query_step(q) > 0 && !dn_query_null(q, 0))
		v = dn_query_int(q, 0);
	dn_query_free(q);
	return v;
}
