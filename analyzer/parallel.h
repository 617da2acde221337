/*
 * parallel.h - a trace decoded by several threads into one rollup.
 *
 * Each worker takes the next block from the reader, decodes it and counts its
 * calls in a rollup of its own; rows of other events go to the database, one
 * worker at a time. What comes out is the same for any number of workers.
 */
#ifndef DN_ANALYZER_PARALLEL_H
#define DN_ANALYZER_PARALLEL_H

#include <stdbool.h>
#include <stdint.h>

struct dn_db;
struct dn_reader;
struct dn_rollup;

struct dn_parallel {
	struct dn_reader *reader;
	struct dn_db *db;	/* with an open trace */
	unsigned workers;	/* at least 1 */
	/* Called now and then by the first worker; NULL: nobody looks. */
	void (*progress)(void *ctx, uint64_t calls);
	void *ctx;
	/* What came of it. */
	struct dn_rollup *rollup;	/* the caller frees it */
	uint64_t last;		/* boot clock at the end of the last event; 0: none */
	uint64_t rows_skipped;	/* of kinds this version does not know */
};

/* Reads to the end. 0 or a negative errno (-EIO, -ENOSPC: of the database). */
int dn_parallel_run(struct dn_parallel *p);

#endif
