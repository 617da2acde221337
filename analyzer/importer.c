/*
 * importer.c - from the feeds into pages, and the table of strings beside the calls.
 *
 * Measured in turn, 5 M calls, 2 CPUs: INSERT ... SELECT from the virtual
 * table 1.4 M rows/s (13 columns, some of them with several fields), pages 4.7.
 * There is no index: the views join names and threads to every call, and SQLite
 * would not use one through them; it would cost more than the rows.
 *
 * Strings: a hash table from the XXH3 (128 bits) of all strings of a call to
 * the number of their row knows those seen lately; a miss adds a row.
 * When the hash table is full it is emptied, so that its memory is bounded,
 * and strings may then come a second time.
 */
#include "importer.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

#include "callstr.h"
#include "db.h"
#include "dbpages.h"
#include "events.h"
#include "feed.h"
#include "utf8.h"
#include "vtab.h"

#define SLOTS_MIN (1u << 12)
#define SLOTS_MAX (1u << 20)	/* 24 MiB */

struct slot {
	XXH128_hash_t hash;
	int64_t id;		/* 0: empty */
};

struct importer {
	struct dn_dbtable *row, *strings;
	struct slot *slot;
	uint32_t slots, used;
	int64_t last_id;
	struct dn_callstr_buf buf[DN_CALLSTR_N];
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* --- strings ------------------------------------------------------------------ */

static XXH128_hash_t hash_of(const struct dn_feed_call *c)
{
	XXH128_hash_t h = { 0, 0 };

	/* The order counts: path before path2. The argument does not, nor do bytes that no column shows. */
	for (unsigned i = 0; i < c->nstr; i++) {
		const struct dn_call_str *s = &c->str[i];

		h = XXH3_128bits_withSeed(s->p, dn_callstr_shown(s->kind) ? s->len : 0,
					  h.low64 * 31 + h.high64 +
						  ((uint64_t)s->kind << 8 | s->flags));
	}
	return h;
}

static struct slot *find(const struct importer *im, const XXH128_hash_t *h)
{
	uint32_t i = (uint32_t)h->low64;

