/*
 * procwatch.c - the tree of the command by looking at /proc again and again.
 *
 * Who is known stands in a list, in the order of being found, and in a hash by
 * pid. A look goes through the list; children that it finds go to the list's
 * end, so they are looked at in the same turn. Who has ended stays known until
 * it is gone from /proc: a zombie is still among its parent's children.
 *
 * An execve shows in the address where the stack begins, which is another
 * afterwards even if the program is the same. Between the old image and the
 * new one it is 0 for a moment, and for ever if we may not see it; then a new
 * name must do.
 */
#include "procwatch_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <xxhash.h>

#include "clocks.h"
#include "grow.h"
#include "row.h"

#define MS 1000000u
#define PERIOD_LEAST (1 * (uint64_t)MS)
#define PERIOD_MOST (10 * (uint64_t)MS)
#define QUIET_PART 50		/* the period is this part of the time without change */
#define CREDIT_MAX (10 * (int64_t)MS)
#define FIGURES_NS (20 * (uint64_t)MS)	/* between readings of more than stat */
#define ONE_EXEC_NS 20000000u	/* what looks the same within it is one execve */
#define BLANK_LOOKS 3		/* without a stack, until it is taken for one we may not see */
#define BARE_LOOKS 16		/* without arguments, until it is taken for one that has none */
#define FULL_SCAN 64		/* scans, until known pids are looked at again */
#define PIDFDS_MOST 1024

/* --- cost --------------------------------------------------------------------- */

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts))
		return 0;
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void earn(struct dn_procwatch *w, uint64_t now)
{
	uint64_t passed = now > w->credit_time ? now - w->credit_time : 0;

	if (passed > 10000 * (uint64_t)MS)	/* keeps the product small */
		passed = 10000 * (uint64_t)MS;
	w->credit += (int64_t)(passed * w->o.cpu_permille / 1000);
	if (w->credit > CREDIT_MAX)
		w->credit = CREDIT_MAX;
	w->credit_time = now;
}

uint64_t dn_procwatch_next_ns(const struct dn_procwatch *w)
{
	uint64_t quiet = w->looked - w->changed, period = quiet / QUIET_PART, due, paid;

	if (period < PERIOD_LEAST)
		period = PERIOD_LEAST;
	if (period > PERIOD_MOST)
		period = PERIOD_MOST;
	due = w->looked + period;
	if (w->credit > 0)
		return due;
	paid = w->credit_time + (uint64_t)(1 - w->credit) * 1000 / w->o.cpu_permille;
	return due > paid ? due : paid;
}

int dn_procwatch_fd(const struct dn_procwatch *w)
{
	return w->credit > 0 ? w->epoll : -1;
}

/* --- who is known ----------------------------------------------------------------- */

static struct dn_watched **find(struct dn_procwatch *w, pid_t pid)
{
	struct dn_watched **p = &w->bucket[(uint32_t)pid % DN_WATCH_BUCKETS];

	while (*p && (*p)->pid != pid)
		p = &(*p)->next;
	return p;
}

static void drop_pidfd(struct dn_procwatch *w, struct dn_watched *p)
{
	if (p->pidfd < 0)
		return;
	close(p->pidfd);	/* leaves the epoll set by that */
	p->pidfd = -1;
	w->pidfds--;
}

static void forget(struct dn_procwatch *w, struct dn_watched *p)
{
	drop_pidfd(w, p);
	*find(w, p->pid) = p->next;
	free(p->task);
	free(p);
}

/* Takes out of the list who is gone. */
static void sweep(struct dn_procwatch *w)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < w->n; i++)
		if (w->proc[i]->gone)
			forget(w, w->proc[i]);
		else
			w->proc[kept++] = w->proc[i];
	w->n = kept;
}

