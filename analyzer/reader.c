/*
 * reader.c - whose blocks these are, in which order, and what is missing.
 *
 * The chain (chain.c) gives whole blocks. Here each is held against the
 * file's UUID and the sequence numbers seen so far, all under one lock; only
 * decompression happens outside it. The footer, when it comes, says that the
 * recorder closed the file and repeats the file header.
 */
#include "reader.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "chain.h"
#include "format_limits.h"
#include "seqset.h"
#include "source.h"

/* Without a file header, a block must turn up within this much. */
#define SEARCH_MAX (64u << 20)
/* Blocks that vote for the UUID when the file header is damaged. */
#define VOTERS 64

struct dn_reader {
	pthread_mutex_t lock;
	struct dn_source *src;
	struct dn_chain chain;
	struct dn_file_header file;
	bool have_uuid, have_origin;
	bool done;
	int err;
	struct dn_seqset seen;
	struct dn_read_report rep;
	struct dn_index_entry *index;
	size_t nindex;
};

__attribute__((format(printf, 2, 3)))
static void note(struct dn_reader *r, const char *fmt, ...)
{
	struct dn_read_report *rep = &r->rep;
	char text[320];
	va_list ap;

	if (rep->nnotes == DN_READ_NOTES_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (rep->nnotes == DN_READ_NOTES_MAX - 1)
		snprintf(text, sizeof(text), "there is more of this kind");
	rep->note[rep->nnotes] = strdup(text);
	if (rep->note[rep->nnotes])
		rep->nnotes++;
}

static void note_gap(struct dn_reader *r, const struct dn_chain_gap *gap)
{
	if (gap->bytes) {
		r->rep.damaged++;
		r->rep.skipped += gap->bytes;
		if (gap->other_trace)
			note(r, "another trace begins at byte %" PRIu64 ": it is left out", gap->at);
		else
			note(r, "%" PRIu64 " bytes from byte %" PRIu64 " on are no whole block", gap->bytes,
			     gap->at);
	}
	if (gap->cut) {
		r->rep.cut = true;
		note(r, "the file ends in the middle of a block, at byte %" PRIu64, dn_source_size(r->src));
	}
	if (gap->err) {
		r->rep.damaged++;
		note(r, "reading failed after byte %" PRIu64 ": %s", gap->at, strerror(-gap->err));
	}
}

/* --- what the file is ---------------------------------------------------- */

/* Learns from a footer what a damaged header did not say. */
static void take_file_header(struct dn_reader *r, const struct dn_file_header *h)
{
	r->file = *h;
	r->have_origin = true;
}

/* Decompresses a stored block. 0, -EBADMSG with *why, -ENOMEM. */
static int unpack(struct dn_block *b, const char **why)
{
	const struct dn_block_header *h = &b->header;
	size_t n;

	b->len = h->raw_len;
	if (!(h->flags & DN_BLOCK_ZSTD)) {
		b->payload = b->stored;
		return 0;
	}
	if (h->raw_len > b->raw_cap || !b->raw) {
		free(b->raw);
		b->raw_cap = 0;
		b->raw = malloc(h->raw_len ? h->raw_len : 1);
		if (!b->raw)
			return -ENOMEM;
		b->raw_cap = h->raw_len;
	}
	if (!b->zstd)
		b->zstd = ZSTD_createDCtx();
	if (!b->zstd)
		return -ENOMEM;
	n = ZSTD_decompressDCtx(b->zstd, b->raw, h->raw_len, b->stored, h->stored_len);
	if (ZSTD_isError(n)) {
		*why = ZSTD_getErrorName(n);
		return -EBADMSG;
	}
	if (n != h->raw_len) {
		*why = "its length is not what its header says";
		return -EBADMSG;
	}
	b->payload = b->raw;
	return 0;
}

/* Reads a footer block: 0 with f filled (dn_footer_free() it), or -errno. */
static int read_footer(struct dn_block *b, struct dn_footer *f)
{
	const char *why;
	int err = unpack(b, &why);

	memset(f, 0, sizeof(*f));
	if (!err)
		err = dn_footer_get(b->payload, b->len, f);
	if (err)
		dn_footer_free(f);
	return err;
}

/* The UUID most of the first blocks carry; the first block's among equals. */
static int vote(struct dn_reader *r, uint64_t from)
{
	struct { uint8_t uuid[DN_UUID_LEN]; unsigned votes; } urn[VOTERS];
	struct dn_chain c = { .src = r->src, .pos = from };
	struct dn_block b = { 0 };
	struct dn_chain_gap gap;
	unsigned n = 0, best = 0;
	int err = 0;

	for (unsigned i = 0; i < VOTERS; i++) {
		unsigned k = 0;

		err = dn_chain_find(&c, &b, &gap, from + SEARCH_MAX);
		if (err <= 0)
			break;
		while (k < n && memcmp(urn[k].uuid, b.header.uuid, DN_UUID_LEN))
			k++;
		if (k == n) {
			memcpy(urn[n].uuid, b.header.uuid, DN_UUID_LEN);
			urn[n++].votes = 0;
		}
		if (++urn[k].votes > urn[best].votes)
			best = k;
	}
	dn_block_release(&b);
	if (err < 0)
		return err;
	if (n) {
		memcpy(r->file.uuid, urn[best].uuid, DN_UUID_LEN);
		r->have_uuid = true;
	}
	return 0;
}

/* Time 0 where no header says it: the least start in the first block, at `at`
 * or soon after it, that has times. Forgets nothing of a pipe. */
static int first_time(struct dn_reader *r, struct dn_block *b, uint64_t at)
{
	for (unsigned i = 0; i < VOTERS && !r->have_origin; i++) {
		int ret = dn_chain_at(r->src, at, b, &at, NULL);

		if (ret <= 0)
			return ret;
		if (memcmp(b->header.uuid, r->file.uuid, DN_UUID_LEN) || !b->header.least_start)
			continue;
		r->file.boot_ns = b->header.least_start;
		r->have_origin = true;
	}
	return 0;
}

/* Whose file it is and when it began, of its footer and its blocks. 1, 0: no
 * block was found, -errno. */
static int ask_file(struct dn_reader *r, struct dn_block *b, uint64_t from)
{
	struct dn_chain c = { .src = r->src, .pos = from };
	struct dn_chain_gap gap;
	struct dn_footer f;
	int ret = vote(r, from);

	if (ret < 0 || !r->have_uuid)
		return ret;
	ret = dn_chain_footer(r->src, b);
	if (ret > 0 && !read_footer(b, &f)) {
		if (!memcmp(f.file.uuid, r->file.uuid, DN_UUID_LEN))
			take_file_header(r, &f.file);
		dn_footer_free(&f);
	}
	if (ret >= 0)
		ret = dn_chain_find(&c, b, &gap, from + SEARCH_MAX);
	if (ret > 0)
		ret = first_time(r, b, b->offset);
	return ret < 0 ? ret : 1;
}

/* The same of a pipe's first blocks. What stands before them is gone then. */
static int ask_pipe(struct dn_reader *r, struct dn_block *b, uint64_t from)
{
	struct dn_chain_gap gap;
	int ret;

	r->chain.pos = from;
	ret = dn_chain_find(&r->chain, b, &gap, from + SEARCH_MAX);
	if (ret <= 0)
		return ret;
	note_gap(r, &gap);
	memcpy(r->file.uuid, b->header.uuid, DN_UUID_LEN);
	r->have_uuid = true;
	r->chain.pos = b->offset;
	ret = first_time(r, b, b->offset);
	return ret < 0 ? ret : 1;
}

/*
 * The file header is damaged (`magic`: its first bytes are not), or there is
 * none and the blocks may begin anywhere.
 */
static int open_damaged(struct dn_reader *r, bool magic, char *err, size_t errlen)
{
	uint64_t from = magic ? DN_FILE_HEADER_LEN : 0;
	struct dn_block b = { 0 };
	int ret;

	r->chain.pos = from;
	note(r, "the file header is damaged: what it says was taken from the blocks");
	ret = dn_source_seekable(r->src) ? ask_file(r, &b, from) : ask_pipe(r, &b, from);
	dn_block_release(&b);
	if (ret)
		return ret < 0 ? ret : 0;
	snprintf(err, errlen, "it is not a denet trace");
	return -EBADMSG;
}

static int open_header(struct dn_reader *r, char *err, size_t errlen)
{
	uint8_t head[DN_FILE_HEADER_LEN];
	long n = dn_source_read(r->src, 0, head, sizeof(head));
	int ret;

	if (n < 0) {
		snprintf(err, errlen, "reading it failed: %s", strerror((int)-n));
		return (int)n;
	}
	if (!n) {
		snprintf(err, errlen, "it is empty: the recording never began");
		return -ENODATA;
	}
	if (n < DN_FILE_HEADER_LEN &&
	    !memcmp(head, dn_file_magic, n < DN_MAGIC_LEN ? (size_t)n : DN_MAGIC_LEN)) {
		snprintf(err, errlen, "it ends after %ld bytes, in its file header: nothing was recorded", n);
		return -EBADMSG;
	}
	ret = dn_file_header_get(head, (size_t)n, &r->file);
	if (ret == -EPROTONOSUPPORT) {
		snprintf(err, errlen, "it is a trace of format %u.%u and this denet-analyze reads formats up to %u",
			 r->file.major, r->file.minor, DN_FORMAT_MAJOR);
		return ret;
	}
	if (!ret) {
		r->have_uuid = r->have_origin = true;
		r->rep.header_ok = true;
		r->chain.pos = DN_FILE_HEADER_LEN;
		return 0;
	}
	return open_damaged(r, ret == -EILSEQ, err, errlen);
}

int dn_reader_open(struct dn_source *src, struct dn_reader **out, char *err, size_t errlen)
{
	struct dn_reader *r = calloc(1, sizeof(*r));
	int ret;

	*out = NULL;
	snprintf(err, errlen, "there is no memory");
	if (!r)
		return -ENOMEM;
	r->src = src;
	r->chain.src = src;
	ret = pthread_mutex_init(&r->lock, NULL);
	if (ret) {
		free(r);
		return -ret;
	}
	ret = open_header(r, err, errlen);
	if (ret) {
		dn_reader_close(r);
		return ret;
	}
	*err = 0;
	*out = r;
	return 0;
}

/* --- walking ------------------------------------------------------------- */

static void finish(struct dn_reader *r)
{
	struct dn_read_report *rep = &r->rep;
	uint64_t expect = 0, after = 0;

	r->done = true;
	rep->bytes = dn_source_size(r->src);
	rep->lost = dn_seqset_missing(&r->seen);
	for (size_t i = 0; i < r->seen.n; i++) {
		const struct dn_seqspan *s = &r->seen.span[i];

		if (s->first > expect && rep->ngaps < DN_READ_GAPS_MAX) {
			void *p = realloc(rep->gap, (rep->ngaps + 1) * sizeof(*rep->gap));

			if (p) {
				rep->gap = p;
				rep->gap[rep->ngaps++] = (struct dn_read_gap){
					expect, s->first - expect, after, s->from };
			}
		}
		expect = s->last + 1;
		after = s->to;
	}
	if (rep->lost)
		note(r, "%" PRIu64 " blocks are missing", rep->lost);
	if (!rep->clean_end)
		note(r, "there is no footer: the recording still runs, or did not end by itself");
	rep->complete = rep->clean_end && rep->header_ok && !rep->cut && !rep->damaged &&
			!rep->lost && !rep->duplicated && !rep->reordered && !rep->foreign &&
			!rep->skipped;
}

static void meet_footer(struct dn_reader *r, struct dn_block *b)
{
	struct dn_footer f;

	if (read_footer(b, &f)) {
		r->rep.damaged++;
		note(r, "the footer at byte %" PRIu64 " makes no sense", b->offset);
		return;
	}
	r->rep.clean_end = true;
	if (memcmp(f.file.uuid, r->file.uuid, DN_UUID_LEN)) {
		r->rep.damaged++;
		note(r, "the footer is that of another trace");
		r->rep.clean_end = false;
	} else if (!r->rep.header_ok) {
		/* Times given out so far stand on the origin that was found. */
		f.file.boot_ns = r->file.boot_ns;
		take_file_header(r, &f.file);
	}
	dn_footer_free(&f);
}

/* Whether a whole block is one to hand on. 1, 0 to leave it out, -ENOMEM. */
static int admit(struct dn_reader *r, struct dn_block *b)
{
	const struct dn_block_header *h = &b->header;
	struct dn_read_report *rep = &r->rep;
	int seq;

	if (memcmp(h->uuid, r->file.uuid, DN_UUID_LEN)) {
		rep->foreign++;
		note(r, "the block at byte %" PRIu64 " belongs to another trace", b->offset);
		return 0;
	}
	if (h->seq >= DN_FILE_BLOCKS_MAX)
		seq = -E2BIG;
	else
		seq = dn_seqset_add(&r->seen, h->seq, h->least_start, h->last_end);
	switch (seq) {
	case DN_SEQ_NEXT:
		break;
	case DN_SEQ_EARLIER:
		rep->reordered++;
		note(r, "block %" PRIu64 " stands after a later one, at byte %" PRIu64, h->seq, b->offset);
		break;
	case DN_SEQ_AGAIN:
		rep->duplicated++;
		note(r, "block %" PRIu64 " is there again at byte %" PRIu64, h->seq, b->offset);
		return 0;
	case -E2BIG:
		rep->damaged++;
		note(r, "the block at byte %" PRIu64 " has the absurd number %" PRIu64, b->offset, h->seq);
		return 0;
	default:
		return seq;
	}
	switch (h->kind) {
	case DN_BLOCK_EVENTS:
	case DN_BLOCK_KEYFRAME:
		return 1;
	case DN_BLOCK_FOOTER:
		meet_footer(r, b);
		return 0;
	case DN_BLOCK_SCHEMA:
		return 0;
	default:
		rep->unknown++;
		return 0;
	}
}

/* The next block to hand on, still as stored. The lock is held. */
static int fetch(struct dn_reader *r, struct dn_block *b)
{
	while (!r->err && !r->done) {
		struct dn_chain_gap gap;
		int ret = dn_chain_next(&r->chain, b, &gap);

		if (ret >= 0)
			note_gap(r, &gap);
		if (ret > 0)
			ret = admit(r, b);
		else if (!ret)
			finish(r);
		if (ret < 0)
			r->err = ret;
		if (ret > 0) {
			r->rep.blocks++;
			return 1;
		}
	}
	return r->err;
}

int dn_reader_next(struct dn_reader *r, struct dn_block *b)
{
	for (;;) {
		const char *why = "";
		int ret;

		pthread_mutex_lock(&r->lock);
		ret = fetch(r, b);
		pthread_mutex_unlock(&r->lock);
		if (ret <= 0)
			return ret;
		ret = unpack(b, &why);
		if (!ret)
			return 1;
		if (ret != -EBADMSG)
			return ret;
		dn_reader_damaged(r, b, why);
	}
}

void dn_reader_damaged(struct dn_reader *r, const struct dn_block *b, const char *why)
{
	pthread_mutex_lock(&r->lock);
	r->rep.damaged++;
	r->rep.complete = false;
	note(r, "block %" PRIu64 " at byte %" PRIu64 " is damaged inside: %s", b->header.seq,
	     b->offset, why);
	pthread_mutex_unlock(&r->lock);
}

/* --- jumping ------------------------------------------------------------- */

static bool has_events(unsigned kind)
{
	return kind == DN_BLOCK_EVENTS || kind == DN_BLOCK_KEYFRAME;
}

/* The index of a whole footer, its other kinds of blocks left out. */
static int index_of_footer(struct dn_reader *r)
{
	struct dn_block b = { 0 };
	struct dn_footer f = { 0 };
	size_t n = 0;
	int ret = dn_chain_footer(r->src, &b);

	if (ret <= 0)
		goto out;
	if (read_footer(&b, &f) || memcmp(f.file.uuid, r->file.uuid, DN_UUID_LEN)) {
		ret = 0;
		goto out;
	}
	for (uint32_t i = 0; i < f.nblocks; i++)
		if (has_events(f.block[i].kind))
			f.block[n++] = f.block[i];
	r->index = f.block;
	r->nindex = n;
	f.block = NULL;
out:
	dn_footer_free(&f);
	dn_block_release(&b);
	return ret;
}

static int index_by_reading(struct dn_reader *r)
{
	struct dn_reader sub = { .src = r->src, .chain = { .src = r->src }, .file = r->file,
				 .have_uuid = r->have_uuid, .have_origin = r->have_origin };
	struct dn_block b = { 0 };
	size_t cap = 0;
	int ret;

	sub.chain.pos = r->rep.header_ok ? DN_FILE_HEADER_LEN : 0;
	while ((ret = fetch(&sub, &b)) > 0) {
		if (r->nindex == cap) {
			void *p;

			cap = cap ? cap * 2 : 64;
			p = realloc(r->index, cap * sizeof(*r->index));
			if (!p) {
				ret = -ENOMEM;
				break;
			}
			r->index = p;
		}
		r->index[r->nindex++] = (struct dn_index_entry){
			.offset = b.offset, .kind = b.header.kind, .rows = b.header.rows,
			.first_end = b.header.first_end, .last_end = b.header.last_end,
			.least_start = b.header.least_start };
	}
	for (size_t i = 0; i < sub.rep.nnotes; i++)
		free(sub.rep.note[i]);
	free(sub.rep.gap);
	dn_seqset_free(&sub.seen);
	dn_block_release(&b);
	return ret;
}

int dn_reader_index(struct dn_reader *r, const struct dn_index_entry **e, size_t *n)
{
	int ret = 1;

	if (!dn_source_seekable(r->src))
		return -ESPIPE;
	pthread_mutex_lock(&r->lock);
	if (!r->index)
		ret = index_of_footer(r);
	if (!ret)
		ret = index_by_reading(r);
	pthread_mutex_unlock(&r->lock);
	*e = r->index;
	*n = r->nindex;
	return ret < 0 ? ret : 0;
}

int dn_reader_at(struct dn_reader *r, const struct dn_index_entry *e, struct dn_block *b)
{
	const char *why;
	int ret;

	pthread_mutex_lock(&r->lock);
	ret = dn_chain_at(r->src, e->offset, b, NULL, NULL);
	pthread_mutex_unlock(&r->lock);
	if (ret < 0)
		return ret;
	if (!ret || !has_events(b->header.kind) ||
	    memcmp(b->header.uuid, r->file.uuid, DN_UUID_LEN))
		return -EBADMSG;
	return unpack(b, &why);
}

/* --- the rest ------------------------------------------------------------ */

const struct dn_file_header *dn_reader_header(const struct dn_reader *r)
{
	return &r->file;
}

uint64_t dn_reader_origin(const struct dn_reader *r)
{
	return r->file.boot_ns;
}

uint64_t dn_reader_position(struct dn_reader *r)
{
	uint64_t pos;

	pthread_mutex_lock(&r->lock);
	pos = r->chain.pos;
	pthread_mutex_unlock(&r->lock);
	return pos;
}

const struct dn_read_report *dn_reader_report(struct dn_reader *r)
{
	return &r->rep;
}

void dn_block_release(struct dn_block *b)
{
	free(b->stored);
	free(b->raw);
	ZSTD_freeDCtx(b->zstd);
	b->stored = b->raw = NULL;
	b->stored_cap = b->raw_cap = 0;
	b->zstd = NULL;
}

void dn_reader_close(struct dn_reader *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->rep.nnotes; i++)
		free(r->rep.note[i]);
	free(r->rep.gap);
	free(r->index);
	dn_seqset_free(&r->seen);
	pthread_mutex_destroy(&r->lock);
	free(r);
}
