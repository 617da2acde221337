/*
 * fdnames.c - an arena of names (length, bytes) and a hash table over it, open
 * addressing, at most half full.
 */
#include "fdnames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "grow.h"

void dn_fdnames_free(struct dn_fdnames *s)
{
	free(s->arena);
	free(s->slot);
	memset(s, 0, sizeof(*s));
}

const char *dn_fdnames_get(const struct dn_fdnames *s, uint32_t id, size_t *len)
{
	uint32_t n = 0;

	if (id)
		memcpy(&n, s->arena + id - 1, sizeof(n));
	*len = n;
	return id ? s->arena + id - 1 + sizeof(n) : NULL;
}

static uint32_t *find(const struct dn_fdnames *s, const char *p, size_t len)
{
	uint32_t i = (uint32_t)XXH3_64bits(p, len);

	for (;; i++) {
		uint32_t *at = &s->slot[i & (s->slots - 1)];
		const char *q;
		size_t n;

		if (!*at)
			return at;
		q = dn_fdnames_get(s, *at, &n);
		if (n == len && !memcmp(p, q, n))
			return at;
	}
}

static int more_slots(struct dn_fdnames *s)
{
	uint32_t slots = s->slots, *slot = s->slot;

	s->slots = slots ? slots * 2 : 256;
	s->slot = calloc(s->slots, sizeof(*s->slot));
	if (!s->slot) {
		s->slot = slot;
		s->slots = slots;
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < slots; i++) {
		size_t len;
		const char *p = dn_fdnames_get(s, slot[i], &len);

		if (slot[i])
			*find(s, p, len) = slot[i];
	}
	free(slot);
	return 0;
}

int dn_fdnames_add(struct dn_fdnames *s, const char *p, size_t len, uint32_t *id)
{
	uint32_t n = (uint32_t)len, *at;

	*id = 0;
	if (!len)
		return 0;
	if (2 * s->n >= s->slots && more_slots(s))
		return -ENOMEM;
	at = find(s, p, len);
	if (!*at) {
		size_t want = (size_t)s->bytes + sizeof(n) + len;

		if (want > DN_FDNAMES_MAX)
			return 0;
		if (dn_grow(&s->arena, &s->bytes_cap, want, 1))
			return -ENOMEM;
		memcpy(s->arena + s->bytes, &n, sizeof(n));
		memcpy(s->arena + s->bytes + sizeof(n), p, len);
		*at = s->bytes + 1;
		s->bytes = (uint32_t)want;
		s->n++;
	}
	*id = *at;
	return 0;
}

/* --- paths -------------------------------------------------------------------- */

/* The length without the last component: "/a/b" is "/a", "/a" is "". */
static size_t parent(const char *p, size_t len)
{
	while (len && p[len - 1] != '/')
		len--;
	while (len && p[len - 1] == '/')
		len--;
	return len;
}

int dn_fdnames_join(struct dn_fdnames *s, uint32_t dir, const char *path, size_t len, uint32_t *id)
{
	size_t n, at = 0;
	const char *base = dn_fdnames_get(s, dir, &n);
	char *buf;
	int err;

	if (len && *path == '/')
		return dn_fdnames_add(s, path, len, id);
	if (!base || *base != '/')	/* the directory is not known: as it was given */
		return dn_fdnames_add(s, path, len, id);
	buf = malloc(n + len + 2);
	if (!buf)
		return -ENOMEM;
	memcpy(buf, base, n);
	while (n && buf[n - 1] == '/')
		n--;
	while (at < len) {
		size_t end = at;

		while (end < len && path[end] != '/')
			end++;
		if (end - at == 2 && !memcmp(path + at, "..", 2)) {
			n = parent(buf, n);
		} else if (end > at && !(end - at == 1 && path[at] == '.')) {
			buf[n++] = '/';
			memcpy(buf + n, path + at, end - at);
			n += end - at;
		}
		at = end + 1;
	}
	if (!n)
		buf[n++] = '/';
	err = dn_fdnames_add(s, buf, n, id);
	free(buf);
	return err;
}
