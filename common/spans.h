/*
 * spans.h - ranges that may overlap, made into pieces that do not: which range
 * answers for an address.
 *
 * Of the ranges over an address the one with the highest rank answers. The result is
 * an array sorted by address, in which a piece reaches to the next one.
 */
#ifndef DN_COMMON_SPANS_H
#define DN_COMMON_SPANS_H

#include <stddef.h>
#include <stdint.h>

#define DN_SPAN_NONE UINT32_MAX	/* nothing is here */

struct dn_span {
	uint64_t start;
	uint64_t end;		/* the first address behind it; an empty range is left out */
	uint32_t rank;		/* no two the same; also what the answer is; not DN_SPAN_NONE */
};

struct dn_piece {
	uint64_t start;
	uint32_t rank;
};

/*
 * span is put in order of start. *piece is malloced and the caller's, *n their
 * number: at most 2 * count + 1. 0 or -ENOMEM.
 */
int dn_spans_flatten(struct dn_span *span, size_t count, struct dn_piece **piece, size_t *n);

/* The rank of the range that answers for at, or DN_SPAN_NONE. */
uint32_t dn_pieces_find(const struct dn_piece *piece, size_t n, uint64_t at);

/* The same, and the piece that it was found in: from *from to before *to. */
uint32_t dn_pieces_around(const struct dn_piece *piece, size_t n, uint64_t at, uint64_t *from, uint64_t *to);

#endif
