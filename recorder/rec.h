/*
 * rec.h - the state of one recording, shared by prepare.c, recording.c and finish.c only.
 */
#ifndef DN_RECORDER_REC_H
#define DN_RECORDER_REC_H

#include <stdbool.h>
#include <stdint.h>

#include "record.h"
#include "target.h"

struct dn_attach;

struct dn_rec {
	const struct dn_record_opts *o;
	struct dn_output *out;
	struct dn_target target;
	struct dn_attach *attach;		/* NULL: the target is a command */
	char rung[16], bytes[16];	/* the best to try (dn_probe_parse_rung), "": any */
	struct dn_probe *probe;			/* NULL: from /proc only, with procwatch */
	struct dn_procwatch *procwatch;
	struct dn_writer *writer;
	struct dn_tree *tree;
	struct dn_stacks *stacks;	/* the same; NULL: there are none */
	struct dn_stream *stream;	/* the consumer's until it is joined; NULL without probe */
	struct dn_consumer *consumer;	/* NULL without probe */
	struct dn_sampler *sampler;
	struct dn_keyframe *keyframe;
	struct dn_encoder *frame;
	struct dn_count *count;
	struct dn_status *line;
	struct dn_sink locked;		/* rows of the main thread */
	int signals;			/* signalfd */
	uint32_t root;			/* thread id of the command */
	unsigned passed_on;		/* bit i: forwarded[i] */
	unsigned environ_redacted;
	uid_t owner;			/* of the command */
	uint64_t begin_time, end_time, frame_time, frame_bytes, terminal_used;
	bool ended;			/* the command; status holds */
	uint64_t end_passes;		/* of the consumer when it had ended */
	bool stop;			/* a signal told us, with the command ended */
	bool duration_over;
	bool alone;			/* no children but the command when it was started */
	bool reaps;			/* all of the tree are descendants to wait for */
	bool all_gone;			/* and there are none any more */
	bool unmarked;			/* the kernel side does not know the command */
	int status;			/* wait status of the command */
};

struct dn_tree_thread;

/* A thread_start row of origin KEYFRAME for a thread that lives. */
int dn_rec_thread_row(const struct dn_sink *sink, const struct dn_tree_thread *t, uint64_t now);

/* After a loss of records of process life: takes out of the tree who is gone. */
void dn_rec_reconcile(struct dn_rec *x);

/* For dn_stream_opts.also: a call into the table of -c. */
void dn_rec_count(void *ctx, const struct dn_syscall *s);

#endif
