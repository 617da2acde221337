/*
 * stream.c - the join.
 *
 * A string record and its call carry (thread, seq). Strings wait in a hash
 * table for their call. As the rings are read one after the other, a call may
 * be met before its strings, if its thread moved to another CPU in between;
 * such a call waits as an orphan. A pass drains all rings up to marks that
 * were taken before it began, so a string sent before its call is met at the
 * latest in the pass after the one that met the call: an orphan older than
 * that has lost its strings.
 */
#include "stream_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"
#include "redact.h"
#include "row.h"
#include "stacks.h"
#include "syscalls.h"

#define INLINE_BYTES 200
#define LEAVING_PASSES 64

/* The strings of one call. */
struct strings {
	struct strings *next;		/* of the bucket, or of the free list */
	uint32_t thread, seq;
	unsigned n;
	struct {
		struct dn_ring_string head;
		char *bytes;		/* own, or inline */
	} str[DN_CALL_STRS];
	unsigned used;
	char inline_bytes[INLINE_BYTES];
};

struct orphan {
	struct dn_syscall call;
	unsigned want;			/* strings */
	unsigned pass;
};

struct dn_stream *dn_stream_new(const struct dn_stream_opts *o)
{
	struct dn_stream *s = calloc(1, sizeof(*s));

	if (s)
		s->o = *o;
	return s;
}

static void strings_clear(struct strings *p)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->str[i].bytes < p->inline_bytes ||
		    p->str[i].bytes >= p->inline_bytes + INLINE_BYTES)
			free(p->str[i].bytes);
	p->n = p->used = 0;
}

void dn_stream_free(struct dn_stream *s)
{
	struct strings *p, *next;

	if (!s)
		return;
	for (unsigned b = 0; b < BUCKETS; b++)
		for (p = s->bucket[b]; p; p = next) {
			next = p->next;
			strings_clear(p);
			free(p);
		}
	for (p = s->spare; p; p = next) {
		next = p->next;
		free(p);
	}
	free(s->orphan);
	free(s->living);
	free(s->leaving);
	free(s->base);
	free(s->unstacked);
	free(s);
}

static struct strings **find(struct dn_stream *s, uint32_t thread, uint32_t seq)
{
	struct strings **p = &s->bucket[(thread * 31 + seq) % BUCKETS];

	while (*p && ((*p)->thread != thread || (*p)->seq != seq))
		p = &(*p)->next;
	return p;
}

static int keep_string(struct dn_stream *s, const struct dn_ring_string *r)
{
	struct strings **at = find(s, r->thread, r->seq), *p = *at;
	char *bytes;

	if (!p) {
		p = s->spare;
		if (p)
			s->spare = p->next;
		else
			p = malloc(sizeof(*p));
		if (!p)
			return 0;	/* its call will miss it, and count it */
		p->next = NULL;
		p->thread = r->thread;
		p->seq = r->seq;
		p->n = p->used = 0;
		*at = p;
		s->waiting++;
	}
	if (p->n == DN_CALL_STRS)
		return 0;
	if (r->len <= INLINE_BYTES - p->used) {
		bytes = p->inline_bytes + p->used;
		p->used += r->len;
	} else {
		bytes = malloc(r->len);
		if (!bytes)
			return 0;
	}
	memcpy(bytes, r + 1, r->len);
	p->str[p->n].head = *r;
	p->str[p->n++].bytes = bytes;
	return 0;
}

static void drop(struct dn_stream *s, struct strings **at)
{
	struct strings *p = *at;

	*at = p->next;
	strings_clear(p);
	p->next = s->spare;
	s->spare = p;
	s->waiting--;
}

/* The call of a thread that was listed as living in it ended after all. */
static void not_in_flight(struct dn_stream *s, const struct dn_syscall *c)
{
	for (size_t i = 0; i < s->nliving; i++)
		if (s->living[i].thread == c->thread && s->living[i].seq == c->seq) {
			s->living[i].seq++;
			s->living[i].in_call = 0;
		}
}

static int hand_on(struct dn_stream *s, struct dn_syscall *c)
{
	if (s->nliving && !(c->flags & DN_CALL_UNFINISHED))
		not_in_flight(s, c);
	s->st.calls++;
	if (c->flags & DN_CALL_UNFINISHED)
		s->st.unfinished++;
	if (s->o.also)
		s->o.also(s->o.also_ctx, c);
	return s->o.sink->call(s->o.sink->ctx, c);
}

