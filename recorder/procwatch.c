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
#include "procwatch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clocks.h"
#include "grow.h"
#include "procfs.h"
#include "redact.h"
#include "row.h"
#include "tree.h"

#define MS 1000000u
#define PERIOD_LEAST (1 * (uint64_t)MS)
#define PERIOD_MOST (20 * (uint64_t)MS)
#define QUIET_PART 50		/* the period is this part of the time without change */
#define CREDIT_MAX (10 * (int64_t)MS)
#define PEAK_NS (20 * (uint64_t)MS)	/* between readings of the peak of memory */
#define BLANK_LOOKS 3		/* without a stack, until it is taken for one we may not see */
#define FULL_SCAN 64		/* scans, until known pids are looked at again */
#define PIDFDS_MOST 1024
#define BUCKETS 1024
#define STAT_SIZE 2048
#define STATUS_SIZE 8192
#define CHILDREN_SIZE 65536
#define ARGV_KEPT 16384		/* as much as BPF keeps */

/* linux/pidfd.h as of 6.15; older headers lack it. */
struct pidfd_info {
	uint64_t mask, cgroupid;
	uint32_t pid, tgid, ppid, id[8];
	int32_t exit_code;
};
#define INFO_EXIT (1u << 3)
#define GET_INFO _IOWR(0xFF, 11, struct pidfd_info)

struct task {			/* a thread, but for the first */
	uint32_t thread, tid;
	bool seen;
};

struct proc {
	struct proc *next;	/* in its bucket */
	uint32_t id;		/* of the process and of its first thread */
	pid_t pid;
	uint64_t start;		/* ticks */
	int pidfd;		/* -1: none */
	uint64_t stack, stack_before;
	unsigned blank;		/* looks in a row without a stack */
	char comm[16];
	bool gone;		/* not in /proc any more */
	bool ended;		/* its rows are written */
	bool threaded;		/* had another thread at some time */
	struct dn_pid_stat stat;	/* the last */
	uint64_t peak, peak_due;
	struct task *task;
	uint32_t ntasks, tasks_cap;
};

struct dn_procwatch {
	struct dn_procwatch_opts o;
	int procfs;
	int epoll;
	uint64_t tick_ns;
	int64_t timens;
	bool numbers_ours;	/* /proc numbers processes as our system calls do */
	pid_t root_pid;		/* of our system calls */
	struct proc *root;
	struct proc **proc;
	uint32_t n, cap;
	struct proc *bucket[BUCKETS];
	unsigned pidfds, pidfds_most;
	uint32_t last_id;
	uint32_t *known, nknown;	/* pids of the last scan, ascending */
	uint64_t looked;	/* when the last look began */
	uint64_t changed;	/* when something last was new */
	uint64_t credit_time;
	int64_t credit;
	struct dn_procwatch_counts counts;
	char children[CHILDREN_SIZE];
	char argv[ARGV_KEPT], clean[2 * ARGV_KEPT], exe[PATH_MAX + 1], cwd[PATH_MAX + 1];
};

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

/* --- reading -------------------------------------------------------------------- */

static int read_stat(struct dn_procwatch *w, const char *name, struct dn_pid_stat *st, char *buf)
{
	ssize_t n = dn_read_file(w->procfs, name, buf, STAT_SIZE);

	if (n < 0)
		return n == -ENOENT ? -ESRCH : (int)n;
	return dn_parse_pid_stat(buf, (size_t)n, st);
}

static int stat_of(struct dn_procwatch *w, pid_t pid, struct dn_pid_stat *st, char *buf)
{
	char name[32];

	snprintf(name, sizeof(name), "%d/stat", (int)pid);
	return read_stat(w, name, st, buf);
}

static int status_of(struct dn_procwatch *w, pid_t pid, struct dn_pid_status *s)
{
	char name[32], buf[STATUS_SIZE];
	ssize_t n;

	snprintf(name, sizeof(name), "%d/status", (int)pid);
	n = dn_read_file(w->procfs, name, buf, sizeof(buf));
	dn_parse_pid_status(buf, n > 0 ? (size_t)n : 0, s);
	return n < 0 ? (int)n : 0;
}

static void keep_comm(char comm[16], const struct dn_pid_stat *st)
{
	size_t n = st->comm_len < 15 ? st->comm_len : 15;

	memset(comm, 0, 16);
	memcpy(comm, st->comm, n);
}

