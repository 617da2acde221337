/*
 * fdtable.c - tables of descriptors: objects, the numbers that name them, and
 * which number the kernel must have given.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fdtrack.h"
#include "fdtrack_int.h"
#include "grow.h"

/* Numbers below one that was given away are looked through, but no more of them. */
#define PHANTOMS_MAX 1024u

/* --- objects ------------------------------------------------------------------ */

int dn_fdobject_new(struct dn_fdtrack *t, unsigned kind, uint32_t name, uint32_t *id)
{
	*id = t->free_object;
	if (*id) {
		t->free_object = t->object[*id].name;
	} else {
		if (dn_grow(&t->object, &t->objects_cap, (size_t)t->nobjects + 1, sizeof(*t->object)))
			return -ENOMEM;
		*id = t->nobjects++;
	}
	t->object[*id] = (struct object){ .name = name, .kind = (uint8_t)kind };
	return 0;
}

void dn_fdtrack_unref(struct dn_fdtrack *t, uint32_t id)
{
	struct object *o = &t->object[id];

	if (--o->refs)
		return;
	o->name = t->free_object;
	t->free_object = id;
}

/* --- entries and records ------------------------------------------------------ */

bool dn_fdtable_room(struct dn_fdtrack *t, struct table *tb, int32_t fd, int *err)
{
	uint32_t cap = tb->cap;

	*err = 0;
	if (fd < 0 || fd >= DN_FD_MAX ||
	    ((uint32_t)fd >= tb->cap && (t->numbers > DN_FDTRACK_MAX ||
					 (uint32_t)fd > DN_FDTRACK_MAX - t->numbers))) {
		t->overflowed |= fd >= 0;
		return false;
	}
	if ((uint32_t)fd < tb->n)
		return true;
	*err = dn_grow(&tb->entry, &tb->cap, (size_t)fd + 1, sizeof(*tb->entry));
	if (*err)
		return false;
	t->numbers += tb->cap - cap;
	memset(tb->entry + tb->n, 0, ((size_t)fd + 1 - tb->n) * sizeof(*tb->entry));
	tb->n = (uint32_t)fd + 1;
	return true;
}

int dn_fdtable_end(struct dn_fdtrack *t, uint32_t table, struct entry *e, uint64_t time, uint32_t lag)
{
	struct table *tb = &t->table[table];
	int32_t fd = (int32_t)(e - tb->entry);

	if (t->numbers >= DN_FDTRACK_MAX) {
		t->overflowed = true;
		dn_fdtrack_unref(t, e->object);
	} else {
		if (dn_grow(&t->record, &t->records_cap, (size_t)t->nrecords + 1,
			    sizeof(*t->record)))
			return -ENOMEM;
		t->record[t->nrecords++] = (struct record){
			.from = dn_fdtrack_from(tb, e), .to = time, .table = table, .object = e->object,
			.fd = fd, .flags = e->flags, .origin = e->origin };
		t->numbers++;
	}
	*e = (struct entry){ .from = time, .lag = lag, .flags = e->flags & RESERVED };
	if ((uint32_t)fd < tb->low)
		tb->low = (uint32_t)fd;
	return 0;
}

/* Makes an entry at a number that is free, or not any more. */
static int occupy(struct dn_fdtrack *t, uint32_t table, int32_t fd, uint32_t object,
		  const struct entry *as)
{
	struct entry *e = &t->table[table].entry[fd];
	int err = 0;

	t->object[object].refs++;
	/* A phantom was a call in flight, as it turns out: this one. */
	if (e->object && e->flags & PHANTOM)
		dn_fdtrack_unref(t, e->object);
	else if (e->object)
		err = dn_fdtable_end(t, table, e, as->from < e->from ? e->from : as->from, 0);
	if (err)
		return err;
	*e = *as;
	e->object = object;
	return 0;
}

int dn_fdtable_place(struct dn_fdtrack *t, uint32_t table, int32_t fd, uint32_t object,
		 const struct entry *as)
{
	int err;

	if (dn_fdtable_room(t, &t->table[table], fd, &err))
		return occupy(t, table, fd, object, as);
	if (!t->object[object].refs) {
		t->object[object].refs = 1;
		dn_fdtrack_unref(t, object);
	}
	return err;
}

/* The lowest number that a call of that time got, as far as is known: one that was
 * free, or that only a later call speaks for, which may be this one's. Of those from least on. */
