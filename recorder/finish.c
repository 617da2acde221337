/*
 * finish.c - closing the books.
 *
 * Order matters: the kernel side begins no more calls, lists who lives, and is
 * detached; then the rings are emptied for the last time; only then are the
 * counters final, and attempted = written + lost can be checked.
 */
#include "finish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "clocks.h"
#include "consumer.h"
#include "count.h"
#include "events.h"
#include "human.h"
#include "keyframe.h"
#include "observed.h"
#include "options.h"
#include "output.h"
#include "probe.h"
#include "procwatch.h"
#include "rec.h"
#include "rights.h"
#include "row.h"
#include "sampler.h"
#include "say.h"
#include "stacks.h"
#include "stream.h"
#include "tree.h"
#include "writer.h"

#define SYMBOLS_NS UINT64_C(5000000000)	/* that names may take */

int dn_rec_thread_row(const struct dn_sink *sink, const struct dn_tree_thread *t, uint64_t now)
{
	struct dn_value v[DN_F_thread_start_N];

	dn_row_clear(v, DN_F_thread_start_N);
	v[DN_F_thread_start_time] = dn_u(now);
	v[DN_F_thread_start_thread] = dn_u(t->thread);
	v[DN_F_thread_start_process] = dn_u(t->process);
	if (t->parent)
		v[DN_F_thread_start_parent_thread] = dn_u(t->parent);
	v[DN_F_thread_start_tid] = dn_u(t->tid);
	v[DN_F_thread_start_pid] = dn_u(t->pid);
	v[DN_F_thread_start_ppid] = dn_u(t->ppid);
	v[DN_F_thread_start_origin] = dn_u(DN_ORIGIN_KEYFRAME);
	if (t->born)
		v[DN_F_thread_start_born] = dn_u(t->born);
	v[DN_F_thread_start_comm] = dn_str(t->comm, strnlen(t->comm, sizeof(t->comm)));
	return dn_row_send(sink, DN_EV_thread_start, v, DN_F_thread_start_N);
}

void dn_rec_count(void *ctx, const struct dn_syscall *s)
{
	dn_count_call(ctx, s);
}

static void counter_row(struct dn_rec *x, uint64_t now, unsigned id, uint64_t value)
{
	struct dn_value v[DN_F_counter_N];

	v[DN_F_counter_time] = dn_u(now);
	v[DN_F_counter_counter] = dn_u(id);
	v[DN_F_counter_value] = dn_u(value);
	dn_row_send(&x->locked, DN_EV_counter, v, DN_F_counter_N);
}

static void loss_row(struct dn_rec *x, unsigned counter, uint64_t count)
{
	struct dn_value v[DN_F_loss_N];

	if (!count || count == DN_UNMEASURED)
		return;
	dn_row_clear(v, DN_F_loss_N);
	v[DN_F_loss_counter] = dn_u(counter);
	v[DN_F_loss_count] = dn_u(count);
	dn_row_send(&x->locked, DN_EV_loss, v, DN_F_loss_N);
}

struct losses {
	struct dn_rec *x;
	uint64_t named;		/* lost calls that have a row of their own */
};

static int on_loss(void *ctx, const struct dn_loss_key *k, const struct dn_loss_value *l)
{
	struct losses *s = ctx;
	struct dn_value v[DN_F_loss_N];

	dn_row_clear(v, DN_F_loss_N);
	v[DN_F_loss_counter] = dn_u(DN_COUNT_syscall_lost);
	v[DN_F_loss_cpu] = dn_u(k->cpu);
	v[DN_F_loss_process] = dn_u(k->process);
	if (k->nr != DN_LOSS_ANY) {
		v[DN_F_loss_abi] = dn_u(k->abi);
		v[DN_F_loss_nr] = dn_u(k->nr);
		if (s->x->count)
			dn_count_lost(s->x->count, (enum dn_abi)k->abi, k->nr, l->count, l->total);
	}
	v[DN_F_loss_count] = dn_u(l->count);
	v[DN_F_loss_total] = dn_u(l->total);
	v[DN_F_loss_first] = dn_u(l->first);
	v[DN_F_loss_last] = dn_u(l->last);
	s->named += l->count;
	return dn_row_send(&s->x->locked, DN_EV_loss, v, DN_F_loss_N);
}

static void end_row(struct dn_rec *x, uint64_t now)
{
	unsigned survivors = dn_tree_processes(x->tree);
	struct dn_value v[DN_F_end_N];

	v[DN_F_end_time] = dn_u(x->ended ? x->end_time : now);
	v[DN_F_end_reason] = dn_u(x->duration_over ? DN_END_DURATION :
				  x->ended && !x->stop ? DN_END_COMMAND : DN_END_SIGNAL);
	v[DN_F_end_status] = x->ended && !x->attach ? dn_u((uint64_t)x->status) : dn_null();
	/* From /proc none is no figure: some may not have been found, if they are not ours to wait for. */
	v[DN_F_end_survivors] = x->probe || survivors || x->all_gone ? dn_u(survivors) : dn_null();
	dn_row_send(&x->locked, DN_EV_end, v, DN_F_end_N);
}

