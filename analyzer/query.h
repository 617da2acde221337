/*
 * query.h - SQL for those who do not see SQLite: prepare, bind, step, read.
 *
 * A query belongs to its database and to one thread. Columns count from 0,
 * parameters from 1. A NULL column reads as 0, 0.0, "" and says so when asked.
 */
#ifndef DN_ANALYZER_QUERY_H
#define DN_ANALYZER_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dn_db;
struct dn_query;

enum dn_cell { DN_CELL_NULL, DN_CELL_INT, DN_CELL_REAL, DN_CELL_TEXT, DN_CELL_BLOB };

/* NULL where the SQL does not compile: dn_db_error(). Our own SQL always does:
 * a test prepares every statement. */
struct dn_query *dn_query_new(struct dn_db *db, const char *sql);
void dn_query_free(struct dn_query *q);

void dn_query_bind(struct dn_query *q, int param, int64_t v);
void dn_query_bind_text(struct dn_query *q, int param, const char *s);

/* 1 a row is there, 0 no more (the query is ready for another round), or a
 * negative errno: dn_db_error(). */
int dn_query_step(struct dn_query *q);

int dn_query_columns(const struct dn_query *q);
const char *dn_query_name(const struct dn_query *q, int col);
enum dn_cell dn_query_type(const struct dn_query *q, int col);
bool dn_query_null(const struct dn_query *q, int col);
int64_t dn_query_int(const struct dn_query *q, int col);
double dn_query_real(const struct dn_query *q, int col);
/* TEXT or BLOB bytes, until the next step; *len may be NULL. Always ends in NUL. */
const char *dn_query_text(const struct dn_query *q, int col, size_t *len);

/* The single value of a query with at most one parameter (the trace). */
int64_t dn_query_value(struct dn_db *db, const char *sql, int64_t param, int64_t none);

#endif
