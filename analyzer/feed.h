/*
 * feed.h - the records of one kind, pulled out of a trace a chunk at a time.
 *
 * The decoder pushes records into a sink; a cursor of SQLite wants to pull
 * them. A feed is the joint: a thread of its own reads, decompresses and
 * decodes ahead into a ring of a few chunks and waits when they are full.
 * Memory is that ring and one block, whatever the size of the trace.
 *
 * Blocks come in the order of the file, rows in the order of their block. A
 * block that does not decode gives the rows before the damage and is counted.
 *
 * One thread calls the functions of one feed; any number of feeds may share a
 * reader. The reader must be seekable (dn_reader_index) and outlive the feed.
 */
#ifndef DN_ANALYZER_FEED_H
#define DN_ANALYZER_FEED_H

#include "record.h"

struct dn_reader;
struct dn_feed;

struct dn_feed_spec {
	struct dn_reader *reader;
	unsigned event;		/* enum dn_event: the kind that is wanted */
	bool strings;		/* calls: their strings too. STR fields always come */
	/* Boot clock, inclusive: rows whose first TIME (calls: start) lies
	 * outside may be left out. 0 and UINT64_MAX: all. */
	uint64_t from, to;
	/* Calls: which ones to keep; NULL: all. Called on the feed's thread;
	 * ctx must not change while the feed lives. */
	bool (*keep)(const void *ctx, const struct dn_syscall *s);
	const void *ctx;
};

/* A call without the room that most calls do not need. */
struct dn_feed_call {
	uint64_t start, dur;
	int64_t ret;
	uint64_t args[DN_CALL_ARGS];
	const struct dn_call_str *str;	/* nstr of them */
	uint32_t thread, seq, nr, flags;
	uint32_t row;			/* place among the calls of its block */
	uint16_t cpu;
	uint8_t abi, nargs, nstr;
};

/* What is known of a call; the rest is NULL in every table. */
static inline bool dn_feed_has_start(const struct dn_feed_call *c)
{
	return !(c->flags & DN_CALL_NO_ENTER);
}

static inline bool dn_feed_has_dur(const struct dn_feed_call *c)
{
	return !(c->flags & (DN_CALL_NO_ENTER | DN_CALL_UNFINISHED));
}

static inline bool dn_feed_has_ret(const struct dn_feed_call *c)
{
	return !(c->flags & DN_CALL_UNFINISHED);
}

struct dn_feed_chunk {
	uint32_t rows;
	uint32_t block;			/* place in the reader's index */
	const struct dn_feed_call *call;	/* of event syscall, else NULL */
	const struct dn_value *value;	/* of the others: rows times nfields */
	uint32_t first_row;		/* of value: place of the first in its block */
	unsigned nfields;
};

/* 0 or a negative errno: of the index, -ENOMEM, -EAGAIN (no more threads). */
int dn_feed_open(const struct dn_feed_spec *spec, struct dn_feed **out);

/* The next chunk, valid until the next call. 1, 0 at the end, or a negative
 * errno after the rows before it were given. */
int dn_feed_next(struct dn_feed *f, const struct dn_feed_chunk **c);

/* Blocks so far that could not be read or decoded to their end. */
uint64_t dn_feed_damaged(struct dn_feed *f);

/* Stops the thread, wherever it is. NULL is accepted. */
void dn_feed_close(struct dn_feed *f);

#endif
