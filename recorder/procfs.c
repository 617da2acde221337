/*
 * procfs.c - reading /proc: files whole, files by line, one process.
 */
#include "procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "row.h"

static ssize_t read_some(int fd, char *buf, size_t cap)
{
	ssize_t n;

	do
		n = read(fd, buf, cap);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

ssize_t dn_read_file(int dir, const char *name, char *buf, size_t cap)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t have = 0;
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	while (have < cap) {
		n = read_some(fd, buf + have, cap - have);
		if (n <= 0)
			break;
		have += (size_t)n;
	}
	close(fd);
	return n < 0 ? n : (ssize_t)have;
}

/* The same for the files below /proc/PID, which the kernel makes as one record
 * (single_open): whatever fits comes with the first read. */
static ssize_t read_record(int dir, const char *name, char *buf, size_t cap)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read_some(fd, buf, cap);
	close(fd);
	return n;
}

/* --- lines ----------------------------------------------------------------------- */

int dn_lines_open(struct dn_lines *l, int dir, const char *name, char *buf, size_t cap)
{
	*l = (struct dn_lines){ .buf = buf, .cap = cap };
	l->fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	return l->fd < 0 ? -errno : 0;
}

void dn_lines_close(struct dn_lines *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

static int hand_out(struct dn_lines *l, size_t n, size_t next, char **line, size_t *len)
{
	*line = l->buf + l->pos;
	*len = n;
	l->pos = next;
	return 1;
}

int dn_lines_next(struct dn_lines *l, char **line, size_t *len)
{
	for (;;) {
		size_t left = l->have - l->pos;
		char *nl = left ? memchr(l->buf + l->pos, '\n', left) : NULL;
		ssize_t n;

		if (nl) {
			size_t k = (size_t)(nl - (l->buf + l->pos));

			if (!l->skip)
				return hand_out(l, k, l->pos + k + 1, line, len);
			l->skip = false;	/* the rest of a long line */
			l->pos += k + 1;
			continue;
		}
		if (l->eof)
			return left && !l->skip ? hand_out(l, left, l->have, line, len) : 0;
		if (l->skip) {
			l->pos = l->have = 0;
		} else if (left == l->cap) {
			l->skip = true;
			return hand_out(l, left, l->have, line, len);
		} else if (l->pos) {
			memmove(l->buf, l->buf + l->pos, left);
			l->have = left;
			l->pos = 0;
		}
		n = read_some(l->fd, l->buf + l->have, l->cap - l->have);
		if (n < 0)
			return (int)n;
		l->eof = n == 0;
		l->have += (size_t)n;
	}
}

/* --- directories of numbers --------------------------------------------------------- */

/* The kernel's own layout: libraries differ in the name of the call. */
struct entry {
	uint64_t ino;
	int64_t off;
	unsigned short reclen;
	unsigned char type;
	char name[];
};

int dn_numbers_open(struct dn_numbers *d, int dir, const char *name)
{
	d->have = d->pos = 0;
	d->fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return d->fd < 0 ? -errno : 0;
}

void dn_numbers_close(struct dn_numbers *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

int dn_numbers_next(struct dn_numbers *d, uint32_t *number)
{
	for (;;) {
		const struct entry *e;
		uint64_t v = 0;
		const char *c;

		if (d->pos >= d->have) {
			long n = syscall(SYS_getdents64, d->fd, d->buf, sizeof(d->buf));

			if (n < 0 && errno == EINTR)
				continue;
			if (n <= 0)
				return n < 0 ? -errno : 0;
			d->have = (size_t)n;
			d->pos = 0;
		}
		e = (const struct entry *)(const void *)(d->buf + d->pos);
		d->pos += e->reclen;
		for (c = e->name; *c >= '0' && *c <= '9' && v <= UINT32_MAX; c++)
			v = v * 10 + (uint64_t)(*c - '0');
		if (c != e->name && !*c && v <= UINT32_MAX) {
			*number = (uint32_t)v;
			return 1;
		}
	}
}

/* --- one process ---------------------------------------------------------------------- */

/* What an errno of something below /proc/PID means. ENOENT: the look-up came
 * after the end, or hidepid=2 hides it; ESRCH: it ended in between. */
static int gone(int err)
{
	return err == -ENOENT || err == -ESRCH ? -ESRCH : err;
}

static int read_stat(const struct dn_proc *p, struct dn_pid_stat *st, char *buf, size_t cap)
{
	ssize_t n = read_record(p->dir, "stat", buf, cap);

	if (n < 0)
		return gone((int)n);
	return dn_parse_pid_stat(buf, (size_t)n, st);
}

/* stat has some 50 numbers of up to 20 digits, and a name of up to 64 bytes */
#define STAT_SIZE 2048

int dn_proc_open(struct dn_proc *p, int procfs, pid_t pid, uint64_t start)
{
	struct dn_pid_stat st;
	char buf[STAT_SIZE];
	char name[16];
	int err;

	snprintf(name, sizeof(name), "%d", (int)pid);
	p->pid = pid;
	p->start = DN_UNMEASURED;
	p->dir = openat(procfs, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (p->dir < 0)
		return gone(-errno);
	err = read_stat(p, &st, buf, sizeof(buf));
	if (!err && start != DN_UNMEASURED && st.start > start)
		err = -ESRCH;
	if (err) {
		dn_proc_close(p);
		return err;
	}
	p->start = st.start;
	return 0;
}

void dn_proc_close(struct dn_proc *p)
{
	if (p->dir >= 0)
		close(p->dir);
	p->dir = -1;
}

int dn_proc_alive(const struct dn_proc *p)
{
	struct stat st;

	return fstatat(p->dir, "stat", &st, 0) ? gone(-errno) : 0;
}

ssize_t dn_proc_link(int dir, const char *name, char *buf, size_t cap)
{
	ssize_t n = readlinkat(dir, name, buf, cap);

	if (n < 0)
		return -errno;
	return (size_t)n == cap ? -ENAMETOOLONG : n;
}

int dn_proc_count_fds(const struct dn_proc *p, uint64_t *count)
{
	struct dn_numbers d;
	struct stat st;
	uint64_t n = 0;
	uint32_t fd;
	int err;

	*count = DN_UNMEASURED;
	if (fstatat(p->dir, "fd", &st, 0))
		return gone(-errno);
	/* The size is the count since 6.2 ("proc: report open files as size in
	 * stat() for /proc/pid/fd"), before always 0. */
	if (st.st_size > 0) {
		*count = (uint64_t)st.st_size;
		return 0;
	}
	err = dn_numbers_open(&d, p->dir, "fd");
	if (err)
		return gone(err);
	while ((err = dn_numbers_next(&d, &fd)) > 0)
		if (++n > DN_FDS_COUNT_MAX)
			break;
	dn_numbers_close(&d);
	if (err < 0)
		return gone(err);
	if (n <= DN_FDS_COUNT_MAX)
		*count = n;
	return 0;
}

/* The two lines are the last of a file that grows with the number of CPUs and
 * NUMA nodes (masks and lists). */
#define STATUS_SIZE 8192

static int add_switches(int dir, const char *name, struct dn_proc_reading *r)
{
	char buf[STATUS_SIZE];
	struct dn_pid_status s;
	ssize_t n = read_record(dir, name, buf, sizeof(buf));

	if (n < 0)
		return (int)n;
	dn_parse_pid_status(buf, (size_t)n, &s);
	if (s.nvcsw == DN_UNMEASURED || s.nivcsw == DN_UNMEASURED)
		return -ENODATA;
	r->nvcsw += s.nvcsw;
	r->nivcsw += s.nivcsw;
	return 0;
}

static int read_switches(const struct dn_proc *p, struct dn_proc_reading *r)
{
	struct dn_numbers d;
	char name[24];
	uint32_t tid;
	int err;

	if (r->threads > DN_SWITCHES_THREADS_MAX)	/* unmeasured too */
		return 0;
	r->nvcsw = r->nivcsw = 0;
	if (r->threads == 1) {
		err = add_switches(p->dir, "status", r);
	} else {
		err = dn_numbers_open(&d, p->dir, "task");
		while (!err && (err = dn_numbers_next(&d, &tid)) > 0) {
			snprintf(name, sizeof(name), "%u/status", tid);
			err = add_switches(d.fd, name, r);
		}
		dn_numbers_close(&d);
	}
	/* a thread that ended during the walk leaves the sum short */
	if (err)
		r->nvcsw = r->nivcsw = DN_UNMEASURED;
	return err;
}

/* The parts besides stat. -ESRCH where a file was not there: the process has
 * ended, or this kernel has no such file. */
static int read_parts(const struct dn_proc *p, unsigned parts, struct dn_proc_reading *r)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	char buf[STAT_SIZE];
	struct dn_pid_statm m;
	bool missing = false;
	ssize_t n;

	if (parts & DN_PROC_STATM) {
		n = read_record(p->dir, "statm", buf, sizeof(buf));
		if (n > 0 && !dn_parse_pid_statm(buf, (size_t)n, &m)) {
			r->rss = dn_scale(m.resident, page);
			r->vms = dn_scale(m.size, page);
		}
		missing |= gone((int)n) == -ESRCH;
	}
	if (parts & DN_PROC_IO) {
		n = read_record(p->dir, "io", buf, sizeof(buf));
		dn_parse_pid_io(buf, n > 0 ? (size_t)n : 0, &r->io);
		missing |= gone((int)n) == -ESRCH;
	}
	if (parts & DN_PROC_SWITCHES)
		missing |= gone(read_switches(p, r)) == -ESRCH;
	if (parts & DN_PROC_FDS)
		missing |= dn_proc_count_fds(p, &r->fds) == -ESRCH;
	return missing ? -ESRCH : 0;
}

static bool is_dead(char state)
{
	return state == 'Z' || state == 'X';
}

int dn_proc_read(const struct dn_proc *p, unsigned parts, struct dn_proc_reading *r)
{
	char buf[STAT_SIZE];
	struct dn_pid_stat st;
	int err = read_stat(p, &st, buf, sizeof(buf));

	memset(r, 0xff, sizeof(*r));	/* every figure unmeasured */
	if (err)
		return err;
	if (p->start != DN_UNMEASURED && st.start != p->start)
		return -ESRCH;
	r->state = st.state;
	r->ppid = st.ppid;
	r->start = st.start;
	r->utime = st.utime;
	r->stime = st.stime;
	r->threads = st.threads;
	r->minflt = st.minflt;
	r->majflt = st.majflt;
	r->cpu = st.cpu;
	r->rss = dn_scale(st.rss, (uint64_t)sysconf(_SC_PAGESIZE));
	r->vms = st.vsize;
	err = read_parts(p, is_dead(st.state) ? parts & ~(DN_PROC_STATM | DN_PROC_FDS) : parts, r);

	/* A file of /proc may have ended with the process since stat was read, and
	 * a zero may be that of a process which has just given its memory and files
	 * back: look again before it is taken for a figure. */
	if (!is_dead(r->state) && (err || !r->rss || !r->fds)) {
		err = read_stat(p, &st, buf, sizeof(buf));
		if (err)
			return err;
		r->state = st.state;
	}
	if (is_dead(r->state))
		r->rss = r->vms = r->fds = DN_UNMEASURED;
	return 0;
}

/* --- ticks -------------------------------------------------------------------------------- */

uint64_t dn_tick_ns(void)
{
	long hz = sysconf(_SC_CLK_TCK);

	return 1000000000u / (uint64_t)(hz > 0 ? hz : 100);
}

/* monotonic  0  0
 * boottime   86400  0 */
int64_t dn_timens_offset(int procfs)
{
	char buf[256];
	ssize_t n = dn_read_file(procfs, "self/timens_offsets", buf, sizeof(buf) - 1);
	const char *line;
	long long s, ns;

	if (n <= 0)
		return 0;
	buf[n] = '\0';
	line = strstr(buf, "boottime");
	if (!line || sscanf(line, "boottime %lld %lld", &s, &ns) != 2 ||
	    s > INT64_MAX / 1000000000 || s < INT64_MIN / 1000000000)
		return 0;
	return s * 1000000000 + ns;
}
