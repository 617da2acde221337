/*
 * traces.c - several traces for one database.
 */
#include "traces.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "db.h"
#include "events.h"
#include "load.h"
#include "options.h"
#include "reader.h"
#include "say.h"
#include "source.h"
#include "spool.h"
#include "vtab.h"

/* Time 0, also where only the blocks tell it: as the reader will find it. */
static int origin_of(struct dn_reader *r, uint64_t *origin)
{
	const struct dn_index_entry *e;
	size_t n;
	int err = dn_reader_index(r, &e, &n);

	if (err)
		return err;
	*origin = dn_reader_origin(r);
	for (size_t i = 0; i < n && !*origin; i++)
		*origin = e[i].least_start;
	return 0;
}

static int open_one(struct dn_trace *t, struct dn_vtab_trace *v, const char *file)
{
	struct dn_source *copy;
	char why[256];
	int err = dn_source_open(file, &t->src);

	if (err) {
		dn_error("open", file, strerror(-err), NULL);
		return err;
	}
	err = dn_spool(t->src, &copy);
	if (err) {
		dn_error("keep a copy of", file, strerror(-err),
			 "TMPDIR names the directory for it");
		return err;
	}
	if (copy) {
		dn_source_close(t->src);
		t->src = copy;
	}
	err = dn_reader_open(t->src, &t->reader, why, sizeof(why));
	if (err) {
		dn_error("read", file, why,
			 err == -EPROTONOSUPPORT ? "Use a newer denet-analyze" :
			 err == -EBADMSG ? "Name a file that denet-record wrote" : NULL);
		return err;
	}
	v->reader = t->reader;
	err = origin_of(t->reader, &v->origin);
	if (err)
		dn_error("read", file, strerror(-err), NULL);
	return err;
}

int dn_traces_open(struct dn_traces *t, char *const *file, size_t n)
{
	int err = 0;

	memset(t, 0, sizeof(*t));
	if (n > DN_DB_TRACES_MAX) {
		dn_error("open", "so many files", "a database holds 32000 traces", NULL);
		return -E2BIG;
	}
	t->trace = calloc(n, sizeof(*t->trace));
	t->vtab = calloc(n, sizeof(*t->vtab));
	if (!t->trace || !t->vtab) {
		dn_error("open", "the files", strerror(ENOMEM), NULL);
		err = -ENOMEM;
	}
	while (!err && t->n < n) {
		size_t i = t->n++;

		t->vtab[i].trace_id = (int64_t)i + 1;
		err = open_one(&t->trace[i], &t->vtab[i], file[i]);
	}
	if (err)
		dn_traces_close(t);
	return err;
}

void dn_traces_close(struct dn_traces *t)
{
	for (size_t i = 0; i < t->n; i++) {
		dn_reader_close(t->trace[i].reader);
		dn_source_close(t->trace[i].src);
	}
	free(t->trace);
	free(t->vtab);
	memset(t, 0, sizeof(*t));
}

/* --- loading without the calls ------------------------------------------------ */

struct rows {
	struct dn_db *db;
	uint64_t order;
};

static int take_row(void *ctx, const struct dn_row *r)
{
	struct rows *w = ctx;

	return dn_db_row(w->db, r, w->order++);
}

static int read_rows(struct dn_reader *r, struct dn_db *db, struct dn_db_totals *t)
{
	struct rows w = { .db = db };
	const struct dn_sink sink = { .row = take_row, .ctx = &w };
	struct dn_decoder *d = dn_decoder_new();
	struct dn_block b = { 0 };
	int err = -ENOMEM;

	if (!d)
		return err;
	dn_decoder_want(d, ~(UINT64_C(1) << DN_EV_syscall));
	while ((err = dn_reader_next(r, &b)) > 0) {
		w.order = b.header.seq << 20;
		err = dn_decode(d, b.payload, b.len, &sink, &t->rows_skipped);
		if (err == -EBADMSG)
			dn_reader_damaged(r, &b, "its rows do not decode");
		else if (err)
			break;
		if (b.header.last_end > t->last)
			t->last = b.header.last_end;
	}
	dn_block_release(&b);
	dn_decoder_free(d);
	return err;
}

static int load_rows(struct dn_trace *t, struct dn_db *db, uint64_t origin)
{
	struct dn_reader *r = t->reader;
	struct dn_db_totals totals = { 0 };
	int64_t id = dn_db_begin_trace(db, dn_source_name(t->src), dn_reader_header(r), origin);
	int err = id < 0 ? (int)id : read_rows(r, db, &totals);

	if (!err)
		/* Who asks for places asks for what is made of calls, and dn_load() loads it. */
		err = dn_db_end_trace(db, dn_reader_header(r), dn_reader_report(r), &totals, NULL);
	if (err)
		dn_error("make sense of", dn_source_name(t->src),
			 err == -EIO ? dn_db_error(db) : strerror(-err), NULL);
	else
		t->complete = dn_reader_report(r)->complete;
	return err;
}

int dn_traces_load(struct dn_traces *t, const struct dn_options *o, struct dn_db *db,
		   enum dn_needs needs)
{
	struct dn_loaded l;
	int err = 0;

	for (size_t i = 0; !err && i < t->n; i++) {
		struct dn_trace *k = &t->trace[i];

		if (needs >= DN_NEEDS_ROLLUPS) {
			/* It reads with a reader of its own; ours rests meanwhile. */
			err = dn_load(o, k->src, db, needs == DN_NEEDS_FDS, &l);
			k->complete = l.complete;
			if (!err)
				t->vtab[i].origin = l.origin;
		} else {
			err = load_rows(k, db, t->vtab[i].origin);
		}
		k->loaded = !err;
	}
	return err;
}

int dn_traces_status(const struct dn_traces *t, const struct dn_options *o, uint64_t damaged)
{
	bool incomplete = damaged;

	for (size_t i = 0; i < t->n; i++) {
		if (!t->trace[i].loaded || t->trace[i].complete)
			continue;
		incomplete = true;
		if (!o->quiet)
			dn_remark("%s is incomplete: the answer is of what could be read",
				  dn_source_name(t->trace[i].src));
	}
	return incomplete && !o->allow_incomplete ? DN_EXIT_INCOMPLETE : DN_EXIT_OK;
}
