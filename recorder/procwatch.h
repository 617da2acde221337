/*
 * procwatch.h - the tree of the command by looking at /proc again and again:
 * the lowest way of recording, for where BPF cannot be had.
 *
 * A look reads /proc/PID/stat of every process that is known and asks for its
 * children and threads. What is new, gone or changed since the look before
 * becomes a row: thread_start (origin proc), exec, comm, thread_exit. The
 * command itself is known from its beginning to its end, which the kernel
 * tells its parent; of the others everything is as good as the looks are
 * close. Between looks pass 1 ms while something changes and up to 10 ms when
 * nothing has for half a second. Where the kernel has pidfds, an end wakes us, so
 * that the figures of most are read while they are zombies, and their exit
 * status is known even after that (since 6.15).
 *
 * Figures of a thread stand in thread_exit where its process never had
 * another; of the rest they are those of the process, in process_sample.
 *
 * What it costs is bounded: looks earn a fixed share of one CPU as time passes
 * (cpu_permille, 10 ms of it can be saved up); when it is spent the next one
 * waits.
 *
 * Identity: pid and start time, as in sampler.h. Pids are those of the pid
 * namespace that /proc was mounted for.
 *
 * One thread at a time. After dn_procwatch_new a failed allocation costs the
 * process or thread that it was for.
 */
#ifndef DN_RECORDER_PROCWATCH_H
#define DN_RECORDER_PROCWATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "record.h"

struct dn_procwatch;
struct dn_tree;

struct dn_procwatch_opts {
	const struct dn_sink *sink;	/* with its context it must outlive the watch */
	struct dn_tree *tree;
	bool redact;
	bool scan;			/* go without /proc/PID/task/TID/children */
	/* Orphans of the tree become children of this thread, which hands them to
	 * dn_procwatch_orphan before it waits for them. */
	bool reaps;
	unsigned cpu_permille;		/* of one CPU; 0: 50 */
};

/* NULL with errno. */
struct dn_procwatch *dn_procwatch_new(const struct dn_procwatch_opts *o);
void dn_procwatch_free(struct dn_procwatch *w);

/* Emits the rows `probe` and `not_observed`. why: what is in the way of BPF. */
int dn_procwatch_emit(struct dn_procwatch *w, const char *why);

/* How a subject is observed this way ("none": not at all). */
const char *dn_procwatch_rung(const char *name);

/* Makes child pid (one thread, waiting for its first exec) the root of the
 * tree. Sets *thread to its id. 0, -errno, or the sink's error. */
int dn_procwatch_target(struct dn_procwatch *w, pid_t pid, uint32_t *thread);

/* A process that runs already is one of the tree from now on, if it began at that time (ticks, as /proc has it). 0, also
 * where it did not, or the sink's error. */
int dn_procwatch_attach(struct dn_procwatch *w, pid_t pid, uint64_t start);

/* It executes now; path and argv are for a command that is over already. */
int dn_procwatch_executed(struct dn_procwatch *w, const char *path, char *const argv[]);

/* Boot clock, ns, when the next look is due. */
uint64_t dn_procwatch_next_ns(const struct dn_procwatch *w);
int dn_procwatch_look(struct dn_procwatch *w);

/* Readable when a process has ended, which dn_procwatch_ends then looks at;
 * -1 while that cannot be afforded, or never happens. */
int dn_procwatch_fd(const struct dn_procwatch *w);
int dn_procwatch_ends(struct dn_procwatch *w);

/* Takes the last figures of the root, which has ended, and waits for it.
 * 0 and its wait status, or -errno. */
int dn_procwatch_reap(struct dn_procwatch *w, int *status);

/* A child that is no known one's any more has ended, and was not waited for. */
int dn_procwatch_orphan(struct dn_procwatch *w, pid_t pid);

/* The recording ends: a last look, and a thread_end for everyone who lives. */
int dn_procwatch_finish(struct dn_procwatch *w);

struct dn_procwatch_counts {
	uint64_t looks;
	uint64_t threads;	/* given an id */
	uint64_t gone;		/* processes that ended between being listed and being read */
	uint64_t redacted;
};
void dn_procwatch_counts(const struct dn_procwatch *w, struct dn_procwatch_counts *counts);

#endif
