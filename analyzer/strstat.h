/*
 * strstat.h - calls counted by a string they were given: paths, addresses.
 *
 * Key: thread (or 0 where threads do not matter), string, ABI, number,
 * result. Strings are kept once each in an arena. Whoever adds looks first
 * whether the table is full (dn_strstat_full), stores it and clears it then.
 */
#ifndef DN_ANALYZER_STRSTAT_H
#define DN_ANALYZER_STRSTAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dn_strstat_row {
	uint32_t thread;
	uint32_t nr;
	uint32_t string;	/* index */
	int16_t result;		/* as in struct dn_stat */
	uint8_t abi;
	uint8_t pad;
	uint64_t count, total;
	int64_t first, last;	/* ns from time 0 */
};

struct dn_strstat_string {
	uint64_t hash;
	size_t at;		/* in the arena */
	uint32_t len;
};

/* Remembers where a string of the block at hand went, by its address. */
struct dn_strstat_cache {
	const char *p;
	uint32_t len, string;
};

#define DN_STRSTAT_CACHE 256

struct dn_strstat {
	size_t limit;
	char *arena;
	size_t bytes, arena_cap;
	struct dn_strstat_string *string;
	uint32_t nstrings, string_cap;
	uint32_t *string_slot;		/* index + 1 */
	uint32_t string_slots;
	struct dn_strstat_row *row;
	uint32_t nrows, row_cap;
	uint32_t *row_slot;
	uint32_t row_slots;
	struct dn_strstat_cache cache[DN_STRSTAT_CACHE];
};

/* Zeroed memory is an empty table; limit in bytes is to be set. */
void dn_strstat_free(struct dn_strstat *s);

/* Whether another n strings of len bytes in all might pass the limit. */
bool dn_strstat_full(const struct dn_strstat *s, unsigned n, size_t len);

/* The strings of another block come: addresses mean nothing any more. */
void dn_strstat_new_block(struct dn_strstat *s);

/* Adds to the row of key (thread, nr, abi, result of k; count, total, first,
 * last of k are added). 0 or -ENOMEM. */
int dn_strstat_add(struct dn_strstat *s, const char *p, uint32_t len,
		   const struct dn_strstat_row *k);

/* Forgets everything, keeps the memory. */
void dn_strstat_clear(struct dn_strstat *s);

static inline const char *dn_strstat_bytes(const struct dn_strstat *s, uint32_t string)
{
	return s->arena + s->string[string].at;
}

#endif