static int32_t lowest_free(const struct table *tb, uint32_t least, uint64_t began, uint64_t ended, bool *doubt)
{
	uint32_t at = tb->low < tb->phantom ? tb->low : tb->phantom;

	for (at = at < least ? least : at; at < tb->n; at++) {
		const struct entry *e = &tb->entry[at];

		*doubt |= !e->object && e->from && e->from + e->lag > began;
		if (e->object ? e->flags & PHANTOM && e->from >= began :
				!(e->flags & RESERVED) && e->from <= ended)
			break;
	}
	return (int32_t)at;
}

int dn_fdtable_give_lowest(struct dn_fdtrack *t, uint32_t table, uint64_t began,
		       const struct entry *like, uint32_t object)
{
	struct table *tb = &t->table[table];
	struct entry as = *like;
	bool doubt = !tb->complete;
	int32_t fd = lowest_free(tb, 0, began, as.from, &doubt);

	as.flags |= GUESSED | (doubt ? INFERRED : 0);
	if ((uint32_t)fd == tb->low)
		tb->low++;
	return dn_fdtable_place(t, table, fd, object, &as);
}

int dn_fdtable_place_given(struct dn_fdtrack *t, uint32_t table, int32_t fd, uint32_t object,
		       const struct entry *as)
{
	struct entry *e, moved = { 0 };
	int err;

	if (!dn_fdtable_room(t, &t->table[table], fd, &err))
		return dn_fdtable_place(t, table, fd, object, as);
	e = &t->table[table].entry[fd];
	if (e->object && e->flags & GUESSED) {
		moved = *e;
		*e = (struct entry){ .from = 0 };
	}
	err = occupy(t, table, fd, object, as);
	if (err || !moved.object)
		return err;
	moved.flags |= INFERRED;
	err = dn_fdtable_give_lowest(t, table, moved.from, &moved, moved.object);
	dn_fdtrack_unref(t, moved.object);
	return err;
}

/* Whether it is known that e is open, by a call or from the beginning: then the kernel gives that number to nobody.
 * Later rows of /proc may have come late. */
static bool is_certain(const struct table *tb, const struct entry *e)
{
	return e && e->object && !(e->flags & (GUESSED | INFERRED | PHANTOM)) && e->origin != DN_FD_FROM_UNKNOWN &&
	       (e->origin != DN_FD_FROM_SNAPSHOT || e->from == tb->begin);
}

/* A number as it was read from the caller's memory, where others may have written since. */
static bool is_plausible(struct table *tb, int32_t fd, int32_t lowest)
{
	uint32_t known = tb->n > (uint32_t)lowest ? tb->n : (uint32_t)lowest;

	return fd >= 0 && fd < DN_FD_MAX && (uint32_t)fd <= known + PHANTOMS_MAX && !is_certain(tb, dn_fdentry_at(tb, fd));
}

int dn_fdtable_give_pair(struct dn_fdtrack *t, uint32_t table, const struct dn_fdop *op, const struct entry *like,
			 const uint32_t object[2])
{
	const int32_t read[2] = { op->fd, op->fd2 };
	struct table *tb = &t->table[table];
	struct entry as = *like;
	bool doubt, good;
	int32_t low[2];
	int err = 0;

	low[0] = lowest_free(tb, 0, op->time - op->took, op->time, &doubt);
	low[1] = lowest_free(tb, (uint32_t)low[0] + 1, op->time - op->took, op->time, &doubt);
	good = read[0] != read[1] && is_plausible(tb, read[0], low[1]) && is_plausible(tb, read[1], low[1]);
	if (!(read[0] == low[0] && read[1] == low[1]) && !(read[0] == low[1] && read[1] == low[0]))
		as.flags |= INFERRED;
	for (int i = 0; !err && i < 2; i++) {
		if (!good) {
			err = dn_fdtable_give_lowest(t, table, op->time - op->took, like, object[i]);
			continue;
		}
		if ((uint32_t)read[i] == t->table[table].low)
			t->table[table].low++;
		err = dn_fdtable_place_given(t, table, read[i], object[i], &as);
	}
	return err;
}

int dn_fdtable_place_unknown(struct dn_fdtrack *t, uint32_t table, int32_t fd, uint64_t time,
			 unsigned flags)
{
	struct table *tb = &t->table[table];
	const struct entry *e = dn_fdentry_at(tb, fd);
	struct entry as = { .from = time, .flags = (uint8_t)flags, .origin = DN_FD_FROM_UNKNOWN };
	uint32_t object;
	int err = dn_fdobject_new(t, DN_FD_UNKNOWN, 0, &object);

	if (!tb->complete && !(e && e->from))
		as.flags |= OLD;
	return err ? err : dn_fdtable_place(t, table, fd, object, &as);
}