static uint64_t own_cpu_ns(void)
{
	struct rusage r;

	if (getrusage(RUSAGE_SELF, &r))
		return 0;
	return (uint64_t)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000000u +
	       (uint64_t)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1000u;
}

uint64_t dn_events_lost(const uint64_t *total)
{
	return total[DN_COUNT_signal_lost] + total[DN_COUNT_lifecycle_lost] + total[DN_COUNT_sock_lost] +
		total[DN_COUNT_transfer_lost] + total[DN_COUNT_offcpu_lost] + total[DN_COUNT_sample_lost] +
		total[DN_COUNT_call_stack_lost];
}

static void last_words(struct dn_rec *x, const struct dn_writer_stats *w, const uint64_t total[DN_COUNTER_MAX])
{
	const uint64_t lost = x->probe ? total[DN_COUNT_syscall_lost] : 0, events = x->probe ? dn_events_lost(total) : 0;
	char size[DN_HUMAN_SIZE], rows[DN_HUMAN_SIZE], l[DN_HUMAN_SIZE] = "no system calls";
	unsigned survivors = dn_tree_processes(x->tree);

	if (w->error)
		dn_say("%llu blocks of %s could not be written: %s; what could be is readable",
		    (unsigned long long)w->errors, dn_output_name(x->out), strerror(w->error));
	if (lost && events)
		dn_say("%s system calls and %s other records (signals, processes, sockets, scheduling) found no room in the "
		    "ring buffers: the calls are counted but not described; a larger --buffer holds more",
		    dn_human_digits(l, sizeof(l), lost), dn_human_digits(rows, sizeof(rows), events));
	else if (lost)
		dn_say("%s system calls found no room in the ring buffers: they are counted but not "
		    "described; a larger --buffer holds more", dn_human_digits(l, sizeof(l), lost));
	else if (events)
		dn_say("%s other records (signals, processes, sockets, scheduling) found no room in the ring buffers and are missing; "
		    "a larger --buffer holds more", dn_human_digits(l, sizeof(l), events));
	if (x->o->quiet)
		return;
	if (survivors && !x->duration_over && !(x->attach && x->stop))
		dn_say("%u process%s of the tree live%s on; --wait=tree records them to their end",
		    survivors, survivors == 1 ? "" : "es", survivors == 1 ? "s" : "");
	if (x->probe)
		dn_human_digits(l, sizeof(l), lost + events + w->calls_lost);
	dn_say("%s: %s, %s events, %s%s; look at it with: denet-analyze %s",
	    dn_output_name(x->out),
	    dn_human_bytes(size, sizeof(size), w->bytes), dn_human_digits(rows, sizeof(rows), w->rows),
	    l, x->probe ? " lost" : "",
	    strcmp(x->o->output, "-") ? dn_output_name(x->out) : "FILE");
}

/* The functions of stacks get their names, while the files are there. */
static void name_functions(struct dn_rec *x)
{
	char why[160];
	long n;

	if (!x->stacks)
		return;
	dn_writer_lock(x->writer);
	n = dn_stacks_symbols(x->stacks, x->owner, SYMBOLS_NS);
	dn_writer_unlock(x->writer);
	if (n > 0) {
		snprintf(why, sizeof(why), "%ld places in stacks have no names: they were not found within %d s", n,
			 (int)(SYMBOLS_NS / 1000000000));
		dn_not_observed_row(&x->locked, "symbols", why);
	}
}

/* Empties the rings for the last time. Fills in what kernel side and stream
 * count of system calls. */
