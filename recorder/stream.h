/*
 * stream.h - ring records to the records of the trace.
 *
 * Joins each system call with its strings, which were sent before it, maybe
 * through the ring of another CPU; redacts; keeps the tree; hands on.
 *
 * Belongs to the consumer thread; after that has ended, to the main thread.
 */
#ifndef DN_RECORDER_STREAM_H
#define DN_RECORDER_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "record.h"
#include "ring_event.h"

struct dn_stacks;
struct dn_stream;
struct dn_tree;

struct dn_stream_opts {
	bool redact;
	const struct dn_sink *sink;	/* where records go */
	struct dn_tree *tree;
	struct dn_stacks *stacks;	/* NULL: there are none; else it stays the caller's */
	uint64_t sample_period_ns, sample_cycles;	/* what a sample stands for; 0: for the other */
	uint64_t offcpu_min;		/* ns: shorter times off a CPU are added up */
	uint32_t perf;			/* performance counters that count: a bit for each enum dn_perf */
	/* Called for each call too, for -c; may be NULL. */
	void (*also)(void *ctx, const struct dn_syscall *s);
	void *also_ctx;
};

struct dn_stream *dn_stream_new(const struct dn_stream_opts *o);	/* NULL with errno */
void dn_stream_free(struct dn_stream *s);

/* One ring record; ctx is the stream. The shape that dn_ring_drain wants. 0 or
 * a negative errno of the sink. */
int dn_stream_record(void *ctx, const void *record, uint32_t len);

/* All rings were marked, and are drained up to there next. */
void dn_stream_marked(struct dn_stream *s);

/*
 * After every ring was drained to a mark taken before: a call whose strings
 * are still missing now, though they were sent before it, and one pass has
 * gone by, goes on without them.
 */
int dn_stream_pass(struct dn_stream *s);

/* A thread that lives at the end. Its call in flight goes on as unfinished
 * with dn_stream_finish, unless its return still arrives. observed: switches later than that were not seen. */
int dn_stream_living(void *ctx, const struct dn_iter_thread *t);
int dn_stream_finish(struct dn_stream *s, uint64_t now, uint64_t observed);

/* The short times off the CPU of a thread that lives at the end. */
int dn_stream_short(void *ctx, const struct dn_ring_short *r);

/* What performance counters counted for a thread. */
int dn_stream_perf(void *ctx, const struct dn_ring_perf *r);

struct dn_stream_stats {
	uint64_t calls;		/* handed on */
	uint64_t unfinished;	/* of these */
	uint64_t strings_orphaned, strings_missing;
	uint64_t redacted;
	uint64_t stacks_missing;	/* records that go without theirs */
	uint64_t starts;	/* threads that were announced */
	uint64_t bytes;		/* of ring records */
	bool wrote_terminal;	/* fd 1 or 2 was written to since the last look */
};

/* Clears wrote_terminal. */
void dn_stream_stats(struct dn_stream *s, struct dn_stream_stats *st);

#endif