static bool has_comm(const char comm[16], const struct dn_pid_stat *st)
{
	char other[16];

	keep_comm(other, st);
	return !memcmp(comm, other, sizeof(other));
}

/* The first thread may be a zombie while others run. */
static bool is_over(const struct dn_pid_stat *st)
{
	return (st->state == 'Z' || st->state == 'X') && st->threads <= 1;
}

static struct dn_value text(const char *p, size_t cap)
{
	return dn_str(p, strnlen(p, cap));
}

/* --- who is known ----------------------------------------------------------------- */

static struct proc **find(struct dn_procwatch *w, pid_t pid)
{
	struct proc **p = &w->bucket[(uint32_t)pid % BUCKETS];

	while (*p && (*p)->pid != pid)
		p = &(*p)->next;
	return p;
}

static void drop_pidfd(struct dn_procwatch *w, struct proc *p)
{
	if (p->pidfd < 0)
		return;
	close(p->pidfd);	/* leaves the epoll set by that */
	p->pidfd = -1;
	w->pidfds--;
}

static void forget(struct dn_procwatch *w, struct proc *p)
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
static void hold_pidfd(struct dn_procwatch *w, struct proc *p, pid_t pid)
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

static int start_row(struct dn_procwatch *w, const struct proc *p, uint32_t thread, uint32_t tid,
		     uint32_t parent, uint32_t ppid, const struct dn_pid_stat *st, unsigned origin)
{
	struct dn_tree_thread t = { .thread = thread, .process = p->id, .parent = parent,
		.tid = tid, .pid = (uint32_t)p->pid, .ppid = ppid };
	struct dn_value v[DN_F_thread_start_N];
	uint64_t now = dn_now(), born = dn_scale(st->start, w->tick_ns);

	/* A tick is long. It was not there at the last look, but for the root. */
	if (origin == DN_ORIGIN_PROC && born < w->looked)
		born = w->looked < born + w->tick_ns ? w->looked : born + w->tick_ns - 1;
	t.born = (born < now ? born : now) - (uint64_t)w->timens;
	keep_comm(t.comm, st);
	dn_tree_add(w->o.tree, &t);
	w->counts.threads++;
	w->changed = now;
	dn_row_clear(v, DN_F_thread_start_N);
	v[DN_F_thread_start_time] = dn_u(now);
	v[DN_F_thread_start_thread] = dn_u(thread);
	v[DN_F_thread_start_process] = dn_u(p->id);
	if (parent)
		v[DN_F_thread_start_parent_thread] = dn_u(parent);
	v[DN_F_thread_start_tid] = dn_u(tid);
	v[DN_F_thread_start_pid] = dn_u((uint64_t)p->pid);
	v[DN_F_thread_start_ppid] = dn_u(ppid);
	v[DN_F_thread_start_origin] = dn_u(origin);
	v[DN_F_thread_start_born] = dn_u(t.born);
	v[DN_F_thread_start_comm] = text(t.comm, sizeof(t.comm));
	return dn_row_send(w->o.sink, DN_EV_thread_start, v, DN_F_thread_start_N);
}

/* A process into list and hash. NULL: no memory. */
static struct proc *add(struct dn_procwatch *w, pid_t pid, const struct dn_pid_stat *st)
{
	struct proc *p = calloc(1, sizeof(*p));

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
	p->peak = DN_UNMEASURED;
	keep_comm(p->comm, st);
	*find(w, pid) = p;
	w->proc[w->n++] = p;
	return p;
}

/* --- execve and names --------------------------------------------------------------- */

/* Arguments as /proc has them: the first into w->argv, the length of all. */
static size_t read_argv(struct dn_procwatch *w, int dir, uint64_t *whole)
{
	int fd = openat(dir, "cmdline", O_RDONLY | O_CLOEXEC);
	char rest[4096];
	size_t have = 0;
	ssize_t n = fd < 0 ? -1 : 0;

	*whole = 0;
	while (fd >= 0) {
		bool full = have == sizeof(w->argv);

		n = full ? read(fd, rest, sizeof(rest)) :
			   read(fd, w->argv + have, sizeof(w->argv) - have);
		if (n <= 0)
			break;
		*whole += (uint64_t)n;
		have += full ? 0 : (size_t)n;
	}
	if (fd >= 0)
		close(fd);
	return have;
}

