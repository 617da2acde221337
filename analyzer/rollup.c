/*
 * rollup.c - counting calls, a hundred million of them in some traces.
 *
 * The road for one call: find its entry, by a small cache of indices keyed by
 * number and thread, else by a hash table; add to five sums and a histogram;
 * add to a rate cell. Only a call with strings does more.
 */
#include "rollup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "syscalls.h"

struct dn_rollup *dn_rollup_new(uint64_t origin, size_t limit)
{
	struct dn_rollup *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->origin = origin;
	r->paths.limit = limit;
	r->addrs.limit = limit;
	if (dn_rate_init(&r->rate)) {
		free(r);
		errno = ENOMEM;
		return NULL;
	}
	return r;
}

static void table_clear(struct dn_stat_table *t)
{
	for (uint32_t i = 0; i < t->n; i++)
		dn_hist_free(&t->stat[i].hist);
	t->n = 0;
	if (t->slots)
		memset(t->slot, 0, t->slots * sizeof(*t->slot));
}

void dn_stat_table_free(struct dn_stat_table *t)
{
	table_clear(t);
	free(t->stat);
	free(t->slot);
	memset(t, 0, sizeof(*t));
}

void dn_rollup_free(struct dn_rollup *r)
{
	if (!r)
		return;
	dn_stat_table_free(&r->stats);
	dn_stat_table_free(&r->folds);
	dn_rate_free(&r->rate);
	dn_strstat_free(&r->paths);
	dn_strstat_free(&r->addrs);
	dn_flows_free(&r->flows);
	free(r);
}

void dn_rollup_new_block(struct dn_rollup *r)
{
	dn_strstat_new_block(&r->paths);
	dn_strstat_new_block(&r->addrs);
}

void dn_rollup_clear_stats(struct dn_rollup *r)
{
	table_clear(&r->stats);
	memset(r->cache, 0, sizeof(r->cache));
	r->buckets = 0;
}

/* On a 32-bit ABI only the low half of the register is the result. */
static inline int64_t value_of(const struct dn_syscall *s)
{
	if (s->abi == DN_ABI_I386 || s->abi == DN_ABI_ARM)
		return (int32_t)(uint32_t)s->ret;
	return s->ret;
}

static inline int16_t result_of(const struct dn_syscall *s)
{
	int64_t ret;

	if (s->flags & DN_CALL_UNFINISHED)
		return DN_RESULT_UNFINISHED;
	ret = value_of(s);
	if (ret >= 0 || ret < -4095)
		return 0;
	if (ret >= DN_RESTART_FIRST && ret <= DN_RESTART_LAST)
		return (int16_t)ret;
	return (int16_t)-ret;
}

int16_t dn_call_result(const struct dn_syscall *s)
{
	return result_of(s);
}

/* --- the table ----------------------------------------------------------- */

static inline int same(const struct dn_stat *a, const struct dn_stat *k)
{
	return a->nr == k->nr && a->thread == k->thread && a->result == k->result &&
	       a->abi == k->abi;
}

static inline uint32_t hash(const struct dn_stat *k)
{
	uint64_t h = (uint64_t)k->thread << 32 | k->nr;

	h ^= ((uint64_t)k->abi << 16 | (uint16_t)k->result) * UINT64_C(0x9e3779b97f4a7c15);
	h *= UINT64_C(0xff51afd7ed558ccd);
	return (uint32_t)(h >> 32);
}

static int table_grow(struct dn_stat_table *t)
{
	uint32_t slots = t->slots ? t->slots * 2 : 1024;
	uint32_t *slot = calloc(slots, sizeof(*slot));
	struct dn_stat *stat = realloc(t->stat, slots / 2 * sizeof(*stat));

	if (stat)
		t->stat = stat;
	if (!slot || !stat) {
		free(slot);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < t->n; i++) {
		uint32_t j = hash(&t->stat[i]) & (slots - 1);

		while (slot[j])
			j = (j + 1) & (slots - 1);
		slot[j] = i + 1;
	}
	free(t->slot);
	t->slot = slot;
	t->slots = slots;
	t->cap = slots / 2;
	return 0;
}

/* The entry of key k, or where it would go. NULL: not there. */
static struct dn_stat *table_find(const struct dn_stat_table *t, const struct dn_stat *k)
{
	uint32_t j;

