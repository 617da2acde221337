/*
 * feed.c - decode ahead: one thread, a ring of chunks.
 *
 *   thread:   block -> decoder -> sink -> chunk[head % CHUNKS], head++
 *   caller:   chunk[tail % CHUNKS], given back (tail++) at the next call
 *
 * A chunk carries rows of one block only and owns the bytes of their strings,
 * since the payload is gone when the thread goes on to the next block. Rows
 * and bytes of a chunk are fixed, so that pointers into it stay; a row with
 * more bytes than a chunk has gets a larger arena, and DN_STRING_MAX and
 * DN_CALL_STRS bound that.
 */
#include "feed.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "events.h"
#include "reader.h"

#define CHUNKS 4
#define CALLS_A_CHUNK 2048
#define ROWS_A_CHUNK 256
#define STRS_A_CHUNK 2048
#define ARENA (256u << 10)

struct chunk {
	struct dn_feed_chunk pub;
	struct dn_feed_call *call;
	struct dn_call_str *str;
	struct dn_value *value;
	char *arena;
	size_t used, cap;
	uint32_t nstr;
};

struct dn_feed {
	struct dn_feed_spec spec;
	const struct dn_index_entry *index;
	size_t nindex;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t filled, emptied;
	/* under lock */
	unsigned head, tail;
	bool stop, done;
	int err;
	uint64_t damaged;
	/* the caller's */
	bool holds;		/* chunk[tail] is in the caller's hands */
	/* the thread's */
	struct chunk chunk[CHUNKS];
	struct chunk *open;	/* being filled: chunk[head] */
	uint32_t block;
	uint32_t row;		/* rows of the kind seen in this block */
	struct dn_block raw;
	struct dn_decoder *decoder;
};

/* Waits for an empty chunk and opens it. -ECANCELED: the caller has closed. */
static int chunk_open(struct dn_feed *f)
{
	struct chunk *c;
	bool stop;

	pthread_mutex_lock(&f->lock);
	while (!f->stop && f->head - f->tail == CHUNKS)
		pthread_cond_wait(&f->emptied, &f->lock);
	stop = f->stop;
	c = &f->chunk[f->head % CHUNKS];
	pthread_mutex_unlock(&f->lock);
	if (stop)
		return -ECANCELED;
	c->pub.rows = 0;
	c->pub.block = f->block;
	c->used = 0;
	c->nstr = 0;
	f->open = c;
	return 0;
}

static void chunk_close(struct dn_feed *f)
{
	if (!f->open || !f->open->pub.rows)
		return;
	pthread_mutex_lock(&f->lock);
	f->head++;
	pthread_cond_signal(&f->filled);
	pthread_mutex_unlock(&f->lock);
	f->open = NULL;
}

/* An open chunk with room for one row of that many strings and bytes. */
static int chunk_room(struct dn_feed *f, uint32_t rows, unsigned nstr, size_t bytes)
{
	struct chunk *c = f->open;
	int err;

	if (c && (c->pub.rows >= rows || c->nstr + nstr > STRS_A_CHUNK ||
		  (c->pub.rows && c->used + bytes > c->cap))) {
		chunk_close(f);
		c = f->open;
	}
	if (!c) {
		err = chunk_open(f);
		if (err)
			return err;
		c = f->open;
	}
	if (c->used + bytes > c->cap) {		/* the chunk has no rows yet */
		char *p = realloc(c->arena, bytes > ARENA ? bytes : ARENA);

		if (!p)
			return -ENOMEM;
		c->arena = p;
		c->cap = bytes > ARENA ? bytes : ARENA;
	}
	return 0;
}

static const char *keep_bytes(struct chunk *c, const char *p, uint32_t len)
{
	char *q = c->arena + c->used;

	if (len)
		memcpy(q, p, len);
	c->used += len;
	return q;
}

static int on_call(void *ctx, const struct dn_syscall *s)
{
	struct dn_feed *f = ctx;
	struct dn_feed_call *o;
	unsigned nstr = f->spec.strings ? s->nstr : 0;
	uint32_t row = f->row++;
	struct chunk *c = f->open;
	size_t bytes = 0;
	int err;

	if (s->start < f->spec.from || s->start > f->spec.to)
		return 0;
	if (f->spec.keep && !f->spec.keep(f->spec.ctx, s))
		return 0;
	for (unsigned i = 0; i < nstr; i++)
		bytes += s->str[i].len;
	if (!c || nstr || c->pub.rows >= CALLS_A_CHUNK) {
		err = chunk_room(f, CALLS_A_CHUNK, nstr, bytes);
		if (err)
			return err;
		c = f->open;
	}
	o = &c->call[c->pub.rows++];
	o->start = s->start;
	o->dur = s->dur;
	o->ret = s->ret;
	memcpy(o->args, s->args, sizeof(o->args));
	o->thread = s->thread;
	o->seq = s->seq;
	o->nr = s->nr;
	o->flags = s->flags;
	o->row = row;
	o->cpu = s->cpu;
	o->abi = s->abi;
	o->nargs = s->nargs;
	o->nstr = (uint8_t)nstr;
	o->str = nstr ? c->str + c->nstr : NULL;
	for (unsigned i = 0; i < nstr; i++) {
		struct dn_call_str *q = &c->str[c->nstr++];

		*q = s->str[i];
		q->p = keep_bytes(c, q->p, q->len);
	}
	return 0;
}