int dn_fdtable_given(struct dn_fdtrack *t, uint32_t table, const struct dn_fdop *op, uint32_t least)
{
	struct table *tb = &t->table[table];
	uint32_t at = tb->low > least ? tb->low : least, low, fd = (uint32_t)op->fd;
	int err = 0;

	if (op->fd < 0 || op->fd >= DN_FD_MAX || fd > at + PHANTOMS_MAX)
		return 0;
	low = fd + 1;
	for (; !err && at < fd; at++) {
		const struct entry *e = dn_fdentry_at(tb, (int32_t)at);

		if (e && (e->object || e->flags & RESERVED))
			continue;
		if (e && e->from && e->from + e->lag > op->time - op->took) {
			low = at < low ? at : low;	/* its close was still under way */
			continue;
		}
		tb->phantom = at < tb->phantom ? at : tb->phantom;
		err = dn_fdtable_place_unknown(t, table, (int32_t)at, op->time, PHANTOM);
	}
	if (least <= tb->low && fd >= tb->low)
		tb->low = low;
	return err;
}

/* --- tables ------------------------------------------------------------------- */

static int table_new(struct dn_fdtrack *t, uint64_t begin, uint32_t *id)
{
	if (dn_grow(&t->table, &t->tables_cap, (size_t)t->ntables + 1, sizeof(*t->table)))
		return -ENOMEM;
	*id = t->ntables++;
	t->table[*id] = (struct table){ .begin = begin, .phantom = UINT32_MAX };
	return 0;
}

int dn_fdtable_join(struct dn_fdtrack *t, uint32_t table, uint32_t proc)
{
	struct table *tb = &t->table[table];

	tb->users++;
	for (uint32_t i = 0; i < tb->nprocs; i++)
		if (tb->proc[i] == proc)
			return 0;
	if (tb->nprocs == tb->procs_cap) {
		uint32_t cap = tb->procs_cap ? 2 * tb->procs_cap : 1;
		uint32_t *p = realloc(tb->proc, cap * sizeof(*p));

		if (!p)
			return -ENOMEM;
		tb->proc = p;
		tb->procs_cap = cap;
	}
	tb->proc[tb->nprocs++] = proc;
	return 0;
}

int dn_fdtable_leave(struct dn_fdtrack *t, uint32_t table, uint64_t time)
{
	struct table *tb = &t->table[table];
	int err = 0;

	if (--tb->users)
		return 0;
	for (uint32_t i = 0; !err && i < tb->n; i++)
		if (tb->entry[i].object)
			err = dn_fdtable_end(t, table, &tb->entry[i], time, 0);
	t->numbers -= tb->cap;
	free(tb->entry);
	tb->entry = NULL;
	tb->n = tb->cap = 0;
	return err;
}

int dn_fdtable_of_stranger(struct dn_fdtrack *t, uint64_t begin, uint32_t *id)
{
	int err = table_new(t, begin, id);

	for (int32_t fd = 0; !err && fd < 3; fd++)
		err = dn_fdtable_place_unknown(t, *id, fd, begin, 0);
	if (!err && t->table[*id].n)
		t->table[*id].low = 3;
	return err;
}

int dn_fdtable_copy(struct dn_fdtrack *t, uint32_t from, uint64_t time, uint32_t *id)
{
	int err = table_new(t, time, id);
	struct table *tb = &t->table[*id], *old = &t->table[from];

	if (err || !old->n)
		return err;
	if (!dn_fdtable_room(t, tb, (int32_t)old->n - 1, &err))
		return err;
	for (uint32_t i = 0; i < old->n; i++) {
		struct entry *e = &tb->entry[i];

		*e = old->entry[i];
		e->from = e->object || e->from || old->complete ? time : 0;
		e->lag = 0;
		e->flags &= (uint8_t)~RESERVED;
		if (!e->object)
			continue;
		t->object[e->object].refs++;
		e->origin = DN_FD_FROM_INHERITED;
		e->flags &= (uint8_t)~OLD;
	}
	tb->low = old->low;
	tb->phantom = old->phantom;
	tb->complete = old->complete;
	return 0;
}