/* Gives a call the strings that are there. */
static void attach(struct dn_stream *s, struct dn_syscall *c, const struct strings *p)
{
	c->nstr = 0;
	for (unsigned i = 0; p && i < p->n; i++) {
		const struct dn_ring_string *h = &p->str[i].head;
		struct dn_call_str *t = &c->str[c->nstr++];

		*t = (struct dn_call_str){ .arg = h->arg, .kind = h->kind, .flags = h->flags,
			.len = h->len, .true_len = h->true_len, .p = p->str[i].bytes };
		if (t->kind == DN_STR_ARGV && s->o.redact) {
			unsigned count = 0;
			size_t n = dn_redact_argv(t->p, t->len, s->argv, sizeof(s->argv), &count);

			if (count) {
				t->true_len += (uint32_t)n - t->len;	/* what is cut stays as much */
				t->p = s->argv;
				t->len = (uint32_t)n;
				t->flags |= DN_STR_REDACTED;
				s->st.redacted += count;
			}
		}
	}
}

/* A call with all its strings, or the most there will be. */
static int complete(struct dn_stream *s, struct dn_syscall *c, unsigned want)
{
	struct strings **at = find(s, c->thread, c->seq);
	unsigned have = *at ? (*at)->n : 0;
	int err;

	if (have < want) {
		s->st.strings_missing += want - have;
		c->flags |= DN_CALL_STR_MISSING;
	}
	attach(s, c, *at);
	err = hand_on(s, c);
	if (*at)
		drop(s, at);
	return err;
}

static int on_call(struct dn_stream *s, const struct dn_ring_call *r, uint32_t len)
{
	struct dn_syscall c = {
		.thread = r->thread, .seq = r->seq, .cpu = r->cpu, .abi = r->abi, .nargs = r->nargs,
		.nr = r->nr, .flags = r->flags, .start = r->start, .dur = r->dur, .ret = r->ret,
	};
	struct strings *p;

	memcpy(c.args, r->args, len >= DN_RING_CALL6 ? 6 * sizeof(c.args[0]) : 3 * sizeof(c.args[0]));
	if (c.flags & (DN_CALL_UNFINISHED | DN_CALL_NO_ENTER))
		c.dur = 0;
	if (c.abi == DN_ABI_I386 || c.abi == DN_ABI_ARM)	/* compat results are 32 bits wide */
		c.ret = (int32_t)c.ret;
	if (c.args[0] - 1 <= 1 && c.nargs == 3) {	/* write and writev have three arguments */
		const struct dn_syscall_info *i = dn_syscall_info(c.abi, c.nr);

		if (i && !strncmp(i->name, "write", 5))
			s->st.wrote_terminal = true;
	}
	if (len >= DN_RING_CALL_MOVED) {
		int err = dn_stream_moved(s, (const struct dn_ring_moved *)&r->args[6], r->start + r->dur, r->thread,
				     &r->seq);

		if (err)
			return err;
	}
	if (!r->nstr)
		return hand_on(s, &c);
	p = *find(s, c.thread, c.seq);
	if (p && p->n >= r->nstr)
		return complete(s, &c, r->nstr);
	if (s->norphans == s->orphans_cap) {
		size_t cap = s->orphans_cap ? s->orphans_cap * 2 : 64;
		void *q = realloc(s->orphan, cap * sizeof(*s->orphan));

		if (!q)
			return complete(s, &c, r->nstr);
		s->orphan = q;
		s->orphans_cap = cap;
	}
	s->orphan[s->norphans++] = (struct orphan){ c, r->nstr, s->pass };
	return 0;
}

void dn_stream_marked(struct dn_stream *s)
{
	if (s->o.stacks)
		dn_stacks_pass(s->o.stacks);
}

int dn_stream_pass(struct dn_stream *s)
{
	size_t kept = 0;
	int err = dn_stream_send_leaving(s, LEAVING_PASSES);

	if (!err)
		err = dn_stream_send_unstacked(s, 2);

	for (size_t i = 0; i < s->norphans; i++) {
		struct orphan *o = &s->orphan[i];
		struct strings *p = *find(s, o->call.thread, o->call.seq);

		if (((!p || p->n < o->want) && s->pass - o->pass < 2) || err)
			s->orphan[kept++] = *o;
		else
			err = complete(s, &o->call, o->want);
	}
	s->norphans = kept;
	s->pass++;
	return err;
}

