/*
 * radix.c - least significant digit first, of the distance to the least key.
 */
#include "radix.h"

#include <string.h>

#define DIGIT 11

/* The distance may be forged to be as large as it likes: six digits are all. */
void dn_radix_sort(struct dn_radix *p, struct dn_radix *spare, uint32_t n)
{
	uint32_t place[1 << DIGIT];
	struct dn_radix *from = p, *to = spare;
	uint64_t least = UINT64_MAX, most = 0;

	for (uint32_t i = 0; i < n; i++) {
		least = p[i].key < least ? p[i].key : least;
		most = p[i].key > most ? p[i].key : most;
	}
	for (unsigned shift = 0; n && shift < 64 && (most - least) >> shift; shift += DIGIT) {
		struct dn_radix *tmp = from;
		uint32_t at = 0;

		memset(place, 0, sizeof(place));
		for (uint32_t i = 0; i < n; i++)
			place[(from[i].key - least) >> shift & ((1 << DIGIT) - 1)]++;
		for (uint32_t i = 0; i < 1 << DIGIT; i++) {
			uint32_t count = place[i];

			place[i] = at;
			at += count;
		}
		for (uint32_t i = 0; i < n; i++)
			to[place[(from[i].key - least) >> shift & ((1 << DIGIT) - 1)]++] = from[i];
		from = to;
		to = tmp;
	}
	if (n && from != p)
		memcpy(p, from, n * sizeof(*p));
}
