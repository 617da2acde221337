/*
 * timeline.c - merge by start time, over blocks that can be decoded again.
 *
 * Two heaps. One holds the blocks that still have rows to give, by the least
 * start of those rows: at first what the block's header says, then what the
 * last visit saw. The other holds runs: rows that a visit took out, sorted, by
 * their next row. Whichever heap has the earlier key goes on: a run gives its
 * next line, a block is visited.
 *
 *   visit     decodes the block and takes the rows from its key on: those that
 *             began before its first end only, if its key lies far before that
 *             (the long calls; the rest is not due yet), else all of them; in
 *             either case no more than 2 RUN_LINES or half the memory. The
 *             least row left is the block's new key.
 *   eviction  while the lines weigh more than allowed, the run with the latest
 *             next row is dropped and its block's key set back to that row.
 *
 * Each visit gives at least one row and the run that is due is never dropped,
 * so the work ends; a block is decoded once or twice unless memory is short.
 */
#include "timeline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "events.h"
#include "reader.h"

#define RUN_LINES 65536u
#define MEMORY (64u << 20)
#define LINE_COST 64		/* bytes a line costs beyond its text: struct, malloc */

struct item {
	uint64_t start;
	uint32_t row, len;
	char *text;
};

/* Rows of one block, sorted, from pos on. */
struct run {
	uint32_t block;
	uint32_t n, cap, pos;
	size_t weight;
	struct item *item;
};

/* A block that has rows to give from key on. */
struct todo {
	uint64_t start;		/* for the heap: not after the first of them */
	uint32_t block;
	uint32_t row;
	bool visited;		/* start and row are exact */
};

struct state {
	const struct dn_timeline *t;
	const struct dn_index_entry *index;
	size_t nindex;
	struct todo *todo;	/* heap */
	size_t ntodo;
	struct run **runs;	/* heap */
	size_t nruns, runs_cap;
	size_t weight, memory;
	uint64_t *damaged;
	uint8_t *bad;		/* blocks already counted as damaged */
	struct dn_block raw;
	struct dn_decoder *decoder;
	struct dn_text line;
	struct dn_moment first;	/* rows before it are not wanted (tail) */
	/* the visit at hand */
	struct run *run;
	struct todo key;	/* rows before it were given already */
	uint64_t below;		/* starts from here on wait */
	struct todo rest;	/* the least row that waits; visited: there is one */
	struct item limit;	/* rows from here on wait; text: it is set */
	uint32_t row;
	/* the tail at hand */
	struct dn_moment *last;	/* heap, the least on top */
	size_t nlast, last_cap;
	uint32_t block;
};

static bool before(uint64_t s1, uint32_t b1, uint32_t r1, uint64_t s2, uint32_t b2, uint32_t r2)
{
	if (s1 != s2)
		return s1 < s2;
	return b1 != b2 ? b1 < b2 : r1 < r2;
}

/* --- heaps -------------------------------------------------------------------- */

static bool todo_before(const struct todo *a, const struct todo *b)
{
	return before(a->start, a->block, a->row, b->start, b->block, b->row);
}

static void todo_down(struct todo *h, size_t n, size_t i)
{
	for (size_t k; (k = 2 * i + 1) < n; i = k) {
		struct todo tmp = h[i];

		if (k + 1 < n && todo_before(&h[k + 1], &h[k]))
			k++;
		if (!todo_before(&h[k], &h[i]))
			return;
		h[i] = h[k];
		h[k] = tmp;
	}
}

/* There is room: a block is there once. */
static void todo_push(struct state *s, const struct todo *t)
{
	size_t i = s->ntodo++;

	for (; i && todo_before(t, &s->todo[(i - 1) / 2]); i = (i - 1) / 2)
		s->todo[i] = s->todo[(i - 1) / 2];
	s->todo[i] = *t;
}

static struct todo todo_pop(struct state *s)
{
	struct todo top = s->todo[0];

	s->todo[0] = s->todo[--s->ntodo];
	todo_down(s->todo, s->ntodo, 0);
	return top;
}

static bool run_before(const struct run *a, const struct run *b)
{
	const struct item *x = &a->item[a->pos], *y = &b->item[b->pos];

	return before(x->start, a->block, x->row, y->start, b->block, y->row);
}

static void run_down(struct state *s, size_t i)
{
	struct run **h = s->runs;

	for (size_t k; (k = 2 * i + 1) < s->nruns; i = k) {
		struct run *tmp = h[i];

		if (k + 1 < s->nruns && run_before(h[k + 1], h[k]))
			k++;
		if (!run_before(h[k], h[i]))
			return;
		h[i] = h[k];
		h[k] = tmp;
	}
}