int dn_stream_record(void *ctx, const void *record, uint32_t len)
{
	struct dn_stream *s = ctx;

	s->st.bytes += len + 8;
	switch (*(const uint8_t *)record) {
	case DN_RING_CALL:
		return on_call(s, record, len);
	case DN_RING_STRING:
		return keep_string(s, record);
	case DN_RING_THREAD_START:
		return dn_stream_on_start(s, record);
	case DN_RING_EXEC:
		return dn_stream_on_exec(s, record, len);
	case DN_RING_THREAD_BASE:
		return dn_stream_on_thread_base(s, record);
	case DN_RING_THREAD_EXIT:
		return dn_stream_on_thread_exit(s, record);
	case DN_RING_THREAD_GONE:
		return dn_stream_on_thread_gone(s, record);
	case DN_RING_COMM:
		return dn_stream_on_comm(s, record);
	case DN_RING_SIGNAL_SENT:
	case DN_RING_SIGNAL_DELIVERED:
		return dn_stream_on_signal(s, record);
	case DN_RING_OOM:
		return dn_stream_on_oom(s, record);
	case DN_RING_SOCK:
		return dn_stream_on_sock(s, record);
	case DN_RING_SOCK_EVENT:
		return dn_stream_on_sock_event(s, record);
	case DN_RING_TRANSFER:
		return dn_stream_on_transfer(s, record);
	case DN_RING_OFFCPU:
		return dn_stream_on_offcpu(s, record);
	case DN_RING_CALL_STACK:
		return dn_stream_on_call_stack(s, record);
	case DN_RING_SHORT:
		return dn_stream_short(s, record);
	case DN_RING_PERF:
		return dn_stream_perf(s, record);
	case DN_RING_STACK:
		return s->o.stacks ? dn_stacks_sent(s->o.stacks, record, len) : 0;
	case DN_RING_SAMPLE:
		return dn_stream_on_sample(s, record);
	}
	return -EPROTO;
}

int dn_stream_living(void *ctx, const struct dn_iter_thread *t)
{
	struct dn_stream *s = ctx;

	if (s->nliving == s->living_cap) {
		size_t cap = s->living_cap ? s->living_cap * 2 : 64;
		void *p = realloc(s->living, cap * sizeof(*s->living));

		if (!p)
			return -ENOMEM;
		s->living = p;
		s->living_cap = cap;
	}
	s->living[s->nliving++] = *t;
	return 0;
}

int dn_stream_finish(struct dn_stream *s, uint64_t now, uint64_t observed)
{
	struct dn_value v[DN_F_thread_end_N];
	int err = 0;

	err = dn_stream_send_leaving(s, 0);
	for (unsigned i = 0; i < 3 && !err; i++)	/* no string is on its way any more */
		err = dn_stream_pass(s);
	for (size_t i = 0; i < s->nliving && !err; i++) {
		const struct dn_iter_thread *t = &s->living[i];

		v[DN_F_thread_end_time] = dn_u(now);
		v[DN_F_thread_end_thread] = dn_u(t->thread);
		v[DN_F_thread_end_process] = dn_u(t->process);
		v[DN_F_thread_end_seq] = dn_u(t->seq + t->in_call);
		v[DN_F_thread_end_in_call] = dn_u(t->in_call);
		v[DN_F_thread_end_abi] = t->in_call ? dn_u(t->abi) : dn_null();
		v[DN_F_thread_end_nr] = t->in_call ? dn_u(t->nr) : dn_null();
		v[DN_F_thread_end_call_start] = t->in_call ? dn_u(t->start) : dn_null();
		v[DN_F_thread_end_observed] = dn_u(observed);
		err = dn_row_send(s->o.sink, DN_EV_thread_end, v, DN_F_thread_end_N);
		if (!err && t->off && t->off < observed)
			err = dn_stream_still_off(s, t, now, observed);
		if (!err && t->in_call) {
			struct dn_syscall c = { .thread = t->thread, .seq = t->seq, .abi = t->abi,
				.nargs = t->nargs, .nr = t->nr, .flags = t->flags | DN_CALL_UNFINISHED,
				.start = t->start };

			memcpy(c.args, t->args, sizeof(c.args));
			err = complete(s, &c, t->nstr);
		}
	}
	if (!err)
		err = dn_stream_send_unstacked(s, 0);
	s->nliving = 0;
	s->st.strings_orphaned += s->waiting;
	return err;
}

void dn_stream_stats(struct dn_stream *s, struct dn_stream_stats *st)
{
	*st = s->st;
	s->st.wrote_terminal = false;
}
