/*
 * writer.c - one open block, a queue of closed ones, and the thread that
 * compresses and writes them.
 *
 * A block is closed when it is large (BLOCK_BYTES, enough for zstd to find
 * what repeats) or old (the caller's flush). The footer's index grows by an
 * entry a block. When a write fails the file is cut back to the end of the
 * last whole block, so that what is there stays a valid prefix; later blocks
 * are tried again, since a full disk may have been emptied.
 */
#include "writer.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "clock_step.h"
#include "clocks.h"
#include "encode.h"
#include "events.h"
#include "format_limits.h"
#include "output.h"

#define BLOCK_BYTES (1u << 20)
#define QUEUE 4

struct job {
	uint8_t *buf;
	size_t cap, len;
	struct dn_block_info info;
	uint8_t kind;
};

struct dn_writer {
	struct dn_output *out;
	struct dn_file_header header;
	struct dn_sink sink;

	pthread_mutex_t rows;		/* the open block */
	struct dn_encoder *enc;
	uint64_t opened;		/* time of its first row, 0: empty */
	uint64_t calls, all, calls_lost, rows_lost;
	uint64_t step, told;		/* of the clock, 0 until the writer's thread knows it; what enc knows */

	pthread_mutex_t lock;		/* queue and figures below */
	pthread_cond_t more, room;
	struct job queue[QUEUE];
	unsigned head, count;
	bool done;
	struct dn_writer_stats st;

	pthread_t thread;		/* its own from here on */
	ZSTD_CCtx *zstd;
	int sync;
	uint8_t *stored;
	size_t stored_cap;
	uint64_t seq;
	struct dn_footer footer;
	uint32_t index_cap;
};

static int index_add(struct dn_writer *w, uint64_t offset, uint8_t kind, const struct dn_block_info *b)
{
	struct dn_footer *f = &w->footer;

	if (f->nblocks == w->index_cap) {
		uint32_t cap = w->index_cap ? w->index_cap * 2 : 256;
		void *p = realloc(f->block, cap * sizeof(*f->block)), *q;

		if (!p)
			return -ENOMEM;
		f->block = p;
		q = realloc(f->kind_rows, (size_t)cap * DN_INDEX_KINDS * sizeof(*f->kind_rows));
		if (!q)
			return -ENOMEM;
		f->kind_rows = q;
		w->index_cap = cap;
	}
	f->block[f->nblocks] = (struct dn_index_entry){
		.offset = offset, .kind = kind, .rows = b->rows, .first_end = b->first_end,
		.last_end = b->last_end, .least_start = b->least_start,
	};
	memcpy(&f->kind_rows[(size_t)f->nblocks * DN_INDEX_KINDS], b->kind_rows, sizeof(b->kind_rows));
	f->nblocks++;
	return 0;
}

/* Compresses a payload into one frame, each part with tables of its own. Returns its length, 0:
 * not done. */
static size_t compress(struct dn_writer *w, uint8_t *to, size_t room, const uint8_t *payload, size_t len,
		       const struct dn_block_info *info)
{
	ZSTD_outBuffer out = { to, room, 0 };
	ZSTD_inBuffer in = { payload, 0, 0 };
	size_t left = 1;

	ZSTD_CCtx_reset(w->zstd, ZSTD_reset_session_only);
	ZSTD_CCtx_setPledgedSrcSize(w->zstd, len);
	for (uint32_t i = 0; i <= info->parts; i++) {
		bool last = i == info->parts;

		in.size = last ? len : info->part[i];
		left = ZSTD_compressStream2(w->zstd, &out, &in, last ? ZSTD_e_end : ZSTD_e_flush);
		if (left)	/* an error, or more to write than there is room for */
			return 0;
	}
	return out.pos;
}

