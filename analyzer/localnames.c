/*
 * localnames.c - places of a loaded trace, object by object, and what their files say.
 */
#include "localnames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "db.h"
#include "human.h"
#include "options.h"
#include "query.h"
#include "say.h"
#include "symfs.h"

#define BUDGET_S 30			/* for a trace; what is not looked up by then is not */
#define NAMES_MAX (64u << 20)		/* bytes of names and files of a trace */
#define PATH_COLUMNS 100

struct localnames {
	struct dn_namer namer;		/* first: this is one */
	struct dn_symfs *symfs;
	bool lines;
	bool quiet;
};

/* Objects without a file, and the path of the first. */
struct missed {
	uint64_t n;
	char path[PATH_COLUMNS * 4 + 1];
};

/* One trace. */
struct work {
	const struct localnames *l;
	struct dn_db *db;
	int64_t trace;
	struct dn_symfs_file *file;	/* of the object that it is at; NULL: none */
	uint64_t bytes;
	uint64_t left;			/* places that were not looked up */
	struct missed absent;		/* there is none of their build-id */
	struct missed unknown;		/* the trace has no build-id of them */
};

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static int set_name(struct work *w, int64_t frame, int64_t object, const struct dn_elfsym *f)
{
	struct sqlite3_stmt *function = dn_db_stmt(w->db,
		"INSERT OR IGNORE INTO raw_function VALUES (?1, ?2, ?3, ?4, demangle(?5), ?5)");
	struct sqlite3_stmt *place = dn_db_stmt(w->db,
		"UPDATE raw_place SET function = demangle(?2), name = demangle(?2) WHERE frame = ?1");
	size_t len = strlen(f->name);
	int err;

	if (!function || !place)
		return -EIO;
	w->bytes += len;
	dn_bind_int(function, 1, object);
	dn_bind_int(function, 2, (int64_t)f->start);
	dn_bind_int(function, 3, (int64_t)f->size);
	dn_bind_int(function, 4, w->trace);
	dn_bind_str(function, 5, f->name, len);
	err = dn_db_run(w->db, function);
	if (err)
		return err;
	dn_bind_int(place, 1, frame);
	dn_bind_str(place, 2, f->name, len);
	return dn_db_run(w->db, place);
}

static int set_line(struct work *w, int64_t frame, const struct dn_line *l)
{
	struct sqlite3_stmt *place = dn_db_stmt(w->db,
		"UPDATE raw_place SET file = ?2, line = ?3 WHERE frame = ?1");
	size_t len = strlen(l->file);

	if (!place)
		return -EIO;
	w->bytes += len;
	dn_bind_int(place, 1, frame);
	dn_bind_str(place, 2, l->file, len);
	dn_bind_int(place, 3, l->line);
	return dn_db_run(w->db, place);
}

/* The file of the object that a row is the first of. 0 or -ENOMEM. */
static int next_object(struct work *w, const struct dn_query *q)
{
	struct dn_build_id id;
	struct missed *m;
	size_t len, hex_len;
	const char *path = dn_query_text(q, 3, &len), *hex = dn_query_text(q, 4, &hex_len);

	dn_symfs_file_close(w->file);
	dn_build_id_parse(hex, hex_len, &id);
	w->file = dn_symfs_find(w->l->symfs, strlen(path) == len ? path : "", &id, w->l->lines);
	if (w->file)
		return 0;
	if (errno == ENOMEM)
		return -ENOMEM;
	m = errno == ENODATA ? &w->unknown : &w->absent;
	if (!m->n++)
		dn_safe(m->path, sizeof(m->path), path, len, PATH_COLUMNS);
	return 0;
}

static int name_place(struct work *w, const struct dn_query *q)
{
	int64_t frame = dn_query_int(q, 0);
	uint64_t offset = (uint64_t)dn_query_int(q, 2);
	struct dn_elfsym f;
	struct dn_line l;
	int err = 0;

	if (!w->file)
		return 0;
	if (dn_query_int(q, 5) && dn_symfs_function(w->file, offset, &f))
		err = set_name(w, frame, dn_query_int(q, 1), &f);
	if (!err && w->l->lines && dn_symfs_line(w->file, offset, &l))
		err = set_line(w, frame, &l);
	return err;
}