/* The end of a process makes its pidfd readable. */
static void hold_pidfd(struct dn_procwatch *w, struct dn_watched *p, pid_t pid)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET, .data.ptr = p };

	if (w->pidfds >= w->pidfds_most)
		return;
	p->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (p->pidfd < 0)
		return;
	w->pidfds++;
	/* The root's end is told by SIGCHLD. */
	if (p != w->root)
		epoll_ctl(w->epoll, EPOLL_CTL_ADD, p->pidfd, &ev);
}

/* A process into list and hash. NULL: no memory. */
static struct dn_watched *add(struct dn_procwatch *w, pid_t pid, const struct dn_pid_stat *st)
{
	struct dn_watched *p = calloc(1, sizeof(*p));

	if (!p || dn_grow(&w->proc, &w->cap, w->n + 1u, sizeof(*w->proc))) {
		free(p);
		return NULL;
	}
	p->id = ++w->last_id;
	p->pid = pid;
	p->start = st->start;
	p->pidfd = -1;
	p->stat = *st;
	p->stack = p->stack_before = st->stack;
	memset(&p->figures, 0xff, sizeof(p->figures));	/* every figure unmeasured */
	dn_watch_keep_comm(p->comm, st);
	*find(w, pid) = p;
	w->proc[w->n++] = p;
	return p;
}

/* --- execve and names --------------------------------------------------------------- */

static int exec_seen(struct dn_procwatch *w, struct dn_watched *p)
{
	uint64_t now = dn_now(), image;
	struct dn_image im;

	dn_watch_image(w, p, &im);
	p->figures_due = 0;
	/* Nothing is left of one that is over: what it was is not known. */
	if (im.path <= 0 && !im.argv)
		return 0;
	/* In the midst of execve(2) the path is there before the arguments
	 * (begin_new_exec and create_elf_tables in the kernel). */
	if (im.path > 0 && !im.argv && ++p->bare < BARE_LOOKS)
		return 0;
	p->bare = 0;
	/* The address of the stack is set twice on the way (fs/exec.c, fs/binfmt_elf.c). */
	image = XXH64(w->argv, im.argv, XXH64(w->exe, im.path > 0 ? (size_t)im.path : 0, 0));
	if (image == p->image && now < p->image_time + ONE_EXEC_NS)
		return 0;
	p->image = image;
	p->image_time = now;
	return dn_watch_exec_row(w, p, &im);
}

static int look_image(struct dn_procwatch *w, struct dn_watched *p, const struct dn_pid_stat *st)
{
	bool renamed = !dn_watch_has_comm(p->comm, st);

	if (st->stack && p->stack && st->stack != p->stack) {
		p->stack_before = p->stack;
		p->stack = st->stack;
		p->blank = 0;
		dn_watch_keep_comm(p->comm, st);
		p->bare = 0;
		return exec_seen(w, p);
	}
	if (p->bare)
		return exec_seen(w, p);
	if (!st->stack && p->stack) {
		if (++p->blank < BLANK_LOOKS || !renamed)
			return 0;
		p->stack = 0;
		dn_watch_keep_comm(p->comm, st);
		return exec_seen(w, p);
	}
	p->blank = 0;
	if (!renamed) {
		p->stack = st->stack;
		return 0;
	}
	dn_watch_keep_comm(p->comm, st);
	if (st->stack != p->stack || !st->stack) {
		p->stack = st->stack;
		return exec_seen(w, p);
	}
	return dn_watch_comm_row(w, p);
}

/* --- ends --------------------------------------------------------------------------- */

static int tasks_end(struct dn_procwatch *w, struct dn_watched *p)
{
	int err = 0;

	for (uint32_t i = 0; i < p->ntasks && !err; i++)
		err = dn_watch_exit_row(w, p, p->task[i].thread, false);
	p->ntasks = 0;
	return err;
}

static int ended(struct dn_procwatch *w, struct dn_watched *p)
{
	int err = tasks_end(w, p);

	/* Of an execve that it ended in, the name is known at least. */
	if (p->bare && !err)
		err = dn_watch_comm_row(w, p);
	dn_watch_last_figures(w, p);
	p->ended = true;
	drop_pidfd(w, p);
	/* Of a zombie there is a reading of the sampler's. */
	if (!err && p->threaded && p->looked && !dn_watch_is_over(&p->stat))
		err = dn_watch_sample_row(w, p);
	return err ? err : dn_watch_exit_row(w, p, p->id, true);
}