static int run_push(struct state *s, struct run *r)
{
	size_t i = s->nruns;

	if (s->nruns == s->runs_cap) {
		size_t cap = s->runs_cap ? 2 * s->runs_cap : 16;
		void *p = realloc(s->runs, cap * sizeof(*s->runs));

		if (!p)
			return -ENOMEM;
		s->runs = p;
		s->runs_cap = cap;
	}
	s->nruns++;
	for (; i && run_before(r, s->runs[(i - 1) / 2]); i = (i - 1) / 2)
		s->runs[i] = s->runs[(i - 1) / 2];
	s->runs[i] = r;
	return 0;
}

static void run_free(struct state *s, struct run *r)
{
	if (!r)
		return;
	for (uint32_t i = r->pos; i < r->n; i++)
		free(r->item[i].text);
	s->weight -= r->weight;
	free(r->item);
	free(r);
}

/* --- a visit ------------------------------------------------------------------ */

static int compare_items(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->row > y->row) - (x->row < y->row);
}

static void waits(struct state *s, uint64_t start, uint32_t row)
{
	struct todo *r = &s->rest;

	if (!r->visited || before(start, 0, row, r->start, 0, r->row))
		*r = (struct todo){
			.start = start, .block = s->key.block, .row = row, .visited = true
		};
}

/* Too many, or too heavy: the later half waits. At least two are there. */
static void halve(struct state *s)
{
	struct run *r = s->run;
	uint32_t keep = r->n / 2;

	qsort(r->item, r->n, sizeof(*r->item), compare_items);
	s->limit = r->item[keep];
	waits(s, s->limit.start, s->limit.row);
	for (uint32_t i = keep; i < r->n; i++) {
		r->weight -= r->item[i].len + LINE_COST;
		s->weight -= r->item[i].len + LINE_COST;
		free(r->item[i].text);
	}
	r->n = keep;
	s->limit.len = 1;	/* it is set */
}

/* Whether the row is taken now: not given before, and due. */
static bool due(struct state *s, uint64_t start, uint32_t row)
{
	if (s->key.visited && before(start, 0, row, s->key.start, 0, s->key.row))
		return false;
	if ((s->below != UINT64_MAX && start >= s->below) ||	/* a forged start may be that */
	    (s->limit.len && !before(start, 0, row, s->limit.start, 0, s->limit.row))) {
		waits(s, start, row);
		return false;
	}
	return true;
}

static bool in_range(const struct state *s, uint64_t start, uint32_t row)
{
	const struct dn_moment *f = &s->first;

	return start >= s->t->from && start <= s->t->to &&
	       !before(start, s->block, row, f->start, f->block, f->row);
}

static int take(struct state *s, uint64_t start, uint32_t row)
{
	struct run *r = s->run;
	struct item *it;

	if (s->line.failed || s->line.len > UINT32_MAX)
		return -ENOMEM;
	if (r->n == r->cap) {
		uint32_t cap = r->cap ? 2 * r->cap : 256;
		void *p = realloc(r->item, cap * sizeof(*r->item));

		if (!p)
			return -ENOMEM;
		r->item = p;
		r->cap = cap;
	}
	it = &r->item[r->n];
	*it = (struct item){ .start = start, .row = row, .len = (uint32_t)s->line.len };
	it->text = malloc(it->len ? it->len : 1);
	if (!it->text)
		return -ENOMEM;
	if (it->len)
		memcpy(it->text, s->line.p, it->len);
	r->n++;
	r->weight += it->len + LINE_COST;
	s->weight += it->len + LINE_COST;
	if (r->n > 2 * RUN_LINES || (r->weight > s->memory / 2 && r->n > 1))
		halve(s);
	return 0;
}

static int visit_call(void *ctx, const struct dn_syscall *c)
{
	struct state *s = ctx;
	uint32_t row = s->row++;
	int err;

	if (!in_range(s, c->start, row) || !s->t->want_call(s->t->ctx, c) || !due(s, c->start, row))
		return 0;
	dn_text_reset(&s->line);
	err = s->t->call(s->t->ctx, c, &s->line);
	return err ? err : take(s, c->start, row);
}

static int visit_row(void *ctx, const struct dn_row *r)
{
	struct state *s = ctx;
	uint32_t row = s->row++;
	int err;

	if (r->v[0].null || !in_range(s, r->v[0].u, row) || !s->t->want_row(s->t->ctx, r) ||
	    !due(s, r->v[0].u, row))
		return 0;
	dn_text_reset(&s->line);
	err = s->t->row(s->t->ctx, r, &s->line);
	return err ? err : take(s, r->v[0].u, row);
}