static int exec_row(struct dn_procwatch *w, const struct proc *p, ssize_t path, size_t argv,
		    uint64_t whole, ssize_t cwd, const struct dn_pid_status *s)
{
	struct dn_value v[DN_F_exec_N];
	const char *list = w->argv;
	unsigned redacted = 0;
	size_t len = argv;

	if (w->o.redact) {
		len = dn_redact_argv(w->argv, argv, w->clean, sizeof(w->clean), &redacted);
		list = w->clean;
		w->counts.redacted += redacted;
	}
	w->changed = dn_now();
	dn_tree_rename(w->o.tree, p->id, p->comm);
	dn_row_clear(v, DN_F_exec_N);
	v[DN_F_exec_time] = dn_u(w->changed);
	v[DN_F_exec_thread] = dn_u(p->id);
	v[DN_F_exec_process] = dn_u(p->id);
	if (path > 0)
		v[DN_F_exec_path] = dn_str(w->exe, (size_t)path);
	if (argv) {
		v[DN_F_exec_argv] = dn_str(list, len);
		v[DN_F_exec_argv_len] = dn_u(whole + len - argv);
		v[DN_F_exec_redacted] = dn_u(redacted);
	}
	if (cwd > 0)
		v[DN_F_exec_cwd] = dn_str(w->cwd, (size_t)cwd);
	v[DN_F_exec_uid] = dn_measured(s->euid);
	v[DN_F_exec_gid] = dn_measured(s->egid);
	v[DN_F_exec_comm] = text(p->comm, sizeof(p->comm));
	return dn_row_send(w->o.sink, DN_EV_exec, v, DN_F_exec_N);
}

/* What the process executes now. The parts must be of one image: where
 * another came in between, they are read again. */
static int exec_seen(struct dn_procwatch *w, struct proc *p, const char *given_path,
		     char *const *given_argv)
{
	struct dn_pid_status s = { .euid = DN_UNMEASURED, .egid = DN_UNMEASURED };
	ssize_t path = -1, cwd = -1;
	struct dn_pid_stat st;
	char buf[STAT_SIZE];
	uint64_t whole = 0;
	size_t argv = 0;
	struct dn_proc d;

	for (unsigned i = 0; i < 3; i++) {
		uint64_t stack = p->stack;

		if (dn_proc_open(&d, w->procfs, p->pid, p->start))
			break;
		path = dn_proc_link(d.dir, "exe", w->exe, sizeof(w->exe));
		cwd = dn_proc_link(d.dir, "cwd", w->cwd, sizeof(w->cwd));
		argv = read_argv(w, d.dir, &whole);
		dn_proc_close(&d);
		status_of(w, p->pid, &s);
		if (stat_of(w, p->pid, &st, buf) || st.start != p->start || is_over(&st))
			break;
		keep_comm(p->comm, &st);
		p->stack = st.stack;
		if (st.stack == stack)
			break;
	}
	if (path < 0 && given_path) {
		path = (ssize_t)strnlen(given_path, PATH_MAX);
		memcpy(w->exe, given_path, (size_t)path);
	}
	for (; !whole && given_argv && *given_argv; given_argv++) {
		size_t n = strlen(*given_argv) + 1;

		if (n > sizeof(w->argv) - argv)
			n = sizeof(w->argv) - argv;
		memcpy(w->argv + argv, *given_argv, n);
		argv += n;
	}
	/* Nothing is left of one that is over: what it was is not known. */
	if (path <= 0 && !argv)
		return 0;
	return exec_row(w, p, path, argv, whole ? whole : argv, cwd, &s);
}

static int comm_row(struct dn_procwatch *w, const struct proc *p)
{
	struct dn_value v[DN_F_comm_N];

	w->changed = dn_now();
	dn_tree_rename(w->o.tree, p->id, p->comm);
	v[DN_F_comm_time] = dn_u(w->changed);
	v[DN_F_comm_thread] = dn_u(p->id);
	v[DN_F_comm_comm] = text(p->comm, sizeof(p->comm));
	return dn_row_send(w->o.sink, DN_EV_comm, v, DN_F_comm_N);
}