/* --- one look ------------------------------------------------------------------------- */

/* parent NULL: not known, and no more alive. */
static int found(struct dn_procwatch *w, pid_t pid, const struct dn_watched *parent, uint32_t thread,
		 enum dn_origin origin)
{
	struct dn_pid_stat st;
	char buf[DN_WATCH_STAT];
	struct dn_watched *p;
	int err;

	if (*find(w, pid))
		return 0;
	if (dn_watch_stat_of(w, pid, &st, buf)) {
		w->counts.gone++;
		return 0;
	}
	p = add(w, pid, &st);
	if (!p)
		return 0;
	if (w->numbers_ours)
		hold_pidfd(w, p, pid);
	err = dn_watch_start_row(w, p, p->id, (uint32_t)pid, thread, parent ? (uint32_t)parent->pid : (uint32_t)st.ppid,
				 &st, origin);
	if (err || dn_watch_is_over(&st) || !parent)
		return err;
	/* Until its first execve it has the image of its parent. */
	if (st.stack ? st.stack != parent->stack && st.stack != parent->stack_before :
		       !dn_watch_has_comm(parent->comm, &st))
		err = exec_seen(w, p);
	return err;
}

/* Children in the file of that name below /proc. */
static int read_children(struct dn_procwatch *w, const char *name, const struct dn_watched *p, uint32_t thread)
{
	char *at = w->children, *end;
	ssize_t n;
	int err = 0;

	n = dn_read_file(w->procfs, name, w->children, sizeof(w->children) - 1);
	if (n <= 0)
		return 0;
	w->children[n] = 0;
	for (; !err; at = end) {
		unsigned long pid = strtoul(at, &end, 10);

		if (end == at || *end != ' ')	/* each ends in a blank, or it is cut */
			break;
		err = found(w, (pid_t)pid, p, thread, DN_ORIGIN_PROC);
	}
	return err;
}

static int look_children(struct dn_procwatch *w, const struct dn_watched *p, uint32_t tid, uint32_t thread)
{
	char name[64];

	if (w->o.scan)
		return 0;
	snprintf(name, sizeof(name), "%d/task/%u/children", (int)p->pid, tid);
	return read_children(w, name, p, thread);
}

static int look_task(struct dn_procwatch *w, struct dn_watched *p, uint32_t tid)
{
	char name[64], buf[DN_WATCH_STAT];
	struct dn_pid_stat st;
	struct dn_watched_task *t = NULL;
	int err;

	for (uint32_t i = 0; i < p->ntasks && !t; i++)
		if (p->task[i].tid == tid)
			t = &p->task[i];
	if (!t) {
		snprintf(name, sizeof(name), "%d/task/%u/stat", (int)p->pid, tid);
		if (dn_watch_stat(w, name, &st, buf) ||
		    dn_grow(&p->task, &p->tasks_cap, p->ntasks + 1u, sizeof(*t)))
			return 0;
		t = &p->task[p->ntasks++];
		t->thread = ++w->last_id;
		t->tid = tid;
		err = dn_watch_start_row(w, p, t->thread, tid, 0, (uint32_t)p->stat.ppid, &st, DN_ORIGIN_PROC);
		if (err)
			return err;
	}
	t->seen = true;
	return look_children(w, p, tid, t->thread);
}

/* A listing may pass over a thread while another one ends. */
static bool task_is_there(struct dn_procwatch *w, const struct dn_watched *p, uint32_t tid)
{
	char name[64];

	snprintf(name, sizeof(name), "%d/task/%u", (int)p->pid, tid);
	return !faccessat(w->procfs, name, F_OK, 0);
}

