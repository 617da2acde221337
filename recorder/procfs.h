/*
 * procfs.h - reading /proc: files whole, files by line, one process.
 *
 * Everything is opened relative to a directory fd, so that a test may hand in
 * a tree of its own and so that a process is looked up by number only once:
 * the directory fd of /proc/PID belongs to that very process. When it has
 * ended, whatever is opened or read below it fails with ESRCH, even if its
 * number belongs to another process by then.
 *
 * "Gone" is -ESRCH everywhere. Not permitted is -EACCES or -EPERM, and leaves
 * the figures unmeasured. Nothing here allocates. Stateless but for the
 * structures of the caller; any thread.
 */
#ifndef DN_RECORDER_PROCFS_H
#define DN_RECORDER_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "procparse.h"

/* A file into buf, at most cap bytes (a longer one is cut). Its length or
 * -errno; EINTR is tried again. */
ssize_t dn_read_file(int dir, const char *name, char *buf, size_t cap);

/*
 * A file line by line, through a buffer of the caller. A line longer than the
 * buffer is handed out cut, once.
 */
struct dn_lines {
	int fd;
	char *buf;
	size_t cap, have, pos;
	bool eof, skip;
};
int dn_lines_open(struct dn_lines *l, int dir, const char *name, char *buf, size_t cap);
/* 1 and the line without its newline (in the buffer, the caller may change
 * it), 0 at the end, -errno. */
int dn_lines_next(struct dn_lines *l, char **line, size_t *len);
void dn_lines_close(struct dn_lines *l);

/* The numbers among the names of a directory (tasks, file descriptors, pids). */
struct dn_numbers {
	int fd;
	size_t have, pos;
	char buf[8192] __attribute__((aligned(8)));
};
int dn_numbers_open(struct dn_numbers *d, int dir, const char *name);
/* 1 and the number, 0 at the end, -errno. */
int dn_numbers_next(struct dn_numbers *d, uint32_t *number);
void dn_numbers_close(struct dn_numbers *d);

/* --- one process --------------------------------------------------------------- */

struct dn_proc {
	int dir;			/* O_PATH fd of /proc/PID, -1: not open */
	pid_t pid;
	uint64_t start;			/* ticks since boot, DN_UNMEASURED: not known yet */
};

/* Takes hold of /proc/PID. start: when the process was there already: one that
 * began after it has got the number of one that is "gone". DN_UNMEASURED: whoever
 * has the number. Its own start is then in *p. 0 or -errno with nothing open. */
int dn_proc_open(struct dn_proc *p, int procfs, pid_t pid, uint64_t start);
void dn_proc_close(struct dn_proc *p);

/* Tells whether it is still there: 0 or -ESRCH. A zombie is there. */
int dn_proc_alive(const struct dn_proc *p);

/* One reading. */
struct dn_proc_reading {
	char state;
	uint64_t ppid;
	uint64_t start, utime, stime;	/* ticks */
	uint64_t threads, minflt, majflt, cpu;
	uint64_t rss, vms;		/* pages, bytes; unmeasured for a zombie, which has no memory left */
	uint64_t nvcsw, nivcsw;		/* sum of the live threads, see below */
	struct dn_pid_io io;
	uint64_t fds;
};

/* What to read besides stat; each costs a file or two. */
enum dn_proc_part {
	DN_PROC_IO = 1 << 0,
	DN_PROC_STATM = 1 << 1,		/* exact rss: since 6.2 that of stat may lag by megabytes */
	DN_PROC_SWITCHES = 1 << 2,
	DN_PROC_FDS = 1 << 3,
	DN_PROC_ALL = (1 << 4) - 1,
};

/*
 * Context switches stand in a file per thread and nowhere as a sum, so they
 * are added up over the threads that live, and only where these are few.
 * Switches of threads that ended are not in it: the caller who saw the number
 * of threads fall must not use it.
 */
#define DN_SWITCHES_THREADS_MAX 64

/* 0 and the reading (what could not be read in it is unmeasured), or -ESRCH,
 * or -errno if not even stat was readable. */
int dn_proc_read(const struct dn_proc *p, unsigned parts, struct dn_proc_reading *r);

/* Open file descriptors, or DN_UNMEASURED: not permitted, or more than it is
 * worth to count where the kernel does not tell (before 6.2). */
#define DN_FDS_COUNT_MAX 65536
int dn_proc_count_fds(const struct dn_proc *p, uint64_t *count);

/* Where the link name ("cwd", "exe", "root", "fd/3") below dir points to, not
 * ended by a NUL: its length or -errno (-ENAMETOOLONG: does not fit). */
ssize_t dn_proc_link(int dir, const char *name, char *buf, size_t cap);

/* --- ticks ------------------------------------------------------------------------ */

/* ns of one tick of the times in /proc. */
uint64_t dn_tick_ns(void);

/* What the boot clock of our time namespace is ahead of the host's, ns: times
 * in /proc are in ours, times from BPF in the host's. 0 without namespaces. */
int64_t dn_timens_offset(int procfs);

#endif
