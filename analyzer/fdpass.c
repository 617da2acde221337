/*
 * fdpass.c - blocks to ops and uses, part by part.
 *
 * A part is as many blocks as part_rows holds. The time up to which ops are
 * complete is the earliest end in what follows (dn_index_entry.first_end): an
 * op takes effect not before its call began, and a close() that took long is
 * the only one whose time may lie before that; the tracker knows what to do.
 */
#include "fdpass.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "events.h"
#include "fdcalls.h"
#include "flow.h"
#include "grow.h"
#include "options.h"
#include "radix.h"
#include "reader.h"
#include "rollup.h"

#define PART_ROWS (1u << 19)
#define RECORDS_KEPT (1u << 18)	/* for calls that began long ago */
#define COUNTS_MAX (1u << 20)	/* beyond, threads are not told apart */
#define WAITING_MAX (2u << 20)	/* ops and uses: beyond, a forged block claims an early end */

/* A call about a descriptor. */
struct use {
	uint64_t start, dur, bytes;
	uint32_t thread;
	int32_t about, in, out;		/* -1: none */
	bool failed, not_open;
};

struct counts {
	struct dn_fd_count *count;
	uint32_t n, cap;
	uint32_t *slot, slots;	/* index + 1 */
};

struct team;

struct worker {
	struct team *team;
	pthread_t thread;
	struct dn_decoder *decoder;
	struct dn_block block;
	struct dn_fdlog log;
	struct use *use;
	uint32_t nuses, uses_cap;
	struct dn_fdcursor cursor;
	struct counts counts;
	int err;
};

struct team {
	struct dn_fdpass *p;
	unsigned n;
	struct worker *w;
	struct dn_fdcalls *calls;
	struct dn_fdtrack *track;
	const struct dn_index_entry *index;
	size_t nindex;
	uint64_t *safe;		/* of each block: the earliest end from it on */
	uint64_t *oldest;	/* and the earliest start */
	_Atomic size_t next;	/* block */
	size_t part_end;
	uint64_t until;		/* ops before are complete, or must do */
	struct dn_fdlog rest;	/* those that are not */
	struct dn_fdop *op;	/* of all logs */
	struct dn_radix *sorted;	/* and their order; as much again to sort with */
	uint32_t ops_cap, sorted_cap;
	bool count;
};

/* --- collecting --------------------------------------------------------------- */

static int add_use(struct worker *w, const struct dn_syscall *s)
{
	const struct dn_fdcall *c = dn_fdcalls_get(w->team->calls, s->abi, s->nr);
	int32_t about = dn_fdcall_arg(s, c->about);
	bool timed = !(s->flags & (DN_CALL_UNFINISHED | DN_CALL_NO_ENTER)) && s->dur <= DN_DUR_MAX;
	struct use *u;
	int result;

	if (about < 0)
		return 0;
	if (w->nuses == w->uses_cap &&
	    dn_grow(&w->use, &w->uses_cap, (size_t)w->nuses + 1, sizeof(*u)))
		return -ENOMEM;
	result = dn_call_result(s);
	u = &w->use[w->nuses++];
	*u = (struct use){ .start = s->start, .dur = timed ? s->dur : 0, .thread = s->thread,
			   .about = about, .in = -1, .out = -1, .failed = dn_result_is_error(result),
			   .not_open = result == DN_EBADF };
	if (!result && s->ret > 0 && (uint64_t)s->ret <= DN_TRANSFER_MAX) {
		u->in = dn_fdcall_arg(s, c->in);
		u->out = dn_fdcall_arg(s, c->out);
		u->bytes = (uint64_t)s->ret;
	}
	return 0;
}

static int take_call(void *ctx, const struct dn_syscall *s)
{
	struct worker *w = ctx;
	int err = dn_fdlog_call(&w->log, w->team->calls, s);

	return err || !w->team->count ? err : add_use(w, s);
}

static int take_row(void *ctx, const struct dn_row *r)
{
	struct worker *w = ctx;

	return dn_fdlog_row(&w->log, r);
}

