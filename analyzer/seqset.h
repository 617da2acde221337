/*
 * seqset.h - which sequence numbers of blocks have been seen, as spans.
 *
 * A whole file is one span. Each span remembers the times at its edges, so
 * that the holes between spans can be given a time. One thread at a time.
 */
#ifndef DN_ANALYZER_SEQSET_H
#define DN_ANALYZER_SEQSET_H

#include <stddef.h>
#include <stdint.h>

struct dn_seqspan {
	uint64_t first, last;
	uint64_t from, to;	/* least time in the block `first`, last time in the block `last` */
};

struct dn_seqset {
	struct dn_seqspan *span;	/* in order, never touching */
	size_t n, cap;
};

enum dn_seq_add {
	DN_SEQ_NEXT,		/* after everything before it */
	DN_SEQ_EARLIER,		/* new, but a later one was there before */
	DN_SEQ_AGAIN,		/* was there before */
};

#define DN_SEQSPANS_MAX (1u << 18)

/* Adds seq with the times of its block (0: no times). enum dn_seq_add, -ENOMEM,
 * or -E2BIG: too scattered. */
int dn_seqset_add(struct dn_seqset *s, uint64_t seq, uint64_t from, uint64_t to);

/* Numbers missing below the highest. */
uint64_t dn_seqset_missing(const struct dn_seqset *s);

void dn_seqset_free(struct dn_seqset *s);

#endif
