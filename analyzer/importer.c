/*
 * importer.c - INSERT ... SELECT, and the table of strings beside it.
 *
 * Measured here: a row costs SQLite by its columns, 17 plain ones 1.6 M
 * rows/s, the 13 packed ones 2.2 M; the virtual table alone gives 10 M. STRICT
 * would be 7 % more work, for columns that hold nothing but integers anyway.
 * There is no index: the views join names and threads to every call, and
 * SQLite would not use one through them; it would cost twice the rows' own
 * time.
 *
 * Strings: while the statement runs, the virtual table asks for a number for
 * the strings of each call that has any. A hash table from the XXH3 (128 bits)
 * of all of them to that number knows those seen lately; a miss inserts a row.
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
#include "feed.h"
#include "vtab.h"

#define PREFIX "dnt_"
#define SLOTS_MIN (1u << 12)
#define SLOTS_MAX (1u << 20)	/* 24 MiB */

struct slot {
	XXH128_hash_t hash;
	int64_t id;		/* 0: empty */
};

struct importer {
	struct dn_db *db;
	struct slot *slot;
	uint32_t slots, used;
	int64_t last_id;
	struct dn_callstr_buf buf[DN_CALLSTR_N];
	uint64_t calls;		/* given by the virtual table */
	void (*progress)(void *ctx, uint64_t calls);
	void *ctx;
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

	/* The order counts: path before path2. The argument does not. */
	for (unsigned i = 0; i < c->nstr; i++) {
		const struct dn_call_str *s = &c->str[i];

		h = XXH3_128bits_withSeed(s->p, s->len,
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
	struct sqlite3_stmt *st = dn_db_stmt(im->db,
		"INSERT INTO raw_syscall_strings VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)");
	const char *p;
	size_t len;

	if (!st)
		return -EIO;
	dn_bind_int(st, 1, im->last_id + 1);
	for (int i = 0; i < DN_CALLSTR_N; i++) {
		const struct dn_call_str *s = dn_callstr_find(c->str, c->nstr, (enum dn_callstr)i);

		if (!s)
			continue;
		if (dn_callstr_text(s, &im->buf[i], &p, &len))
			return -ENOMEM;
		dn_bind_str(st, 2 + i, p, len);
	}
	dn_bind_int(st, 2 + DN_CALLSTR_N, dn_callstr_flags(c->str, c->nstr));
	return dn_db_run(im->db, st);
}

static int64_t intern(void *ctx, const struct dn_feed_call *c)
{
	struct importer *im = ctx;
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

static const char create[] =
	"CREATE TABLE raw_syscall_strings (id INTEGER PRIMARY KEY, path ANY, path2 ANY, text ANY,"
	" sockaddr ANY, argv ANY, str_flags INTEGER NOT NULL) STRICT;"
	"CREATE TABLE raw_syscall_row (thread INTEGER, seq INTEGER,"
	" call INTEGER, start INTEGER, dur INTEGER, ret INTEGER, arg0 INTEGER,"
	" arg1 INTEGER, arg2 INTEGER, arg3 INTEGER, arg4 INTEGER, arg5 INTEGER,"
	" strings INTEGER);"
	"CREATE VIEW raw_syscall AS SELECT (c.thread >> 32) + 1 AS trace_id, c.thread,"
	" c.seq & 0xffffffff AS seq, c.call >> 8 & 0xffff AS cpu, c.call & 0xff AS abi,"
	" c.call >> 24 AS nr, c.start, c.dur, c.ret, c.seq >> 32 AS flags,"
	" c.arg0, c.arg1, c.arg2, c.arg3, c.arg4, c.arg5,"
	" s.path, s.path2, s.text, s.sockaddr, s.argv, s.str_flags"
	" FROM raw_syscall_row AS c LEFT JOIN raw_syscall_strings AS s ON s.id = c.strings;";

static const char fill[] =
	"INSERT INTO raw_syscall_row SELECT thread, packed_seq, packed_call, start, dur, ret,"
	" arg0, arg1, arg2, arg3, arg4, arg5, strings FROM " PREFIX "syscall";

/* Called by SQLite now and then; 0 lets it go on. */
static int tick(void *ctx)
{
	struct importer *im = ctx;

	im->progress(im->ctx, im->calls);
	return 0;
}

int dn_import_calls(struct dn_db *db, const struct dn_vtab_trace *trace, size_t n,
		    void (*progress)(void *ctx, uint64_t calls), void *ctx,
		    struct dn_imported *out)
{
	struct importer im = { .db = db, .progress = progress, .ctx = ctx };
	const struct dn_vtab_intern in = { .strings = intern, .ctx = &im };
	const struct dn_vtab_options o = { .prefix = PREFIX, .trace = trace, .ntraces = n,
					   .intern = &in, .damaged = &out->damaged,
					   .rows = &im.calls };
	sqlite3 *h = dn_db_handle(db);
	uint64_t start = now_ns();
	int err;

	memset(out, 0, sizeof(*out));
	err = dn_db_exec(db, create);
	if (!err)
		err = dn_vtab_register(h, &o);
	if (err)
		goto out;
	if (progress)
		sqlite3_progress_handler(h, 1000000, tick, &im);
	err = dn_db_exec(db, fill);
	if (err)
		goto out;
	out->calls = (uint64_t)sqlite3_changes64(h);
	out->strings = (uint64_t)im.last_id;
	out->ns = now_ns() - start;
out:
	sqlite3_progress_handler(h, 0, NULL, NULL);
	/* They name the importer and the readers, which go before db does. */
	dn_vtab_unregister(h, PREFIX);
	free(im.slot);
	for (int i = 0; i < DN_CALLSTR_N; i++)
		dn_callstr_release(&im.buf[i]);
	return err;
}