/* Compresses and writes one block; 0 or -errno. */
static int write_block(struct dn_writer *w, uint8_t kind, const uint8_t *payload, size_t len,
		       const struct dn_block_info *info)
{
	struct dn_block_header h = {
		.kind = kind, .seq = w->seq, .rows = info->rows, .raw_len = (uint32_t)len,
		.first_end = info->first_end, .last_end = info->last_end, .least_start = info->least_start,
	};
	/* each part may begin a block of the frame: 3 bytes (RFC 8878, 3.1.1.2) */
	size_t bound = DN_BLOCK_HEADER_LEN + ZSTD_compressBound(len) + 3 * (size_t)info->parts, n;
	uint64_t offset = dn_output_size(w->out);
	uint8_t *body;
	int err;

	memcpy(h.uuid, w->header.uuid, DN_UUID_LEN);
	if (bound > w->stored_cap) {
		uint8_t *p = realloc(w->stored, bound);

		if (!p)
			return -ENOMEM;
		w->stored = p;
		w->stored_cap = bound;
	}
	body = w->stored + DN_BLOCK_HEADER_LEN;
	n = compress(w, body, bound - DN_BLOCK_HEADER_LEN, payload, len, info);
	if (!n || n >= len) {	/* what does not shrink stands as it is */
		memcpy(body, payload, len);
		n = len;
	} else {
		h.flags |= DN_BLOCK_ZSTD;
	}
	h.stored_len = (uint32_t)n;
	dn_block_header_put(w->stored, &h, body);
	err = dn_output_write(w->out, w->stored, DN_BLOCK_HEADER_LEN + n);
	if (!err && w->sync)
		err = dn_output_sync(w->out);
	if (err)
		return err;
	w->seq++;
	return kind == DN_BLOCK_FOOTER ? 0 : index_add(w, offset, kind, info);
}

static void *run(void *arg)
{
	struct dn_writer *w = arg;

	__atomic_store_n(&w->step, dn_clock_step(), __ATOMIC_RELAXED);
	pthread_mutex_lock(&w->lock);
	for (;;) {
		struct job *j;
		int err;

		while (!w->count && !w->done)
			pthread_cond_wait(&w->more, &w->lock);
		if (!w->count)
			break;
		j = &w->queue[w->head];
		pthread_mutex_unlock(&w->lock);
		err = write_block(w, j->kind, j->buf, j->len, &j->info);
		pthread_mutex_lock(&w->lock);
		if (err) {
			w->st.errors++;
			w->st.calls_lost += j->info.kind_rows[DN_EV_syscall];
			w->st.rows_lost += j->info.rows;
			if (!w->st.error)
				w->st.error = -err;
		}
		w->st.bytes = dn_output_size(w->out);
		w->head = (w->head + 1) % QUEUE;
		w->count--;
		pthread_cond_signal(&w->room);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* Takes what e holds into the queue as a block; under the rows lock. 0 or -ENOMEM. */
static int enqueue(struct dn_writer *w, uint8_t kind, struct dn_encoder *e)
{
	struct job *j;
	long len;

	if (!dn_encoder_rows(e))
		return 0;
	pthread_mutex_lock(&w->lock);
	while (w->count == QUEUE)
		pthread_cond_wait(&w->room, &w->lock);
	j = &w->queue[(w->head + w->count) % QUEUE];
	pthread_mutex_unlock(&w->lock);		/* the slot is ours: only we fill them */
	len = dn_encoder_take(e, &j->buf, &j->cap, &j->info);
	if (len <= 0)
		return -ENOMEM;
	j->len = (size_t)len;
	j->kind = kind;
	pthread_mutex_lock(&w->lock);
	w->count++;
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
	return 0;
}

/* Without memory the block stays open, and is tried again. */
static void close_block(struct dn_writer *w)
{
	if (!enqueue(w, DN_BLOCK_EVENTS, w->enc))
		w->opened = 0;
}

static void opened(struct dn_writer *w)
{
	if (!w->opened)
		w->opened = dn_now();
	if (dn_encoder_bytes(w->enc) >= BLOCK_BYTES)
		close_block(w);
}

static int on_call(void *ctx, const struct dn_syscall *s)
{
	struct dn_writer *w = ctx;
	uint64_t step = __atomic_load_n(&w->step, __ATOMIC_RELAXED);
	int err;

	if (step != w->told)
		dn_encoder_step(w->enc, w->told = step);
	err = dn_encoder_call(w->enc, s);
	if (err == -ENOSPC) {
		close_block(w);
		err = dn_encoder_call(w->enc, s);
	}
	if (err) {
		w->calls_lost++;
		w->rows_lost++;
		return 0;
	}
	w->calls++;
	w->all++;
	opened(w);
	return 0;
}

static int on_row(void *ctx, const struct dn_row *r)
{
	struct dn_writer *w = ctx;
	int err = dn_encoder_row(w->enc, r);

	if (err == -ENOSPC) {
		close_block(w);
		err = dn_encoder_row(w->enc, r);
	}
	if (err) {
		w->rows_lost++;
		return 0;
	}
	w->all++;
	opened(w);
	return 0;
}

static int write_head(struct dn_writer *w)
{
	struct dn_block_info info = { 0 };
	uint8_t head[DN_FILE_HEADER_LEN], *schema;
	size_t len;
	int err;

	dn_file_header_put(head, &w->header);
	err = dn_output_write(w->out, head, sizeof(head));
	if (err)
		return err;
	schema = dn_schema_put(&len);
	if (!schema)
		return -ENOMEM;
	err = write_block(w, DN_BLOCK_SCHEMA, schema, len, &info);
	free(schema);
	return err;
}

static void destroy(struct dn_writer *w)
{
	for (unsigned i = 0; i < QUEUE; i++)
		free(w->queue[i].buf);
	dn_encoder_free(w->enc);
	ZSTD_freeCCtx(w->zstd);
	free(w->stored);
	dn_footer_free(&w->footer);
	free(w);
}

struct dn_writer *dn_writer_new(const struct dn_writer_opts *o, struct dn_output *out)
{
	struct dn_writer *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return NULL;
	w->out = out;
	w->header = o->header;
	w->footer.file = o->header;
	w->sync = o->sync;
	w->sink = (struct dn_sink){ on_call, on_row, w };
	w->enc = dn_encoder_new();
	w->zstd = ZSTD_createCCtx();
	if (w->zstd)
		ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, o->level);
	pthread_mutex_init(&w->rows, NULL);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->more, NULL);
	pthread_cond_init(&w->room, NULL);
	err = w->enc && w->zstd ? write_head(w) : -ENOMEM;
	if (!err)
		err = -pthread_create(&w->thread, NULL, run, w);
	if (err) {
		destroy(w);
		errno = -err;
		return NULL;
	}
	w->st.bytes = dn_output_size(out);
	return w;
}