static void collect(struct worker *w)
{
	const struct dn_sink sink = { take_call, take_row, w };
	struct team *team = w->team;
	size_t i;

	while (!w->err && (i = atomic_fetch_add(&team->next, 1)) < team->part_end) {
		w->err = dn_reader_at(team->p->reader, &team->index[i], &w->block);
		if (!w->err)
			w->err = dn_decode(w->decoder, w->block.payload, w->block.len, &sink, NULL);
		if (w->err == -EBADMSG)		/* the first pass has said so */
			w->err = 0;
	}
}

/* --- counting ----------------------------------------------------------------- */

static uint32_t *count_slot(const struct counts *c, uint32_t thread, uint32_t kind)
{
	uint32_t i = (thread * 0x9e3779b1u >> 7) + kind;

	for (;; i++) {
		uint32_t *at = &c->slot[i & (c->slots - 1)];

		if (!*at || (c->count[*at - 1].thread == thread && c->count[*at - 1].kind == kind))
			return at;
	}
}

static struct dn_fd_count *count_of(struct counts *c, uint32_t thread, uint32_t kind)
{
	uint32_t *at;

	if (2 * c->n >= c->slots) {
		uint32_t slots = c->slots ? 2 * c->slots : 256;
		uint32_t *slot = calloc(slots, sizeof(*slot));

		if (!slot)
			return NULL;
		free(c->slot);
		c->slot = slot;
		c->slots = slots;
		for (uint32_t i = 0; i < c->n; i++)
			*count_slot(c, c->count[i].thread, c->count[i].kind) = i + 1;
	}
	if (c->n >= COUNTS_MAX)
		thread = 0;
	at = count_slot(c, thread, kind);
	if (!*at) {
		if (dn_grow(&c->count, &c->cap, (size_t)c->n + 1, sizeof(*c->count)))
			return NULL;
		c->count[c->n] = (struct dn_fd_count){ .thread = thread, .kind = kind };
		*at = ++c->n;
	}
	return &c->count[*at - 1];
}

static void counts_free(struct counts *c)
{
	free(c->count);
	free(c->slot);
}

static unsigned kind_of(struct worker *w, const struct use *u, int32_t fd)
{
	unsigned kind = dn_fdtrack_find(w->team->track, &w->cursor, u->thread, fd, u->start, NULL);

	return kind == DN_FD_UNKNOWN && u->not_open ? DN_FD_CLOSED : kind;
}

static int count_use(struct worker *w, const struct use *u)
{
	unsigned kind = kind_of(w, u, u->about);
	struct dn_fd_count *c = count_of(&w->counts, u->thread, kind);

	if (!c)
		return -ENOMEM;
	c->calls++;
	c->errors += u->failed;
	c->total += u->dur;
	if (u->in == u->about)
		c->in += u->bytes;
	if (u->out == u->about)
		c->out += u->bytes;
	if (u->in >= 0 && u->in != u->about) {
		c = count_of(&w->counts, u->thread, kind_of(w, u, u->in));
		if (!c)
			return -ENOMEM;
		c->in += u->bytes;
	}
	if (u->out >= 0 && u->out != u->about) {
		c = count_of(&w->counts, u->thread, kind_of(w, u, u->out));
		if (!c)
			return -ENOMEM;
		c->out += u->bytes;
	}
	return 0;
}

/* Those that began before team->until; the others stay. */
static void count(struct worker *w)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; !w->err && i < w->nuses; i++)
		if (w->use[i].start < w->team->until)
			w->err = count_use(w, &w->use[i]);
		else
			w->use[kept++] = w->use[i];
	w->nuses = kept;
}

static int by_thread(const void *a, const void *b)
{
	const struct dn_fd_count *x = a, *y = b;

	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	return (x->kind > y->kind) - (x->kind < y->kind);
}

static int merge_counts(struct team *team)
{
	struct counts *all = &team->w[0].counts;

	for (unsigned i = 1; i < team->n; i++)
		for (uint32_t k = 0; k < team->w[i].counts.n; k++) {
			const struct dn_fd_count *c = &team->w[i].counts.count[k];
			struct dn_fd_count *to = count_of(all, c->thread, c->kind);

			if (!to)
				return -ENOMEM;
			to->calls += c->calls;
			to->errors += c->errors;
			to->total += c->total;
			to->in += c->in;
			to->out += c->out;
		}
	if (all->n)
		qsort(all->count, all->n, sizeof(*all->count), by_thread);
	team->p->count = all->count;
	team->p->ncounts = all->n;
	all->count = NULL;
	return 0;
}

