/*
 * chain.h - one whole block after the other, over damage.
 *
 * The lowest step of reading: knows block markers and checksums, nothing of
 * what is in a block nor whose it is. reader.c decides that.
 *
 * When what stands at the place of a block is no whole block, the chain goes
 * to the next marker that begins one. The work for that is bounded: a file
 * made of false markers costs a constant factor over reading it.
 */
#ifndef DN_ANALYZER_CHAIN_H
#define DN_ANALYZER_CHAIN_H

#include "reader.h"

struct dn_chain {
	struct dn_source *src;
	uint64_t pos;		/* of the next byte to look at */
	uint64_t wasted;	/* bytes of blocks that did not verify */
};

/* What was passed over before the block that was found, or before the end. */
struct dn_chain_gap {
	uint64_t at, bytes;	/* bytes 0: nothing */
	bool cut;		/* at the end: a block that began there is not all there */
	bool other_trace;	/* what was passed over is the file header of a trace */
	int err;		/* reading failed there: a negative errno, and the end */
};

/*
 * Finds the next whole block: 1, its header and place in b, its stored payload
 * in b->stored. 0 at the end. -ENOMEM. *gap is set each time.
 */
int dn_chain_next(struct dn_chain *c, struct dn_block *b, struct dn_chain_gap *gap);

/* The same, but gives up with 0 once the search has passed `limit`. */
int dn_chain_find(struct dn_chain *c, struct dn_block *b, struct dn_chain_gap *gap,
		  uint64_t limit);

/* The block at off, if it is whole: 1; 0 if not; -ENOMEM or what reading gave.
 * *end (may be NULL): where it ends by its header, 0 without a valid header;
 * *there: bytes of it that there are. */
int dn_chain_at(struct dn_source *src, uint64_t off, struct dn_block *b, uint64_t *end,
		uint64_t *there);

/* The last block of a seekable source, if it is a whole footer: 1, 0, -errno. */
int dn_chain_footer(struct dn_source *src, struct dn_block *b);

#endif
