/*
 * threads.h - per-block table of thread states, used by the twins encode.c
 * and decode.c: thread id -> what the deltas of its next row stand on.
 *
 * Open addressing, power of two, grown at half full; emptied for each block.
 */
#ifndef DN_COMMON_THREADS_H
#define DN_COMMON_THREADS_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "columns.h"

struct dn_thread_table {
	struct dn_thread_state *slot;
	uint8_t *used;
	uint32_t cap;		/* 0 or a power of two */
	uint32_t count;
};

static inline uint32_t dn_thread_hash(uint32_t id)
{
	return (id * 0x9e3779b1u) >> 7;
}

static inline int dn_threads_grow(struct dn_thread_table *t)
{
	struct dn_thread_table n = { .cap = t->cap ? t->cap * 2 : 64 };

	n.slot = malloc(n.cap * sizeof(*n.slot));
	n.used = calloc(n.cap, 1);
	if (!n.slot || !n.used) {
		free(n.slot);
		free(n.used);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < t->cap; i++) {
		uint32_t j;

		if (!t->used[i])
			continue;
		j = dn_thread_hash(t->slot[i].thread) & (n.cap - 1);
		while (n.used[j])
			j = (j + 1) & (n.cap - 1);
		n.slot[j] = t->slot[i];
		n.used[j] = 1;
	}
	n.count = t->count;
	free(t->slot);
	free(t->used);
	*t = n;
	return 0;
}

/* The state of thread id; a new one has *fresh set and only its id. NULL: no memory. */
static inline struct dn_thread_state *dn_threads_get(struct dn_thread_table *t,
						     uint32_t id, int *fresh)
{
	uint32_t i;

	if (t->count * 2 >= t->cap && dn_threads_grow(t))
		return NULL;
	i = dn_thread_hash(id) & (t->cap - 1);
	while (t->used[i]) {
		if (t->slot[i].thread == id) {
			*fresh = 0;
			return &t->slot[i];
		}
		i = (i + 1) & (t->cap - 1);
	}
	t->used[i] = 1;
	t->count++;
	t->slot[i] = (struct dn_thread_state){ .thread = id };
	*fresh = 1;
	return &t->slot[i];
}

static inline void dn_threads_free(struct dn_thread_table *t)
{
	free(t->slot);
	free(t->used);
	memset(t, 0, sizeof(*t));
}

/* A table that one block blew up is not wiped for every small block after it. */
static inline void dn_threads_clear(struct dn_thread_table *t)
{
	if (t->cap > 1024 && t->count < t->cap / 16)
		dn_threads_free(t);
	else if (t->count)
		memset(t->used, 0, t->cap);
	t->count = 0;
}

#endif
