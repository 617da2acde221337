/*
 * seqset.c - spans of sequence numbers, merged as they meet.
 */
#include "seqset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int insert(struct dn_seqset *s, size_t at, uint64_t seq, uint64_t from, uint64_t to)
{
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 8;
		struct dn_seqspan *p;

		if (cap > DN_SEQSPANS_MAX)
			return -E2BIG;
		p = realloc(s->span, cap * sizeof(*p));
		if (!p)
			return -ENOMEM;
		s->span = p;
		s->cap = cap;
	}
	memmove(&s->span[at + 1], &s->span[at], (s->n - at) * sizeof(*s->span));
	s->span[at] = (struct dn_seqspan){ seq, seq, from, to };
	s->n++;
	return 0;
}

int dn_seqset_add(struct dn_seqset *s, uint64_t seq, uint64_t from, uint64_t to)
{
	size_t lo = 0, hi = s->n;
	struct dn_seqspan *prev, *next;
	int ret = DN_SEQ_NEXT, err;

	if (s->n && seq > s->span[s->n - 1].last) {
		lo = s->n;	/* nearly always */
	} else {
		ret = DN_SEQ_EARLIER;
		while (lo < hi) {	/* the first span that begins after seq */
			size_t mid = lo + (hi - lo) / 2;

			if (s->span[mid].first > seq)
				hi = mid;
			else
				lo = mid + 1;
		}
	}
	prev = lo ? &s->span[lo - 1] : NULL;
	next = lo < s->n ? &s->span[lo] : NULL;
	if (prev && seq <= prev->last)
		return DN_SEQ_AGAIN;
	if (!s->n)
		ret = DN_SEQ_NEXT;
	if (prev && prev->last + 1 == seq) {
		prev->last = seq;
		if (to)
			prev->to = to;
		if (next && next->first == seq + 1) {
			prev->last = next->last;
			prev->to = next->to;
			memmove(next, next + 1, (s->n - lo - 1) * sizeof(*next));
			s->n--;
		}
		return ret;
	}
	if (next && next->first == seq + 1) {
		next->first = seq;
		if (from)
			next->from = from;
		return ret;
	}
	err = insert(s, lo, seq, from, to);
	return err ? err : ret;
}

uint64_t dn_seqset_missing(const struct dn_seqset *s)
{
	uint64_t expect = 0, missing = 0;

	for (size_t i = 0; i < s->n; i++) {
		missing += s->span[i].first - expect;
		expect = s->span[i].last + 1;
	}
	return missing;
}

void dn_seqset_free(struct dn_seqset *s)
{
	free(s->span);
	memset(s, 0, sizeof(*s));
}
