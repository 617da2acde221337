/*
 * rate.c - time buckets that double in width as the trace goes on.
 */
#include "rate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int dn_rate_init(struct dn_rate *r)
{
	memset(r, 0, sizeof(*r));
	r->width = DN_RATE_WIDTH;
	r->cell = calloc(DN_RATE_BUCKETS, sizeof(*r->cell));
	return r->cell ? 0 : -ENOMEM;
}

void dn_rate_free(struct dn_rate *r)
{
	free(r->cell);
	memset(r, 0, sizeof(*r));
}

static void cell_add(struct dn_rate_cell *c, const struct dn_rate_cell *d)
{
	c->count += d->count;
	c->errors += d->errors;
	c->total += d->total;
}

static void widen(struct dn_rate *r)
{
	for (uint32_t i = 0; i < r->used; i++) {
		for (unsigned k = 0; k < DN_CATEGORY_MAX; k++) {
			struct dn_rate_cell c = r->cell[i][k];

			memset(&r->cell[i][k], 0, sizeof(c));
			cell_add(&r->cell[i / 2][k], &c);
		}
	}
	r->used = (r->used + 1) / 2;
	r->width *= 2;
	r->low = r->high = 0;
}

void dn_rate_seek(struct dn_rate *r, uint64_t t)
{
	uint64_t i;

	while (t / r->width >= DN_RATE_BUCKETS)
		widen(r);
	i = t / r->width;
	r->low = i * r->width;
	/* The last bucket of all 64 bits has no end to be counted. */
	r->high = r->low > UINT64_MAX - r->width ? UINT64_MAX : r->low + r->width;
	r->at = r->cell[i];
	if (i >= r->used)
		r->used = (uint32_t)i + 1;
}

void dn_rate_merge(struct dn_rate *r, struct dn_rate *src)
{
	while (src->width < r->width)
		widen(src);
	while (r->width < src->width)
		widen(r);
	for (uint32_t i = 0; i < src->used; i++)
		for (unsigned k = 0; k < DN_CATEGORY_MAX; k++)
			cell_add(&r->cell[i][k], &src->cell[i][k]);
	if (src->used > r->used)
		r->used = src->used;
}