/* Decodes a block into a sink. Damage is counted once a block. */
static int decode(struct state *s, uint32_t block, const struct dn_sink *sink)
{
	int err = dn_reader_at(s->t->reader, &s->index[block], &s->raw);

	s->block = block;
	s->row = 0;
	if (!err)
		err = dn_decode(s->decoder, s->raw.payload, s->raw.len, sink, NULL);
	if (err == -EBADMSG) {
		if (!(s->bad[block / 8] >> block % 8 & 1))
			++*s->damaged;
		s->bad[block / 8] |= (uint8_t)(1 << block % 8);
		err = 0;
	}
	return err;
}

static int visit(struct state *s)
{
	const struct dn_sink sink = { .call = visit_call, .row = visit_row, .ctx = s };
	const struct dn_index_entry *e;
	int err;

	s->key = todo_pop(s);
	e = &s->index[s->key.block];
	s->rest.visited = false;
	s->limit.len = 0;
	s->below = UINT64_MAX;
	/* Far before the first end: only long calls are due. */
	if (s->key.start < e->first_end && e->first_end - s->key.start > e->last_end - e->first_end)
		s->below = e->first_end;
	s->run = calloc(1, sizeof(*s->run));
	if (!s->run)
		return -ENOMEM;
	s->run->block = s->key.block;
	err = decode(s, s->key.block, &sink);
	if (err)
		goto out;
	if (s->rest.visited)
		todo_push(s, &s->rest);
	if (s->run->n) {
		qsort(s->run->item, s->run->n, sizeof(*s->run->item), compare_items);
		err = run_push(s, s->run);
		if (!err)
			s->run = NULL;
	}
out:
	run_free(s, s->run);
	s->run = NULL;
	return err;
}

/* --- the order ---------------------------------------------------------------- */

/* Drops runs that are furthest ahead until the rest is light enough. */
static void evict(struct state *s)
{
	while (s->weight > s->memory && s->nruns > 1) {
		size_t latest = s->nruns / 2;	/* of the leaves of the heap */
		struct todo back = { .visited = true };
		struct run *r;
		size_t i;

		for (i = latest + 1; i < s->nruns; i++)
			if (run_before(s->runs[latest], s->runs[i]))
				latest = i;
		r = s->runs[latest];
		back.block = r->block;
		back.start = r->item[r->pos].start;
		back.row = r->item[r->pos].row;
		/* What waits of this block comes after this run, or is it. */
		for (i = 0; i < s->ntodo && s->todo[i].block != r->block; i++)
			;
		if (i < s->ntodo) {
			s->todo[i] = s->todo[--s->ntodo];
			for (i = s->ntodo / 2 + 1; i-- > 0;)
				todo_down(s->todo, s->ntodo, i);
		}
		todo_push(s, &back);
		run_free(s, r);
		/* the last leaf takes its place: both are leaves */
		r = s->runs[--s->nruns];
		if (latest < s->nruns) {
			s->runs[latest] = r;
			for (i = latest; i && run_before(r, s->runs[(i - 1) / 2]); i = (i - 1) / 2)
				s->runs[i] = s->runs[(i - 1) / 2];
			s->runs[i] = r;
		}
	}
}

static int emit_next(struct state *s)
{
	struct run *r = s->runs[0];
	struct item *it = &r->item[r->pos++];
	int err = s->t->emit(s->t->ctx, it->text, it->len);

	free(it->text);
	r->weight -= it->len + LINE_COST;
	s->weight -= it->len + LINE_COST;
	if (r->pos == r->n) {
		s->runs[0] = s->runs[--s->nruns];
		run_free(s, r);
	}
	run_down(s, 0);
	return err;
}

/* Whether the next block is due before the next line. */
static bool block_is_due(const struct state *s)
{
	const struct run *r;

	if (!s->ntodo)
		return false;
	if (!s->nruns)
		return true;
	r = s->runs[0];
	/* A key that is not exact may hide an earlier row of the same start. */
	if (!s->todo[0].visited)
		return s->todo[0].start <= r->item[r->pos].start;
	return before(s->todo[0].start, s->todo[0].block, s->todo[0].row, r->item[r->pos].start,
		      r->block, r->item[r->pos].row);
}

static bool block_wanted(const struct state *s, const struct dn_index_entry *e)
{
	return !e->last_end || (e->last_end >= s->t->from && e->least_start <= s->t->to &&
				e->last_end >= s->first.start);
}

static int merge(struct state *s)
{
	uint64_t from = s->t->from > s->first.start ? s->t->from : s->first.start;
	int err = 0;

	for (size_t i = 0; i < s->nindex; i++) {
		uint64_t least = s->index[i].least_start;

		if (block_wanted(s, &s->index[i]))
			s->todo[s->ntodo++] = (struct todo){ .start = least > from ? least : from,
							     .block = (uint32_t)i };
	}
	for (size_t i = s->ntodo / 2 + 1; i-- > 0;)
		todo_down(s->todo, s->ntodo, i);
	while (!err && (s->ntodo || s->nruns)) {
		if (block_is_due(s)) {
			err = visit(s);
			evict(s);
		} else {
			err = emit_next(s);
		}
	}
	return err;
}

