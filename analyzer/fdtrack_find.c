/*
 * fdtrack_find.c - what was at a number at a time, and the end of records.
 *
 * What is still open is found in the live table. For the rest, settle() puts
 * the records of each number of each table side by side: they came in the
 * order of their times already. A cursor remembers where the last look-up
 * ended, since calls come in the order of their times too.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fdtrack.h"
#include "fdtrack_int.h"
#include "grow.h"

const char *dn_fd_kind_name(unsigned kind)
{
	static const char *const names[] = {
#define FD(value, id, name, cloexec, doc) [value] = name,
		DN_FD_TABLE(FD)
#undef FD
	};

	return kind < DN_FD_KIND_MAX ? names[kind] : names[DN_FD_UNKNOWN];
}

static struct group *group_of(const struct dn_fdtrack *t, uint64_t key)
{
	uint32_t i = (uint32_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 32);

	for (;; i++) {
		struct group *g = &t->group[i & (t->groups - 1)];

		if (!g->key || g->key == key)
			return g;
	}
}

static int make_groups(struct dn_fdtrack *t)
{
	uint32_t want = 64;

	while (want < 2 * t->nrecords)
		want *= 2;
	if (want > t->groups || want < t->groups / 8) {
		free(t->group);
		t->group = malloc(want * sizeof(*t->group));
		t->groups = t->group ? want : 0;
	}
	if (!t->group || dn_grow(&t->order, &t->order_cap, t->nrecords, sizeof(*t->order)))
		return -ENOMEM;
	memset(t->group, 0, t->groups * sizeof(*t->group));
	return 0;
}

int dn_fdtrack_settle(struct dn_fdtrack *t)
{
	uint32_t at = 0;
	int err = make_groups(t);

	if (err)
		return err;
	for (uint32_t i = 0; i < t->nrecords; i++) {
		const struct record *r = &t->record[i];
		struct group *g = group_of(t, dn_fdtrack_key(r->table, r->fd));

		g->key = dn_fdtrack_key(r->table, r->fd);
		g->n++;
	}
	for (uint32_t i = 0; i < t->nrecords; i++) {
		const struct record *r = &t->record[i];
		struct group *g = group_of(t, dn_fdtrack_key(r->table, r->fd));

		if (!g->from) {		/* 1 more than the place, and where the next one goes */
			g->from = at + 1;
			at += g->n;
			g->n = 0;
		}
		t->order[g->from - 1 + g->n++] = i;
	}
	return 0;
}

static void tell(const struct dn_fdtrack *t, uint32_t object, struct dn_fd_span *span)
{
	const struct object *o = &t->object[object];

	span->kind = o->kind;
	span->name = dn_fdnames_get(&t->names, o->name, &span->len);
}

static unsigned found(const struct dn_fdtrack *t, uint32_t object, struct dn_fd_span *span)
{
	if (span)
		tell(t, object, span);
	return t->object[object].kind;
}

static unsigned not_found(unsigned kind, struct dn_fd_span *span)
{
	if (span)
		*span = (struct dn_fd_span){ .kind = (uint8_t)kind };
	return kind;
}

/* The last record of a group that begins by `time`; the group's length: none. */
static uint32_t last_by(const struct dn_fdtrack *t, const struct group *g, uint64_t time)
{
	uint32_t low = 0, high = g->n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (t->record[t->order[g->from - 1 + mid]].from <= time)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? low - 1 : g->n;
}

static bool covers(const struct record *r, uint32_t table, int32_t fd, uint64_t time)
{
	return r->table == table && r->fd == fd && r->from <= time && time <= r->to;
}

unsigned dn_fdtrack_find(const struct dn_fdtrack *t, struct dn_fdcursor *c, uint32_t thread,
			 int32_t fd, uint64_t time, struct dn_fd_span *span)
{
	uint32_t i = dn_fdtrack_thread(t, thread), table, at;
	const struct thread *th = &t->thread[i];
	const struct entry *e = NULL;
	const struct group *g;

	table = i && th->before && time < th->since ? th->before : th->table;
	if (!table || fd < 0)
		return not_found(DN_FD_UNKNOWN, span);
	if ((uint32_t)fd < t->table[table].n)
		e = &t->table[table].entry[fd];
	if (e && e->object && e->from <= time)
		return found(t, e->object, span);
	/* The record of the last look-up, or the one that follows it. */
	for (at = c->at; t->nrecords && at < c->at + 2 && at < t->nrecords; at++) {
		const struct record *r = &t->record[t->order[at]];

		/* At the very end of one another may begin. */
		if (covers(r, table, fd, time) && time < r->to) {
			c->at = at;
			return found(t, r->object, span);
		}
	}
	g = t->groups ? group_of(t, dn_fdtrack_key(table, fd)) : NULL;
	if (g && g->key && (at = last_by(t, g, time)) < g->n) {
		const struct record *r = &t->record[t->order[g->from - 1 + at]];

		c->at = g->from - 1 + at;
		return time <= r->to ? found(t, r->object, span) : not_found(DN_FD_CLOSED, span);
	}
	if (t->table[table].complete || (e && !e->object && e->from && e->from <= time))
		return not_found(DN_FD_CLOSED, span);
	return not_found(DN_FD_UNKNOWN, span);
}

/* --- the end of records ------------------------------------------------------- */

static int hand_out(const struct dn_fdtrack *t, const struct record *r,
		    int (*take)(void *ctx, const struct dn_fd_span *s), void *ctx)
{
	const struct table *tb = &t->table[r->table];
	struct dn_fd_span s = { .fd = r->fd, .from = r->from, .to = r->to, .origin = r->origin,
				.cloexec = r->flags & CLOEXEC, .inferred = r->flags & INFERRED };
	int err = 0;

	tell(t, r->object, &s);
	for (uint32_t i = 0; !err && i < tb->nprocs; i++) {
		s.process = tb->proc[i];
		err = take(ctx, &s);
	}
	return err;
}

static int hand_out_open(const struct dn_fdtrack *t,
			 int (*take)(void *ctx, const struct dn_fd_span *s), void *ctx)
{
	int err = 0;

	for (uint32_t i = 1; i < t->ntables; i++)
		for (uint32_t fd = 0; !err && fd < t->table[i].n; fd++) {
			const struct entry *e = &t->table[i].entry[fd];
			struct record r = { .from = dn_fdtrack_from(&t->table[i], e), .to = UINT64_MAX, .table = i,
					    .object = e->object, .fd = (int32_t)fd,
					    .flags = e->flags, .origin = e->origin };

			if (e->object)
				err = hand_out(t, &r, take, ctx);
		}
	return err;
}

int dn_fdtrack_forget(struct dn_fdtrack *t, uint64_t before,
		      int (*take)(void *ctx, const struct dn_fd_span *s), void *ctx)
{
	uint32_t n = 0;
	int err = 0;

	while (!err && n < t->nrecords && (before == UINT64_MAX || t->record[n].to < before)) {
		struct record *r = &t->record[n++];

		if (take)
			err = hand_out(t, r, take, ctx);
		dn_fdtrack_unref(t, r->object);
	}
	if (!err && take && before == UINT64_MAX)
		err = hand_out_open(t, take, ctx);
	t->nrecords -= n;
	t->numbers -= n;
	if (n)
		memmove(t->record, t->record + n, t->nrecords * sizeof(*t->record));
	return err;
}
