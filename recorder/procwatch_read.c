/*
 * procwatch_read.c - what /proc says of one process that is watched.
 */
#include "procwatch_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "row.h"

/* linux/pidfd.h as of 6.15; older headers lack it. */
struct pidfd_info {
	uint64_t mask, cgroupid;
	uint32_t pid, tgid, ppid, id[8];
	int32_t exit_code;
};
#define INFO_EXIT (1u << 3)
#define GET_INFO _IOWR(0xFF, 11, struct pidfd_info)

int dn_watch_stat(struct dn_procwatch *w, const char *name, struct dn_pid_stat *st, char *buf)
{
	ssize_t n = dn_read_file(w->procfs, name, buf, DN_WATCH_STAT);

	if (n < 0)
		return n == -ENOENT ? -ESRCH : (int)n;
	return dn_parse_pid_stat(buf, (size_t)n, st);
}

int dn_watch_stat_of(struct dn_procwatch *w, pid_t pid, struct dn_pid_stat *st, char *buf)
{
	char name[32];

	snprintf(name, sizeof(name), "%d/stat", (int)pid);
	return dn_watch_stat(w, name, st, buf);
}

void dn_watch_keep_comm(char comm[16], const struct dn_pid_stat *st)
{
	size_t n = st->comm_len < 15 ? st->comm_len : 15;

	memset(comm, 0, 16);
	memcpy(comm, st->comm, n);
}

bool dn_watch_has_comm(const char comm[16], const struct dn_pid_stat *st)
{
	char other[16];

	dn_watch_keep_comm(other, st);
	return !memcmp(comm, other, sizeof(other));
}

/* The first thread may be a zombie while others run. */
bool dn_watch_is_over(const struct dn_pid_stat *st)
{
	return (st->state == 'Z' || st->state == 'X') && st->threads <= 1;
}

/* A file of at most 8 KiB below /proc/PID; status grows with the number of CPUs. */
#define FILE_SIZE 8192

static ssize_t read_of(struct dn_procwatch *w, pid_t pid, const char *file, char *buf)
{
	char name[32];

	snprintf(name, sizeof(name), "%d/%s", (int)pid, file);
	return dn_read_file(w->procfs, name, buf, FILE_SIZE);
}

/* --- execve ------------------------------------------------------------------------ */

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

/* The parts must be of one image: where another came in between, they are read
 * again. */
void dn_watch_image(struct dn_procwatch *w, struct dn_watched *p, struct dn_image *im)
{
	char buf[FILE_SIZE];
	struct dn_pid_status s;
	struct dn_pid_stat st;
	struct dn_proc d;
	ssize_t n;

	*im = (struct dn_image){ .path = -1, .cwd = -1, .euid = DN_UNMEASURED, .egid = DN_UNMEASURED };
	for (unsigned i = 0; i < 3; i++) {
		uint64_t stack = p->stack;

		if (dn_proc_open(&d, w->procfs, p->pid, p->start))
			return;
		im->path = dn_proc_link(d.dir, "exe", w->exe, sizeof(w->exe));
		im->cwd = dn_proc_link(d.dir, "cwd", w->cwd, sizeof(w->cwd));
		im->argv = read_argv(w, d.dir, &im->argv_whole);
		n = dn_read_file(d.dir, "status", buf, sizeof(buf));
		dn_parse_pid_status(buf, n > 0 ? (size_t)n : 0, &s);
		im->euid = s.euid;
		im->egid = s.egid;
		dn_proc_close(&d);
		if (dn_watch_stat_of(w, p->pid, &st, buf) || st.start != p->start || dn_watch_is_over(&st))
			return;
		dn_watch_keep_comm(p->comm, &st);
		p->stack = st.stack;
		if (st.stack == stack)
			return;
	}
}

/* --- figures --------------------------------------------------------------------------- */

void dn_watch_figures(struct dn_procwatch *w, struct dn_watched *p, bool all)
{
	struct dn_figures *f = &p->figures;
	char buf[FILE_SIZE];
	ssize_t n;

	f->utime = dn_scale(p->stat.utime, w->tick_ns);
	f->stime = dn_scale(p->stat.stime, w->tick_ns);
	f->minflt = p->stat.minflt;
	f->majflt = p->stat.majflt;
	if (!all)
		return;
	n = read_of(w, p->pid, "schedstat", buf);
	if (n > 0)
		dn_parse_pid_schedstat(buf, (size_t)n, &f->run);
	n = read_of(w, p->pid, "io", buf);
	if (n > 0)
		dn_parse_pid_io(buf, (size_t)n, &f->io);
	n = read_of(w, p->pid, "status", buf);
	if (n > 0)
		dn_parse_pid_status(buf, (size_t)n, &f->status);
	/* The peak of the whole process: an execve begins anew. */
	if (n > 0 && f->status.peak != DN_UNMEASURED && f->status.peak &&
	    (f->peak == DN_UNMEASURED || f->status.peak > f->peak))
		f->peak = f->status.peak;
}

/* Whether the exit status in stat is meant for us: to others it reads 0. These
 * links are under the same rule, of a zombie too. */
static bool may_see_status(struct dn_procwatch *w, pid_t pid)
{
	char name[32], to[64];

	snprintf(name, sizeof(name), "%d/ns/user", (int)pid);
	return dn_proc_link(w->procfs, name, to, sizeof(to)) > 0;
}

/* The kernel keeps the status of one that was waited for, where it has pidfds
 * that can say so. */
static uint64_t status_kept(const struct dn_watched *p)
{
	struct pidfd_info info = { .mask = INFO_EXIT };

	if (p->pidfd < 0 || ioctl(p->pidfd, GET_INFO, &info) || !(info.mask & INFO_EXIT))
		return DN_UNMEASURED;
	return (uint32_t)info.exit_code;
}

void dn_watch_last_figures(struct dn_procwatch *w, struct dn_watched *p)
{
	struct dn_figures before = p->figures;
	char buf[DN_WATCH_STAT];
	struct dn_pid_stat st;

	if (dn_watch_is_over(&p->stat)) {
		dn_watch_figures(w, p, true);
		if (p->stat.exit_code || may_see_status(w, p->pid))
			p->figures.code = p->stat.exit_code;
		/* It may have been waited for meanwhile, and its pid be another's. */
		if (dn_watch_stat_of(w, p->pid, &st, buf) || st.start != p->start)
			p->figures = before;
	}
	if (p->figures.code == DN_UNMEASURED)
		p->figures.code = status_kept(p);
}

/* --- numbers --------------------------------------------------------------------------- */

pid_t dn_watch_number(struct dn_procwatch *w, pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0), there = 0;
	char name[32], buf[512], *line;
	ssize_t n;

	n = readlinkat(w->procfs, "self", name, sizeof(name) - 1);
	name[n > 0 ? n : 0] = 0;
	w->self = atoi(name);
	w->numbers_ours = w->self == getpid();
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
