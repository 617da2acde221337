/*
 * fdtrack.c - what ops do to the tables of descriptors.
 */
#include "fdtrack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "enums.h"
#include "fdtrack_int.h"
#include "grow.h"

/* A row of /proc is read a little before its time: what changed this shortly
 * before may have been read as it was before. */
#define SNAPSHOT_NS 10000000u
/* Rows of the first snapshot of a table come within this time. */
#define FIRST_SNAPSHOT_NS 1000000000u

struct dn_fdtrack *dn_fdtrack_new(void)
{
	struct dn_fdtrack *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	if (dn_grow(&t->thread, &t->threads_cap, 1, sizeof(*t->thread)) ||
	    dn_grow(&t->table, &t->tables_cap, 1, sizeof(*t->table)) ||
	    dn_grow(&t->object, &t->objects_cap, 1, sizeof(*t->object))) {
		dn_fdtrack_free(t);
		return NULL;
	}
	memset(&t->thread[0], 0, sizeof(t->thread[0]));
	memset(&t->table[0], 0, sizeof(t->table[0]));
	memset(&t->object[0], 0, sizeof(t->object[0]));
	t->nthreads = t->ntables = t->nobjects = 1;
	return t;
}

void dn_fdtrack_free(struct dn_fdtrack *t)
{
	if (!t)
		return;
	for (uint32_t i = 0; i < t->ntables; i++) {
		free(t->table[i].entry);
		free(t->table[i].proc);
	}
	free(t->thread);
	free(t->thread_slot);
	free(t->table);
	free(t->object);
	free(t->record);
	free(t->order);
	free(t->group);
	dn_fdnames_free(&t->names);
	free(t);
}

bool dn_fdtrack_overflowed(const struct dn_fdtrack *t)
{
	return t->overflowed;
}

uint32_t dn_fdtrack_records(const struct dn_fdtrack *t)
{
	return t->nrecords;
}

/* --- names -------------------------------------------------------------------- */

static bool begins(const char *p, size_t len, const char *with)
{
	size_t n = strlen(with);

	return len >= n && !memcmp(p, with, n);
}

/* A file's kind by its name. */
static unsigned path_kind(const char *p, size_t len)
{
	if (begins(p, len, "/dev/") && !begins(p, len, "/dev/shm/") &&
	    !begins(p, len, "/dev/hugepages/"))
		return DN_FD_DEVICE;
	if (begins(p, len, "/proc/"))
		return DN_FD_PROC;
	if (begins(p, len, "/sys/"))
		return DN_FD_SYSFS;
	return DN_FD_FILE;
}

