/*
 * reader.h - the blocks of a trace, whatever state the file is in.
 *
 * Walks the chain of blocks from the file header on. A block is handed on only
 * when its checksum holds, its UUID is the file's and its sequence number was
 * not there before. Where the chain breaks, the reader looks for the next
 * block marker and goes on; what it had to leave out stands in the report.
 * A trace that is cut off, or still being written, gives all its whole blocks.
 *
 * Several threads may call dn_reader_next() on one reader, each with a struct
 * dn_block of its own: fetching and checking is under a lock, decompression is
 * not. Blocks are handed on in the order of the file.
 */
#ifndef DN_ANALYZER_READER_H
#define DN_ANALYZER_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "block.h"

struct dn_source;
struct dn_reader;

/* One block; zero it before the first use, dn_block_release() after the last. */
struct dn_block {
	struct dn_block_header header;
	uint64_t offset;		/* of its header in the file */
	const uint8_t *payload;		/* decompressed; lives until the next call with this block */
	size_t len;
	/* Buffers of the reader, kept from call to call. */
	uint8_t *stored, *raw;
	size_t stored_cap, raw_cap;
	void *zstd;
};

void dn_block_release(struct dn_block *b);

/* Blocks that are missing: count from seq on, between these times (boot clock,
 * ns; 0: the file does not say). */
struct dn_read_gap {
	uint64_t seq, count;
	uint64_t after, before;
};

#define DN_READ_GAPS_MAX 1024	/* more are counted in `lost` only */
#define DN_READ_NOTES_MAX 32

struct dn_read_report {
	bool complete;		/* nothing is missing and nothing was odd: every block, and the footer */
	bool clean_end;		/* the footer is there: the recorder closed the file */
	bool header_ok;		/* the file header is whole */
	bool cut;		/* the file ends in the middle of a block */
	uint64_t bytes;		/* of the file */
	uint64_t blocks;	/* of events, handed on */
	uint64_t damaged;	/* places where a block should be and a broken one, or none, is */
	uint64_t lost;		/* sequence numbers that never came, up to the highest seen */
	uint64_t duplicated;	/* blocks whose sequence number was there before: left out */
	uint64_t reordered;	/* blocks that stand after a later one: used */
	uint64_t foreign;	/* blocks of another trace: left out */
	uint64_t unknown;	/* whole blocks of a kind this version does not know */
	uint64_t skipped;	/* bytes between blocks that were passed over */
	size_t ngaps;
	struct dn_read_gap *gap;
	size_t nnotes;		/* sentences for a person, each with its place in the file */
	char *note[DN_READ_NOTES_MAX];
};

/*
 * Begins to read. The source stays the caller's and outlives the reader.
 * 0, or a negative errno with a sentence in err (errlen bytes):
 *   -ENODATA  nothing in it
 *   -EBADMSG  not a trace: neither a file header nor any whole block
 *   -EPROTONOSUPPORT  a trace of another major version
 *   others    from reading, or -ENOMEM
 */
int dn_reader_open(struct dn_source *src, struct dn_reader **out, char *err, size_t errlen);

/*
 * The next block of events (kinds EVENTS and KEYFRAME), decompressed.
 * 1, 0 at the end, or a negative errno (reading failed, -ENOMEM): for every
 * caller then. Damage is not an error; it is in the report.
 */
int dn_reader_next(struct dn_reader *r, struct dn_block *b);

/* Tells the reader that a payload did not decode although its checksum held. */
void dn_reader_damaged(struct dn_reader *r, const struct dn_block *b, const char *why);

/* The file header, as far as it is known (a damaged one: from the footer, else
 * the UUID from the blocks and boot_ns from the first block with times). It
 * grows when a pipe comes to its footer; UUID and boot_ns never change. */
const struct dn_file_header *dn_reader_header(const struct dn_reader *r);

/* Time 0 of everything that is reported: boot_ns of the header. */
uint64_t dn_reader_origin(const struct dn_reader *r);

/* Bytes passed so far, for a progress line; of dn_source_size(). Any thread. */
uint64_t dn_reader_position(struct dn_reader *r);

/*
 * For those that jump: one entry for every usable block of events, in file
 * order. From the footer where it is whole, else by reading the file through
 * once. Only for a seekable source (-ESPIPE). The array is the reader's.
 * An entry's times are zero where the block has no times.
 */
int dn_reader_index(struct dn_reader *r, const struct dn_index_entry **e, size_t *n);

/* Reads the block at an index entry: 0, or -EBADMSG (damaged since). Does not
 * move dn_reader_next() nor count in the report. Any thread. */
int dn_reader_at(struct dn_reader *r, const struct dn_index_entry *e, struct dn_block *b);

/* What reading came to. Final once dn_reader_next() has returned 0; read it
 * from one thread then. Owned by the reader. */
const struct dn_read_report *dn_reader_report(struct dn_reader *r);

void dn_reader_close(struct dn_reader *r);

#endif