	if (!t->slots)
		return NULL;
	for (j = hash(k) & (t->slots - 1); t->slot[j]; j = (j + 1) & (t->slots - 1)) {
		struct dn_stat *s = &t->stat[t->slot[j] - 1];

		if (same(s, k))
			return s;
	}
	return NULL;
}

/* Adds an entry that is not there, with nothing counted. */
static struct dn_stat *table_add(struct dn_stat_table *t, const struct dn_stat *k)
{
	uint32_t j;

	if (t->n == t->cap && table_grow(t))
		return NULL;
	for (j = hash(k) & (t->slots - 1); t->slot[j];)
		j = (j + 1) & (t->slots - 1);
	t->stat[t->n] = (struct dn_stat){ .thread = k->thread, .nr = k->nr, .abi = k->abi,
		.result = k->result, .category = k->category, .min = UINT64_MAX };
	t->slot[j] = ++t->n;
	return &t->stat[t->n - 1];
}

struct dn_stat *dn_stat_get(struct dn_stat_table *t, const struct dn_stat *k)
{
	struct dn_stat *s = table_find(t, k);

	return s ? s : table_add(t, k);
}

void dn_stat_add(struct dn_stat *to, const struct dn_stat *from)
{
	to->count += from->count;
	to->timed += from->timed;
	to->total += from->total;
	if (from->min < to->min)
		to->min = from->min;
	if (from->max > to->max)
		to->max = from->max;
}

/* --- histograms ---------------------------------------------------------- */

/* The histogram of all threads that a call of s goes to. A number that no
 * kernel has is not worth one: a program may make up four billion of them. */
static struct dn_hist *fold_of(struct dn_rollup *r, struct dn_stat *s)
{
	struct dn_stat key = { .nr = s->nr, .abi = s->abi, .result = s->result,
			       .category = s->category }, *f;

	if (!s->fold) {
		if (!dn_syscall_info(s->abi, s->nr))
			key.nr = UINT32_MAX;
		f = dn_stat_get(&r->folds, &key);
		if (!f)
			return NULL;
		s->fold = (uint32_t)(f - r->folds.stat) + 1;
	}
	return &r->folds.stat[s->fold - 1].hist;
}

int dn_rollup_fold(struct dn_rollup *r)
{
	for (uint32_t i = 0; i < r->stats.n; i++) {
		struct dn_stat *s = &r->stats.stat[i];
		struct dn_hist *h;

		if (!s->hist.used)
			continue;
		h = fold_of(r, s);
		if (!h || dn_hist_merge(h, &s->hist) < 0)
			return -ENOMEM;
		dn_hist_free(&s->hist);
	}
	r->folded = true;
	r->buckets = 0;
	return 0;
}

static inline bool too_detailed(const struct dn_rollup *r)
{
	return !r->folded && (r->stats.n > DN_DETAIL_KEYS || r->buckets > DN_DETAIL_BUCKETS);
}

static int count_duration(struct dn_rollup *r, struct dn_stat *s, uint64_t dur)
{
	struct dn_hist *h = &s->hist;
	int fresh;

	s->timed++;
	s->total += dur;
	if (dur < s->min)
		s->min = dur;
	if (dur > s->max)
		s->max = dur;
	if (r->folded) {
		h = fold_of(r, s);
		if (!h)
			return -ENOMEM;
	}
	fresh = dn_hist_add(h, dur);
	if (fresh <= 0)
		return fresh;
	r->buckets += !r->folded;
	return too_detailed(r) ? dn_rollup_fold(r) : 0;
}

/* --- calls --------------------------------------------------------------- */

static inline bool is_address(const struct dn_call_str *s)
{
	return s->kind == DN_STR_SOCKADDR || s->kind == DN_STR_SOCKADDR_OUT;
}

/* Whether the strings of a call might not find room. */
static bool strings_full(const struct dn_rollup *r, const struct dn_syscall *s)
{
	size_t len = 0;

	for (unsigned i = 0; i < s->nstr; i++)
		len += s->str[i].len;
	return dn_strstat_full(&r->paths, s->nstr, len) || dn_strstat_full(&r->addrs, s->nstr, len);
}

static int add_strings(struct dn_rollup *r, const struct dn_syscall *s, int16_t result,
		       uint64_t dur, int64_t t)
{
	struct dn_strstat_row k = { .nr = s->nr, .result = result, .abi = s->abi, .count = 1,
				    .total = dur, .first = t, .last = t };
	int err = 0;

	for (unsigned i = 0; !err && i < s->nstr; i++) {
		const struct dn_call_str *str = &s->str[i];

		if (str->flags & DN_STR_UNREADABLE || !str->len)
			continue;
		if (str->kind == DN_STR_PATH) {
			k.thread = 0;
			err = dn_strstat_add(&r->paths, str->p, str->len, &k);
		} else if (is_address(str)) {
			k.thread = s->thread;
			err = dn_strstat_add(&r->addrs, str->p, str->len, &k);
		}
	}
	return err;
}