static int look_tasks(struct dn_procwatch *w, struct dn_watched *p)
{
	struct dn_numbers d;
	uint32_t tid, kept = 0;
	char name[32];
	int err;

	p->threaded = true;
	for (uint32_t i = 0; i < p->ntasks; i++)
		p->task[i].seen = false;
	snprintf(name, sizeof(name), "%d/task", (int)p->pid);
	if (dn_numbers_open(&d, w->procfs, name))
		return 0;
	err = 0;
	while (!err && dn_numbers_next(&d, &tid) > 0)
		err = tid == (uint32_t)p->pid ? look_children(w, p, tid, p->id) : look_task(w, p, tid);
	dn_numbers_close(&d);
	for (uint32_t i = 0; i < p->ntasks && !err; i++) {
		if (p->task[i].seen || task_is_there(w, p, p->task[i].tid))
			p->task[kept++] = p->task[i];
		else
			err = dn_watch_exit_row(w, p, p->task[i].thread, false);
	}
	p->ntasks = err ? 0 : kept;
	return err;
}

static int look_at(struct dn_procwatch *w, struct dn_watched *p)
{
	struct dn_pid_stat st;
	char buf[DN_WATCH_STAT];
	int err = dn_watch_stat_of(w, p->pid, &st, buf);

	if (err || st.start != p->start) {
		p->gone = p != w->root && (!err || err == -ESRCH);
		return p->gone && !p->ended ? ended(w, p) : 0;
	}
	if (p->ended)
		return 0;
	p->stat = st;
	p->looked = dn_now();
	if (dn_watch_is_over(&st))
		return p == w->root ? 0 : ended(w, p);
	err = look_image(w, p, &st);
	dn_watch_figures(w, p, w->looked >= p->figures_due);
	if (w->looked >= p->figures_due)
		p->figures_due = w->looked + FIGURES_NS;
	if (err)
		return err;
	if (st.threads > 1 || p->ntasks)
		return look_tasks(w, p);
	return look_children(w, p, (uint32_t)p->pid, p->id);
}

/* --- without lists of children: all of /proc ------------------------------------------- */

/* Those of pid[] whose parent is known become known; the others stay in it. */
static uint32_t adopt(struct dn_procwatch *w, uint32_t *pid, uint32_t n, int *err)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < n && !*err; i++) {
		struct dn_watched *parent;
		struct dn_pid_stat st;
		char buf[DN_WATCH_STAT];

		if (dn_watch_stat_of(w, (pid_t)pid[i], &st, buf))
			continue;
		parent = *find(w, (pid_t)st.ppid);
		if (w->o.reaps && st.ppid == (uint64_t)w->self)
			*err = found(w, (pid_t)pid[i], NULL, 0, DN_ORIGIN_PROC);
		else if (parent && !parent->ended)
			*err = found(w, (pid_t)pid[i], parent, parent->id, DN_ORIGIN_PROC);
		else
			pid[left++] = pid[i];
	}
	return left;
}

/* Only pids that were not there at the last scan can be new processes of ours,
 * but for one that was taken over by another process in between. */
static int scan(struct dn_procwatch *w)
{
	uint32_t *pid = NULL, *fresh = NULL, n = 0, cap = 0, nfresh = 0, fresh_cap = 0, k = 0, p;
	bool all = w->counts.looks % FULL_SCAN == 0;
	struct dn_numbers d;
	int err = dn_numbers_open(&d, w->procfs, ".");

	if (err)
		return 0;
	while (dn_numbers_next(&d, &p) > 0) {
		if (dn_grow(&pid, &cap, n + 1u, sizeof(*pid)))
			break;
		pid[n++] = p;
		while (k < w->nknown && w->known[k] < p)
			k++;
		if (!all && k < w->nknown && w->known[k] == p)
			continue;
		if (!dn_grow(&fresh, &fresh_cap, nfresh + 1u, sizeof(*fresh)))
			fresh[nfresh++] = p;
	}
	dn_numbers_close(&d);
	for (k = 0; nfresh && nfresh != k && !err;) {	/* a child may come before its parent */
		k = nfresh;
		nfresh = adopt(w, fresh, nfresh, &err);
	}
	free(fresh);
	free(w->known);
	w->known = pid;
	w->nknown = n;
	return err;
}

