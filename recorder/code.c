/*
 * code.c - what code lies in, in a vector by id and an open hash table over it.
 */
#include "code.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "grow.h"

#define CODES_MAX 65536

struct dn_codes {
	struct dn_code *code;		/* of id i + 1 */
	uint32_t n, cap;
	uint32_t *seat;			/* ids, 0: free */
	uint32_t seats;			/* a power of two, or 0 */
};

struct dn_codes *dn_codes_new(void)
{
	return calloc(1, sizeof(struct dn_codes));
}

void dn_codes_free(struct dn_codes *c)
{
	if (!c)
		return;
	for (uint32_t i = 0; i < c->n; i++)
		free((char *)c->code[i].path);
	free(c->code);
	free(c->seat);
	free(c);
}

/* A file is the same one whoever maps it. */
static uint32_t owner(const struct dn_code *k)
{
	return k->kind == DN_CODE_MEMORY ? k->pid : 0;
}

static bool same(const struct dn_code *a, const struct dn_code *b)
{
	return a->kind == b->kind && a->build_id.len == b->build_id.len && owner(a) == owner(b) &&
		a->since == b->since && a->dev == b->dev && a->inode == b->inode && a->generation == b->generation &&
		!memcmp(a->build_id.byte, b->build_id.byte, a->build_id.len) && !strcmp(a->path, b->path);
}

static uint32_t hash(const struct dn_code *k)
{
	const uint64_t seed = k->kind ^ k->inode << 8 ^ k->dev << 32 ^ (uint64_t)owner(k) << 16 ^ k->since ^ k->generation;

	return (uint32_t)XXH3_64bits_withSeed(k->path, strlen(k->path),
					      seed ^ XXH3_64bits(k->build_id.byte, k->build_id.len));
}

/* The seat of it, or the free one where it belongs. */
static uint32_t *seat_of(const struct dn_codes *c, const struct dn_code *k)
{
	uint32_t i = hash(k) & (c->seats - 1);

	while (c->seat[i] && !same(&c->code[c->seat[i] - 1], k))
		i = (i + 1) & (c->seats - 1);
	return &c->seat[i];
}

static int more_seats(struct dn_codes *c)
{
	struct dn_codes to = { .code = c->code, .seats = c->seats ? c->seats * 2 : 256 };

	to.seat = calloc(to.seats, sizeof(*to.seat));
	if (!to.seat)
		return -ENOMEM;
	for (uint32_t i = 0; i < c->n; i++)
		*seat_of(&to, &c->code[i]) = i + 1;
	free(c->seat);
	c->seat = to.seat;
	c->seats = to.seats;
	return 0;
}

uint32_t dn_codes_add(struct dn_codes *c, const struct dn_code *code)
{
	uint32_t *seat;
	char *path;

	if (c->n * 2 >= c->seats && more_seats(c))
		return 0;
	seat = seat_of(c, code);
	if (*seat)
		return *seat;
	if (c->n == CODES_MAX || dn_grow(&c->code, &c->cap, c->n + 1, sizeof(*c->code)))
		return 0;
	path = strdup(code->path);
	if (!path)
		return 0;
	c->code[c->n] = *code;
	c->code[c->n++].path = path;
	return *seat = c->n;
}

uint32_t dn_codes_count(const struct dn_codes *c)
{
	return c->n;
}

const struct dn_code *dn_codes_get(const struct dn_codes *c, uint32_t id)
{
	return &c->code[id - 1];
}
