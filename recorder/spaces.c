/*
 * spaces.c - address spaces, in a hash table by pid, the youngest of a pid first.
 */
#include "spaces.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "grow.h"

#define BUCKETS 1024
#define MAPPINGS_MAX 65536	/* of a space: a JIT may map without end */
#define ALIVE UINT64_MAX

struct mapping {
	uint64_t start, end, pgoff, time;
	uint32_t object;
};

struct space {
	struct space *next;		/* of the bucket */
	struct space *parent;		/* whose mappings it had at `begin`, or NULL */
	uint32_t pid;
	uint32_t threads;		/* that live */
	uint32_t users;			/* spaces whose parent it is, and 1 while it is in its bucket */
	uint64_t begin, end;		/* end: ALIVE */
	uint64_t last;			/* when the last thread that is known of ended; 0: not yet */
	struct mapping *map;		/* by time */
	uint32_t n, cap;
	uint64_t low, high;		/* all of them lie between */
	uint64_t *change;		/* when a mapping took the place of other code */
	uint32_t nchanges, changes_cap;
};

struct dn_spaces {
	struct dn_codes *codes;
	struct space *bucket[BUCKETS];
};

struct dn_spaces *dn_spaces_new(struct dn_codes *codes)
{
	struct dn_spaces *s = calloc(1, sizeof(*s));

	if (s)
		s->codes = codes;
	return s;
}

static void put(struct space *p)
{
	while (p && !--p->users) {
		struct space *parent = p->parent;

		free(p->map);
		free(p->change);
		free(p);
		p = parent;
	}
}

void dn_spaces_free(struct dn_spaces *s)
{
	if (!s)
		return;
	for (unsigned b = 0; b < BUCKETS; b++)
		for (struct space *p = s->bucket[b], *next; p; p = next) {
			next = p->next;
			put(p);
		}
	free(s);
}

static struct space *find(const struct dn_spaces *s, uint32_t pid, uint64_t time)
{
	struct space *p = s->bucket[pid % BUCKETS];

	while (p && (p->pid != pid || p->begin > time || p->end < time))
		p = p->next;
	return p;
}

/* Of those that live. */
static struct space *living(const struct dn_spaces *s, uint32_t pid)
{
	struct space *p = s->bucket[pid % BUCKETS];

	while (p && (p->pid != pid || p->end != ALIVE))
		p = p->next;
	return p;
}

static struct space *begin(struct dn_spaces *s, uint32_t pid, uint64_t time, struct space *parent)
{
	struct space *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->pid = pid;
	p->threads = p->users = 1;
	p->begin = time;
	p->end = ALIVE;
	p->parent = parent;
	if (parent)
		parent->users++;
	p->next = s->bucket[pid % BUCKETS];
	s->bucket[pid % BUCKETS] = p;
	return p;
}

int dn_spaces_follow(struct dn_spaces *s, uint32_t pid, uint64_t since)
{
	return begin(s, pid, since, NULL) ? 0 : -ENOMEM;
}

/* What an event says was mapped, as an object of the trace. */
static uint32_t object_of(struct dn_spaces *s, const struct space *p, const struct dn_map_event *e)
{
	struct dn_code code = { .kind = DN_CODE_FILE, .pid = e->pid, .path = e->path,
		.build_id = e->build_id, .dev = e->dev, .inode = e->inode,
		.generation = e->generation, .mapped = e->time };

	if (!strcmp(e->path, "[vdso]")) {
		/* That of 32-bit programs lies below 4 GiB. */
		code = (struct dn_code){ .kind = DN_CODE_VDSO, .path = e->end >> 32 ? e->path : "[vdso32]" };
	} else if (!e->build_id.len &&
		   (e->path[0] != '/' || !strncmp(e->path, "//", 2) || !strncmp(e->path, "/memfd:", 7) ||
		    !strncmp(e->path, "/dev/zero", 9) || !strncmp(e->path, "/SYSV", 5))) {
		/* "//anon", "[heap]" and the like; a program may lie in a memfd, as runc does */
		code = (struct dn_code){ .kind = DN_CODE_MEMORY, .path = "[memory]", .pid = p->pid, .since = p->begin };
	}
	return dn_codes_add(s->codes, &code);
}

/* What an address is in it: the same for two of them where they mean the same. */
static struct dn_place place_in(const struct dn_spaces *s, const struct mapping *m, uint64_t address)
{
	const bool memory = dn_codes_get(s->codes, m->object)->kind == DN_CODE_MEMORY;

	return (struct dn_place){ m->object, memory ? address : address - m->start + m->pgoff };
}

static bool overlap(const struct mapping *a, const struct mapping *b)
{
	return a->start < b->end && b->start < a->end;
}

/* It needs not be compared with each of them. */
static bool beside(const struct space *p, const struct mapping *m)
{
	return m->end <= p->low || m->start >= p->high;
}