/* --- the interface ------------------------------------------------------------------------ */

int dn_procwatch_look(struct dn_procwatch *w)
{
	uint64_t began = dn_now(), cpu = cpu_ns();
	int err = 0;

	earn(w, began);
	if (w->o.scan)
		err = scan(w);
	else if (w->o.reaps)
		err = read_children(w, "thread-self/children", NULL, 0);
	for (uint32_t i = 0; i < w->n && !err; i++)	/* grows meanwhile */
		err = look_at(w, w->proc[i]);
	sweep(w);
	w->looked = began;
	w->counts.looks++;
	w->credit -= (int64_t)(cpu_ns() - cpu);
	return err;
}

int dn_procwatch_ends(struct dn_procwatch *w)
{
	struct epoll_event ev[32];
	uint64_t cpu = cpu_ns();
	int err = 0, n;

	earn(w, dn_now());
	n = epoll_wait(w->epoll, ev, 32, 0);
	for (int i = 0; i < n && !err; i++)
		err = look_at(w, ev[i].data.ptr);
	sweep(w);
	w->credit -= (int64_t)(cpu_ns() - cpu);
	return err;
}

int dn_procwatch_orphan(struct dn_procwatch *w, pid_t pid)
{
	struct dn_watched *p;
	int err;

	if (!w->numbers_ours)	/* its number in /proc is not known: a look must do */
		return dn_procwatch_look(w);
	err = found(w, pid, NULL, 0, DN_ORIGIN_PROC);
	p = *find(w, pid);
	if (p && !err)
		err = look_at(w, p);
	sweep(w);
	return err;
}

struct dn_procwatch *dn_procwatch_new(const struct dn_procwatch_opts *o)
{
	struct dn_procwatch *w = calloc(1, sizeof(*w));
	struct rlimit r;
	int err;

	if (!w)
		return NULL;
	w->o = *o;
	if (!w->o.cpu_permille)
		w->o.cpu_permille = 50;
	w->procfs = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (w->procfs < 0 || w->epoll < 0) {
		err = errno;
		dn_procwatch_free(w);
		errno = err;
		return NULL;
	}
	/* CONFIG_PROC_CHILDREN, since 4.2 */
	if (faccessat(w->procfs, "thread-self/children", R_OK, 0))
		w->o.scan = true;
	w->tick_ns = dn_tick_ns();
	w->timens = dn_timens_offset(w->procfs);
	w->pidfds_most = PIDFDS_MOST;
	if (!getrlimit(RLIMIT_NOFILE, &r) && r.rlim_cur / 4 < w->pidfds_most)
		w->pidfds_most = (unsigned)(r.rlim_cur / 4);
	w->credit = CREDIT_MAX;
	w->credit_time = w->changed = w->looked = dn_now();
	return w;
}

void dn_procwatch_free(struct dn_procwatch *w)
{
	if (!w)
		return;
	for (uint32_t i = 0; i < w->n; i++)
		w->proc[i]->gone = true;
	sweep(w);
	if (w->procfs >= 0)
		close(w->procfs);
	if (w->epoll >= 0)
		close(w->epoll);
	free(w->proc);
	free(w->known);
	free(w);
}

int dn_procwatch_target(struct dn_procwatch *w, pid_t pid, uint32_t *thread)
{
	pid_t number = dn_watch_number(w, pid);
	struct dn_pid_stat st;
	char buf[DN_WATCH_STAT];
	int err = number ? dn_watch_stat_of(w, number, &st, buf) : -ESRCH;

	if (err)
		return err;
	w->root = add(w, number, &st);
	if (!w->root)
		return -ENOMEM;
	w->root_pid = pid;
	hold_pidfd(w, w->root, pid);
	*thread = w->root->id;
	return dn_watch_start_row(w, w->root, w->root->id, (uint32_t)number, 0, (uint32_t)st.ppid, &st,
			 DN_ORIGIN_TARGET);
}

