/*
 * report_put.c - answers of queries as JSON: rows as objects, in arrays, within each other.
 */
#include "report_put.h"

#include <errno.h>
#include <string.h>

#include "json.h"
#include "query.h"

static void put_cell(struct dn_json *j, const struct dn_query *q, int col)
{
	const char *name = dn_query_name(q, col), *text;
	size_t len = strlen(name);
	bool truth = len && name[len - 1] == '?';

	dn_json_key(j, name, len - truth);
	switch (dn_query_type(q, col)) {
	case DN_CELL_NULL:
		dn_json_null(j, NULL);
		break;
	case DN_CELL_INT:
		if (truth)
			dn_json_bool(j, NULL, dn_query_int(q, col) != 0);
		else
			dn_json_int(j, NULL, dn_query_int(q, col));
		break;
	case DN_CELL_REAL:
		dn_json_real(j, NULL, dn_query_real(q, col));
		break;
	case DN_CELL_TEXT:
	case DN_CELL_BLOB:
		text = dn_query_text(q, col, &len);
		dn_json_str(j, NULL, text, len);
		break;
	}
}

/* The columns from `first` on, into the object that is open. */
static void put_row(struct dn_json *j, const struct dn_query *q, int first)
{
	for (int i = first; i < dn_query_columns(q); i++)
		put_cell(j, q, i);
}

struct dn_query *dn_put_query(struct dn_db *db, const char *sql, int64_t trace)
{
	struct dn_query *q = dn_query_new(db, sql);

	if (q)
		dn_query_bind(q, 1, trace);
	return q;
}

/* Whether a query has an answer: 1, 0, or a negative errno. */
static int has_row(struct dn_db *db, int64_t trace, const char *sql)
{
	struct dn_query *q = dn_put_query(db, sql, trace);
	int ret = q ? dn_query_step(q) : -EIO;

	dn_query_free(q);
	return ret;
}

/* Whether a list is null and not empty, or -errno; then it is said. */
static int put_blind(struct dn_json *j, struct dn_db *db, int64_t trace, const char *key, const char *blind)
{
	int ret = has_row(db, trace, blind);

	if (ret > 0)
		dn_json_null(j, key);
	return ret;
}

static int put_section(struct dn_json *j, struct dn_db *db, int64_t trace, const struct section *s)
{
	struct dn_query *q;
	int ret = s->blind ? put_blind(j, db, trace, s->key, s->blind) : 0;

	if (ret)
		return ret < 0 ? ret : 0;
	q = dn_put_query(db, s->sql, trace);
	if (!q)
		return -EIO;
	if (s->shape == ARRAY)
		dn_json_array(j, s->key);
	else
		dn_json_object(j, s->key);
	while ((ret = dn_query_step(q)) > 0) {
		if (s->shape == ARRAY)
			dn_json_object(j, NULL);
		put_row(j, q, 0);
		if (s->shape == ARRAY)
			dn_json_end(j);
		else
			break;
	}
	dn_json_end(j);
	dn_query_free(q);
	return ret < 0 ? ret : 0;
}

int dn_put_sections(struct dn_json *j, struct dn_db *db, int64_t trace,
		    const struct section *s, size_t n)
{
	int err = 0;

	for (size_t i = 0; !err && i < n; i++)
		err = put_section(j, db, trace, &s[i]);
	return err;
}

int dn_put_pairs(struct dn_json *j, struct dn_db *db, int64_t trace, const char *key,
		 const char *sql)
{
	struct dn_query *q = dn_put_query(db, sql, trace);
	const char *text;
	size_t len;
	int ret;

	if (!q)
		return -EIO;
	dn_json_object(j, key);
	while ((ret = dn_query_step(q)) > 0) {
		text = dn_query_text(q, 0, &len);
		dn_json_key(j, text, len);
		switch (dn_query_type(q, 1)) {
		case DN_CELL_NULL:
			dn_json_null(j, NULL);
			break;
		case DN_CELL_INT:
			dn_json_int(j, NULL, dn_query_int(q, 1));
			break;
		default:
			text = dn_query_text(q, 1, &len);
			dn_json_str(j, NULL, text, len);
		}
	}
	dn_json_end(j);
	dn_query_free(q);
	return ret;
}

