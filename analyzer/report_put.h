/*
 * report_put.h - answers of queries as JSON: rows as objects, in arrays, within each other.
 *
 * A row becomes an object with the columns' names as keys; a name that ends in "?" is a
 * truth value. ?1 of every query is the trace. 0 or a negative errno: dn_db_error() has the
 * reason of -EIO. For report_json.c alone.
 */
#ifndef DN_ANALYZER_REPORT_PUT_H
#define DN_ANALYZER_REPORT_PUT_H

#include <stddef.h>
#include <stdint.h>

struct dn_db;
struct dn_json;
struct dn_query;

enum shape { OBJECT, ARRAY };	/* of the first row; of all */

struct section {
	const char *key;
	enum shape shape;
	const char *sql;	/* ?1 is the trace */
	const char *blind;	/* a query that has a row where it was not recorded: then it is null */
};

/* Rows that have rows of their own: those of `sql`, under `key`. */
struct list {
	struct section outer;
	const char *key, *sql;
};

/* One with the trace bound. NULL where it does not compile; dn_query_free() ends it. */
struct dn_query *dn_put_query(struct dn_db *db, const char *sql, int64_t trace);

int dn_put_sections(struct dn_json *j, struct dn_db *db, int64_t trace,
		    const struct section *s, size_t n);
#define PUT_SECTIONS(j, db, trace, table)                                             \
	dn_put_sections(j, db, trace, table, sizeof(table) / sizeof(*(table)))

/* key: value of two columns, in an object. */
int dn_put_pairs(struct dn_json *j, struct dn_db *db, int64_t trace, const char *key,
		 const char *sql);
/* key: an object of the other columns, for each row, in an object. */
int dn_put_objects(struct dn_json *j, struct dn_db *db, int64_t trace, const char *key,
		   const char *sql);
/* The texts of one column, in an array. */
int dn_put_texts(struct dn_json *j, struct dn_db *db, int64_t trace, const char *key,
		 const char *sql);
/* The first row of a query into the object that is open. */
int dn_put_one(struct dn_json *j, struct dn_db *db, int64_t trace, const char *sql);

/* Sections of a subject, after the columns of the query `one` if there is one; null where `known`
 * has no row. */
int dn_put_known(struct dn_json *j, struct dn_db *db, int64_t trace, const char *key, const char *known,
		 const char *one, const struct section *s, size_t n);

int dn_put_list(struct dn_json *j, struct dn_db *db, int64_t trace, const struct list *l);

#endif