/* What a link in /proc/PID/fd says. */
static unsigned target_kind(const char *p, size_t len)
{
	static const struct { const char *begin; uint8_t kind; } table[] = {
		{ "pipe:[", DN_FD_PIPE }, { "socket:[", DN_FD_SOCKET }, { "/memfd:", DN_FD_MEMFD },
		{ "anon_inode:[eventfd]", DN_FD_EVENTFD },
		{ "anon_inode:[eventpoll]", DN_FD_EPOLL },
		{ "anon_inode:[timerfd]", DN_FD_TIMERFD },
		{ "anon_inode:[signalfd]", DN_FD_SIGNALFD },
		{ "anon_inode:inotify", DN_FD_INOTIFY },
		{ "anon_inode:[fanotify]", DN_FD_FANOTIFY },
		{ "anon_inode:[pidfd]", DN_FD_PIDFD }, { "pidfd:[", DN_FD_PIDFD },
		{ "anon_inode:[io_uring]", DN_FD_IO_URING },
		{ "anon_inode:[perf_event]", DN_FD_PERF_EVENT },
		{ "anon_inode:bpf", DN_FD_BPF }, { "anon_inode:[userfaultfd]", DN_FD_USERFAULTFD },
		{ "anon_inode:[landlock-ruleset]", DN_FD_RULESET },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (begins(p, len, table[i].begin))
			return table[i].kind;
	if (len && *p == '/')
		return path_kind(p, len);
	return DN_FD_ANON;
}

/* --- threads ------------------------------------------------------------------ */

static uint32_t *thread_slot(const struct dn_fdtrack *t, uint32_t id)
{
	uint32_t i = id * 0x9e3779b1u >> 7;

	for (;; i++) {
		uint32_t *at = &t->thread_slot[i & (t->thread_slots - 1)];

		if (!*at || t->thread[*at].id == id)
			return at;
	}
}

uint32_t dn_fdtrack_thread(const struct dn_fdtrack *t, uint32_t id)
{
	return t->thread_slots ? *thread_slot(t, id) : 0;
}

static int thread_add(struct dn_fdtrack *t, uint32_t id, uint32_t proc, uint32_t table)
{
	int err = dn_grow(&t->thread, &t->threads_cap, (size_t)t->nthreads + 1, sizeof(*t->thread));

	if (!err && 2 * t->nthreads >= t->thread_slots) {
		uint32_t slots = t->thread_slots ? 2 * t->thread_slots : 256;
		uint32_t *slot = calloc(slots, sizeof(*slot));

		if (!slot)
			return -ENOMEM;
		free(t->thread_slot);
		t->thread_slot = slot;
		t->thread_slots = slots;
		for (uint32_t i = 1; i < t->nthreads; i++)
			*thread_slot(t, t->thread[i].id) = i;
	}
	if (err)
		return err;
	*thread_slot(t, id) = t->nthreads;
	t->thread[t->nthreads++] = (struct thread){ .id = id, .table = table, .proc = proc };
	return dn_fdtable_join(t, table, proc);
}

/* The thread of an op; one whose birth is not in the trace gets a table of its own. */
static int thread_of(struct dn_fdtrack *t, uint32_t id, struct thread **out)
{
	uint32_t i = dn_fdtrack_thread(t, id), table;
	int err;

	if (!i) {
		err = dn_fdtable_of_stranger(t, 0, &table);
		if (!err)
			err = thread_add(t, id, id, table);
		if (err)
			return err;
		i = dn_fdtrack_thread(t, id);
	}
	*out = &t->thread[i];
	return 0;
}

static int change_table(struct dn_fdtrack *t, struct thread *th, uint64_t time)
{
	uint32_t table, old = th->table;
	int err = dn_fdtable_copy(t, old, time, &table);

	if (err)
		return err;
	th->before = old;
	th->since = time;
	th->table = table;
	err = dn_fdtable_join(t, table, th->proc);
	return err ? err : dn_fdtable_leave(t, old, time);
}

/* Where a process keeps its working directory: at its first thread. */
static struct thread *leader(struct dn_fdtrack *t, struct thread *th)
{
	uint32_t i = dn_fdtrack_thread(t, th->proc);

	return i ? &t->thread[i] : th;
}

/* --- ops ---------------------------------------------------------------------- */

static int pidfd(struct dn_fdtrack *t, struct thread *th, uint64_t time);

static int start(struct dn_fdtrack *t, const struct dn_fdop *op)
{
	uint32_t known = dn_fdtrack_thread(t, op->thread), parent, table, cwd = 0;
	uint32_t proc = op->fd ? (uint32_t)op->fd : op->thread;
	bool born = op->kind == DN_ORIGIN_FORK || op->kind == DN_ORIGIN_VFORK ||
		    op->kind == DN_ORIGIN_CLONE || op->kind == DN_ORIGIN_THREAD;
	int err;

	if (known && (t->thread[known].gone || op->kind != DN_ORIGIN_EXEC))
		return 0;	/* a keyframe tells it again */
	parent = op->fd2 ? dn_fdtrack_thread(t, (uint32_t)op->fd2) : 0;
	if (op->kind == DN_ORIGIN_EXEC && parent) {	/* it goes on under the new id */
		table = t->thread[parent].table;
		err = known ? 0 : thread_add(t, op->thread, proc, table);
		if (err || t->thread[parent].gone)
			return err;
		t->thread[parent].gone = true;
		return dn_fdtable_leave(t, table, op->time);
	}
	if (known)
		return 0;
	if (!born || !parent) {
		parent = proc == op->thread ? 0 : dn_fdtrack_thread(t, proc);
		born = false;
	}
	if (parent)
		cwd = leader(t, &t->thread[parent])->cwd;
	if (parent && (op->arg & DN_CLONE_FILES || !born)) {
		table = t->thread[parent].table;
		err = 0;
	} else if (parent) {
		err = dn_fdtable_copy(t, t->thread[parent].table, op->time, &table);
	} else {
		err = dn_fdtable_of_stranger(t, op->time, &table);
	}
	if (!err)
		err = thread_add(t, op->thread, proc, table);
	if (err)
		return err;
	t->thread[t->nthreads - 1].cwd = cwd;
	if (born && op->arg & DN_CLONE_PIDFD)
		err = pidfd(t, &t->thread[parent], op->time);
	return err;
}

static int exec(struct dn_fdtrack *t, const struct dn_fdop *op, const char *text, uint32_t len)
{
	struct table *tb;
	struct thread *th;
	int err = thread_of(t, op->thread, &th);

	if (!err && t->table[th->table].users > 1)
		err = change_table(t, th, op->time);
	if (!err && text)
		err = dn_fdnames_add(&t->names, text, len, &leader(t, th)->cwd);
	if (err)
		return err;
	tb = &t->table[th->table];
	for (uint32_t i = 0; !err && i < tb->n; i++)
		if (tb->entry[i].object && tb->entry[i].flags & CLOEXEC)
			err = dn_fdtable_end(t, th->table, &tb->entry[i], op->time, 0);
	return err;
}

static int gone(struct dn_fdtrack *t, const struct dn_fdop *op)
{
	uint32_t i = dn_fdtrack_thread(t, op->thread);

	if (!i || t->thread[i].gone)
		return 0;
	t->thread[i].gone = true;
	return dn_fdtable_leave(t, t->thread[i].table, op->time);
}

static int snapshot(struct dn_fdtrack *t, const struct dn_fdop *op, const char *text, uint32_t len)
{
	unsigned kind = text ? target_kind(text, len) : DN_FD_UNKNOWN;
	struct entry as = { .origin = DN_FD_FROM_SNAPSHOT, .flags = op->cloexec ? CLOEXEC : 0 };
	struct entry *e;
	struct table *tb;
	struct thread *th;
	uint32_t name = 0, object;
	bool first;
	int err = thread_of(t, op->thread, &th);

	if (!err && text)
		err = dn_fdnames_add(&t->names, text, len, &name);
	if (err || th->gone)
		return err;
	tb = &t->table[th->table];
	first = !tb->complete || (tb->told && op->time - tb->told < FIRST_SNAPSHOT_NS);
	tb->told = tb->complete ? tb->told : op->time;
	tb->complete = true;
	e = dn_fdentry_at(tb, op->fd);
	if (e && e->from && e->from + SNAPSHOT_NS > op->time &&
	    !(e->object && t->object[e->object].kind == DN_FD_UNKNOWN)) {
		return 0;
	}
	if (e && e->object) {
		struct object *o = &t->object[e->object];
		bool same = o->kind == kind || (kind == DN_FD_SOCKET && o->kind >= DN_FD_SOCKET &&
						 o->kind <= DN_FD_VSOCK) ||
			    (kind == DN_FD_FILE && o->kind == DN_FD_DIRECTORY);

		if (o->kind == DN_FD_UNKNOWN || same) {
			o->kind = o->kind == DN_FD_UNKNOWN ? (uint8_t)kind : o->kind;
			o->name = o->name ? o->name : name;
			e->from = dn_fdtrack_from(tb, e);
			e->origin = e->origin == DN_FD_FROM_UNKNOWN ? as.origin : e->origin;
			e->flags = as.flags;
			return 0;
		}
	}
	/* It came without a call that says so: by SCM_RIGHTS, or before all. */
	as.from = !first || (e && e->from) ? op->time : tb->begin;
	err = dn_fdobject_new(t, kind, name, &object);
	return err ? err : dn_fdtable_place(t, th->table, op->fd, object, &as);
}

/* A number is in use that nobody opened: a pipe(2) may have got it, and not a lower
 * one, as was thought. */
static bool move_guess(struct dn_fdtrack *t, uint32_t table, int32_t fd)
{
	struct table *tb = &t->table[table];
	struct entry *to = &tb->entry[fd];

	if (!tb->complete && !to->from)		/* it may have been there from the beginning */
		return false;
	for (int32_t i = 0; i < fd; i++) {
		struct entry *e = &tb->entry[i];

		if (!e->object || !(e->flags & GUESSED) || e->from < to->from)
			continue;
		*to = *e;
		to->flags |= INFERRED;
		*e = (struct entry){ .from = 0 };
		tb->low = (uint32_t)i < tb->low ? (uint32_t)i : tb->low;
		return true;
	}
	return false;
}

static int close_one(struct dn_fdtrack *t, const struct dn_fdop *op, struct thread *th)
{
	struct table *tb = &t->table[th->table];
	struct entry *e = dn_fdentry_at(tb, op->fd);
	int err;

	if (e && e->object && e->from > op->time)
		return 0;	/* it ended late: another has the number already */
	if (op->fd2) {		/* it was not open at all */
		if (!e || !e->object)
			return 0;
		dn_fdtrack_unref(t, e->object);
		*e = (struct entry){ .from = op->time, .lag = op->took };
		if ((uint32_t)op->fd < tb->low)
			tb->low = (uint32_t)op->fd;
		return 0;
	}
	if (!e || !e->object) {
		if (dn_fdtable_room(t, tb, op->fd, &err) && !move_guess(t, th->table, op->fd))
			err = dn_fdtable_place_unknown(t, th->table, op->fd, op->time, 0);
		e = dn_fdentry_open(&t->table[th->table], op->fd);
		if (err || !e)
			return err;
	}
	e->flags &= (uint8_t)~(INFERRED | GUESSED);	/* it was there, at least */
	return dn_fdtable_end(t, th->table, e, op->time, op->took);
}

static int close_range(struct dn_fdtrack *t, const struct dn_fdop *op, struct thread *th)
{
	struct table *tb;
	int err = 0;

	if (op->arg & DN_CLOSE_RANGE_UNSHARE && t->table[th->table].users > 1)
		err = change_table(t, th, op->time);
	tb = &t->table[th->table];
	for (uint32_t i = (uint32_t)op->fd; !err && i < tb->n && i <= (uint32_t)op->fd2; i++) {
		struct entry *e = &tb->entry[i];

		if (!e->object || e->from > op->time)
			continue;
		if (op->arg & DN_CLOSE_RANGE_CLOEXEC)
			e->flags |= CLOEXEC;
		else
			err = dn_fdtable_end(t, th->table, e, op->time, op->took);
	}
	return err;
}

static int make(struct dn_fdtrack *t, const struct dn_fdop *op, struct thread *th,
		const char *text, uint32_t len)
{
	struct entry as = { .from = op->time, .origin = DN_FD_FROM_OPENED,
			    .flags = op->cloexec ? CLOEXEC : 0 };
	unsigned kind = op->kind;
	bool is_file = kind == DN_FD_FILE || kind == DN_FD_DIRECTORY;
	uint32_t name = 0, object, dir = leader(t, th)->cwd;
	const struct entry *base;
	int err = dn_fdtable_given(t, th->table, op, 0);

	if (err)
		return err;
	if (op->fd2 >= 0 && is_file) {
		base = dn_fdentry_open(&t->table[th->table], op->fd2);
		dir = base ? t->object[base->object].name : 0;
	}
	if (text)
		err = is_file ? dn_fdnames_join(&t->names, dir, text, len, &name) :
				dn_fdnames_add(&t->names, text, len, &name);
	if (!err && kind == DN_FD_FILE) {
		size_t n;
		const char *p = dn_fdnames_get(&t->names, name, &n);

		kind = path_kind(p ? p : text, p ? n : len);
	}
	if (!err)
		err = dn_fdobject_new(t, kind, name, &object);
	return err ? err : dn_fdtable_place_given(t, th->table, op->fd, object, &as);
}

static int dup_to(struct dn_fdtrack *t, const struct dn_fdop *op, struct thread *th)
{
	struct entry as = { .from = op->time, .origin = DN_FD_FROM_DUP,
			    .flags = op->cloexec ? CLOEXEC : 0 };
	const struct entry *e;
	uint32_t object;
	int err = 0;

	if (op->what == DN_FDOP_DUP_AT && op->fd == op->fd2)
		return 0;	/* dup2() of a number to itself changes nothing */
	if (op->what == DN_FDOP_DUP)
		err = dn_fdtable_given(t, th->table, op, op->arg);
	if (!err && !dn_fdentry_open(&t->table[th->table], op->fd2))
		err = dn_fdtable_place_unknown(t, th->table, op->fd2, op->time, 0);
	if (err)
		return err;
	e = dn_fdentry_open(&t->table[th->table], op->fd2);
	if (!e)
		return 0;
	object = e->object;
	as.flags |= e->flags & INFERRED;
	return op->what == DN_FDOP_DUP ? dn_fdtable_place_given(t, th->table, op->fd, object, &as) :
					 dn_fdtable_place(t, th->table, op->fd, object, &as);
}

static int pair(struct dn_fdtrack *t, const struct dn_fdop *op, struct thread *th)
{
	const struct entry as = { .from = op->time, .origin = DN_FD_FROM_OPENED,
				  .flags = op->cloexec ? CLOEXEC : 0 };
	uint32_t object[2];
	int err = dn_fdobject_new(t, op->kind, 0, &object[0]);

	if (!err)
		err = dn_fdobject_new(t, op->kind, 0, &object[1]);
	return err ? err : dn_fdtable_give_pair(t, th->table, op, &as, object);
}

/* clone(CLONE_PIDFD): its number, too, is in the caller's memory. */
static int pidfd(struct dn_fdtrack *t, struct thread *th, uint64_t time)
{
	const struct entry as = { .from = time, .origin = DN_FD_FROM_OPENED, .flags = CLOEXEC };
	uint32_t object;
	int err = dn_fdobject_new(t, DN_FD_PIDFD, 0, &object);

	return err ? err : dn_fdtable_give_lowest(t, th->table, time, &as, object);
}

static int accepted(struct dn_fdtrack *t, const struct dn_fdop *op, struct thread *th,
		    const char *text, uint32_t len)
{
	struct entry as = { .from = op->time, .origin = DN_FD_FROM_OPENED,
			    .flags = op->cloexec ? CLOEXEC : 0 };
	const struct entry *listener;
	unsigned kind = DN_FD_SOCKET;
	uint32_t name = 0, object;
	int err = dn_fdtable_given(t, th->table, op, 0);

	listener = dn_fdentry_open(&t->table[th->table], op->fd2);
	if (listener && t->object[listener->object].kind != DN_FD_UNKNOWN)
		kind = t->object[listener->object].kind;
	if (!err && text)
		err = dn_fdnames_add(&t->names, text, len, &name);
	if (!err)
		err = dn_fdobject_new(t, kind, name, &object);
	return err ? err : dn_fdtable_place_given(t, th->table, op->fd, object, &as);
}

static int chdir_to(struct dn_fdtrack *t, const struct dn_fdop *op, struct thread *th,
		    const char *text, uint32_t len)
{
	uint32_t *cwd = &leader(t, th)->cwd;
	const struct entry *dir = dn_fdentry_open(&t->table[th->table], op->fd2);

	if (op->fd2 >= 0) {
		*cwd = dir ? t->object[dir->object].name : 0;
		return 0;
	}
	if (!text) {
		*cwd = 0;
		return 0;
	}
	return dn_fdnames_join(&t->names, *cwd, text, len, cwd);
}

/* The kernel's word on a socket; op->arg: it was there before the recording. */
static int socket_told(struct dn_fdtrack *t, const struct dn_fdop *op, struct thread *th, const char *text,
		       uint32_t len)
{
	struct table *tb = &t->table[th->table];
	struct entry *e = dn_fdentry_open(tb, op->fd);
	const struct entry as = { .from = tb->begin, .origin = DN_FD_FROM_SNAPSHOT };
	uint32_t object = e ? e->object : 0;
	int err = 0;

	if (!e && op->arg && !dn_fdentry_at(tb, op->fd)) {
		err = dn_fdobject_new(t, DN_FD_SOCKET, 0, &object);
		if (!err)
			err = dn_fdtable_place(t, th->table, op->fd, object, &as);
	}
	if (err || !object || (t->object[object].kind != DN_FD_UNKNOWN && t->object[object].kind != DN_FD_SOCKET))
		return err;
	t->object[object].kind = op->kind;
	return text ? dn_fdnames_add(&t->names, text, len, &t->object[object].name) : 0;
}

int dn_fdtrack_apply(struct dn_fdtrack *t, const struct dn_fdop *op, const char *text,
		     uint32_t len)
{
	struct thread *th;
	struct entry *e;
	int err;

	switch (op->what) {
	case DN_FDOP_START:
		return start(t, op);
	case DN_FDOP_EXEC:
		return exec(t, op, text, len);
	case DN_FDOP_EXIT:
		return gone(t, op);
	case DN_FDOP_SNAPSHOT:
		return snapshot(t, op, text, len);
	}
	err = thread_of(t, op->thread, &th);
	if (err || th->gone)
		return err;
	e = dn_fdentry_open(&t->table[th->table], op->fd);
	switch (op->what) {
	case DN_FDOP_CLOSE:
		return close_one(t, op, th);
	case DN_FDOP_CLOSE_RANGE:
		return close_range(t, op, th);
	case DN_FDOP_RESERVE:
		if (dn_fdtable_room(t, &t->table[th->table], op->fd, &err))
			t->table[th->table].entry[op->fd].flags |= RESERVED;
		return err;
	case DN_FDOP_MAKE:
		return make(t, op, th, text, len);
	case DN_FDOP_DUP:
	case DN_FDOP_DUP_AT:
		return dup_to(t, op, th);
	case DN_FDOP_PAIR:
		return pair(t, op, th);
	case DN_FDOP_ACCEPT:
		return accepted(t, op, th, text, len);
	case DN_FDOP_CLOEXEC:
		if (e)
			e->flags = (uint8_t)((e->flags & ~CLOEXEC) | (op->cloexec ? CLOEXEC : 0));
		return 0;
	case DN_FDOP_NAME:
		return e ? dn_fdnames_add(&t->names, text, len, &t->object[e->object].name) : 0;
	case DN_FDOP_SOCKET:
		return socket_told(t, op, th, text, len);
	case DN_FDOP_DIRECTORY:
		if (e && (t->object[e->object].kind == DN_FD_FILE ||
			  t->object[e->object].kind == DN_FD_UNKNOWN))
			t->object[e->object].kind = DN_FD_DIRECTORY;
		return 0;
	case DN_FDOP_UNSHARE:
		if (op->arg & DN_CLONE_FILES && t->table[th->table].users > 1)
			return change_table(t, th, op->time);
		return 0;
	case DN_FDOP_CHDIR:
		return chdir_to(t, op, th, text, len);
	}
	return 0;
}