static int on_row(void *ctx, const struct dn_row *r)
{
	struct dn_feed *f = ctx;
	const struct dn_event_desc *d = dn_event_desc(r->event);
	uint32_t row = f->row++;
	struct dn_value *v;
	struct chunk *c;
	size_t bytes = 0;
	int err;

	if (d->field[0].type == DN_TIME && !r->v[0].null &&
	    (r->v[0].u < f->spec.from || r->v[0].u > f->spec.to))
		return 0;
	for (unsigned i = 0; i < r->nfields; i++)
		bytes += r->v[i].len;
	/* Left-out rows break the run of places: a chunk has none in between. */
	if (f->open && f->open->pub.rows && f->open->pub.first_row + f->open->pub.rows != row)
		chunk_close(f);
	err = chunk_room(f, ROWS_A_CHUNK, 0, bytes);
	if (err)
		return err;
	c = f->open;
	if (!c->pub.rows)
		c->pub.first_row = row;
	v = c->value + (size_t)c->pub.rows++ * d->nfields;
	for (unsigned i = 0; i < d->nfields; i++) {
		v[i] = i < r->nfields ? r->v[i] : dn_null();
		if (v[i].p)
			v[i].p = keep_bytes(c, v[i].p, v[i].len);
	}
	return 0;
}

/* Whether a block can have rows of the time that is wanted. */
static bool block_wanted(const struct dn_feed_spec *s, const struct dn_index_entry *e)
{
	if (!s->from && s->to == UINT64_MAX)
		return true;
	if (!e->last_end)	/* a block without times */
		return true;
	return e->last_end >= s->from && e->least_start <= s->to;
}

static int read_block(struct dn_feed *f, const struct dn_index_entry *e)
{
	const struct dn_sink sink = { .call = on_call, .row = on_row, .ctx = f };
	int err = dn_reader_at(f->spec.reader, e, &f->raw);

	f->row = 0;
	if (!err)
		err = dn_decode(f->decoder, f->raw.payload, f->raw.len, &sink, NULL);
	chunk_close(f);
	if (err == -EBADMSG) {
		pthread_mutex_lock(&f->lock);
		f->damaged++;
		pthread_mutex_unlock(&f->lock);
		err = 0;
	}
	return err;
}

static void *run(void *ctx)
{
	struct dn_feed *f = ctx;
	int err = 0;

	for (size_t i = 0; i < f->nindex && !err; i++) {
		bool stop;

		if (!block_wanted(&f->spec, &f->index[i]))
			continue;
		pthread_mutex_lock(&f->lock);
		stop = f->stop;
		pthread_mutex_unlock(&f->lock);
		if (stop)
			break;
		f->block = (uint32_t)i;
		err = read_block(f, &f->index[i]);
	}
	pthread_mutex_lock(&f->lock);
	f->done = true;
	f->err = err == -ECANCELED ? 0 : err;
	pthread_cond_signal(&f->filled);
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

static void feed_free(struct dn_feed *f)
{
	for (unsigned i = 0; i < CHUNKS; i++) {
		free(f->chunk[i].call);
		free(f->chunk[i].str);
		free(f->chunk[i].value);
		free(f->chunk[i].arena);
	}
	dn_block_release(&f->raw);
	dn_decoder_free(f->decoder);
	pthread_cond_destroy(&f->filled);
	pthread_cond_destroy(&f->emptied);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

static int chunks_alloc(struct dn_feed *f)
{
	unsigned nfields = dn_event_desc(f->spec.event)->nfields;
	bool calls = f->spec.event == DN_EV_syscall;

	for (unsigned i = 0; i < CHUNKS; i++) {
		struct chunk *c = &f->chunk[i];

		c->pub.nfields = nfields;
		if (calls)
			c->call = malloc(CALLS_A_CHUNK * sizeof(*c->call));
		else
			c->value = malloc(ROWS_A_CHUNK * nfields * sizeof(*c->value));
		if (calls && f->spec.strings)
			c->str = malloc(STRS_A_CHUNK * sizeof(*c->str));
		if ((calls ? !c->call : !c->value) || (calls && f->spec.strings && !c->str))
			return -ENOMEM;
		c->pub.call = c->call;
		c->pub.value = c->value;
	}
	return 0;
}

int dn_feed_open(const struct dn_feed_spec *spec, struct dn_feed **out)
{
	struct dn_feed *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return -ENOMEM;
	f->spec = *spec;
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->filled, NULL);
	pthread_cond_init(&f->emptied, NULL);
	err = dn_reader_index(spec->reader, &f->index, &f->nindex);
	if (err)
		goto out;
	err = -ENOMEM;
	f->decoder = dn_decoder_new();
	if (!f->decoder || chunks_alloc(f))
		goto out;
	dn_decoder_want(f->decoder, UINT64_C(1) << spec->event);
	err = -pthread_create(&f->thread, NULL, run, f);
out:
	if (err)
		feed_free(f);
	else
		*out = f;
	return err;
}

int dn_feed_next(struct dn_feed *f, const struct dn_feed_chunk **c)
{
	int ret;

	pthread_mutex_lock(&f->lock);
	if (f->holds) {
		f->tail++;
		f->holds = false;
		pthread_cond_signal(&f->emptied);
	}
	while (f->head == f->tail && !f->done)
		pthread_cond_wait(&f->filled, &f->lock);
	if (f->head == f->tail) {
		ret = f->err;
	} else {
		*c = &f->chunk[f->tail % CHUNKS].pub;
		f->holds = true;
		ret = 1;
	}
	pthread_mutex_unlock(&f->lock);
	return ret;
}

uint64_t dn_feed_damaged(struct dn_feed *f)
{
	uint64_t n;

	pthread_mutex_lock(&f->lock);
	n = f->damaged;
	pthread_mutex_unlock(&f->lock);
	return n;
}

void dn_feed_close(struct dn_feed *f)
{
	if (!f)
		return;
	pthread_mutex_lock(&f->lock);
	f->stop = true;
	pthread_cond_signal(&f->emptied);
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->thread, NULL);
	feed_free(f);
}
