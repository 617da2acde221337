/*
 * fdnames.h - names of descriptors, each stored once, by a number.
 *
 * One thread at a time adds; any may read meanwhile only what was there before.
 */
#ifndef DN_ANALYZER_FDNAMES_H
#define DN_ANALYZER_FDNAMES_H

#include <stddef.h>
#include <stdint.h>

#define DN_FDNAMES_MAX (48u << 20)	/* bytes; what comes then has no name */

struct dn_fdnames {
	char *arena;
	uint32_t bytes, bytes_cap;
	uint32_t *slot;		/* offset + 1 in the arena */
	uint32_t slots, n;
};

void dn_fdnames_free(struct dn_fdnames *s);

/* The number of a name: 0 for an empty one and where there is no room (which is
 * no error). -ENOMEM. */
int dn_fdnames_add(struct dn_fdnames *s, const char *p, size_t len, uint32_t *id);

/* The name of a number; NULL of 0. */
const char *dn_fdnames_get(const struct dn_fdnames *s, uint32_t id, size_t *len);

/* What names path as seen from the directory dir: without "." and, as far as
 * there is something before it, "..". An absolute path keeps its form. */
int dn_fdnames_join(struct dn_fdnames *s, uint32_t dir, const char *path, size_t len,
		    uint32_t *id);

#endif