static int look_image(struct dn_procwatch *w, struct proc *p, const struct dn_pid_stat *st)
{
	bool renamed = !has_comm(p->comm, st);

	if (st->stack && p->stack && st->stack != p->stack) {
		p->stack_before = p->stack;
		p->stack = st->stack;
		p->blank = 0;
		keep_comm(p->comm, st);
		return exec_seen(w, p, NULL, NULL);
	}
	if (!st->stack && p->stack) {
		if (++p->blank < BLANK_LOOKS || !renamed)
			return 0;
		p->stack = 0;
		keep_comm(p->comm, st);
		return exec_seen(w, p, NULL, NULL);
	}
	p->blank = 0;
	if (!renamed) {
		p->stack = st->stack;
		return 0;
	}
	keep_comm(p->comm, st);
	if (st->stack != p->stack || !st->stack) {
		p->stack = st->stack;
		return exec_seen(w, p, NULL, NULL);
	}
	return comm_row(w, p);
}

/* --- ends --------------------------------------------------------------------------- */

/* Figures of a thread that was its process's only one. */
struct figures {
	uint64_t utime, stime, minflt, majflt;	/* ns */
	struct dn_pid_schedstat run;
	struct dn_pid_status status;
	struct dn_pid_io io;
	uint64_t code, peak;
};

static int exit_row(struct dn_procwatch *w, const struct proc *p, uint32_t thread,
		    const struct figures *f)
{
	struct dn_value v[DN_F_thread_exit_N];

	w->changed = dn_now();
	dn_tree_remove(w->o.tree, thread, f ? 1 : 0);
	dn_row_clear(v, DN_F_thread_exit_N);
	v[DN_F_thread_exit_time] = dn_u(w->changed);
	v[DN_F_thread_exit_thread] = dn_u(thread);
	v[DN_F_thread_exit_process] = dn_u(p->id);
	v[DN_F_thread_exit_group_dead] = dn_u(f != NULL);
	if (f) {
		v[DN_F_thread_exit_exit_code] = dn_measured(f->code);
		v[DN_F_thread_exit_maxrss] = dn_measured(f->peak);
		v[DN_F_thread_exit_comm] = text(p->comm, sizeof(p->comm));
	}
	if (f && !p->threaded) {
		v[DN_F_thread_exit_utime] = dn_measured(f->utime);
		v[DN_F_thread_exit_stime] = dn_measured(f->stime);
		v[DN_F_thread_exit_runtime] = dn_measured(f->run.runtime);
		v[DN_F_thread_exit_run_delay] = dn_measured(f->run.delay);
		v[DN_F_thread_exit_nvcsw] = dn_measured(f->status.nvcsw);
		v[DN_F_thread_exit_nivcsw] = dn_measured(f->status.nivcsw);
		v[DN_F_thread_exit_minflt] = dn_measured(f->minflt);
		v[DN_F_thread_exit_majflt] = dn_measured(f->majflt);
		v[DN_F_thread_exit_rchar] = dn_measured(f->io.rchar);
		v[DN_F_thread_exit_wchar] = dn_measured(f->io.wchar);
		v[DN_F_thread_exit_syscr] = dn_measured(f->io.syscr);
		v[DN_F_thread_exit_syscw] = dn_measured(f->io.syscw);
		v[DN_F_thread_exit_read_bytes] = dn_measured(f->io.read_bytes);
		v[DN_F_thread_exit_write_bytes] = dn_measured(f->io.write_bytes);
		v[DN_F_thread_exit_cancelled_write_bytes] = dn_measured(f->io.cancelled_write_bytes);
	}
	return dn_row_send(w->o.sink, DN_EV_thread_exit, v, DN_F_thread_exit_N);
}

static int tasks_end(struct dn_procwatch *w, struct proc *p)
{
	int err = 0;

	for (uint32_t i = 0; i < p->ntasks && !err; i++)
		err = exit_row(w, p, p->task[i].thread, NULL);
	p->ntasks = 0;
	return err;
}

