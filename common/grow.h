/*
 * grow.h - vectors that grow: one function for all of them.
 */
#ifndef DN_COMMON_GROW_H
#define DN_COMMON_GROW_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * Makes room for n items of size bytes in the vector whose pointer stands at
 * pp, doubling; *cap is how many it holds. What was in it stays. 0 or -ENOMEM.
 */
static inline int dn_grow(void *pp, uint32_t *cap, size_t n, size_t size)
{
	size_t want = *cap ? *cap : 64;
	void *q, *p;

	if (n <= *cap)
		return 0;
	while (want < n)
		want *= 2;
	if (want > UINT32_MAX)
		return -ENOMEM;
	memcpy(&p, pp, sizeof(p));
	q = realloc(p, want * size);
	if (!q)
		return -ENOMEM;
	memcpy(pp, &q, sizeof(q));
	*cap = (uint32_t)want;
	return 0;
}

/* The same where all items that are new shall be zero. */
static inline int dn_grow_zero(void *pp, uint32_t *cap, size_t n, size_t size)
{
	uint32_t had = *cap;
	int err = dn_grow(pp, cap, n, size);
	char *p;

	memcpy(&p, pp, sizeof(p));
	if (!err && *cap > had)
		memset(p + had * size, 0, (*cap - had) * size);
	return err;
}

#endif
