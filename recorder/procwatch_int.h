/*
 * procwatch_int.h - what procwatch.c (who there is), procwatch_read.c (what
 * /proc says of one) and procwatch_rows.c (rows of it) share. Private to them.
 */
#ifndef DN_RECORDER_PROCWATCH_INT_H
#define DN_RECORDER_PROCWATCH_INT_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "procfs.h"
#include "procwatch.h"

#define DN_WATCH_STAT 2048	/* bytes of a stat file */
#define DN_WATCH_ARGV 16384	/* bytes of an argument list that are kept, as BPF does */
#define DN_WATCH_BUCKETS 1024

struct dn_watched_task {	/* a thread, but for the first */
	uint32_t thread, tid;
	bool seen;
};

/* Figures of a process, of its first thread where they are by thread. */
struct dn_figures {
	uint64_t utime, stime;		/* ns */
	uint64_t minflt, majflt;
	struct dn_pid_schedstat run;
	struct dn_pid_status status;
	struct dn_pid_io io;
	uint64_t peak;			/* bytes */
	uint64_t code;			/* as waitpid reports it */
};

struct dn_watched {
	struct dn_watched *next;	/* in its bucket */
	uint32_t id;			/* of the process and of its first thread */
	pid_t pid;
	uint64_t start;			/* ticks */
	int pidfd;			/* -1: none */
	uint64_t stack, stack_before;
	uint64_t image, image_time;	/* what was executed last, and when that was seen */
	unsigned blank;			/* looks in a row without a stack */
	unsigned bare;			/* looks in a row at an image without arguments */
	char comm[16];
	bool gone;			/* not in /proc any more */
	bool ended;			/* its rows are written */
	bool threaded;			/* had another thread at some time */
	struct dn_pid_stat stat;	/* the last */
	uint64_t looked;		/* when it was read */
	bool attached;			/* its figures are of a life that began before: process_sample has how much */
	struct dn_figures figures;	/* the last; what was not read is unmeasured */
	uint64_t figures_due;
	struct dn_watched_task *task;
	uint32_t ntasks, tasks_cap;
};

struct dn_procwatch {
	struct dn_procwatch_opts o;
	int procfs;
	int epoll;
	uint64_t tick_ns;
	int64_t timens;
	bool numbers_ours;		/* /proc numbers processes as our system calls do */
	pid_t self;			/* our number in /proc */
	pid_t root_pid;			/* of our system calls */
	struct dn_watched *root;
	struct dn_watched **proc;
	uint32_t n, cap;
	struct dn_watched *bucket[DN_WATCH_BUCKETS];
	unsigned pidfds, pidfds_most;
	uint32_t last_id;
	uint32_t *known, nknown;	/* pids of the last scan, ascending */
	uint64_t looked;		/* when the last look began */
	uint64_t changed;		/* when something last was new */
	uint64_t credit_time;
	int64_t credit;
	struct dn_procwatch_counts counts;
	char children[65536];
	char argv[DN_WATCH_ARGV], clean[2 * DN_WATCH_ARGV], exe[PATH_MAX + 1], cwd[PATH_MAX + 1];
};

/* --- reading ---------------------------------------------------------------------- */

/* A stat file below /proc; of a process. 0, -ESRCH (gone), -errno. The name in
 * st is in buf (DN_WATCH_STAT bytes). */
int dn_watch_stat(struct dn_procwatch *w, const char *name, struct dn_pid_stat *st, char *buf);
int dn_watch_stat_of(struct dn_procwatch *w, pid_t pid, struct dn_pid_stat *st, char *buf);

bool dn_watch_is_over(const struct dn_pid_stat *st);
void dn_watch_keep_comm(char comm[16], const struct dn_pid_stat *st);
bool dn_watch_has_comm(const char comm[16], const struct dn_pid_stat *st);

/* What the process executes now. Lengths: 0 or less where it could not be read. */
struct dn_image {
	ssize_t path, cwd;		/* in w->exe and w->cwd */
	size_t argv;			/* in w->argv */
	uint64_t argv_whole;		/* of all of it */
	uint64_t euid, egid;
};
void dn_watch_image(struct dn_procwatch *w, struct dn_watched *p, struct dn_image *im);

/* Brings p->figures up to date, but for the peak where there is no memory any
 * more: from stat only, or from the other files too. */
void dn_watch_figures(struct dn_procwatch *w, struct dn_watched *p, bool all);
/* The same of one that is over: then they are final. */
void dn_watch_last_figures(struct dn_procwatch *w, struct dn_watched *p);

/* The number of our child in this /proc, which may be mounted for another pid
 * namespace than ours. 0: it has none, or /proc does not know us. */
pid_t dn_watch_number(struct dn_procwatch *w, pid_t pid);

/* --- rows ------------------------------------------------------------------------------ */

/* All: 0 or the sink's error; they keep w->tree and w->changed up to date. */
int dn_watch_start_row(struct dn_procwatch *w, const struct dn_watched *p, uint32_t thread,
		       uint32_t tid, uint32_t parent, uint32_t ppid, const struct dn_pid_stat *st,
		       unsigned origin);
int dn_watch_exec_row(struct dn_procwatch *w, const struct dn_watched *p, const struct dn_image *im);
int dn_watch_comm_row(struct dn_procwatch *w, const struct dn_watched *p);
/* last: the process ends with it, which is its first thread. */
int dn_watch_exit_row(struct dn_procwatch *w, const struct dn_watched *p, uint32_t thread, bool last);
/* The figures of the last look at one that is gone, as a reading of it. */
int dn_watch_sample_row(struct dn_procwatch *w, const struct dn_watched *p);
int dn_watch_end_row(struct dn_procwatch *w, const struct dn_watched *p, uint32_t thread,
		     uint64_t now);

#endif