/* What the last reading of stat has; more of a zombie, whose figures are final. */
static void last_figures(struct dn_procwatch *w, const struct proc *p, struct figures *f)
{
	struct dn_pid_stat st;
	char name[32], buf[STAT_SIZE];
	ssize_t n;

	memset(f, 0xff, sizeof(*f));	/* every figure unmeasured */
	f->utime = dn_scale(p->stat.utime, w->tick_ns);
	f->stime = dn_scale(p->stat.stime, w->tick_ns);
	f->minflt = p->stat.minflt;
	f->majflt = p->stat.majflt;
	f->peak = p->peak;
	if (!is_over(&p->stat))
		return;
	status_of(w, p->pid, &f->status);
	snprintf(name, sizeof(name), "%d/schedstat", (int)p->pid);
	n = dn_read_file(w->procfs, name, buf, sizeof(buf));
	dn_parse_pid_schedstat(buf, n > 0 ? (size_t)n : 0, &f->run);
	snprintf(name, sizeof(name), "%d/io", (int)p->pid);
	n = dn_read_file(w->procfs, name, buf, sizeof(buf));
	dn_parse_pid_io(buf, n > 0 ? (size_t)n : 0, &f->io);
	/* A status that we may not see reads 0; io is under the same rule. */
	if (n > 0)
		f->code = p->stat.exit_code;
	/* It may have been waited for meanwhile, and its pid be another's. */
	if (stat_of(w, p->pid, &st, buf) || st.start != p->start) {
		memset(&f->status, 0xff, sizeof(f->status));
		memset(&f->run, 0xff, sizeof(f->run));
		memset(&f->io, 0xff, sizeof(f->io));
		f->code = DN_UNMEASURED;
	}
}

/* The kernel keeps the status of one that was waited for, where it has pidfds
 * that can say so. */
static uint64_t status_kept(const struct proc *p)
{
	struct pidfd_info info = { .mask = INFO_EXIT };

	if (p->pidfd < 0 || ioctl(p->pidfd, GET_INFO, &info) || !(info.mask & INFO_EXIT))
		return DN_UNMEASURED;
	return (uint32_t)info.exit_code;
}

static int ended(struct dn_procwatch *w, struct proc *p)
{
	struct figures f;
	int err = tasks_end(w, p);

	last_figures(w, p, &f);
	if (f.code == DN_UNMEASURED)
		f.code = status_kept(p);
	p->ended = true;
	drop_pidfd(w, p);
	return err ? err : exit_row(w, p, p->id, &f);
}

/* --- one look ------------------------------------------------------------------------- */

static int found(struct dn_procwatch *w, pid_t pid, const struct proc *parent, uint32_t thread)
{
	struct dn_pid_stat st;
	char buf[STAT_SIZE];
	struct proc *p;
	int err;

	if (*find(w, pid))
		return 0;
	if (stat_of(w, pid, &st, buf)) {
		w->counts.gone++;
		return 0;
	}
	p = add(w, pid, &st);
	if (!p)
		return 0;
	if (w->numbers_ours)
		hold_pidfd(w, p, pid);
	err = start_row(w, p, p->id, (uint32_t)pid, thread, (uint32_t)parent->pid, &st, DN_ORIGIN_PROC);
	if (err || is_over(&st))
		return err;
	/* Until its first execve it has the image of its parent. */
	if (st.stack ? st.stack != parent->stack && st.stack != parent->stack_before :
		       !has_comm(parent->comm, &st))
		err = exec_seen(w, p, NULL, NULL);
	return err;
}

static int look_children(struct dn_procwatch *w, const struct proc *p, uint32_t tid, uint32_t thread)
{
	char name[64], *at = w->children, *end;
	ssize_t n;
	int err = 0;

	if (w->o.scan)
		return 0;
	snprintf(name, sizeof(name), "%d/task/%u/children", (int)p->pid, tid);
	n = dn_read_file(w->procfs, name, w->children, sizeof(w->children) - 1);
	if (n <= 0)
		return 0;
	w->children[n] = 0;
	for (; !err; at = end) {
		unsigned long pid = strtoul(at, &end, 10);

		if (end == at || *end != ' ')	/* each ends in a blank, or it is cut */
			break;
		err = found(w, (pid_t)pid, p, thread);
	}
	return err;
}

static int look_task(struct dn_procwatch *w, struct proc *p, uint32_t tid)
{
	char name[64], buf[STAT_SIZE];
	struct dn_pid_stat st;
	struct task *t = NULL;
	int err;

	for (uint32_t i = 0; i < p->ntasks && !t; i++)
		if (p->task[i].tid == tid)
			t = &p->task[i];
	if (!t) {
		snprintf(name, sizeof(name), "%d/task/%u/stat", (int)p->pid, tid);
		if (read_stat(w, name, &st, buf) ||
		    dn_grow(&p->task, &p->tasks_cap, p->ntasks + 1u, sizeof(*t)))
			return 0;
		t = &p->task[p->ntasks++];
		t->thread = ++w->last_id;
		t->tid = tid;
		err = start_row(w, p, t->thread, tid, 0, (uint32_t)p->stat.ppid, &st, DN_ORIGIN_PROC);
		if (err)
			return err;
	}
	t->seen = true;
	return look_children(w, p, tid, t->thread);
}

