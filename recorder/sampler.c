/*
 * sampler.c - readings of /proc of a set of processes and of the host, as rows.
 *
 * The set is an array in which [0, cursor) have been read in the round under
 * way and [cursor, n) have not; a hash by key finds a process in it. Taking
 * one out moves two others so that the division stays true.
 *
 * Cost: `credit` is CPU time that readings may still take. It grows by a share
 * of the time that passes, up to CREDIT_MAX, and each reading's own time is taken
 * off. It may fall below zero by one reading; then nothing is read until
 * it is positive again.
 */
#include "sampler.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "clocks.h"
#include "hostsample.h"
#include "procfs.h"
#include "row.h"

#define MS 1000000u
#define CREDIT_MAX (20 * (int64_t)MS)
/* A round that was stopped goes on when this much has been earned: a few
 * readings at a time, not one. */
#define CREDIT_RESUME (1 * (int64_t)MS)

struct entry {
	uint64_t key;
	uint32_t process;
	struct dn_proc proc;	/* dir -1: opened anew for each reading, or gone */
	uint32_t threads;	/* at the last reading */
	bool gone;
	bool threads_ended;	/* the sum of switches has lost some of its parts */
};

struct dn_sampler {
	struct dn_sampler_opts opts;
	const struct dn_sink *sink;
	int procfs;
	bool own_procfs;
	uint64_t tick_ns;	/* of the times in /proc */
	int64_t timens;

	struct entry *entry;
	uint32_t n, cap;
	uint32_t cursor;	/* n: no round under way */
	uint32_t open;		/* directory fds held */
	uint32_t *slot;		/* index into entry + 1; 0: free */
	uint32_t nslots;	/* 0 or a power of two, at least twice n */

	uint64_t started;	/* first tick; 0: none yet */
	uint64_t round_due;	/* when the next round begins */
	uint64_t credit_time;	/* when credit was brought up to date */
	int64_t credit;
	struct dn_sampler_counts counts;
	uint64_t devices_skipped;
};

/* --- the set ---------------------------------------------------------------------- */

static uint64_t key_of(uint32_t process, pid_t pid)
{
	return process ? process : (uint64_t)1 << 32 | (uint32_t)pid;
}

static uint32_t hash(uint64_t key)
{
	return (uint32_t)((key * 0x9e3779b97f4a7c15u) >> 32);
}

/* The slot of key, or the free one where it would go. */
static uint32_t *find_slot(const struct dn_sampler *s, uint64_t key)
{
	uint32_t i = hash(key) & (s->nslots - 1);

	while (s->slot[i] && s->entry[s->slot[i] - 1].key != key)
		i = (i + 1) & (s->nslots - 1);
	return &s->slot[i];
}