/* --- the parts ---------------------------------------------------------------- */

static void *run_collect(void *ctx)
{
	collect(ctx);
	return NULL;
}

static void *run_count(void *ctx)
{
	count(ctx);
	return NULL;
}

/* All workers do it, the first on this thread. What a thread that cannot be
 * had would have done is done here. */
static int all_do(struct team *team, void *(*what)(void *ctx))
{
	unsigned running = 1;
	int err = 0;

	while (running < team->n &&
	       !pthread_create(&team->w[running].thread, NULL, what, &team->w[running]))
		running++;
	what(&team->w[0]);
	for (unsigned i = running; i < team->n; i++)
		what(&team->w[i]);
	for (unsigned i = 1; i < running; i++)
		pthread_join(team->w[i].thread, NULL);
	for (unsigned i = 0; !err && i < team->n; i++)
		err = team->w[i].err;
	return err;
}

/* Among those of one time the order is not that of the logs. */
static int sort_equals(struct team *team, uint32_t n)
{
	const struct dn_radix *s = team->sorted;
	struct dn_fdop *op = NULL;
	uint32_t cap = 0, len;
	int err = 0;

	for (uint32_t i = 0; !err && i < n; i += len) {
		for (len = 1; i + len < n && s[i + len].key == s[i].key; len++)
			;
		if (len == 1)
			continue;
		err = dn_grow(&op, &cap, len, sizeof(*op));
		if (err)
			break;
		for (uint32_t k = 0; k < len; k++)
			op[k] = team->op[s[i + k].item];
		qsort(op, len, sizeof(*op), dn_fdop_compare);
		for (uint32_t k = 0; k < len; k++)
			team->op[s[i + k].item] = op[k];
	}
	free(op);
	return err;
}

/* Takes the ops of all logs that are complete through the tracker, in their
 * order; the others go to team->rest. */
static int track(struct team *team)
{
	struct dn_fdlog rest = { 0 };
	uint32_t n = team->rest.n, at = 0;
	int err;

	for (unsigned i = 0; i < team->n; i++)
		n += team->w[i].log.n;
	if (dn_grow(&team->op, &team->ops_cap, n, sizeof(*team->op)) ||
	    dn_grow(&team->sorted, &team->sorted_cap, 2 * (size_t)n, sizeof(*team->sorted)))
		return -ENOMEM;
	for (unsigned i = 0; i <= team->n; i++) {
		const struct dn_fdlog *l = i < team->n ? &team->w[i].log : &team->rest;

		for (uint32_t k = 0; k < l->n; k++) {
			team->op[at] = l->op[k];
			team->op[at].log = (uint8_t)i;
			team->sorted[at] = (struct dn_radix){ l->op[k].time, at };
			at++;
		}
	}
	if (n)
		dn_radix_sort(team->sorted, team->sorted + n, n);
	err = sort_equals(team, n);
	for (uint32_t i = 0; !err && i < n; i++) {
		const struct dn_fdop *op = &team->op[team->sorted[i].item];
		const struct dn_fdlog *l =
			op->log < team->n ? &team->w[op->log].log : &team->rest;
		uint32_t len;
		const char *p = dn_fdlog_text(l, op->text, &len);

		if (op->time < team->until || team->until == UINT64_MAX)
			err = dn_fdtrack_apply(team->track, op, p, len);
		else
			err = dn_fdlog_copy(&rest, l, op);
	}
	for (unsigned i = 0; i < team->n; i++)
		dn_fdlog_clear(&team->w[i].log);
	dn_fdlog_free(&team->rest);
	team->rest = rest;
	return err;
}

/* Records before that no call can ask for any more. */
static uint64_t forgettable(const struct team *team)
{
	uint64_t t = team->oldest[team->part_end];

	for (unsigned i = 0; i < team->n; i++)
		for (uint32_t k = 0; k < team->w[i].nuses; k++)
			if (team->w[i].use[k].start < t)
				t = team->w[i].use[k].start;
	/* One call that took an hour must not keep them all. */
	if (t < team->until && dn_fdtrack_records(team->track) > RECORDS_KEPT)
		t = team->until;
	return t < UINT64_MAX ? t : UINT64_MAX - 1;
}