/* --- the tail ----------------------------------------------------------------- */

static bool moment_before(const struct dn_moment *a, const struct dn_moment *b)
{
	return before(a->start, a->block, a->row, b->start, b->block, b->row);
}

/* Keeps the last t->tail moments in a heap whose top is the earliest. */
static int keep_last(struct state *s, uint64_t start, uint32_t row)
{
	const struct dn_moment m = { start, s->block, row };
	struct dn_moment *h;
	size_t i, k;

	if (s->nlast < (size_t)s->t->tail) {
		if (s->nlast == s->last_cap) {
			size_t cap = s->last_cap ? 2 * s->last_cap : 1024;
			void *p = realloc(s->last, cap * sizeof(*s->last));

			if (!p)
				return -ENOMEM;
			s->last = p;
			s->last_cap = cap;
		}
		h = s->last;
		for (i = s->nlast++; i && moment_before(&m, &h[(i - 1) / 2]); i = (i - 1) / 2)
			h[i] = h[(i - 1) / 2];
		h[i] = m;
		return 0;
	}
	h = s->last;
	if (!moment_before(&h[0], &m))
		return 0;
	for (i = 0; (k = 2 * i + 1) < s->nlast; i = k) {
		if (k + 1 < s->nlast && moment_before(&h[k + 1], &h[k]))
			k++;
		if (!moment_before(&h[k], &m))
			break;
		h[i] = h[k];
	}
	h[i] = m;
	return 0;
}

static int tail_call(void *ctx, const struct dn_syscall *c)
{
	struct state *s = ctx;
	uint32_t row = s->row++;

	if (!in_range(s, c->start, row) || !s->t->want_call(s->t->ctx, c))
		return 0;
	return keep_last(s, c->start, row);
}

static int tail_row(void *ctx, const struct dn_row *r)
{
	struct state *s = ctx;
	uint32_t row = s->row++;

	if (r->v[0].null || !in_range(s, r->v[0].u, row) || !s->t->want_row(s->t->ctx, r))
		return 0;
	return keep_last(s, r->v[0].u, row);
}

struct ending {
	uint64_t last_end;
	uint32_t block;
};

static int compare_endings(const void *a, const void *b)
{
	const struct ending *x = a, *y = b;

	if (x->last_end != y->last_end)
		return x->last_end > y->last_end ? -1 : 1;
	return (x->block < y->block) - (x->block > y->block);
}

/* Where the last t->tail records begin. Blocks that end late come first, so
 * that most of the others need not be decoded. */
static int find_tail(struct state *s)
{
	const struct dn_sink sink = { .call = tail_call, .row = tail_row, .ctx = s };
	struct ending *end = calloc(s->nindex + 1, sizeof(*end));
	int err = 0;

	if (!end)
		return -ENOMEM;
	for (size_t i = 0; i < s->nindex; i++)
		end[i] = (struct ending){ s->index[i].last_end, (uint32_t)i };
	qsort(end, s->nindex, sizeof(*end), compare_endings);
	for (size_t i = 0; i < s->nindex && !err; i++) {
		if (s->nlast == (size_t)s->t->tail && end[i].last_end < s->last[0].start)
			break;
		if (block_wanted(s, &s->index[end[i].block]))
			err = decode(s, end[i].block, &sink);
	}
	if (!err && s->nlast == (size_t)s->t->tail)
		s->first = s->last[0];
	free(end);
	free(s->last);
	s->last = NULL;
	return err;
}

int dn_timeline_run(const struct dn_timeline *t, uint64_t *damaged)
{
	struct state s = { .t = t, .memory = t->memory ? t->memory : MEMORY, .damaged = damaged };
	int err;

	*damaged = 0;
	if (!t->tail)
		return 0;
	err = dn_reader_index(t->reader, &s.index, &s.nindex);
	if (err)
		return err;
	s.todo = calloc(s.nindex + 1, sizeof(*s.todo));
	s.bad = calloc(s.nindex / 8 + 1, 1);
	s.decoder = dn_decoder_new();
	err = -ENOMEM;
	if (!s.todo || !s.bad || !s.decoder)
		goto out;
	dn_decoder_want(s.decoder, t->events);
	err = t->tail > 0 ? find_tail(&s) : 0;
	if (!err)
		err = merge(&s);
out:
	while (s.nruns)
		run_free(&s, s.runs[--s.nruns]);
	free(s.runs);
	free(s.todo);
	free(s.bad);
	dn_text_free(&s.line);
	dn_block_release(&s.raw);
	dn_decoder_free(s.decoder);
	return err;
}
