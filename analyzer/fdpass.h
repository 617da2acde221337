/*
 * fdpass.h - the pass over a trace that finds out what its descriptors were.
 *
 * The blocks are gone through in parts. Of each part several threads collect
 * the ops (fdcalls.h) and the calls that are about a descriptor; the ops before
 * the earliest end in all later blocks are then complete, and one thread takes
 * them through the tracker (fdtrack.h); calls that began before that time are
 * looked up and counted, by all threads again; the rest waits for the next
 * part. So memory does not grow with the trace, and what comes out does not
 * depend on the number of threads.
 */
#ifndef DN_ANALYZER_FDPASS_H
#define DN_ANALYZER_FDPASS_H

#include <stdbool.h>
#include <stdint.h>

#include "fdtrack.h"

struct dn_reader;

/* The calls of one thread about descriptors of one kind. */
struct dn_fd_count {
	uint32_t thread;
	uint32_t kind;
	uint64_t calls, errors;
	uint64_t total;		/* ns */
	uint64_t in, out;	/* bytes that came out of them, and went into them */
};

struct dn_fdpass {
	struct dn_reader *reader;	/* seekable */
	unsigned workers;
	uint64_t part_rows;	/* rows of a part; 0: as many as are good */
	/* Each span once, when it is over and no call looks for it any more; NULL:
	 * nobody wants them. On the caller's thread. */
	int (*span)(void *ctx, const struct dn_fd_span *s);
	void *ctx;
	/* What came of it. */
	struct dn_fd_count *count;	/* by thread and kind; the caller frees it */
	uint32_t ncounts;
	bool overflowed;	/* some were not tracked */
};

/* 0 or a negative errno. */
int dn_fdpass_run(struct dn_fdpass *p);

/* The tracker of a whole trace, for look-ups: settled, nothing forgotten. The
 * caller frees it. 0 or a negative errno. */
int dn_fdpass_learn(struct dn_reader *reader, unsigned workers, struct dn_fdtrack **out);

#endif
