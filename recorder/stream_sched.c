/*
 * stream_sched.c - rows of times off the CPU, samples, stacks of calls and performance counters.
 *
 * A stack may come through the ring of another CPU later than the record that names
 * it; such a row waits for it, as a call does for its strings.
 */
#include "stream_int.h"

#include <assert.h>
#include <string.h>

#include "events.h"
#include "grow.h"
#include "perfcount.h"
#include "row.h"
#include "stacks.h"

/* A row whose stack has not come: sent through the ring of another CPU. */
struct unstacked {
	uint16_t event;
	uint8_t n, at;			/* fields, and which of them is the stack */
	unsigned pass;
	uint64_t hash, when;		/* when: it was that stack */
	struct dn_value v[DN_F_offcpu_N];	/* others have fewer */
	char comm[DN_COMM_LEN];		/* the waker's */
};

static_assert((int)DN_F_sample_N <= (int)DN_F_offcpu_N && (int)DN_F_call_stack_N <= (int)DN_F_offcpu_N, "room in struct unstacked");

/* A row of n fields whose field `at` is the stack of that hash, as it was then. comm is what v points to, or NULL. */
static int send_stacked(struct dn_stream *s, enum dn_event event, struct dn_value *v, unsigned n, unsigned at,
			uint64_t hash, uint64_t when, const char *comm)
{
	struct unstacked *u;
	uint32_t id = 0;
	int err = hash && s->o.stacks ? dn_stacks_find(s->o.stacks, hash, when, &id) : 0;

	if (err)
		return err;
	v[at] = id ? dn_u(id) : dn_null();
	if (id || !hash || !s->o.stacks)
		return dn_row_send(s->o.sink, event, v, n);
	if (dn_grow(&s->unstacked, &s->unstacked_cap, s->nunstacked + 1u, sizeof(*u))) {
		s->st.stacks_missing++;
		return dn_row_send(s->o.sink, event, v, n);
	}
	u = &s->unstacked[s->nunstacked++];
	*u = (struct unstacked){ .event = (uint16_t)event, .n = (uint8_t)n, .at = (uint8_t)at, .pass = s->pass, .hash = hash,
		.when = when };
	memcpy(u->v, v, n * sizeof(*v));
	if (comm)
		memcpy(u->comm, comm, sizeof(u->comm));
	return 0;
}

int dn_stream_send_unstacked(struct dn_stream *s, unsigned passes)
{
	uint32_t kept = 0;
	int err = 0;

	for (uint32_t i = 0; i < s->nunstacked; i++) {
		struct unstacked *u = &s->unstacked[i];
		uint32_t id = 0;

		if (!err)
			err = dn_stacks_find(s->o.stacks, u->hash, u->when, &id);
		if (err || (!id && s->pass - u->pass < passes)) {
			s->unstacked[kept++] = *u;
			continue;
		}
		s->st.stacks_missing += !id;
		u->v[u->at] = id ? dn_u(id) : dn_null();
		if (u->event == DN_EV_offcpu && u->v[DN_F_offcpu_waker_comm].p)
			u->v[DN_F_offcpu_waker_comm].p = u->comm;
		err = dn_row_send(s->o.sink, (enum dn_event)u->event, u->v, u->n);
	}
	s->nunstacked = kept;
	return err;
}

int dn_stream_on_call_stack(struct dn_stream *s, const struct dn_ring_call_stack *r)
{
	struct dn_value v[DN_F_call_stack_N];

	v[DN_F_call_stack_time] = dn_u(r->time);
	v[DN_F_call_stack_thread] = dn_u(r->thread);
	v[DN_F_call_stack_seq] = dn_u(r->seq);
	v[DN_F_call_stack_abi] = dn_u(r->abi);
	v[DN_F_call_stack_nr] = dn_u(r->nr);
	v[DN_F_call_stack_dur] = dn_u(r->dur);
	return send_stacked(s, DN_EV_call_stack, v, DN_F_call_stack_N, DN_F_call_stack_stack, r->stack, r->time, NULL);
}