/* why: what is the matter with an object, before its path. */
static void remark(const struct missed *m, const char *why)
{
	char n[DN_HUMAN_SIZE];

	if (m->n > 1)
		dn_remark("--symfs: %s %s, and %s more", why, m->path, dn_human_digits(n, sizeof(n), m->n - 1));
	else if (m->n)
		dn_remark("--symfs: %s %s", why, m->path);
}

static void remarks(const struct work *w)
{
	char n[DN_HUMAN_SIZE];

	remark(&w->absent, "no file there that has names has the build-id of");
	remark(&w->unknown, "no file is believed to be it, as the trace has no build-id of");
	if (w->left)
		dn_remark("--symfs: %s places were not looked up: it took more than %d s or %u MiB",
			  dn_human_digits(n, sizeof(n), w->left), BUDGET_S, NAMES_MAX >> 20);
}

static int name_all(const struct dn_namer *namer, struct dn_db *db, int64_t trace)
{
	const struct localnames *l = (const struct localnames *)(const void *)namer;
	struct work w = { .l = l, .db = db, .trace = trace };
	/* Sorted, so that each file is opened once. */
	struct dn_query *q = dn_query_new(db,
		"SELECT p.frame, p.object, p.\"offset\", p.path, ifnull(o.build_id, ''), p.function IS NULL"
		" FROM raw_place AS p"
		" JOIN (SELECT object, max(build_id) AS build_id FROM raw_object WHERE trace_id = ?1 GROUP BY object) AS o"
		" ON o.object = p.object"
		" WHERE p.trace_id = ?1 AND p.kind = 'file' AND p.\"offset\" IS NOT NULL AND (p.function IS NULL OR ?2)"
		" ORDER BY p.object, p.\"offset\"");
	int64_t end = now() + BUDGET_S, object = 0;
	int err;

	if (!q)
		return -EIO;
	dn_query_bind(q, 1, trace);
	dn_query_bind(q, 2, l->lines);
	while ((err = dn_query_step(q)) > 0) {
		if (w.left || w.bytes > NAMES_MAX || now() > end) {
			w.left++;
			continue;
		}
		if (dn_query_int(q, 1) != object) {
			object = dn_query_int(q, 1);
			err = next_object(&w, q);
			if (err)
				break;
		}
		err = name_place(&w, q);
		if (err)
			break;
	}
	dn_symfs_file_close(w.file);
	dn_query_free(q);
	if (!err && !l->quiet)
		remarks(&w);
	return err;
}

int dn_localnames_open(const struct dn_options *o, struct dn_namer **out)
{
	struct localnames *l;
	const char *bad = NULL;
	int err;

	*out = NULL;
	if (!o->nsymfs)
		return DN_EXIT_OK;
	if (!dn_elfsyms_built()) {
		dn_error("look for names in", o->symfs[0], "this denet-analyze was built without libelf",
			 "Build it anew where libelf is, or leave --symfs out");
		return DN_EXIT_NONE;
	}
	if (o->lines && !dn_lines_built()) {
		dn_error("look for lines in", o->symfs[0], "this denet-analyze was built without libdw",
			 "Build it anew where libdw is, or leave --lines out");
		return DN_EXIT_NONE;
	}
	l = calloc(1, sizeof(*l));
	err = l ? dn_symfs_open(o->symfs, o->nsymfs, &l->symfs, &bad) : -ENOMEM;
	if (err) {
		dn_error("look for names in", bad, strerror(-err),
			 "Name a directory with files of the recorded machine; / is this one");
		free(l);
		return DN_EXIT_NONE;
	}
	l->namer.name = name_all;
	l->lines = o->lines;
	l->quiet = o->quiet;
	*out = &l->namer;
	return DN_EXIT_OK;
}

void dn_localnames_close(struct dn_namer *namer)
{
	struct localnames *l = (struct localnames *)(void *)namer;

	if (!l)
		return;
	dn_symfs_close(l->symfs);
	free(l);
}
