/*
 * hist.c - sparse histograms: growing, merging, reading in order.
 */
#include "hist.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint64_t *find(const struct dn_hist *h, unsigned bucket)
{
	uint32_t i = bucket & (h->cap - 1);

	while (h->slot[i] && h->slot[i] >> 48 != bucket)
		i = (i + 1) & (h->cap - 1);
	return &h->slot[i];
}

static int grow(struct dn_hist *h)
{
	struct dn_hist n = { .used = h->used, .cap = h->cap ? h->cap * 2 : 4 };

	n.slot = calloc(n.cap, sizeof(*n.slot));
	if (!n.slot)
		return -ENOMEM;
	for (uint32_t i = 0; i < h->cap; i++)
		if (h->slot[i])
			*find(&n, (unsigned)(h->slot[i] >> 48)) = h->slot[i];
	free(h->slot);
	*h = n;
	return 0;
}

int dn_hist_put(struct dn_hist *h, unsigned bucket, uint64_t n)
{
	uint64_t *s, have;

	if (!n)
		return 0;
	if (n > DN_HIST_COUNT_MAX)
		n = DN_HIST_COUNT_MAX;
	s = h->cap ? find(h, bucket) : NULL;
	if (s && *s) {
		have = *s & DN_HIST_COUNT_MAX;
		*s += n < DN_HIST_COUNT_MAX - have ? n : DN_HIST_COUNT_MAX - have;
		return 0;
	}
	if ((h->used + 1) * 4 > h->cap * 3) {
		if (grow(h))
			return -ENOMEM;
		s = find(h, bucket);
	}
	*s = (uint64_t)bucket << 48 | n;
	h->used++;
	return 1;
}

int dn_hist_merge(struct dn_hist *h, const struct dn_hist *src)
{
	int fresh = 0;

	for (uint32_t i = 0; i < src->cap; i++) {
		int ret = dn_hist_put(h, (unsigned)(src->slot[i] >> 48),
				      src->slot[i] & DN_HIST_COUNT_MAX);

		if (ret < 0)
			return ret;
		fresh += ret;
	}
	return fresh;
}

uint64_t dn_hist_total(const struct dn_hist *h)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < h->cap; i++)
		n += h->slot[i] & DN_HIST_COUNT_MAX;
	return n;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

int dn_hist_each(const struct dn_hist *h, int (*f)(void *ctx, unsigned bucket, uint64_t n),
		 void *ctx)
{
	uint64_t sorted[DN_HIST_BUCKETS];
	unsigned n = 0;
	int ret = 0;

	for (uint32_t i = 0; i < h->cap && n < DN_HIST_BUCKETS; i++)
		if (h->slot[i])
			sorted[n++] = h->slot[i];
	qsort(sorted, n, sizeof(*sorted), compare);	/* the bucket is on top */
	for (unsigned i = 0; i < n && !ret; i++)
		ret = f(ctx, (unsigned)(sorted[i] >> 48), sorted[i] & DN_HIST_COUNT_MAX);
	return ret;
}

struct quantile {
	uint64_t rank, seen, value;
};

static int reach(void *ctx, unsigned bucket, uint64_t n)
{
	struct quantile *q = ctx;

	q->seen += n;
	q->value = dn_hist_value(bucket);
	return q->seen >= q->rank;
}

uint64_t dn_hist_quantile(const struct dn_hist *h, uint64_t num, uint64_t den)
{
	uint64_t total = dn_hist_total(h);
	struct quantile q = { 0 };

	/* the least rank with rank * den >= total * num */
	q.rank = total / den * num + (total % den * num + den - 1) / den;
	dn_hist_each(h, reach, &q);
	return q.value;
}

void dn_hist_free(struct dn_hist *h)
{
	free(h->slot);
	memset(h, 0, sizeof(*h));
}