/* A listing may pass over a thread while another one ends. */
static bool task_is_there(struct dn_procwatch *w, const struct proc *p, uint32_t tid)
{
	char name[64];

	snprintf(name, sizeof(name), "%d/task/%u", (int)p->pid, tid);
	return !faccessat(w->procfs, name, F_OK, 0);
}

static int look_tasks(struct dn_procwatch *w, struct proc *p)
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
			err = exit_row(w, p, p->task[i].thread, NULL);
	}
	p->ntasks = err ? 0 : kept;
	return err;
}

static int look_at(struct dn_procwatch *w, struct proc *p)
{
	struct dn_pid_status s;
	struct dn_pid_stat st;
	char buf[STAT_SIZE];
	int err = stat_of(w, p->pid, &st, buf);

	if (err || st.start != p->start) {
		p->gone = p != w->root && (!err || err == -ESRCH);
		return p->gone && !p->ended ? ended(w, p) : 0;
	}
	if (p->ended)
		return 0;
	p->stat = st;
	if (is_over(&st))
		return p == w->root ? 0 : ended(w, p);
	err = look_image(w, p, &st);
	if (!err && w->looked >= p->peak_due && !status_of(w, p->pid, &s)) {
		p->peak_due = w->looked + PEAK_NS;
		if (s.peak != DN_UNMEASURED)	/* a new image begins anew */
			p->peak = p->peak == DN_UNMEASURED || s.peak > p->peak ? s.peak : p->peak;
	}
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
		struct proc *parent;
		struct dn_pid_stat st;
		char buf[STAT_SIZE];

		if (stat_of(w, (pid_t)pid[i], &st, buf))
			continue;
		parent = *find(w, (pid_t)st.ppid);
		if (parent && !parent->ended)
			*err = found(w, (pid_t)pid[i], parent, parent->id);
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

/* The number of our child in this /proc, which may be mounted for another pid
 * namespace than ours. 0: it has none, or /proc does not know us. */
static pid_t number_in_proc(struct dn_procwatch *w, pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0), there = 0;
	char name[32], buf[512], *line;
	ssize_t n;

	n = readlinkat(w->procfs, "self", name, sizeof(name) - 1);
	name[n > 0 ? n : 0] = 0;
	w->numbers_ours = atoi(name) == getpid();
	if (fd < 0)
		return w->numbers_ours ? pid : 0;
	snprintf(name, sizeof(name), "self/fdinfo/%d", fd);
	n = dn_read_file(w->procfs, name, buf, sizeof(buf) - 1);
	close(fd);
	buf[n > 0 ? n : 0] = 0;
	line = strstr(buf, "\nPid:");
	if (!line || sscanf(line, "\nPid: %d", &there) != 1 || there <= 0)
		return w->numbers_ours ? pid : 0;
	return there;
}

int dn_procwatch_target(struct dn_procwatch *w, pid_t pid, uint32_t *thread)
{
	pid_t number = number_in_proc(w, pid);
	struct dn_pid_stat st;
	char buf[STAT_SIZE];
	int err = number ? stat_of(w, number, &st, buf) : -ESRCH;

	if (err)
		return err;
	w->root = add(w, number, &st);
	if (!w->root)
		return -ENOMEM;
	w->root_pid = pid;
	hold_pidfd(w, w->root, pid);
	*thread = w->root->id;
	return start_row(w, w->root, w->root->id, (uint32_t)number, 0, (uint32_t)st.ppid, &st,
			 DN_ORIGIN_TARGET);
}

int dn_procwatch_executed(struct dn_procwatch *w, const char *path, char *const argv[])
{
	struct timespec moment = { 0, 100000 };
	struct dn_pid_stat st;
	char buf[STAT_SIZE];

	/* The call has taken the old image away; the new one needs a moment. */
	for (unsigned i = 0; i < 20; i++) {
		if (stat_of(w, w->root->pid, &st, buf) || is_over(&st) ||
		    (st.stack && st.stack != w->root->stack))
			break;
		nanosleep(&moment, NULL);
	}
	w->root->stack = st.stack;
	keep_comm(w->root->comm, &st);
	return exec_seen(w, w->root, path, argv);
}

