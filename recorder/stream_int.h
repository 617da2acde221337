/*
 * stream_int.h - what stream.c (calls and their strings), stream_life.c (threads,
 * programs, signals), stream_net.c (sockets) and stream_sched.c (CPUs and stacks)
 * share. Private to them. All that return int give 0 or the sink's error.
 */
#ifndef DN_RECORDER_STREAM_INT_H
#define DN_RECORDER_STREAM_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "record.h"
#include "ring_event.h"
#include "stream.h"

#define BUCKETS 4096		/* of strings that wait */

struct dn_stream {
	struct dn_stream_opts o;
	struct strings *bucket[BUCKETS];
	struct strings *spare;
	uint64_t waiting;		/* strings in the table */
	struct orphan *orphan;
	size_t norphans, orphans_cap;
	unsigned pass;
	struct leaving *leaving;
	uint32_t nleaving, leaving_cap;
	struct dn_ring_thread_exit *base;	/* of threads that were attached to and have not ended */
	uint32_t nbases, bases_cap;
	struct unstacked *unstacked;
	uint32_t nunstacked, unstacked_cap;
	struct dn_iter_thread *living;	/* in a call at the end */
	size_t nliving, living_cap;
	struct dn_stream_stats st;
	char argv[DN_RING_ARGV_MAX * 2];
	char exec_argv[DN_RING_ARGV_MAX * 2];
	char cwd[DN_RING_PATH_MAX + 512];
};

static inline struct dn_value text(const char *p, size_t cap)
{
	return dn_str(p, strnlen(p, cap));
}

static inline struct dn_value id(uint32_t thread)
{
	return thread ? dn_u(thread) : dn_null();
}

/* --- stream_life.c --- */

int dn_stream_on_start(struct dn_stream *s, const struct dn_ring_thread_start *r);
int dn_stream_on_exec(struct dn_stream *s, const struct dn_ring_exec *r, uint32_t len);
int dn_stream_on_thread_exit(struct dn_stream *s, const struct dn_ring_thread_exit *r);
int dn_stream_on_thread_base(struct dn_stream *s, const struct dn_ring_thread_exit *r);
int dn_stream_on_thread_gone(struct dn_stream *s, const struct dn_ring_thread_gone *r);
int dn_stream_on_comm(struct dn_stream *s, const struct dn_ring_comm *r);
int dn_stream_on_signal(struct dn_stream *s, const struct dn_ring_signal *r);
int dn_stream_on_oom(struct dn_stream *s, const struct dn_ring_oom *r);

/* Exits whose last switch has not come for that many passes. */
int dn_stream_send_leaving(struct dn_stream *s, unsigned passes);

/* --- stream_net.c --- */

int dn_stream_on_sock(struct dn_stream *s, const struct dn_ring_sock *r);
int dn_stream_on_sock_event(struct dn_stream *s, const struct dn_ring_sock *r);
int dn_stream_on_transfer(struct dn_stream *s, const struct dn_ring_transfer *r);

/* Bytes through a socket; seq NULL: of no call. */
int dn_stream_moved(struct dn_stream *s, const struct dn_ring_moved *m, uint64_t time, uint32_t thread,
		    const uint32_t *seq);

/* --- stream_sched.c --- */

int dn_stream_on_call_stack(struct dn_stream *s, const struct dn_ring_call_stack *r);
int dn_stream_on_sample(struct dn_stream *s, const struct dn_ring_sample *r);
int dn_stream_on_offcpu(struct dn_stream *s, const struct dn_ring_offcpu *r);

/* Those whose stack has come, or that have waited for so many passes. */
int dn_stream_send_unstacked(struct dn_stream *s, unsigned passes);

/* Of a thread that was not seen to run again. */
int dn_stream_still_off(struct dn_stream *s, const struct dn_iter_thread *t, uint64_t now, uint64_t observed);

#endif
