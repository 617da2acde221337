/*
 * timeline.h - the records of a trace in the order in which they began.
 *
 * A trace holds records in ring order: by their end, and unordered across
 * rings; an hour-long call stands an hour behind its place. The timeline puts
 * them in order by start time with bounded memory and without a temporary
 * file: a block is decoded when the order has come to its least start, gives
 * the rows that are near, and waits with the key of its next one. When the
 * rows that were taken out weigh too much, those of the block that is furthest
 * ahead are thrown away and decoded again later.
 *
 * Order: start time, then block, then place in the block.
 */
#ifndef DN_ANALYZER_TIMELINE_H
#define DN_ANALYZER_TIMELINE_H

#include "record.h"
#include "text.h"

struct dn_reader;

/* Place of a record in the order. */
struct dn_moment {
	uint64_t start;		/* boot clock */
	uint32_t block;		/* in the reader's index */
	uint32_t row;		/* in the block, of those that are asked for */
};

struct dn_timeline {
	struct dn_reader *reader;	/* seekable */
	uint64_t events;	/* bit i: records of event id i; a row's time is its first field */
	uint64_t from, to;	/* boot clock, inclusive; 0 and UINT64_MAX: all */
	int64_t tail;		/* only the last so many that are wanted; -1: all */
	size_t memory;		/* bytes of lines held at once; 0: a default */

	/* Whether a record is wanted; cheap, and asked more than once. */
	bool (*want_call)(void *ctx, const struct dn_syscall *s);
	bool (*want_row)(void *ctx, const struct dn_row *r);
	/* The line of a wanted record, added to an empty text. 0 or a negative errno. */
	int (*call)(void *ctx, const struct dn_syscall *s, struct dn_text *line);
	int (*row)(void *ctx, const struct dn_row *r, struct dn_text *line);
	/* A line in its turn. Not 0 ends the timeline with that value. */
	int (*emit)(void *ctx, const char *p, size_t len);
	void *ctx;
};

#define DN_TIMELINE_TAIL_MAX 10000000

/*
 * Runs it. *damaged counts the blocks that did not decode to their end. 0, a
 * negative errno, or what a function returned.
 */
int dn_timeline_run(const struct dn_timeline *t, uint64_t *damaged);

#endif