int dn_put_objects(struct dn_json *j, struct dn_db *db, int64_t trace, const char *key,
		   const char *sql)
{
	struct dn_query *q = dn_put_query(db, sql, trace);
	int ret;

	if (!q)
		return -EIO;
	dn_json_object(j, key);
	while ((ret = dn_query_step(q)) > 0) {
		dn_json_object(j, dn_query_text(q, 0, NULL));
		put_row(j, q, 1);
		dn_json_end(j);
	}
	dn_json_end(j);
	dn_query_free(q);
	return ret;
}

int dn_put_texts(struct dn_json *j, struct dn_db *db, int64_t trace, const char *key,
		 const char *sql)
{
	struct dn_query *q = dn_put_query(db, sql, trace);
	int ret;

	if (!q)
		return -EIO;
	dn_json_array(j, key);
	while ((ret = dn_query_step(q)) > 0) {
		size_t len;
		const char *p = dn_query_text(q, 0, &len);

		dn_json_str(j, NULL, p, len);
	}
	dn_json_end(j);
	dn_query_free(q);
	return ret;
}

/*
 * Rows of `outer`, each an object with an array `key` of the rows of `inner`
 * that have the same first column. Both are in the order of that column, and
 * neither prints it.
 */
static int put_nested(struct dn_json *j, struct dn_db *db, int64_t trace, const char *outer,
		      const char *key, const char *inner)
{
	struct dn_query *a = dn_put_query(db, outer, trace), *b = dn_put_query(db, inner, trace);
	int ret = a && b ? 0 : -EIO, more = ret ? ret : dn_query_step(b);

	while (!ret && more >= 0 && (ret = dn_query_step(a)) > 0) {
		int64_t id = dn_query_int(a, 0);

		dn_json_object(j, NULL);
		put_row(j, a, 1);
		dn_json_array(j, key);
		while (more > 0 && dn_query_int(b, 0) < id)	/* of nobody: not in `outer` */
			more = dn_query_step(b);
		for (; more > 0 && dn_query_int(b, 0) == id; more = dn_query_step(b)) {
			dn_json_object(j, NULL);
			put_row(j, b, 1);
			dn_json_end(j);
		}
		dn_json_end(j);
		dn_json_end(j);
		ret = 0;
	}
	dn_query_free(a);
	dn_query_free(b);
	return more < 0 ? more : ret;
}

int dn_put_one(struct dn_json *j, struct dn_db *db, int64_t trace, const char *sql)
{
	struct dn_query *q = dn_put_query(db, sql, trace);
	int ret;

	if (!q)
		return -EIO;
	ret = dn_query_step(q);
	if (ret > 0)
		put_row(j, q, 0);
	dn_query_free(q);
	return ret < 0 ? ret : 0;
}

int dn_put_known(struct dn_json *j, struct dn_db *db, int64_t trace, const char *key, const char *known,
		 const char *one, const struct section *s, size_t n)
{
	int ret = has_row(db, trace, known);

	if (ret <= 0) {
		dn_json_null(j, key);
		return ret;
	}
	dn_json_object(j, key);
	ret = one ? dn_put_one(j, db, trace, one) : 0;
	if (!ret)
		ret = dn_put_sections(j, db, trace, s, n);
	dn_json_end(j);
	return ret;
}

int dn_put_list(struct dn_json *j, struct dn_db *db, int64_t trace, const struct list *l)
{
	int err = l->outer.blind ? put_blind(j, db, trace, l->outer.key, l->outer.blind) : 0;

	if (err)
		return err < 0 ? err : 0;
	dn_json_array(j, l->outer.key);
	err = put_nested(j, db, trace, l->outer.sql, l->key, l->sql);
	dn_json_end(j);
	return err;
}