static uint64_t finish_probe(struct dn_rec *x, uint64_t total[DN_COUNTER_MAX], struct losses *losses)
{
	struct dn_stream_stats ss;
	struct dn_consumer_stats cs;
	uint64_t unread = 0, now;
	int err;

	for (unsigned id = 0; id < DN_COUNTER_MAX; id++)
		total[id] = 0;
	dn_consumer_join(x->consumer);
	err = dn_probe_stop(x->probe, dn_stream_living, x->stream);
	if (err) {
		dn_say("the threads that live on could not be listed: %s", strerror(-err));
		unread = 1;
	}
	dn_consumer_rest(x->consumer);
	dn_consumer_stats(x->consumer, &cs);
	now = dn_now();
	dn_writer_lock(x->writer);
	err = dn_stream_finish(x->stream, now, dn_probe_stopped(x->probe));
	if (!err && x->o->offcpu_min_ns)
		err = dn_probe_short(x->probe, dn_stream_short, x->stream);
	if (!err)
		err = dn_probe_perf(x->probe, dn_stream_perf, x->stream);
	dn_writer_unlock(x->writer);
	if (!err)
		err = cs.error;
	if (err)
		dn_say("records of the rings could not be understood: %s; the trace is not complete",
		    strerror(-err));
	dn_stream_stats(x->stream, &ss);
	name_functions(x);
	dn_rec_reconcile(x);

	if (dn_probe_counters(x->probe, total))
		dn_say("the counters of the kernel side could not be read; losses are not known");
	if (x->unmarked)
		total[DN_COUNT_storage_failed]++;
	dn_probe_losses(x->probe, on_loss, losses);
	total[DN_COUNT_written] = ss.calls;
	dn_probe_misses(x->probe, &total[DN_COUNT_recursion_misses], &total[DN_COUNT_event_misses]);
	dn_rights_drop(false);	/* where reading maps needed one */
	total[DN_COUNT_string_orphaned] = ss.strings_orphaned;
	total[DN_COUNT_string_missing] = ss.strings_missing;
	total[DN_COUNT_redacted] = ss.redacted + x->environ_redacted;
	total[DN_COUNT_ring_bytes] = ss.bytes;
	total[DN_COUNT_unfinished] = ss.unfinished;
	if (total[DN_COUNT_threads] > ss.starts)
		total[DN_COUNT_unknown_thread] = total[DN_COUNT_threads] - ss.starts;
	total[DN_COUNT_in_flight_unread] = unread;
	total[DN_COUNT_stack_missing] = ss.stacks_missing;
	total[DN_COUNT_mapping_lost] = x->stacks ? dn_stacks_mappings_lost(x->stacks) : 0;
	return now;
}

/* The same of recording from /proc, which counts no calls. */
static uint64_t finish_procwatch(struct dn_rec *x, uint64_t total[DN_COUNTER_MAX])
{
	struct dn_procwatch_counts pc;

	dn_procwatch_finish(x->procwatch);
	dn_procwatch_counts(x->procwatch, &pc);
	total[DN_COUNT_threads] = pc.threads;
	total[DN_COUNT_redacted] = pc.redacted + x->environ_redacted;
	total[DN_COUNT_sample_gone] = pc.gone;
	return dn_now();
}

void dn_rec_finish(struct dn_rec *x)
{
	uint64_t total[DN_COUNTER_MAX], now;	/* by counter id */
	struct losses losses = { .x = x };
	struct dn_keyframe_counts kc;
	struct dn_sampler_counts sc;
	struct dn_writer_stats w;

	for (unsigned id = 0; id < DN_COUNTER_MAX; id++)
		total[id] = DN_UNMEASURED;
	if (dn_tree_processes(x->tree))
		dn_sampler_finish(x->sampler);
	now = x->probe ? finish_probe(x, total, &losses) : finish_procwatch(x, total);
	dn_sampler_counts(x->sampler, &sc);
	/* The books stand in a block of their own, so that a disk that was too
	 * full for the calls before them does not take them along. */
	dn_clocks_emit(&x->locked);
	dn_writer_drain(x->writer);
	dn_output_use_reserve(x->out);
	dn_writer_stats(x->writer, &w);
	dn_keyframe_counts(x->keyframe, &kc);
	if (x->probe) {
		total[DN_COUNT_written] -= w.calls_lost;
		total[DN_COUNT_block_calls_lost] = w.calls_lost;
	} else {
		sc.gone += total[DN_COUNT_sample_gone];
	}
	total[DN_COUNT_recorder_cpu_ns] = own_cpu_ns();
	total[DN_COUNT_write_errors] = w.errors;
	total[DN_COUNT_block_events_lost] = w.rows_lost;
	total[DN_COUNT_sample_gone] = sc.gone;
	total[DN_COUNT_sample_deferred] = sc.deferred;
	total[DN_COUNT_sample_skipped] = sc.skipped;
	total[DN_COUNT_sample_failed] = sc.failed;
	total[DN_COUNT_device_skipped] = sc.devices_skipped;
	total[DN_COUNT_redacted] += kc.redacted;	/* of arguments */
	total[DN_COUNT_keyframe_skipped] = kc.fds_skipped + kc.mappings_skipped;
	total[DN_COUNT_keyframe_unreadable] = kc.unreadable;
	if (x->probe)
		loss_row(x, DN_COUNT_syscall_lost, total[DN_COUNT_syscall_lost] - losses.named);
	for (unsigned id = 0; id < DN_COUNTER_MAX; id++) {
		const struct dn_counter_desc *d = dn_counter_desc(id);

		if (!d || total[id] == DN_UNMEASURED)
			continue;
		if (d->kind == DN_COUNTER_LOSS && id != DN_COUNT_syscall_lost)
			loss_row(x, id, total[id]);
		counter_row(x, now, id, total[id]);
	}
	end_row(x, now);
	dn_writer_close(x->writer, &w);
	x->writer = NULL;
	if (x->count)
		dn_count_print(x->count, stderr);
	last_words(x, &w, total);
}
