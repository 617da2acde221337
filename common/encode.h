/*
 * encode.h - records to the payload of one block. Twin: decode.h; the byte
 * layout is in columns.h and dnt(5).
 *
 * An encoder collects rows column by column until the caller takes the block;
 * then every delta base, string and table starts again, so that each block
 * decodes alone. One thread at a time. It grows its buffers as needed and
 * keeps them; when memory is short it returns -ENOMEM and the row is not in
 * the block, everything before it is.
 */
#ifndef DN_COMMON_ENCODE_H
#define DN_COMMON_ENCODE_H

#include "record.h"

struct dn_encoder;

/* NULL with errno. */
struct dn_encoder *dn_encoder_new(void);
void dn_encoder_free(struct dn_encoder *e);

/* The step of the clock that times come from, ns with 24 bits behind the point; below 1 ns: it
 * shows each ns, or is not known. Of the blocks that begin from here on. Times that do not follow it cost
 * more, and are the same. */
void dn_encoder_step(struct dn_encoder *e, uint64_t step);

/* Add one record. 0, -ENOMEM, -E2BIG (a string beyond DN_STRING_MAX), or
 * -ENOSPC: the block is full (rows or bytes), take it first. */
int dn_encoder_call(struct dn_encoder *e, const struct dn_syscall *s);
int dn_encoder_row(struct dn_encoder *e, const struct dn_row *r);

/* What the open block holds so far. */
uint32_t dn_encoder_rows(const struct dn_encoder *e);
size_t dn_encoder_bytes(const struct dn_encoder *e);	/* near the raw length */

#define DN_PARTS_MAX 256

/* Figures of a block for its header and index. */
struct dn_block_info {
	uint32_t rows;
	uint64_t first_end, last_end, least_start;
	uint32_t kind_rows[32];	/* by event id */
	uint32_t parts;		/* of the payload: each is best compressed by itself */
	uint32_t part[DN_PARTS_MAX];	/* where they end, but for the last */
};

/*
 * Lays the open block down as a payload and starts an empty one.
 * *buf / *cap is a malloc()ed buffer that is grown as needed and stays the
 * caller's. Returns its length, 0 where there are no rows, or -ENOMEM (the
 * block stays open).
 */
long dn_encoder_take(struct dn_encoder *e, uint8_t **buf, size_t *cap, struct dn_block_info *info);

/* Payload of the schema block (events.def as data). malloc()ed, NULL with errno. */
uint8_t *dn_schema_put(size_t *len);

#endif