void dn_writer_lock(struct dn_writer *w)
{
	pthread_mutex_lock(&w->rows);
}

void dn_writer_unlock(struct dn_writer *w)
{
	pthread_mutex_unlock(&w->rows);
}

const struct dn_sink *dn_writer_sink(struct dn_writer *w)
{
	return &w->sink;
}

void dn_writer_flush(struct dn_writer *w, uint64_t now, uint64_t max_age_ns)
{
	pthread_mutex_lock(&w->rows);
	if (w->opened && (!max_age_ns || now >= w->opened + max_age_ns))
		close_block(w);
	pthread_mutex_unlock(&w->rows);
}

int dn_writer_block(struct dn_writer *w, enum dn_block_kind kind, struct dn_encoder *e)
{
	uint32_t rows = dn_encoder_rows(e);
	int err;

	pthread_mutex_lock(&w->rows);
	close_block(w);		/* what came before it stands before it */
	err = enqueue(w, (uint8_t)kind, e);
	if (err)
		w->rows_lost += rows;
	else
		w->all += rows;
	pthread_mutex_unlock(&w->rows);
	return err;
}

void dn_writer_drain(struct dn_writer *w)
{
	dn_writer_flush(w, 0, 0);
	pthread_mutex_lock(&w->lock);
	while (w->count)
		pthread_cond_wait(&w->room, &w->lock);
	pthread_mutex_unlock(&w->lock);
}

void dn_writer_stats(struct dn_writer *w, struct dn_writer_stats *st)
{
	pthread_mutex_lock(&w->rows);
	pthread_mutex_lock(&w->lock);
	*st = w->st;
	st->rows = w->all;
	st->calls = w->calls;
	st->calls_lost += w->calls_lost;
	st->rows_lost += w->rows_lost;
	pthread_mutex_unlock(&w->lock);
	pthread_mutex_unlock(&w->rows);
}

void dn_writer_close(struct dn_writer *w, struct dn_writer_stats *st)
{
	struct dn_block_info info = { 0 };
	uint8_t *p;
	size_t len;
	int err = -ENOMEM;

	dn_writer_flush(w, 0, 0);
	pthread_mutex_lock(&w->lock);
	w->done = true;
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	p = dn_footer_put(&w->footer, &len);
	if (p && len <= DN_BLOCK_RAW_MAX)
		err = write_block(w, DN_BLOCK_FOOTER, p, len, &info);
	free(p);
	if (err && !w->st.error)
		w->st.error = -err;
	w->st.bytes = dn_output_size(w->out);
	dn_writer_stats(w, st);
	destroy(w);
}
