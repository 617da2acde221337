/*
 * fdtrack_int.h - what fdtrack.c, fdtable.c and fdtrack_find.c share. Nobody else
 * includes it.
 */
#ifndef DN_ANALYZER_FDTRACK_INT_H
#define DN_ANALYZER_FDTRACK_INT_H

#include "fdnames.h"
#include "fdtrack.h"

enum entry_flag {
	CLOEXEC = 1 << 0,
	INFERRED = 1 << 1,
	PHANTOM = 1 << 2,	/* only a higher number that was given away speaks for it */
	OLD = 1 << 3,		/* and before that nothing was known of it: as old as the table */
	GUESSED = 1 << 4,	/* the number is one that a pipe(2) must have got, and was not read */
	RESERVED = 1 << 5,	/* of a closed one: a call that is under way has it */
};

/* A number of a live table. */
struct entry {
	uint64_t from;		/* since when; of a closed one, 0: never seen open */
	uint32_t object;	/* 0: closed */
	uint32_t lag;		/* ns from then until its close() returned */
	uint8_t flags, origin;
};

struct table {
	struct entry *entry;
	uint32_t n, cap;
	uint32_t low;		/* all below are in use */
	uint32_t phantom;	/* no phantom is below; UINT32_MAX: there is none */
	uint32_t users;		/* threads; 0: it is over, there are no entries */
	uint64_t begin;
	uint32_t nprocs, procs_cap;
	uint32_t *proc;		/* processes that had it */
	uint64_t told;		/* when a snapshot of it began; 0: none did */
	bool complete;		/* every descriptor in it is known */
};

/* An open file description, socket and so on. */
struct object {
	uint32_t refs;		/* entries and records; 0: free, name is the next free one */
	uint32_t name;
	uint8_t kind;
};

struct record {
	uint64_t from, to;
	uint32_t table, object;
	int32_t fd;
	uint8_t flags, origin;
};

struct thread {
	uint32_t id, table, proc;
	uint32_t before;	/* its table until since; 0: none */
	uint64_t since;
	uint32_t cwd;		/* name; of the first thread of a process */
	bool gone;
};

/* The records of one number of one table: order[from .. from + n). */
struct group {
	uint64_t key;
	uint32_t from, n;
};

struct dn_fdtrack {
	struct thread *thread;	/* [0] is nobody */
	uint32_t nthreads, threads_cap;
	uint32_t *thread_slot, thread_slots;
	struct table *table;	/* [0] is none */
	uint32_t ntables, tables_cap;
	struct object *object;	/* [0] is none */
	uint32_t nobjects, objects_cap, free_object;
	struct record *record;
	uint32_t nrecords, records_cap;
	uint32_t *order, order_cap;
	struct group *group;	/* hash table, key 0: empty */
	uint32_t groups;
	uint32_t numbers;	/* in tables and records */
	bool overflowed;
	struct dn_fdnames names;
};

/* The thread with that id; 0: not known. */
uint32_t dn_fdtrack_thread(const struct dn_fdtrack *t, uint32_t id);

static inline struct entry *dn_fdentry_at(struct table *tb, int32_t fd)
{
	return fd >= 0 && (uint32_t)fd < tb->n ? &tb->entry[fd] : NULL;
}

/* The entry that is open, else NULL. */
static inline struct entry *dn_fdentry_open(struct table *tb, int32_t fd)
{
	struct entry *e = dn_fdentry_at(tb, fd);

	return e && e->object ? e : NULL;
}

/* Since when an entry is there. */
static inline uint64_t dn_fdtrack_from(const struct table *tb, const struct entry *e)
{
	return e->flags & OLD ? tb->begin : e->from;
}

static inline uint64_t dn_fdtrack_key(uint32_t table, int32_t fd)
{
	return (uint64_t)table << 32 | (uint32_t)fd;	/* tables count from 1 */
}

/* --- fdtable.c: 0 or -ENOMEM; where there is no room that is noted, and no error --- */

/* An object that nothing has yet. */
int dn_fdobject_new(struct dn_fdtrack *t, unsigned kind, uint32_t name, uint32_t *id);

/* One entry or record less has it. */
void dn_fdtrack_unref(struct dn_fdtrack *t, uint32_t id);

/* Makes numbers up to fd part of the table. false: no room. */
bool dn_fdtable_room(struct dn_fdtrack *t, struct table *tb, int32_t fd, int *err);

/* Ends what is open at e, of which a record stays. lag: ns until it is surely gone. */
int dn_fdtable_end(struct dn_fdtrack *t, uint32_t table, struct entry *e, uint64_t time,
		   uint32_t lag);

/* Puts an object at a number, in the place of what is there. */
int dn_fdtable_place(struct dn_fdtrack *t, uint32_t table, int32_t fd, uint32_t object,
		     const struct entry *as);

/* At the number that was the lowest free one when a call began. */
int dn_fdtable_give_lowest(struct dn_fdtrack *t, uint32_t table, uint64_t began,
			   const struct entry *like, uint32_t object);

/* Two of them: at the numbers that op has of the caller's memory, where they can be true; INFERRED, where
 * they are not the lowest free ones. */
int dn_fdtable_give_pair(struct dn_fdtrack *t, uint32_t table, const struct dn_fdop *op, const struct entry *like,
			 const uint32_t object[2]);

/* At a number of which the kernel says that it was the lowest free one. If it is what
 * a pipe(2) was thought to have got, that got another. */
int dn_fdtable_place_given(struct dn_fdtrack *t, uint32_t table, int32_t fd, uint32_t object,
			   const struct entry *as);

/* Something that nobody has seen before. flags: enum entry_flag. */
int dn_fdtable_place_unknown(struct dn_fdtrack *t, uint32_t table, int32_t fd, uint64_t time,
			     unsigned flags);

/* The kernel gave op->fd away as the lowest free number from `least` on. */
int dn_fdtable_given(struct dn_fdtrack *t, uint32_t table, const struct dn_fdop *op,
		     uint32_t least);

/* A thread of a process more, or less, uses a table. */
int dn_fdtable_join(struct dn_fdtrack *t, uint32_t table, uint32_t proc);
int dn_fdtable_leave(struct dn_fdtrack *t, uint32_t table, uint64_t time);

/* A table of a process that nobody saw begin: it has the three that every program has. */
int dn_fdtable_of_stranger(struct dn_fdtrack *t, uint64_t begin, uint32_t *id);

/* One for a child. */
int dn_fdtable_copy(struct dn_fdtrack *t, uint32_t from, uint64_t time, uint32_t *id);

#endif