int dn_procwatch_attach(struct dn_procwatch *w, pid_t pid, uint64_t start)
{
	struct dn_watched *p;
	struct dn_pid_stat st;
	char buf[DN_WATCH_STAT];
	int err;

	if (!w->self)
		dn_watch_number(w, getpid());	/* whether those of /proc are ours */
	if (dn_watch_stat_of(w, pid, &st, buf) || st.start != start) {
		w->counts.gone++;
		return 0;
	}
	err = found(w, pid, NULL, 0, DN_ORIGIN_ATTACH);
	p = *find(w, pid);
	if (p)
		p->attached = true;
	return err;
}

int dn_procwatch_executed(struct dn_procwatch *w, const char *path, char *const argv[])
{
	struct timespec moment = { 0, 100000 };
	uint64_t before = w->root->stack;
	char *const end = NULL;
	struct dn_image im;
	struct dn_pid_stat st;
	char buf[DN_WATCH_STAT];

	/* The call has taken the old image away; the new one needs a moment. */
	for (unsigned i = 0; i < 20 && !dn_watch_stat_of(w, w->root->pid, &st, buf); i++) {
		bool there = dn_watch_is_over(&st) || (st.stack && st.stack != before);

		w->root->stack = st.stack;
		dn_watch_keep_comm(w->root->comm, &st);
		if (there)
			break;
		nanosleep(&moment, NULL);
	}
	dn_watch_image(w, w->root, &im);
	if (im.path <= 0) {
		im.path = (ssize_t)strnlen(path, PATH_MAX);
		memcpy(w->exe, path, (size_t)im.path);
	}
	for (argv = im.argv ? &end : argv; *argv; argv++) {
		size_t n = strlen(*argv) + 1;

		im.argv_whole += n;
		if (n > sizeof(w->argv) - im.argv)
			n = sizeof(w->argv) - im.argv;
		memcpy(w->argv + im.argv, *argv, n);
		im.argv += n;
	}
	return dn_watch_exec_row(w, w->root, &im);
}

static uint64_t time_ns(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_usec * 1000u;
}

int dn_procwatch_reap(struct dn_procwatch *w, int *status)
{
	struct dn_watched *p = w->root;
	struct dn_pid_stat st;
	struct rusage ru;
	char buf[DN_WATCH_STAT];

	if (!dn_watch_stat_of(w, p->pid, &st, buf) && st.start == p->start) {
		p->stat = st;
		dn_watch_keep_comm(p->comm, &st);
	}
	dn_watch_last_figures(w, p);
	if (wait4(w->root_pid, status, 0, &ru) != w->root_pid)
		return -errno;
	/* The kernel adds its children's, if it waited for any: their faults show. */
	if (dn_watch_is_over(&p->stat) && !p->stat.cminflt) {
		p->figures.utime = time_ns(&ru.ru_utime);
		p->figures.stime = time_ns(&ru.ru_stime);
		p->figures.peak = (uint64_t)ru.ru_maxrss * 1024;
	}
	p->figures.code = (uint32_t)*status;
	p->ended = true;
	drop_pidfd(w, p);
	/* It has ended, whether there is room for the rows or not. */
	if (!tasks_end(w, p))
		dn_watch_exit_row(w, p, p->id, true);
	return 0;
}

int dn_procwatch_finish(struct dn_procwatch *w)
{
	int err = dn_procwatch_look(w);
	uint64_t now = dn_now();

	for (uint32_t i = 0; i < w->n && !err; i++) {
		const struct dn_watched *p = w->proc[i];

		if (p->ended)
			continue;
		err = dn_watch_end_row(w, p, p->id, now);
		for (uint32_t t = 0; t < p->ntasks && !err; t++)
			err = dn_watch_end_row(w, p, p->task[t].thread, now);
	}
	return err;
}

void dn_procwatch_counts(const struct dn_procwatch *w, struct dn_procwatch_counts *counts)
{
	*counts = w->counts;
}
