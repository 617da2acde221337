/*
 * writer.h - records to blocks to the file: encoder, compression, writing.
 *
 * Rows come from two threads (the consumer of the rings, the sampler) and are
 * collected under a lock in one open block. A full or old block goes through
 * a short queue to a thread of the writer's own that compresses and writes
 * it. With the queue full the caller waits: the rings fill, and the kernel
 * side counts what it drops; the target never waits.
 */
#ifndef DN_RECORDER_WRITER_H
#define DN_RECORDER_WRITER_H

#include <stdint.h>

#include "block.h"
#include "record.h"

struct dn_output;
struct dn_writer;

struct dn_writer_opts {
	int level;		/* zstd */
	int sync;		/* 1: to the disk after each block */
	struct dn_file_header header;
};

/* Writes the file header and the schema block. The output stays the
 * caller's. NULL with errno. */
struct dn_writer *dn_writer_new(const struct dn_writer_opts *o, struct dn_output *out);

/* Puts rows into the open block. Any thread between lock and unlock. Records
 * that find no memory are counted, not an error. */
void dn_writer_lock(struct dn_writer *w);
void dn_writer_unlock(struct dn_writer *w);
const struct dn_sink *dn_writer_sink(struct dn_writer *w);	/* needs the lock */

/* A block is closed at this age, so that with the longest sleep of who closes
 * it no event waits a second. */
#define DN_BLOCK_AGE_NS 800000000u

/* Hands the open block to the queue if its first record came before now -
 * max_age_ns; 0: in any case. Not under the lock. */
void dn_writer_flush(struct dn_writer *w, uint64_t now, uint64_t max_age_ns);

/* Hands on what another encoder holds as a block of its own: a keyframe. Not
 * under the lock. 0 or -ENOMEM. */
struct dn_encoder;
int dn_writer_block(struct dn_writer *w, enum dn_block_kind kind, struct dn_encoder *e);

/* Hands the open block to the queue and waits until all of it is written. */
void dn_writer_drain(struct dn_writer *w);

struct dn_writer_stats {
	uint64_t rows;		/* taken, of all kinds */
	uint64_t calls;
	uint64_t bytes;		/* on disk */
	uint64_t errors;	/* blocks that could not be written */
	uint64_t calls_lost;	/* in those blocks, or for lack of memory */
	uint64_t rows_lost;
	int error;		/* errno of the first */
};

void dn_writer_stats(struct dn_writer *w, struct dn_writer_stats *st);

/* Writes what is open, the footer, and frees. The stats are final. */
void dn_writer_close(struct dn_writer *w, struct dn_writer_stats *st);

#endif
