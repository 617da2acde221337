/*
 * keyframe.h - what live processes are at one moment, as rows: process_state,
 * fd, mapping; and the clocks.
 *
 * A reader that starts at a keyframe learns from it what fds and addresses of
 * later rows mean. One process a call, so that the caller may look after its
 * rings in between. Each call is bounded by the limits below; what lies beyond
 * is counted.
 *
 * Reading the mappings waits for the process's mmap lock, which it may hold
 * for long while its own page faults are slow; leave them out with no_mappings
 * where that must not happen.
 *
 * One thread at a time. Memory is taken at dn_keyframe_new only.
 */
#ifndef DN_RECORDER_KEYFRAME_H
#define DN_RECORDER_KEYFRAME_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "record.h"

#define DN_KEYFRAME_FDS 4096		/* fd rows of a process */
#define DN_KEYFRAME_MAPPINGS 4096	/* mapping rows of a process */

struct dn_keyframe;

struct dn_keyframe_opts {
	int procfs;			/* fd of /proc, stays the caller's; 0: /proc is opened */
	bool no_mappings;
	bool arguments;			/* of each process, too: its execve was not seen */
	bool no_redact;			/* these as they are */
};

/* Totals so far. */
struct dn_keyframe_counts {
	uint64_t processes;
	uint64_t gone;			/* ended before or while they were read */
	uint64_t fds, fds_skipped;	/* skipped: beyond the limit */
	uint64_t mappings, mappings_skipped;
	uint64_t redacted;		/* arguments */
	uint64_t unreadable;		/* processes whose fds or mappings we may not read */
};

/* NULL with errno. */
struct dn_keyframe *dn_keyframe_new(const struct dn_keyframe_opts *opts);
void dn_keyframe_free(struct dn_keyframe *k);

/* The rows of one process; process and born as in dn_sampler_add. 0 (also if
 * only some of it was readable), -ESRCH (gone; the rows that were sent are
 * true nonetheless), -errno (it could not be opened), or the sink's error. */
int dn_keyframe_process(struct dn_keyframe *k, uint32_t process, pid_t pid, uint64_t born,
			const struct dn_sink *sink);

/* Only the descriptors that an execve leaves open, of a process that waits for
 * its own. The same errors. */
int dn_keyframe_inherited(struct dn_keyframe *k, uint32_t process, pid_t pid, const struct dn_sink *sink);

void dn_keyframe_counts(const struct dn_keyframe *k, struct dn_keyframe_counts *counts);

#endif