	for (;; i++) {
		struct slot *s = &im->slot[i & (im->slots - 1)];

		if (!s->id || XXH128_isEqual(s->hash, *h))
			return s;
	}
}

/* Room for one more: doubles up to SLOTS_MAX, then empties. */
static int make_room(struct importer *im)
{
	struct importer old = *im;

	if (im->slots && im->used < im->slots / 4 * 3)
		return 0;
	im->used = 0;
	if (im->slots == SLOTS_MAX) {
		memset(im->slot, 0, im->slots * sizeof(*im->slot));
		return 0;
	}
	im->slots = im->slots ? im->slots * 2 : SLOTS_MIN;
	im->slot = calloc(im->slots, sizeof(*im->slot));
	if (!im->slot) {
		*im = old;
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < old.slots; i++) {
		if (!old.slot[i].id)
			continue;
		*find(im, &old.slot[i].hash) = old.slot[i];
		im->used++;
	}
	free(old.slot);
	return 0;
}

static int insert(struct importer *im, const struct dn_feed_call *c)
{
	struct dn_cell cell[1 + DN_CALLSTR_N + 1] = { dn_cell_null() };
	size_t len;

	for (int i = 0; i < DN_CALLSTR_N; i++) {
		const struct dn_call_str *s = dn_callstr_find(c->str, c->nstr, (enum dn_callstr)i);
		const char *p;

		if (!s)
			continue;
		if (dn_callstr_text(s, &im->buf[i], &p, &len))
			return -ENOMEM;
		cell[1 + i] = (struct dn_cell){
			.p = p, .len = (uint32_t)len,
			.kind = dn_utf8_text(p, len) ? DN_CELL_TEXT : DN_CELL_BLOB,
		};
	}
	cell[1 + DN_CALLSTR_N] = dn_cell_int(dn_callstr_flags(c->str, c->nstr));
	return dn_dbtable_row(im->strings, cell, sizeof(cell) / sizeof(*cell));
}

/* The id of the strings of a call, or a negative errno. */
static int64_t intern(struct importer *im, const struct dn_feed_call *c)
{
	XXH128_hash_t h = hash_of(c);
	struct slot *s;
	int err = make_room(im);

	if (err)
		return err;
	s = find(im, &h);
	if (s->id)
		return s->id;
	err = insert(im, c);
	if (err)
		return err;
	s->hash = h;
	s->id = ++im->last_id;
	im->used++;
	return s->id;
}

/* --- calls -------------------------------------------------------------------- */

/* Columns of raw_syscall_row. */
enum { STRINGS = 5, ARG0 = 9, COLUMNS = ARG0 + DN_CALL_ARGS };

static const char create[] =
	"CREATE TABLE raw_syscall_strings (id INTEGER PRIMARY KEY, path ANY, path2 ANY, text ANY,"
	" sockaddr ANY, argv ANY, str_flags INTEGER NOT NULL) STRICT;"
	"CREATE TABLE raw_syscall_row (thread INTEGER, seq INTEGER, cpu INTEGER, abi_flags INTEGER,"
	" nr INTEGER, strings INTEGER, start INTEGER, dur INTEGER, ret INTEGER, arg0 INTEGER,"
	" arg1 INTEGER, arg2 INTEGER, arg3 INTEGER, arg4 INTEGER, arg5 INTEGER) STRICT;"
	"CREATE VIEW raw_syscall AS SELECT (c.thread >> 32) + 1 AS trace_id, c.thread,"
	" c.seq, c.cpu, c.abi_flags & 0xff AS abi, c.nr, c.start, c.dur, c.ret,"
	" c.abi_flags >> 8 AS flags,"
	" c.arg0, c.arg1, c.arg2, c.arg3, c.arg4, c.arg5,"
	" s.path, s.path2, s.text, s.sockaddr, s.argv, s.str_flags"
	" FROM raw_syscall_row AS c LEFT JOIN raw_syscall_strings AS s ON s.id = c.strings;";

/* The page the table begins on. 0: it is not there. */
static uint32_t root_of(struct dn_db *db, const char *table)
{
	struct sqlite3_stmt *st = dn_db_stmt(db,
		"SELECT rootpage FROM sqlite_schema WHERE name = ?1");
	uint32_t root = 0;

	if (!st)
		return 0;
	sqlite3_bind_text(st, 1, table, -1, SQLITE_STATIC);
	if (sqlite3_step(st) == SQLITE_ROW)
		root = (uint32_t)sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return root;
}

int dn_import_tables(struct dn_db *db, struct dn_import_place *place)
{
	int err = dn_db_exec(db, create);

	if (err)
		return err;
	place->row = root_of(db, "raw_syscall_row");
	place->strings = root_of(db, "raw_syscall_strings");
	return place->row && place->strings ? 0 : -EIO;
}

static int put_call(struct importer *im, const struct dn_vtab_trace *t, const struct dn_feed_call *c)
{
	struct dn_cell cell[COLUMNS] = {
		dn_cell_int(dn_db_id(t->trace_id, c->thread)),
		dn_cell_int(c->seq),
		dn_cell_int(c->cpu),
		dn_cell_int((int64_t)((uint64_t)c->flags << 8 | c->abi)),
		dn_cell_int(c->nr),
		dn_cell_null(),
		dn_feed_has_start(c) ? dn_cell_int((int64_t)(c->start - t->origin)) : dn_cell_null(),
		dn_feed_has_dur(c) ? dn_cell_int((int64_t)c->dur) : dn_cell_null(),
		dn_feed_has_ret(c) ? dn_cell_int(c->ret) : dn_cell_null(),
	};
	int64_t id;

	for (unsigned i = 0; i < c->nargs; i++)
		cell[ARG0 + i] = dn_cell_int((int64_t)c->args[i]);
	for (unsigned i = ARG0 + c->nargs; i < COLUMNS; i++)
		cell[i] = dn_cell_null();
	if (c->nstr) {
		id = intern(im, c);
		if (id < 0)
			return (int)id;
		cell[STRINGS] = dn_cell_int(id);
	}
	return dn_dbtable_row(im->row, cell, COLUMNS);
}

static int import_trace(struct importer *im, const struct dn_vtab_trace *t,
			void (*progress)(void *ctx, uint64_t calls), void *ctx,
			struct dn_imported *out)
{
	const struct dn_feed_spec spec = { .reader = t->reader, .event = DN_EV_syscall,
					   .strings = true, .to = UINT64_MAX };
	const struct dn_feed_chunk *c;
	struct dn_feed *f;
	int err = dn_feed_open(&spec, &f);

	out->unread = t;
	if (err)
		return err;
	while ((err = dn_feed_next(f, &c)) > 0) {
		for (uint32_t i = 0; i < c->rows; i++) {
			err = put_call(im, t, &c->call[i]);
			if (err) {
				out->unread = NULL;
				goto out;
			}
		}
		out->calls += c->rows;
		if (progress)
			progress(ctx, out->calls);
	}
	out->damaged += dn_feed_damaged(f);
out:
	dn_feed_close(f);
	return err;
}

int dn_import_calls(const char *path, const struct dn_import_place *place,
		    const struct dn_vtab_trace *trace, size_t n,
		    void (*progress)(void *ctx, uint64_t calls), void *ctx,
		    struct dn_imported *out)
{
	struct importer im = { 0 };
	struct dn_dbpages *file;
	uint64_t start = now_ns();
	int err = dn_dbpages_open(path, &file);

	memset(out, 0, sizeof(*out));
	if (err)
		return err;
	im.row = dn_dbpages_table(file, place->row);
	im.strings = dn_dbpages_table(file, place->strings);
	if (!im.row || !im.strings)
		err = -ENOMEM;
	for (size_t i = 0; i < n && !err; i++)
		err = import_trace(&im, &trace[i], progress, ctx, out);
	if (err) {
		dn_dbpages_abort(file);
	} else {
		out->unread = NULL;
		err = dn_dbpages_close(file);
	}
	out->strings = (uint64_t)im.last_id;
	out->ns = now_ns() - start;
	free(im.slot);
	for (int i = 0; i < DN_CALLSTR_N; i++)
		dn_callstr_release(&im.buf[i]);
	return err;
}