static uint64_t time_ns(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_usec * 1000u;
}

int dn_procwatch_reap(struct dn_procwatch *w, int *status)
{
	struct proc *p = w->root;
	struct dn_pid_stat st;
	struct figures f;
	struct rusage ru;
	char buf[STAT_SIZE];
	int err;

	if (!stat_of(w, p->pid, &st, buf) && st.start == p->start) {
		p->stat = st;
		keep_comm(p->comm, &st);
	}
	last_figures(w, p, &f);
	if (wait4(w->root_pid, status, 0, &ru) != w->root_pid)
		return -errno;
	/* The kernel adds its children's, if it waited for any: their faults show. */
	if (is_over(&p->stat) && !p->stat.cminflt) {
		f.utime = time_ns(&ru.ru_utime);
		f.stime = time_ns(&ru.ru_stime);
		f.peak = (uint64_t)ru.ru_maxrss * 1024;
	}
	f.code = (uint32_t)*status;
	p->ended = true;
	err = tasks_end(w, p);
	return err ? err : exit_row(w, p, p->id, &f);
}

static int end_row(struct dn_procwatch *w, const struct proc *p, uint32_t thread, uint64_t now)
{
	struct dn_value v[DN_F_thread_end_N];

	dn_row_clear(v, DN_F_thread_end_N);
	v[DN_F_thread_end_time] = dn_u(now);
	v[DN_F_thread_end_thread] = dn_u(thread);
	v[DN_F_thread_end_process] = dn_u(p->id);
	return dn_row_send(w->o.sink, DN_EV_thread_end, v, DN_F_thread_end_N);
}

int dn_procwatch_finish(struct dn_procwatch *w)
{
	int err = dn_procwatch_look(w);
	uint64_t now = dn_now();

	for (uint32_t i = 0; i < w->n && !err; i++) {
		const struct proc *p = w->proc[i];

		if (p->ended)
			continue;
		err = end_row(w, p, p->id, now);
		for (uint32_t t = 0; t < p->ntasks && !err; t++)
			err = end_row(w, p, p->task[t].thread, now);
	}
	return err;
}

void dn_procwatch_counts(const struct dn_procwatch *w, struct dn_procwatch_counts *counts)
{
	*counts = w->counts;
}

/* --- what is seen this way, and what is not ------------------------------------------------ */

static const struct {
	const char *name, *rung;
} probes[] = {
	{ "syscalls", "none" },
	{ "strings", "none" },
	{ "process", "proc" },
	{ "signals", "none" },
	{ "oom", "none" },
	{ "threads_at_end", "proc" },
};

static const struct {
	const char *subject, *reason;
} blind[] = {
	{ "short_processes", "processes and threads that begin and end between two looks at /proc (1 to 20 ms, longer "
	  "where there are many) are missing, and with a process its children" },
	{ "execs", "an execve is seen at the next look, by the program's own path; of several in between only the last" },
	{ "ends", "times of beginning and end are those of looks; figures and status of a process whose parent waited "
	  "for it at once are those of the last look, or not known" },
	{ "thread_names", "names that threads but the first give themselves later" },
	{ "scheduling", "waiting and running are not recorded event by event, only as totals" },
	{ "stacks", "no stacks are recorded" },
};

int dn_procwatch_emit(struct dn_procwatch *w, const char *why)
{
	struct dn_value v[DN_FIELDS_MAX];
	int err = 0;

	for (unsigned i = 0; i < sizeof(probes) / sizeof(probes[0]) && !err; i++) {
		v[DN_F_probe_name] = dn_str(probes[i].name, strlen(probes[i].name));
		v[DN_F_probe_rung] = dn_str(probes[i].rung, strlen(probes[i].rung));
		v[DN_F_probe_reason] = dn_str(why, strlen(why));
		err = dn_row_send(w->o.sink, DN_EV_probe, v, DN_F_probe_N);
	}
	for (unsigned i = 0; i < sizeof(blind) / sizeof(blind[0]) && !err; i++) {
		v[DN_F_not_observed_subject] = dn_str(blind[i].subject, strlen(blind[i].subject));
		v[DN_F_not_observed_reason] = dn_str(blind[i].reason, strlen(blind[i].reason));
		err = dn_row_send(w->o.sink, DN_EV_not_observed, v, DN_F_not_observed_N);
	}
	return err;
}
