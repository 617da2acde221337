/*
 * strstat.c - strings in an arena, rows in a vector, a hash table over each.
 *
 * Open addressing, at most half full; a slot holds an index + 1, so that the
 * vectors may move. The same path comes again and again within a block under
 * the same address (the block's string table), hence the small cache before
 * hashing the bytes.
 */
#include "strstat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "grow.h"

void dn_strstat_free(struct dn_strstat *s)
{
	free(s->arena);
	free(s->string);
	free(s->string_slot);
	free(s->row);
	free(s->row_slot);
	memset(s, 0, sizeof(*s));
}

void dn_strstat_new_block(struct dn_strstat *s)
{
	memset(s->cache, 0, sizeof(s->cache));
}

void dn_strstat_clear(struct dn_strstat *s)
{
	s->bytes = 0;
	s->nstrings = s->nrows = 0;
	if (s->string_slots)
		memset(s->string_slot, 0, s->string_slots * sizeof(*s->string_slot));
	if (s->row_slots)
		memset(s->row_slot, 0, s->row_slots * sizeof(*s->row_slot));
	dn_strstat_new_block(s);
}

#define STRING_WEIGHT (sizeof(struct dn_strstat_string) + 8)	/* and two slots or more */
#define ROW_WEIGHT (sizeof(struct dn_strstat_row) + 8)

bool dn_strstat_full(const struct dn_strstat *s, unsigned n, size_t len)
{
	return s->bytes + len + (s->nstrings + n) * STRING_WEIGHT + (s->nrows + n) * ROW_WEIGHT >
	       s->limit;
}

static uint64_t row_hash(const struct dn_strstat_row *k)
{
	uint64_t h = (uint64_t)k->string << 32 | k->nr;

	h ^= ((uint64_t)k->thread << 24 | (uint64_t)k->abi << 16 | (uint16_t)k->result) *
	     UINT64_C(0x9e3779b97f4a7c15);
	h *= UINT64_C(0xff51afd7ed558ccd);
	return h ^ h >> 32;
}

static int same_row(const struct dn_strstat_row *a, const struct dn_strstat_row *b)
{
	return a->string == b->string && a->nr == b->nr && a->thread == b->thread &&
	       a->abi == b->abi && a->result == b->result;
}

/* A table of twice the slots (or the first); the caller fills it. */
static uint32_t *more_slots(uint32_t **slot, uint32_t *slots)
{
	uint32_t n = *slots ? *slots * 2 : 256;
	uint32_t *p = calloc(n, sizeof(*p));

	if (!p)
		return NULL;
	free(*slot);
	*slot = p;
	*slots = n;
	return p;
}

static int grow_strings(struct dn_strstat *s)
{
	if (!more_slots(&s->string_slot, &s->string_slots))
		return -ENOMEM;
	for (uint32_t i = 0; i < s->nstrings; i++) {
		uint32_t j = (uint32_t)s->string[i].hash & (s->string_slots - 1);

		while (s->string_slot[j])
			j = (j + 1) & (s->string_slots - 1);
		s->string_slot[j] = i + 1;
	}
	return 0;
}

static int grow_rows(struct dn_strstat *s)
{
	if (!more_slots(&s->row_slot, &s->row_slots))
		return -ENOMEM;
	for (uint32_t i = 0; i < s->nrows; i++) {
		uint32_t j = (uint32_t)row_hash(&s->row[i]) & (s->row_slots - 1);

		while (s->row_slot[j])
			j = (j + 1) & (s->row_slots - 1);
		s->row_slot[j] = i + 1;
	}
	return 0;
}

static int add_bytes(struct dn_strstat *s, const char *p, uint32_t len)
{
	if (s->bytes + len > s->arena_cap) {
		size_t cap = s->arena_cap ? s->arena_cap * 2 : 4096;
		char *q;

		while (cap < s->bytes + len)
			cap *= 2;
		q = realloc(s->arena, cap);
		if (!q)
			return -ENOMEM;
		s->arena = q;
		s->arena_cap = cap;
	}
	if (len)
		memcpy(s->arena + s->bytes, p, len);
	s->bytes += len;
	return 0;
}

/* The index of a string, which is added where it is new. */
static int intern(struct dn_strstat *s, const char *p, uint32_t len, uint32_t *index)
{
	uint64_t hash = XXH3_64bits(p, len);
	uint32_t j;
	int err;

	if (s->nstrings * 2 >= s->string_slots && grow_strings(s))
		return -ENOMEM;
	j = (uint32_t)hash & (s->string_slots - 1);
	for (; s->string_slot[j]; j = (j + 1) & (s->string_slots - 1)) {
		const struct dn_strstat_string *t = &s->string[s->string_slot[j] - 1];

		if (t->hash == hash && t->len == len &&
		    (!len || !memcmp(s->arena + t->at, p, len))) {
			*index = s->string_slot[j] - 1;
			return 0;
		}
	}
	err = dn_grow(&s->string, &s->string_cap, s->nstrings + 1, sizeof(*s->string));
	if (err)
		return err;
	s->string[s->nstrings] = (struct dn_strstat_string){ hash, s->bytes, len };
	err = add_bytes(s, p, len);
	if (err)
		return err;
	*index = s->nstrings++;
	s->string_slot[j] = *index + 1;
	return 0;
}

int dn_strstat_add(struct dn_strstat *s, const char *p, uint32_t len,
		   const struct dn_strstat_row *k)
{
	struct dn_strstat_cache *c = &s->cache[((uintptr_t)p >> 2) & (DN_STRSTAT_CACHE - 1)];
	struct dn_strstat_row key = *k, *r;
	uint32_t j;
	int err;

	if (c->p == p && c->len == len && p) {
		key.string = c->string;
	} else {
		err = intern(s, p, len, &key.string);
		if (err)
			return err;
		*c = (struct dn_strstat_cache){ p, len, key.string };
	}
	if (s->nrows * 2 >= s->row_slots && grow_rows(s))
		return -ENOMEM;
	j = (uint32_t)row_hash(&key) & (s->row_slots - 1);
	for (; s->row_slot[j]; j = (j + 1) & (s->row_slots - 1)) {
		r = &s->row[s->row_slot[j] - 1];
		if (!same_row(r, &key))
			continue;
		r->count += key.count;
		r->total += key.total;
		if (key.first < r->first)
			r->first = key.first;
		if (key.last > r->last)
			r->last = key.last;
		return 0;
	}
	err = dn_grow(&s->row, &s->row_cap, s->nrows + 1, sizeof(*s->row));
	if (err)
		return err;
	s->row[s->nrows++] = key;
	s->row_slot[j] = s->nrows;
	return 0;
}