int dn_stream_on_sample(struct dn_stream *s, const struct dn_ring_sample *r)
{
	struct dn_value v[DN_F_sample_N];

	v[DN_F_sample_time] = dn_u(r->time);
	v[DN_F_sample_thread] = dn_u(r->thread);
	v[DN_F_sample_cpu] = dn_u(r->cpu);
	v[DN_F_sample_period] = s->o.sample_period_ns ? dn_u(s->o.sample_period_ns) : dn_null();
	v[DN_F_sample_cycles] = s->o.sample_cycles ? dn_u(s->o.sample_cycles) : dn_null();
	return send_stacked(s, DN_EV_sample, v, DN_F_sample_N, DN_F_sample_stack, r->stack, r->time, NULL);
}

int dn_stream_on_offcpu(struct dn_stream *s, const struct dn_ring_offcpu *r)
{
	const bool task = r->by == DN_WOKEN_BY_TASK;
	struct dn_value v[DN_F_offcpu_N];

	v[DN_F_offcpu_time] = dn_u(r->time);
	v[DN_F_offcpu_thread] = dn_u(r->thread);
	v[DN_F_offcpu_dur] = dn_u(r->dur);
	v[DN_F_offcpu_state] = dn_u(r->state);
	v[DN_F_offcpu_seq] = r->in_call ? dn_u(r->seq) : dn_null();
	v[DN_F_offcpu_abi] = r->in_call ? dn_u(r->abi) : dn_null();
	v[DN_F_offcpu_nr] = r->in_call ? dn_u(r->nr) : dn_null();
	v[DN_F_offcpu_ready] = r->by ? dn_u(r->ready) : dn_null();
	v[DN_F_offcpu_waker] = id(r->waker);
	v[DN_F_offcpu_waker_tid] = task && r->waker_tid ? dn_u(r->waker_tid) : dn_null();
	v[DN_F_offcpu_waker_comm] = task ? text(r->waker_comm, sizeof(r->waker_comm)) : dn_null();
	v[DN_F_offcpu_ended] = dn_u(1);
	return send_stacked(s, DN_EV_offcpu, v, DN_F_offcpu_N, DN_F_offcpu_stack, r->stack, r->time - r->dur,
			    r->waker_comm);
}

int dn_stream_short(void *ctx, const struct dn_ring_short *r)
{
	struct dn_stream *s = ctx;
	struct dn_value v[DN_F_offcpu_short_N];

	v[DN_F_offcpu_short_time] = dn_u(r->time);
	v[DN_F_offcpu_short_thread] = dn_u(r->thread);
	v[DN_F_offcpu_short_state] = dn_u(r->state);
	v[DN_F_offcpu_short_count] = dn_u(r->sum.count);
	v[DN_F_offcpu_short_total] = dn_u(r->sum.total);
	v[DN_F_offcpu_short_ready] = dn_u(r->sum.ready);
	v[DN_F_offcpu_short_below] = dn_u(s->o.offcpu_min);
	return dn_row_send(s->o.sink, DN_EV_offcpu_short, v, DN_F_offcpu_short_N);
}

int dn_stream_perf(void *ctx, const struct dn_ring_perf *r)
{
	struct dn_stream *s = ctx;

	return dn_perf_rows(s->o.sink, r, s->o.perf);
}

int dn_stream_still_off(struct dn_stream *s, const struct dn_iter_thread *t, uint64_t now, uint64_t observed)
{
	struct dn_value v[DN_F_offcpu_N];
	/* What it has run since may have been after that. */
	const uint64_t after = now - observed, ran = t->off_ran > after ? t->off_ran - after : 0;
	const uint64_t end = ran < observed - t->off ? observed - ran : t->off;

	dn_row_clear(v, DN_F_offcpu_N);
	v[DN_F_offcpu_time] = dn_u(end);
	v[DN_F_offcpu_thread] = dn_u(t->thread);
	v[DN_F_offcpu_dur] = dn_u(end - t->off);
	v[DN_F_offcpu_state] = dn_u(t->off_state);
	if (t->in_call) {
		v[DN_F_offcpu_seq] = dn_u(t->seq);
		v[DN_F_offcpu_abi] = dn_u(t->abi);
		v[DN_F_offcpu_nr] = dn_u(t->nr);
	}
	if (t->woken && t->woken <= end)
		v[DN_F_offcpu_ready] = dn_u(end - (t->woken > t->off ? t->woken : t->off));
	v[DN_F_offcpu_ended] = dn_u(ran > 0);
	return send_stacked(s, DN_EV_offcpu, v, DN_F_offcpu_N, DN_F_offcpu_stack, t->off_stack, t->off, NULL);
}
