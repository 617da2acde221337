/*
 * load.c - reader, workers, rollup and database put together for one file.
 */
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "db.h"
#include "fd_db.h"
#include "options.h"
#include "parallel.h"
#include "reader.h"
#include "rollup.h"
#include "rollup_db.h"
#include "say.h"
#include "source.h"
#include "spool.h"

struct watch {
	struct dn_progress line;
	struct dn_reader *reader;
	struct dn_source *src;
};

static void look(void *ctx, uint64_t calls)
{
	struct watch *w = ctx;

	if (w->line.on)
		dn_progress_at(&w->line, dn_reader_position(w->reader),
			       dn_source_seekable(w->src) ? dn_source_size(w->src) : 0, calls);
}

static int read_all(const struct dn_options *o, struct dn_reader *r, struct dn_source *src,
		    const char *name, struct dn_db *db, struct dn_db_totals *t)
{
	struct watch w = { .reader = r, .src = src };
	struct dn_parallel p = { .reader = r, .db = db, .workers = o->threads, .progress = look,
				 .ctx = &w };
	char what[256];
	int err;

	snprintf(what, sizeof(what), "reading %s", name);
	dn_progress_begin(&w.line, what, o->quiet);
	err = dn_parallel_run(&p);
	if (!err) {
		*t = (struct dn_db_totals){ .last = p.last, .calls = p.rollup->calls,
					    .rows_skipped = p.rows_skipped,
					    .latency_detail = !p.rollup->folded };
		err = dn_rollup_store(db, p.rollup);
	}
	dn_rollup_free(p.rollup);
	dn_progress_end(&w.line);
	return err;
}

/* Why a step with the database failed. */
static const char *reason(const struct dn_db *db, int err)
{
	switch (err) {
	case -EIO:
		return dn_db_error(db);
	case -ENOSPC:
		return "there is no room for the database; TMPDIR names the directory that is used "
		       "when it outgrows memory";
	default:
		return strerror(-err);
	}
}

static int load(const struct dn_options *o, struct dn_source *src, const char *name,
		struct dn_db *db, bool fds, struct dn_loaded *out)
{
	struct dn_db_totals totals;
	struct dn_reader *r;
	char why[256];
	int64_t id;
	int err = dn_reader_open(src, &r, why, sizeof(why));

	memset(out, 0, sizeof(*out));
	if (err) {
		dn_error("read", name, why,
			 err == -EPROTONOSUPPORT ? "Use a newer denet-analyze" :
			 err == -EBADMSG ? "Name a file that denet-record wrote" : NULL);
		return err;
	}
	id = dn_db_begin_trace(db, name, dn_reader_header(r), dn_reader_origin(r));
	err = id < 0 ? (int)id : read_all(o, r, src, name, db, &totals);
	if (!err && fds)
		err = dn_fd_store(db, r, o->threads);
	if (!err)
		err = dn_db_end_trace(db, dn_reader_header(r), dn_reader_report(r), &totals, o->namer);
	if (err) {
		dn_error("make sense of", name, reason(db, err), NULL);
	} else {
		out->trace_id = id;
		out->origin = dn_reader_origin(r);
		out->complete = dn_reader_report(r)->complete;
	}
	dn_reader_close(r);
	return err;
}

int dn_load(const struct dn_options *o, struct dn_source *src, struct dn_db *db, bool fds,
	    struct dn_loaded *out)
{
	struct dn_source *copy = NULL;
	int err = fds ? dn_spool(src, &copy) : 0;

	if (err) {
		dn_error("keep a copy of", dn_source_name(src), strerror(-err),
			 "TMPDIR names the directory for it");
		return err;
	}
	err = load(o, copy ? copy : src, dn_source_name(src), db, fds, out);
	dn_source_close(copy);
	return err;
}

int dn_load_temporary(const struct dn_options *o, struct dn_source *src, bool fds, struct dn_db **db,
		      struct dn_loaded *out)
{
	char why[256];
	int err = dn_db_open(NULL, DN_DB_TEMP | DN_DB_NO_SYSCALL | DN_DB_REPORT, db, why, sizeof(why));

	if (err) {
		*db = NULL;
		dn_error("begin a temporary database", NULL, why, "TMPDIR names the directory for it");
		return err;
	}
	err = dn_load(o, src, *db, fds, out);
	if (err) {
		dn_db_close(*db);
		*db = NULL;
	}
	return err;
}

int dn_loaded_status(const struct dn_options *o, const struct dn_loaded *l)
{
	return l->complete || o->allow_incomplete ? DN_EXIT_OK : DN_EXIT_INCOMPLETE;
}