/* Ops and uses that wait for what may come before them. */
static uint64_t waiting(const struct team *team)
{
	uint64_t n = team->rest.n;

	for (unsigned i = 0; i < team->n; i++)
		n += team->w[i].log.n + team->w[i].nuses;
	return n;
}

static int part(struct team *team, size_t from)
{
	uint64_t rows = 0, most = team->p->part_rows ? team->p->part_rows : PART_ROWS;
	int err;

	for (team->part_end = from; team->part_end < team->nindex; team->part_end++) {
		rows += team->index[team->part_end].rows;
		if (rows > most && team->part_end > from)
			break;
	}
	atomic_store(&team->next, from);
	err = all_do(team, run_collect);
	team->until = waiting(team) > WAITING_MAX ? UINT64_MAX : team->safe[team->part_end];
	if (!err)
		err = track(team);
	if (!err && (team->count || team->part_end == team->nindex))
		err = dn_fdtrack_settle(team->track);
	if (!err && team->count)
		err = all_do(team, run_count);
	if (!err && team->count && team->part_end < team->nindex)
		err = dn_fdtrack_forget(team->track, forgettable(team), team->p->span, team->p->ctx);
	return err;
}

static int look_ahead(struct team *team)
{
	size_t n = team->nindex;

	team->safe = malloc((n + 1) * sizeof(*team->safe));
	team->oldest = malloc((n + 1) * sizeof(*team->oldest));
	if (!team->safe || !team->oldest)
		return -ENOMEM;
	team->safe[n] = team->oldest[n] = UINT64_MAX;
	for (size_t i = n; i-- > 0;) {
		const struct dn_index_entry *e = &team->index[i];
		bool times = e->last_end;	/* a block without times waits for nothing */

		team->safe[i] = times && e->first_end < team->safe[i + 1] ? e->first_end :
									    team->safe[i + 1];
		team->oldest[i] = times && e->least_start < team->oldest[i + 1] ?
					  e->least_start : team->oldest[i + 1];
	}
	return 0;
}

static int run(struct dn_fdpass *p, bool count_them, struct dn_fdtrack **keep)
{
	struct worker w[DN_THREADS_MAX];
	struct team team = { .p = p, .w = w, .count = count_them,
			     .n = p->workers < 1 ? 1 : p->workers > DN_THREADS_MAX ?
				  DN_THREADS_MAX : p->workers };
	int err = dn_reader_index(p->reader, &team.index, &team.nindex);

	memset(w, 0, sizeof(w));
	if (err)
		return err;
	team.calls = dn_fdcalls_new();
	team.track = dn_fdtrack_new();
	err = team.calls && team.track ? look_ahead(&team) : -ENOMEM;
	for (unsigned i = 0; !err && i < team.n; i++) {
		w[i].team = &team;
		w[i].decoder = dn_decoder_new();
		err = w[i].decoder ? 0 : -ENOMEM;
		if (!err)
			dn_decoder_want(w[i].decoder, dn_fdlog_events() | UINT64_C(1) << DN_EV_syscall);
	}
	while (!err && team.part_end < team.nindex)
		err = part(&team, team.part_end);
	if (!err && count_them)
		err = merge_counts(&team);
	if (!err && p->span)
		err = dn_fdtrack_forget(team.track, UINT64_MAX, p->span, p->ctx);
	p->overflowed = team.track && dn_fdtrack_overflowed(team.track);
	if (!err && keep) {
		*keep = team.track;
		team.track = NULL;
	}
	for (unsigned i = 0; i < team.n; i++) {
		dn_decoder_free(w[i].decoder);
		dn_block_release(&w[i].block);
		dn_fdlog_free(&w[i].log);
		free(w[i].use);
		counts_free(&w[i].counts);
	}
	dn_fdlog_free(&team.rest);
	free(team.op);
	free(team.sorted);
	free(team.safe);
	free(team.oldest);
	dn_fdcalls_free(team.calls);
	dn_fdtrack_free(team.track);
	return err;
}

int dn_fdpass_run(struct dn_fdpass *p)
{
	p->count = NULL;
	p->ncounts = 0;
	return run(p, true, NULL);
}

int dn_fdpass_learn(struct dn_reader *reader, unsigned workers, struct dn_fdtrack **out)
{
	struct dn_fdpass p = { .reader = reader, .workers = workers };

	return run(&p, false, out);
}
