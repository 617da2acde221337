/*
 * parallel.c - workers over one reader.
 *
 * The order of blocks among workers is chance; nothing that is stored depends
 * on it: counts add up, and a row's id is its place in the trace.
 */
#include "parallel.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "decode.h"
#include "events.h"
#include "options.h"
#include "reader.h"
#include "rollup.h"
#include "rollup_db.h"

/* Bytes of all string tables of all workers; two tables each. */
#define STRINGS_TOTAL (64u << 20)
#define STRINGS_MIN (4u << 20)

struct team {
	struct dn_parallel *p;
	pthread_mutex_t db_lock;
	_Atomic int err;	/* the first; all stop at it */
	_Atomic uint64_t calls;
};

struct worker {
	struct team *team;
	pthread_t thread;
	bool first;
	bool locked;		/* holds team->db_lock */
	struct dn_rollup *rollup;
	struct dn_decoder *decoder;
	struct dn_block block;
	uint64_t order;		/* of the next row, see dn_db_row() */
	uint64_t last, skipped;
};

static void lock(struct worker *w)
{
	if (!w->locked)
		pthread_mutex_lock(&w->team->db_lock);
	w->locked = true;
}

static void unlock(struct worker *w)
{
	if (w->locked)
		pthread_mutex_unlock(&w->team->db_lock);
	w->locked = false;
}

static int count_transfer(struct worker *w, const struct dn_row *r)
{
	int err = dn_rollup_transfer(w->rollup, r);

	if (err != -ENOSPC)
		return err;
	err = dn_rollup_spill(w->team->p->db, w->rollup);
	return err ? err : dn_rollup_transfer(w->rollup, r);
}

/* The rows of a block come together, before its calls: one locking serves all. */
static int take_row(void *ctx, const struct dn_row *r)
{
	struct worker *w = ctx;

	lock(w);
	if (r->event == DN_EV_transfer) {
		int err = count_transfer(w, r);

		if (err || dn_db_flags(w->team->p->db) & DN_DB_REPORT) {
			w->order++;
			return err;
		}
	}
	return dn_db_row(w->team->p->db, r, w->order++);
}

static int take_call(void *ctx, const struct dn_syscall *s)
{
	struct worker *w = ctx;
	int err;

	if (w->locked)
		unlock(w);
	err = dn_rollup_call(w->rollup, s);
	if (err != -ENOSPC)
		return err;
	lock(w);
	err = dn_rollup_spill(w->team->p->db, w->rollup);
	unlock(w);
	return err ? err : dn_rollup_call(w->rollup, s);
}

static int work_block(struct worker *w)
{
	const struct dn_sink sink = { take_call, take_row, w };
	uint64_t before = w->rollup->calls;
	int err;

	w->order = w->block.header.seq << 20;
	dn_rollup_new_block(w->rollup);
	err = dn_decode(w->decoder, w->block.payload, w->block.len, &sink, &w->skipped);
	unlock(w);
	if (err == -EBADMSG) {
		dn_reader_damaged(w->team->p->reader, &w->block, "its rows do not decode");
		err = 0;
	}
	if (w->block.header.last_end > w->last)
		w->last = w->block.header.last_end;
	atomic_fetch_add(&w->team->calls, w->rollup->calls - before);
	return err;
}

static void *work(void *ctx)
{
	struct worker *w = ctx;
	struct team *team = w->team;
	int none = 0, ret = 0;

	while (!atomic_load(&team->err) && (ret = dn_reader_next(team->p->reader, &w->block)) > 0) {
		ret = work_block(w);
		if (ret)
			break;
		if (w->first && team->p->progress)
			team->p->progress(team->p->ctx, atomic_load(&team->calls));
	}
	if (ret < 0)
		atomic_compare_exchange_strong(&team->err, &none, ret);
	return NULL;
}

static int worker_init(struct worker *w, struct team *team, size_t limit)
{
	w->team = team;
	w->rollup = dn_rollup_new(dn_db_origin(team->p->db), limit);
	w->decoder = dn_decoder_new();
	return w->rollup && w->decoder ? 0 : -ENOMEM;
}

static void worker_free(struct worker *w)
{
	dn_rollup_free(w->rollup);
	dn_decoder_free(w->decoder);
	dn_block_release(&w->block);
}

/* Joins the rollups of n workers in the first. */
static int merge(struct worker *w, unsigned n)
{
	int err = 0;

	for (unsigned i = 1; !err && i < n; i++) {
		err = dn_rollup_merge(w[0].rollup, w[i].rollup);
		dn_rollup_free(w[i].rollup);
		w[i].rollup = NULL;
	}
	return err;
}

int dn_parallel_run(struct dn_parallel *p)
{
	struct worker w[DN_THREADS_MAX];
	struct team team = { .p = p };
	unsigned n = p->workers < 1 ? 1 : p->workers > DN_THREADS_MAX ? DN_THREADS_MAX : p->workers;
	size_t limit = STRINGS_TOTAL / 2 / n;
	unsigned running = 1;
	int err = 0;

	memset(w, 0, sizeof(w));
	p->rollup = NULL;
	p->last = p->rows_skipped = 0;
	err = -pthread_mutex_init(&team.db_lock, NULL);
	if (err)
		return err;
	for (unsigned i = 0; !err && i < n; i++)
		err = worker_init(&w[i], &team, limit < STRINGS_MIN ? STRINGS_MIN : limit);
	if (err)
		goto out;
	/* Fewer threads than asked for are no error: the first is this one. */
	w[0].first = true;
	while (running < n && !pthread_create(&w[running].thread, NULL, work, &w[running]))
		running++;
	work(&w[0]);
	for (unsigned i = 1; i < running; i++)
		pthread_join(w[i].thread, NULL);
	err = atomic_load(&team.err);
	if (!err)
		err = merge(w, n);
	for (unsigned i = 0; i < n; i++) {
		if (w[i].last > p->last)
			p->last = w[i].last;
		p->rows_skipped += w[i].skipped;
	}
	if (!err) {
		p->rollup = w[0].rollup;
		w[0].rollup = NULL;
	}
out:
	for (unsigned i = 0; i < n; i++)
		worker_free(&w[i]);
	pthread_mutex_destroy(&team.db_lock);
	return err;
}
