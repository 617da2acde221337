/*
 * radix.h - many items by a 64-bit key, faster than qsort() where the keys lie
 * close together, as the times of a part of a trace do. Any thread.
 */
#ifndef DN_ANALYZER_RADIX_H
#define DN_ANALYZER_RADIX_H

#include <stdint.h>

struct dn_radix {
	uint64_t key;
	uint32_t item;
};

/* Sorts n by key; those of the same key keep their order. spare holds n, too. */
void dn_radix_sort(struct dn_radix *p, struct dn_radix *spare, uint32_t n);

#endif
