/*
 * rate.h - calls by time bucket and category.
 *
 * Buckets start at time 0 and are 1 ms wide at first; when the trace outgrows
 * DN_RATE_BUCKETS of them, neighbours are joined and the width doubles. A
 * wider table comes out the same as one that was wide from the beginning, so
 * tables of several threads merge into the same result in any order.
 */
#ifndef DN_ANALYZER_RATE_H
#define DN_ANALYZER_RATE_H

#include <stdint.h>

#include "categories.h"

#define DN_RATE_BUCKETS 2048
#define DN_RATE_WIDTH 1000000u	/* ns, at first */

struct dn_rate_cell {
	uint64_t count, errors, total;
};

struct dn_rate {
	uint64_t width;
	uint32_t used;			/* buckets from 0 on that may hold something */
	uint64_t low, high;		/* bounds in time of the bucket at hand */
	struct dn_rate_cell *at;	/* its cells */
	struct dn_rate_cell (*cell)[DN_CATEGORY_MAX];	/* DN_RATE_BUCKETS */
};

int dn_rate_init(struct dn_rate *r);
void dn_rate_free(struct dn_rate *r);

/* Moves to the bucket of a time (ns from time 0); the slow way of dn_rate_add(). */
void dn_rate_seek(struct dn_rate *r, uint64_t t);

static inline void dn_rate_add(struct dn_rate *r, uint64_t t, unsigned category, int error,
			       uint64_t dur)
{
	struct dn_rate_cell *c;

	if (t < r->low || t >= r->high)
		dn_rate_seek(r, t);
	c = &r->at[category];
	c->count++;
	c->errors += (unsigned)error;
	c->total += dur;
}

/* Adds all of src, which may grow wider. */
void dn_rate_merge(struct dn_rate *r, struct dn_rate *src);

#endif