int dn_rollup_call(struct dn_rollup *r, const struct dn_syscall *s)
{
	struct dn_stat key = { .thread = s->thread, .nr = s->nr, .abi = s->abi,
			       .result = result_of(s) };
	uint32_t *cached = &r->cache[(s->nr ^ s->thread * 7) & (DN_STAT_CACHE - 1)];
	bool timed = !(s->flags & (DN_CALL_UNFINISHED | DN_CALL_NO_ENTER)) && s->dur <= DN_DUR_MAX;
	uint64_t dur = timed ? s->dur : 0, end = s->start + dur;
	int64_t t = (int64_t)(end - r->origin);
	struct dn_stat *e;
	int err;

	if (s->nstr && strings_full(r, s))
		return -ENOSPC;
	if (*cached && same(&r->stats.stat[*cached - 1], &key)) {
		e = &r->stats.stat[*cached - 1];
	} else {
		e = table_find(&r->stats, &key);
		if (!e) {
			if (r->stats.n >= DN_STAT_KEYS)
				return -ENOSPC;
			key.category = (uint8_t)dn_syscall_category(s->abi, s->nr);
			e = table_add(&r->stats, &key);
			if (!e)
				return -ENOMEM;
			if (too_detailed(r) && dn_rollup_fold(r))
				return -ENOMEM;
		}
		*cached = (uint32_t)(e - r->stats.stat) + 1;
	}
	if (s->nstr) {
		err = add_strings(r, s, key.result, dur, t);
		if (err)
			return err;
	}
	e->count++;
	r->calls++;
	if (end > r->last)
		r->last = end;
	dn_rate_add(&r->rate, t < 0 ? 0 : (uint64_t)t, e->category,
		    dn_result_is_error(key.result), dur);
	return timed ? count_duration(r, e, dur) : 0;
}

int dn_rollup_transfer(struct dn_rollup *r, const struct dn_row *row)
{
	return dn_flows_row(&r->flows, row, r->origin);
}

/* --- merging ------------------------------------------------------------- */

static int merge_table(struct dn_stat_table *t, const struct dn_stat_table *src, uint64_t *buckets)
{
	for (uint32_t i = 0; i < src->n; i++) {
		const struct dn_stat *s = &src->stat[i];
		struct dn_stat *e = dn_stat_get(t, s);
		int fresh;

		if (!e)
			return -ENOMEM;
		dn_stat_add(e, s);
		fresh = dn_hist_merge(&e->hist, &s->hist);
		if (fresh < 0)
			return fresh;
		*buckets += (uint64_t)fresh;
	}
	return 0;
}

static int merge_strings(struct dn_strstat *t, const struct dn_strstat *src)
{
	for (uint32_t i = 0; i < src->nrows; i++) {
		const struct dn_strstat_row *k = &src->row[i];
		int err = dn_strstat_add(t, dn_strstat_bytes(src, k->string),
					 src->string[k->string].len, k);

		if (err)
			return err;
	}
	return 0;
}

int dn_rollup_merge(struct dn_rollup *r, struct dn_rollup *src)
{
	uint64_t ignored = 0;
	int err;

	if (src->folded && !r->folded && dn_rollup_fold(r))
		return -ENOMEM;
	if (r->folded && !src->folded && dn_rollup_fold(src))
		return -ENOMEM;
	r->calls += src->calls;
	if (src->last > r->last)
		r->last = src->last;
	dn_rate_merge(&r->rate, &src->rate);
	dn_rollup_new_block(r);
	memset(r->cache, 0, sizeof(r->cache));
	err = merge_table(&r->stats, &src->stats, &r->buckets);
	if (!err)
		err = merge_table(&r->folds, &src->folds, &ignored);
	if (!err)
		err = merge_strings(&r->paths, &src->paths);
	if (!err)
		err = merge_strings(&r->addrs, &src->addrs);
	if (!err)
		err = dn_flows_merge(&r->flows, &src->flows);
	if (!err && too_detailed(r))
		err = dn_rollup_fold(r);
	return err;
}
