/*
 * collect.h - a sink that keeps copies of the rows it is given, for tests.
 */
#ifndef DN_TESTS_COLLECT_H
#define DN_TESTS_COLLECT_H

#include <stdlib.h>
#include <string.h>

#include "events.h"
#include "record.h"

struct collected {
	unsigned event, n;
	struct dn_value v[DN_FIELDS_MAX];	/* strings: copies, ended by a NUL */
};

struct collect {
	struct dn_sink sink;
	struct collected *row;
	size_t n, cap;
	size_t fail_at;		/* this row and all later ones are refused with -ENOSPC; 0: none */
};

static inline int collect_row(void *ctx, const struct dn_row *r)
{
	struct collect *c = ctx;
	struct collected *to;

	if (c->fail_at && c->n + 1 >= c->fail_at)
		return -28;
	if (c->n == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 64;
		c->row = realloc(c->row, c->cap * sizeof(*c->row));
		if (!c->row)
			abort();
	}
	to = &c->row[c->n++];
	to->event = r->event;
	to->n = r->nfields;
	for (unsigned i = 0; i < r->nfields; i++) {
		to->v[i] = r->v[i];
		if (r->v[i].p) {
			char *p = malloc((size_t)r->v[i].len + 1);

			if (!p)
				abort();
			memcpy(p, r->v[i].p, r->v[i].len);
			p[r->v[i].len] = '\0';
			to->v[i].p = p;
		}
	}
	return 0;
}

static inline void collect_init(struct collect *c)
{
	memset(c, 0, sizeof(*c));
	c->sink.row = collect_row;
	c->sink.ctx = c;
}

static inline void collect_clear(struct collect *c)
{
	for (size_t i = 0; i < c->n; i++)
		for (unsigned f = 0; f < c->row[i].n; f++)
			free((void *)(uintptr_t)c->row[i].v[f].p);
	c->n = 0;
}

static inline void collect_free(struct collect *c)
{
	collect_clear(c);
	free(c->row);
}

/* The nth row of an event, or NULL. */
static inline const struct collected *collect_find(const struct collect *c, unsigned event,
						   unsigned nth)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->row[i].event == event && !nth--)
			return &c->row[i];
	return NULL;
}

static inline unsigned collect_count(const struct collect *c, unsigned event)
{
	unsigned n = 0;

	for (size_t i = 0; i < c->n; i++)
		n += c->row[i].event == event;
	return n;
}

#endif