static bool agree(const struct dn_spaces *s, const struct mapping *a, const struct mapping *b)
{
	return a->object == b->object && place_in(s, a, b->start).offset == place_in(s, b, b->start).offset;
}

static void map(struct dn_spaces *s, struct space *p, const struct mapping *m)
{
	uint64_t until = m->time;
	bool other = false;

	/* What makes code at run time has the same memory executable again and again. */
	for (uint32_t i = beside(p, m) ? 0 : p->n; i-- > 0;)
		if (overlap(&p->map[i], m)) {
			if (p->map[i].start <= m->start && m->end <= p->map[i].end && agree(s, &p->map[i], m))
				return;
			break;
		}
	for (const struct space *q = p; q && !other; until = until < q->begin ? until : q->begin, q = q->parent)
		for (uint32_t i = beside(q, m) ? q->n : 0; i < q->n && !other; i++)
			other = q->map[i].time <= until && overlap(&q->map[i], m) && !agree(s, &q->map[i], m);
	if (p->n == MAPPINGS_MAX || dn_grow(&p->map, &p->cap, p->n + 1, sizeof(*p->map)))
		return;
	p->low = p->n && p->low < m->start ? p->low : m->start;
	p->high = p->high > m->end ? p->high : m->end;
	p->map[p->n++] = *m;
	if (other && !dn_grow(&p->change, &p->changes_cap, p->nchanges + 1, sizeof(*p->change)))
		p->change[p->nchanges++] = m->time;
}

void dn_spaces_event(struct dn_spaces *s, const struct dn_map_event *e)
{
	struct space *p = living(s, e->kind == DN_MAP_FORK ? e->parent : e->pid), *old;
	uint32_t object;

	if (!p || e->time < p->begin)
		return;
	switch (e->kind) {
	case DN_MAP_FORK:
		if (e->pid == e->parent) {
			p->threads++;
			p->last = 0;
			return;
		}
		old = living(s, e->pid);
		if (old)
			old->end = old->last ? old->last : e->time;	/* else its end was lost */
		begin(s, e->pid, e->time, p);
		return;
	case DN_MAP_EXIT:
		if (p->threads)
			p->threads--;
		p->last = p->threads ? 0 : e->time;
		return;
	case DN_MAP_EXEC:
		p->end = e->time;
		begin(s, e->pid, e->time, NULL);	/* the other threads end without being told apart */
		return;
	case DN_MAP_CODE:
		object = object_of(s, p, e);
		if (object)
			map(s, p, &(struct mapping){ e->start, e->end, e->pgoff, e->time, object });
		return;
	}
}

bool dn_spaces_find(const struct dn_spaces *s, uint32_t pid, uint64_t time, uint64_t address,
		    struct dn_place *place)
{
	for (const struct space *p = find(s, pid, time); p; p = p->parent) {
		for (uint32_t i = p->n; i-- > 0;) {
			const struct mapping *m = &p->map[i];

			if (m->time > time || address < m->start || address >= m->end)
				continue;
			*place = place_in(s, m, address);
			return true;
		}
		if (time > p->begin)
			time = p->begin;
	}
	return false;
}

bool dn_spaces_changed(const struct dn_spaces *s, uint32_t pid, uint64_t time, uint64_t other)
{
	const uint64_t from = time < other ? time : other, until = time < other ? other : time;
	const struct space *p = find(s, pid, until);

	for (uint32_t i = p ? p->nchanges : 0; i-- > 0 && p->change[i] > from;)
		if (p->change[i] <= until)
			return true;
	return false;
}

bool dn_spaces_address(const struct dn_spaces *s, uint32_t pid, uint64_t time, const struct dn_place *place,
		       uint64_t *address)
{
	for (const struct space *p = find(s, pid, time); p; p = p->parent) {
		for (uint32_t i = p->n; i-- > 0;) {
			const struct mapping *m = &p->map[i];
			const uint64_t first = place_in(s, m, m->start).offset;

			if (m->time > time || m->object != place->object || place->offset < first ||
			    place->offset - first >= m->end - m->start)
				continue;
			*address = m->start + (place->offset - first);
			return true;
		}
		if (time > p->begin)
			time = p->begin;
	}
	return false;
}

/* Its last thread has ended, as far as it is known: births of others may be among what was lost. */
static bool has_ended(struct space *p, bool lossy)
{
	if (lossy && (!kill((pid_t)p->pid, 0) || errno != ESRCH)) {
		p->last = 0;
		return false;
	}
	p->end = p->last;
	return true;
}

void dn_spaces_forget(struct dn_spaces *s, uint64_t time, bool lossy)
{
	for (unsigned b = 0; b < BUCKETS; b++)
		for (struct space **at = &s->bucket[b], *p; (p = *at);)
			if (p->end < time || (p->end == ALIVE && p->last && p->last < time && has_ended(p, lossy))) {
				*at = p->next;
				put(p);
			} else {
				at = &p->next;
			}
}
