/*
 * hist.h - histograms of durations: log-linear buckets, sparse, mergeable.
 *
 * Below 16 ns a bucket is one value; above, each power of two is cut into 16
 * equal parts, so that a bucket is at most 1/16 of its values wide and its
 * middle is off by 1/32 at most (the scheme of HdrHistogram). 976 buckets
 * reach over all 64 bits. Two histograms merge by adding buckets.
 *
 * The bucket's number stands in databases (raw_latency.bucket), and
 * schema/derive.sql repeats dn_hist_low() in SQL: never change the scheme.
 *
 * Most histograms hold a few buckets, so one is a small open hash table of
 * bucket and count in one word; it doubles when three quarters are full.
 */
#ifndef DN_ANALYZER_HIST_H
#define DN_ANALYZER_HIST_H

#include <stddef.h>
#include <stdint.h>

#define DN_HIST_BITS 4			/* 2^4 buckets to a power of two */
#define DN_HIST_BUCKETS 976

struct dn_hist {
	uint64_t *slot;		/* bucket << 48 | count; 0: free */
	uint32_t used;
	uint32_t cap;		/* 0 or a power of two */
};

static inline unsigned dn_hist_bucket(uint64_t v)
{
	unsigned e;

	if (v < 1u << DN_HIST_BITS)
		return (unsigned)v;
	e = 63 - (unsigned)__builtin_clzll(v) - DN_HIST_BITS;
	return (e << DN_HIST_BITS) + (unsigned)(v >> e);
}

/* Least value of a bucket. */
static inline uint64_t dn_hist_low(unsigned bucket)
{
	unsigned e = bucket >> DN_HIST_BITS;

	if (e < 2)
		return bucket;
	return ((uint64_t)(bucket & 15) | 16) << (e - 1);
}

/* The value that stands for a bucket: its middle. */
static inline uint64_t dn_hist_value(unsigned bucket)
{
	unsigned e = bucket >> DN_HIST_BITS;

	return e < 2 ? bucket : dn_hist_low(bucket) + ((UINT64_C(1) << (e - 1)) >> 1);
}

#define DN_HIST_COUNT_MAX ((UINT64_C(1) << 48) - 1)

/* Adds n to a bucket; the slow way of dn_hist_add(). 1 if the bucket is new,
 * else 0; -ENOMEM. */
int dn_hist_put(struct dn_hist *h, unsigned bucket, uint64_t n);

/* Counts one value. 1 if its bucket is new, else 0; -ENOMEM. */
static inline int dn_hist_add(struct dn_hist *h, uint64_t v)
{
	unsigned bucket = dn_hist_bucket(v);

	if (h->cap) {
		uint64_t *s = &h->slot[bucket & (h->cap - 1)];

		if (*s >> 48 == bucket && *s && (*s & DN_HIST_COUNT_MAX) < DN_HIST_COUNT_MAX) {
			++*s;
			return 0;
		}
	}
	return dn_hist_put(h, bucket, 1);
}

/* Adds all of src. The number of new buckets, or -ENOMEM. */
int dn_hist_merge(struct dn_hist *h, const struct dn_hist *src);

uint64_t dn_hist_total(const struct dn_hist *h);

/* The value below or at which num / den of the counts lie (nearest rank); 0
 * for an empty histogram. Tests hold SQL against it. */
uint64_t dn_hist_quantile(const struct dn_hist *h, uint64_t num, uint64_t den);

/* Calls f for each bucket in ascending order until it returns other than 0,
 * and returns that. */
int dn_hist_each(const struct dn_hist *h, int (*f)(void *ctx, unsigned bucket, uint64_t n),
		 void *ctx);

void dn_hist_free(struct dn_hist *h);

#endif
