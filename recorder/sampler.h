/*
 * sampler.h - readings of /proc of a set of processes and of the host, as rows.
 *
 * The caller adds and removes processes as it learns of them, and calls
 * dn_sampler_tick when dn_sampler_next_ns has come. A round reads the host
 * once and every process once. Rows go to the sink from within these calls.
 *
 * The interval between rounds grows in a straight line from interval_ns at the
 * first tick to max_interval_ns after ramp_ns, and stays there: short commands
 * are seen closely, long ones cost little. Processes that live shorter than
 * that have their first and last reading.
 *
 * What it costs is bounded: readings earn a fixed share of one CPU as time
 * passes (cpu_permille, 20 ms of it can be saved up) and stop when it is spent. A
 * round that meets the bound goes on where it stopped, so that all processes
 * get their turn; first and last readings that meet it are left out. Both are
 * counted.
 *
 * Identity: a reading is of one process, held by the directory fd of
 * /proc/PID, or, beyond max_open of those, by pid and start time. Of two
 * processes with the same pid, the fd tells them apart always, the start time
 * unless both began within the same tick (10 ms), for which the kernel would
 * have to hand out every other pid in between.
 *
 * One thread at a time. Memory is taken at dn_sampler_new and dn_sampler_add
 * only.
 */
#ifndef DN_RECORDER_SAMPLER_H
#define DN_RECORDER_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "record.h"

struct dn_sampler;

struct dn_sampler_opts {
	uint64_t interval_ns;		/* 0: 100 ms */
	uint64_t max_interval_ns;	/* 0: 1 s; less than interval_ns: the same as it */
	uint64_t ramp_ns;		/* 0: 10 s */
	unsigned cpu_permille;		/* of one CPU; 0: 100 */
	unsigned max_open;		/* directory fds kept; 0: a quarter of RLIMIT_NOFILE, at most 1024 */
	bool no_host;			/* processes only */
	int procfs;			/* fd of /proc, stays the caller's; 0: /proc is opened */
};

/* Totals so far. */
struct dn_sampler_counts {
	uint64_t readings;		/* process_sample rows */
	uint64_t rounds;		/* finished */
	uint64_t gone;			/* processes that ended while or before they were read */
	uint64_t deferred;		/* times a round stopped at the bound */
	uint64_t skipped;		/* first and last readings left out at the bound */
	uint64_t failed;		/* readings that failed otherwise (no fd left, not permitted) */
	uint64_t devices_skipped;	/* network and block devices beyond the limit of a reading */
};

/* The opts are copied; sink and its context must outlive the sampler. NULL
 * with errno. */
struct dn_sampler *dn_sampler_new(const struct dn_sampler_opts *opts, const struct dn_sink *sink);
void dn_sampler_free(struct dn_sampler *s);

/*
 * A process to be read from now on; takes its first reading. process: its id
 * in the trace, 0: it has none (rows have null, remove it by pid). born: its
 * start in ns of the host's boot clock, or, where BPF reads no task, the first time
 * it was seen (dn_proc_open); 0: not known.
 * 0, -ESRCH (gone, not added), -EEXIST, -ENOMEM, -errno (could not be held and
 * born is not known: not added), or the sink's error.
 */
int dn_sampler_add(struct dn_sampler *s, uint32_t process, pid_t pid, uint64_t born);

/* No longer; with take_last reads it once more, which works while it is a
 * zombie. 0, -ENOENT (was not there), or the sink's error. That it has gone
 * already is no error and is not counted. */
int dn_sampler_remove(struct dn_sampler *s, uint32_t process, pid_t pid, bool take_last);

/* Reads what is due at now (dn_now()). 0 or the sink's error. */
int dn_sampler_tick(struct dn_sampler *s, uint64_t now);

/* Boot clock, ns, when the next tick is due; 0: at once. */
uint64_t dn_sampler_next_ns(const struct dn_sampler *s);

/* A whole round with phase `last` for every process, at the end, whatever it
 * costs. 0 or the sink's error. */
int dn_sampler_finish(struct dn_sampler *s);

void dn_sampler_counts(const struct dn_sampler *s, struct dn_sampler_counts *counts);
unsigned dn_sampler_processes(const struct dn_sampler *s);

/* The interval that holds when elapsed ns have passed since the first tick. */
uint64_t dn_sampler_interval(const struct dn_sampler_opts *opts, uint64_t elapsed);

#endif