static int grow(struct dn_sampler *s)
{
	uint32_t cap = s->cap ? s->cap * 2 : 64;
	struct entry *entry;
	uint32_t *slot;

	if (cap > UINT32_MAX / 8)
		return -ENOMEM;
	entry = realloc(s->entry, cap * sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	s->entry = entry;
	slot = calloc(cap * 2, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	free(s->slot);
	s->slot = slot;
	s->nslots = cap * 2;
	s->cap = cap;
	for (uint32_t i = 0; i < s->n; i++)
		*find_slot(s, s->entry[i].key) = i + 1;
	return 0;
}

/* Frees the slot of an entry; those behind it that would no longer be found
 * move up. */
static void free_slot(struct dn_sampler *s, uint64_t key)
{
	uint32_t mask = s->nslots - 1;
	uint32_t hole = (uint32_t)(find_slot(s, key) - s->slot), i = hole;

	for (;;) {
		uint32_t home;

		i = (i + 1) & mask;
		if (!s->slot[i])
			break;
		home = hash(s->entry[s->slot[i] - 1].key) & mask;
		/* may stay if its home lies cyclically in (hole, i] */
		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		s->slot[hole] = s->slot[i];
		hole = i;
	}
	s->slot[hole] = 0;
}

static void move_entry(struct dn_sampler *s, uint32_t from, uint32_t to)
{
	if (from == to)
		return;
	s->entry[to] = s->entry[from];
	*find_slot(s, s->entry[to].key) = to + 1;
}

static void let_go(struct dn_sampler *s, struct entry *e)
{
	if (e->proc.dir < 0)
		return;
	dn_proc_close(&e->proc);
	s->open--;
}

static void take_out(struct dn_sampler *s, uint32_t i)
{
	let_go(s, &s->entry[i]);
	free_slot(s, s->entry[i].key);
	if (i < s->cursor) {
		s->cursor--;
		move_entry(s, s->cursor, i);
		i = s->cursor;
	}
	move_entry(s, s->n - 1, i);
	s->n--;
}

/* --- cost --------------------------------------------------------------------------- */

static void earn(struct dn_sampler *s, uint64_t now)
{
	uint64_t passed = now > s->credit_time ? now - s->credit_time : 0;

	/* a second fills it from any depth one reading can dig, and keeps the
	 * product small */
	if (passed > 1000 * (uint64_t)MS)
		passed = 1000 * (uint64_t)MS;
	s->credit += (int64_t)(passed * s->opts.cpu_permille / 1000);
	if (s->credit > CREDIT_MAX)
		s->credit = CREDIT_MAX;
	s->credit_time = now;
}

/* The time now; what has passed since *since is paid for. */
static uint64_t pay(struct dn_sampler *s, uint64_t *since)
{
	uint64_t now = dn_now();

	s->credit -= (int64_t)(now - *since);
	*since = now;
	return now;
}

/* --- one reading ---------------------------------------------------------------------- */

static int emit_reading(struct dn_sampler *s, const struct entry *e,
			const struct dn_proc_reading *r, uint64_t time, enum dn_sample_phase phase)
{
	struct dn_value v[DN_F_process_sample_N];
	uint64_t born = dn_scale(r->start, s->tick_ns);

	dn_row_clear(v, DN_F_process_sample_N);
	v[DN_F_process_sample_time] = dn_u(time);
	if (e->process)
		v[DN_F_process_sample_process] = dn_u(e->process);
	v[DN_F_process_sample_pid] = dn_u((uint64_t)e->proc.pid);
	v[DN_F_process_sample_phase] = dn_u(phase);
	v[DN_F_process_sample_state] = dn_u((unsigned char)r->state);
	v[DN_F_process_sample_utime] = dn_measured(dn_scale(r->utime, s->tick_ns));
	v[DN_F_process_sample_stime] = dn_measured(dn_scale(r->stime, s->tick_ns));
	v[DN_F_process_sample_rss] = dn_measured(r->rss);
	v[DN_F_process_sample_vms] = dn_measured(r->vms);
	v[DN_F_process_sample_threads] = dn_measured(r->threads);
	v[DN_F_process_sample_minflt] = dn_measured(r->minflt);
	v[DN_F_process_sample_majflt] = dn_measured(r->majflt);
	if (!e->threads_ended) {
		v[DN_F_process_sample_nvcsw] = dn_measured(r->nvcsw);
		v[DN_F_process_sample_nivcsw] = dn_measured(r->nivcsw);
	}
	v[DN_F_process_sample_rchar] = dn_measured(r->io.rchar);
	v[DN_F_process_sample_wchar] = dn_measured(r->io.wchar);
	v[DN_F_process_sample_syscr] = dn_measured(r->io.syscr);
	v[DN_F_process_sample_syscw] = dn_measured(r->io.syscw);
	v[DN_F_process_sample_read_bytes] = dn_measured(r->io.read_bytes);
	v[DN_F_process_sample_write_bytes] = dn_measured(r->io.write_bytes);
	v[DN_F_process_sample_cpu] = dn_measured(r->cpu);
	v[DN_F_process_sample_fds] = dn_measured(r->fds);
	if (born != DN_UNMEASURED)
		v[DN_F_process_sample_uptime] = dn_u(time > born ? time - born : 0);
	s->counts.readings++;
	return dn_row_send(s->sink, DN_EV_process_sample, v, DN_F_process_sample_N);
}

/* Opens the directory of an entry that holds none; it stays open where there
 * is room among max_open, else the caller closes *p. */
static int hold(struct dn_sampler *s, struct entry *e, struct dn_proc *p)
{
	int err = dn_proc_open(p, s->procfs, e->proc.pid, e->proc.start);

	if (err)
		return err;
	e->proc.start = p->start;
	if (s->open < s->opts.max_open) {
		e->proc.dir = p->dir;
		s->open++;
	}
	return 0;
}

/* Reads a process and hands the row on. 0 also where there was nothing to
 * read: then it is counted. Only the sink's error comes back. */
static int read_entry(struct dn_sampler *s, struct entry *e, enum dn_sample_phase phase)
{
	struct dn_proc_reading r;
	struct dn_proc p = e->proc;
	uint64_t time;
	int err = 0;

	if (e->gone)
		return 0;
	if (p.dir < 0)
		err = hold(s, e, &p);
	time = dn_now();
	if (!err)
		err = dn_proc_read(&p, DN_PROC_ALL, &r);
	if (p.dir != e->proc.dir)
		dn_proc_close(&p);
	if (err == -ESRCH) {
		e->gone = true;
		let_go(s, e);
		if (phase != DN_PHASE_LAST)
			s->counts.gone++;
		return 0;
	}
	if (err) {
		s->counts.failed++;
		return 0;
	}
	if (r.threads != DN_UNMEASURED) {
		if (r.threads < e->threads)
			e->threads_ended = true;
		e->threads = (uint32_t)r.threads;
	}
	return emit_reading(s, e, &r, time, phase);
}

/* --- the interface ------------------------------------------------------------------------ */

static void set_defaults(struct dn_sampler_opts *o)
{
	if (!o->interval_ns)
		o->interval_ns = 100 * (uint64_t)MS;
	if (!o->max_interval_ns)
		o->max_interval_ns = 1000 * (uint64_t)MS;
	if (o->max_interval_ns < o->interval_ns)
		o->max_interval_ns = o->interval_ns;
	if (!o->ramp_ns)
		o->ramp_ns = 10000 * (uint64_t)MS;
	if (!o->cpu_permille)
		o->cpu_permille = 100;
	if (o->cpu_permille > 1000)
		o->cpu_permille = 1000;
	if (!o->max_open) {
		struct rlimit r;

		o->max_open = 1024;
		if (!getrlimit(RLIMIT_NOFILE, &r) && r.rlim_cur / 4 < o->max_open)
			o->max_open = (unsigned)(r.rlim_cur / 4);
	}
}

uint64_t dn_sampler_interval(const struct dn_sampler_opts *opts, uint64_t elapsed)
{
	struct dn_sampler_opts o = *opts;
	uint64_t range, grown;

	set_defaults(&o);
	if (elapsed >= o.ramp_ns)
		return o.max_interval_ns;
	range = o.max_interval_ns - o.interval_ns;
	grown = (uint64_t)((double)range * ((double)elapsed / (double)o.ramp_ns));
	return o.interval_ns + (grown < range ? grown : range);
}

struct dn_sampler *dn_sampler_new(const struct dn_sampler_opts *opts, const struct dn_sink *sink)
{
	struct dn_sampler *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->opts = *opts;
	set_defaults(&s->opts);
	s->sink = sink;
	s->procfs = opts->procfs;
	if (!s->procfs) {
		s->procfs = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
		s->own_procfs = true;
	}
	if (s->procfs < 0 || grow(s)) {
		int err = errno;

		dn_sampler_free(s);
		errno = err;
		return NULL;
	}
	s->tick_ns = dn_tick_ns();
	s->timens = dn_timens_offset(s->procfs);
	s->credit = CREDIT_MAX;
	s->credit_time = dn_now();
	return s;
}

void dn_sampler_free(struct dn_sampler *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < s->n; i++)
		dn_proc_close(&s->entry[i].proc);
	if (s->own_procfs && s->procfs >= 0)
		close(s->procfs);
	free(s->entry);
	free(s->slot);
	free(s);
}

/* Puts e among those that the round under way is done with: it has its reading. */
static struct entry *insert(struct dn_sampler *s, const struct entry *e, uint32_t *slot)
{
	uint32_t i = s->cursor++;

	if (i < s->n) {
		*find_slot(s, s->entry[i].key) = s->n + 1;
		s->entry[s->n] = s->entry[i];
	}
	s->entry[i] = *e;
	*slot = i + 1;
	s->n++;
	return &s->entry[i];
}

int dn_sampler_add(struct dn_sampler *s, uint32_t process, pid_t pid, uint64_t born)
{
	struct entry e = {
		.key = key_of(process, pid),
		.process = process,
		.proc = { .dir = -1, .pid = pid, .start = DN_UNMEASURED },
	};
	struct dn_proc p = { .dir = -1 };
	uint64_t since = dn_now();
	struct entry *in;
	uint32_t *slot;
	bool afford;
	int err = 0;

	if (s->n == s->cap) {
		err = grow(s);
		if (err)
			return err;
	}
	slot = find_slot(s, e.key);
	if (*slot)
		return -EEXIST;
	if (born)
		e.proc.start = (born + (uint64_t)s->timens) / s->tick_ns;
	earn(s, since);
	afford = s->credit > 0;
	/* Without a start time it must be held now, at any cost: later its number
	 * may be another's. */
	if (afford || !born) {
		err = hold(s, &e, &p);
		if (p.dir != e.proc.dir)
			dn_proc_close(&p);
	}
	if (err == -ESRCH) {
		s->counts.gone++;
	} else if (err && !born) {
		s->counts.failed++;
	} else {
		/* whatever else failed (no fd left, say) may go better next time */
		in = insert(s, &e, slot);
		err = 0;
		if (afford)
			err = read_entry(s, in, DN_PHASE_FIRST);
		else
			s->counts.skipped++;
	}
	pay(s, &since);
	return err;
}

int dn_sampler_remove(struct dn_sampler *s, uint32_t process, pid_t pid, bool take_last)
{
	uint32_t i = *find_slot(s, key_of(process, pid));
	uint64_t since = dn_now();
	int err = 0;

	if (!i)
		return -ENOENT;
	earn(s, since);
	if (take_last && s->credit > 0)
		err = read_entry(s, &s->entry[i - 1], DN_PHASE_LAST);
	else if (take_last)
		s->counts.skipped++;
	take_out(s, i - 1);
	pay(s, &since);
	return err;
}

static int begin_round(struct dn_sampler *s, uint64_t now)
{
	uint64_t since = dn_now();
	int err = 0;

	if (!s->started)
		s->started = now;
	s->cursor = 0;
	s->round_due = now + dn_sampler_interval(&s->opts, now - s->started);
	if (!s->opts.no_host) {
		err = dn_clocks_emit(s->sink);
		if (!err)
			err = dn_host_emit(s->procfs, s->sink, &s->devices_skipped);
	}
	pay(s, &since);
	return err;
}

int dn_sampler_tick(struct dn_sampler *s, uint64_t now)
{
	uint64_t since;
	int err = 0;

	if (now < dn_sampler_next_ns(s))
		return 0;
	since = dn_now();
	earn(s, since);
	if (s->cursor == s->n)
		err = begin_round(s, now);
	since = dn_now();
	while (!err && s->cursor < s->n) {
		if (s->credit <= 0) {
			s->counts.deferred++;
			return 0;
		}
		err = read_entry(s, &s->entry[s->cursor], DN_PHASE_PERIODIC);
		s->cursor++;
		pay(s, &since);
	}
	if (!err)
		s->counts.rounds++;
	return err;
}

uint64_t dn_sampler_next_ns(const struct dn_sampler *s)
{
	if (!s->started)
		return 0;
	if (s->cursor == s->n)
		return s->round_due;
	/* stopped in the middle: when enough will have been earned */
	if (s->credit >= CREDIT_RESUME)
		return s->credit_time;
	return s->credit_time +
	       (uint64_t)(CREDIT_RESUME - s->credit) * 1000 / s->opts.cpu_permille;
}

int dn_sampler_finish(struct dn_sampler *s)
{
	int err = 0;

	if (!s->opts.no_host) {
		err = dn_clocks_emit(s->sink);
		if (!err)
			err = dn_host_emit(s->procfs, s->sink, &s->devices_skipped);
	}
	for (uint32_t i = 0; !err && i < s->n; i++)
		err = read_entry(s, &s->entry[i], DN_PHASE_LAST);
	return err;
}

void dn_sampler_counts(const struct dn_sampler *s, struct dn_sampler_counts *counts)
{
	*counts = s->counts;
	counts->devices_skipped = s->devices_skipped;
}

unsigned dn_sampler_processes(const struct dn_sampler *s)
{
	return s->n;
}
