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
#include "stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "events.h"
#include "grow.h"
#include "redact.h"
#include "row.h"
#include "stacks.h"
#include "syscalls.h"
#include "tree.h"

#define BUCKETS 4096
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

/* A thread that exits, until its last switch. */
struct leaving {
	struct dn_ring_thread_exit exit;
	bool dead;			/* its process ends with it */
	unsigned pass;
};

struct orphan {
	struct dn_syscall call;
	unsigned want;			/* strings */
	unsigned pass;
};

/* A row that ends in the id of its stack, which has not come: sent through the ring of another CPU. */
struct unstacked {
	uint16_t event;
	uint16_t n;			/* fields */
	unsigned pass;
	uint64_t hash, when;		/* when: it was that stack */
	struct dn_value v[DN_F_offcpu_N];	/* others have fewer */
	char comm[DN_COMM_LEN];		/* the waker's */
};

static_assert((int)DN_F_sample_N <= (int)DN_F_offcpu_N && (int)DN_F_call_stack_N <= (int)DN_F_offcpu_N, "room in struct unstacked");

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
	struct unstacked *unstacked;
	uint32_t nunstacked, unstacked_cap;
	struct dn_iter_thread *living;	/* in a call at the end */
	size_t nliving, living_cap;
	struct dn_stream_stats st;
	char argv[DN_RING_ARGV_MAX * 2];
	char exec_argv[DN_RING_ARGV_MAX * 2];
	char cwd[DN_RING_PATH_MAX + 512];
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

/* Bytes through a socket; seq NULL: of no call. */
static int send_moved(struct dn_stream *s, const struct dn_ring_moved *m, uint64_t time, uint32_t thread,
		      const uint32_t *seq)
{
	struct dn_value v[DN_F_transfer_N];

	v[DN_F_transfer_time] = dn_u(time);
	v[DN_F_transfer_thread] = dn_u(thread);
	v[DN_F_transfer_seq] = seq ? dn_u(*seq) : dn_null();
	v[DN_F_transfer_sock] = dn_u(m->sock);
	v[DN_F_transfer_sent] = dn_u(m->sent);
	v[DN_F_transfer_received] = dn_u(m->received);
	v[DN_F_transfer_sends] = dn_u(m->sends);
	v[DN_F_transfer_receives] = dn_u(m->receives);
	return dn_row_send(s->o.sink, DN_EV_transfer, v, DN_F_transfer_N);
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
		int err = send_moved(s, (const struct dn_ring_moved *)&r->args[6], r->start + r->dur, r->thread,
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

static int send_leaving(struct dn_stream *s, unsigned passes);
static int send_unstacked(struct dn_stream *s, unsigned passes);

void dn_stream_marked(struct dn_stream *s)
{
	if (s->o.stacks)
		dn_stacks_pass(s->o.stacks);
}

int dn_stream_pass(struct dn_stream *s)
{
	size_t kept = 0;
	int err = send_leaving(s, LEAVING_PASSES);

	if (!err)
		err = send_unstacked(s, 2);

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

static struct dn_value text(const char *p, size_t cap)
{
	return dn_str(p, strnlen(p, cap));
}

static struct dn_value id(uint32_t thread)
{
	return thread ? dn_u(thread) : dn_null();
}

static int on_start(struct dn_stream *s, const struct dn_ring_thread_start *r)
{
	struct dn_value v[DN_F_thread_start_N];
	struct dn_tree_thread t = { .thread = r->thread, .process = r->process, .parent = r->parent,
		.tid = r->tid, .pid = r->pid, .ppid = r->ppid, .born = r->born };
	char ns[DN_NS_LEVELS * 12];
	int n = 0;

	/* Nobody can be asked without BTF; and it was begun before it was heard of. */
	if (r->origin == DN_ORIGIN_TARGET && !t.ppid) {
		t.ppid = (uint32_t)getpid();
		t.born = 0;
	}
	s->st.starts++;
	memcpy(t.comm, r->comm, sizeof(t.comm));
	dn_tree_add(s->o.tree, &t);
	for (unsigned i = 0; i < r->ns_levels && i < DN_NS_LEVELS; i++)
		n += snprintf(ns + n, sizeof(ns) - (size_t)n, "%s%u", i ? ":" : "", r->ns_tid[i]);
	v[DN_F_thread_start_time] = dn_u(r->time);
	v[DN_F_thread_start_thread] = dn_u(r->thread);
	v[DN_F_thread_start_process] = dn_u(r->process);
	v[DN_F_thread_start_parent_thread] = id(r->parent);
	v[DN_F_thread_start_tid] = id(r->tid);
	v[DN_F_thread_start_pid] = id(r->pid);
	v[DN_F_thread_start_ppid] = id(t.ppid);
	v[DN_F_thread_start_origin] = dn_u(r->origin);
	v[DN_F_thread_start_clone_flags] = r->origin == DN_ORIGIN_EXEC || r->origin == DN_ORIGIN_TARGET ?
		dn_null() : dn_u(r->clone_flags);
	v[DN_F_thread_start_born] = t.born ? dn_u(t.born) : dn_null();
	v[DN_F_thread_start_comm] = text(r->comm, sizeof(r->comm));
	v[DN_F_thread_start_ns_tids] = n ? dn_str(ns, (size_t)n) : dn_null();
	if (r->origin == DN_ORIGIN_EXEC) {	/* the id that called ends here */
		struct dn_value e[DN_F_thread_end_N];
		int err;

		e[DN_F_thread_end_time] = dn_u(r->time);
		e[DN_F_thread_end_thread] = dn_u(r->parent);
		e[DN_F_thread_end_process] = dn_u(r->process);
		e[DN_F_thread_end_seq] = dn_u(r->parent_seq);
		e[DN_F_thread_end_in_call] = dn_u(0);
		e[DN_F_thread_end_abi] = e[DN_F_thread_end_nr] = dn_null();
		e[DN_F_thread_end_call_start] = dn_null();
		dn_tree_remove(s->o.tree, r->parent, 0);
		err = dn_row_send(s->o.sink, DN_EV_thread_end, e, DN_F_thread_end_N);
		if (err)
			return err;
	}
	return dn_row_send(s->o.sink, DN_EV_thread_start, v, DN_F_thread_start_N);
}

/* The names of a working directory, leaf first, to a path. */
static struct dn_value cwd_of(struct dn_stream *s, const char *p, uint32_t len, unsigned parts)
{
	char *end = s->cwd + sizeof(s->cwd), *at = end;
	uint32_t off = 0;

	if (parts == DN_RING_CWD_BAD)
		return dn_null();
	if (!parts)
		return dn_str("/", 1);
	for (unsigned i = 0; i < parts; i++) {	/* from the end, each before the last */
		uint32_t n = off < len ? (uint32_t)strnlen(p + off, len - off) : 0;

		if (!n || (size_t)(at - s->cwd) < n + 1)
			return dn_null();
		at -= n;
		memcpy(at, p + off, n);
		*--at = '/';
		off += n + 1;
	}
	return dn_str(at, (size_t)(end - at));
}

static int on_exec(struct dn_stream *s, const struct dn_ring_exec *r, uint32_t len)
{
	const char *path = (const char *)(r + 1), *cwd, *argv;
	struct dn_value v[DN_F_exec_N];
	size_t argv_len = r->argv_len;
	unsigned redacted = 0;

	if (sizeof(*r) + (uint64_t)r->path_len + r->cwd_len + r->argv_len > len)
		return -EPROTO;
	cwd = path + r->path_len;
	argv = cwd + r->cwd_len;
	if (s->o.redact) {
		argv_len = dn_redact_argv(argv, argv_len, s->exec_argv, sizeof(s->exec_argv), &redacted);
		argv = s->exec_argv;
		s->st.redacted += redacted;
	}
	dn_tree_rename(s->o.tree, r->thread, r->comm);
	v[DN_F_exec_time] = dn_u(r->time);
	v[DN_F_exec_thread] = dn_u(r->thread);
	v[DN_F_exec_process] = dn_u(r->process);
	v[DN_F_exec_old_tid] = dn_u(r->old_tid);
	v[DN_F_exec_path] = r->path_len ? text(path, r->path_len) : dn_null();
	v[DN_F_exec_argv] = r->argv_len || !r->argv_true_len ? dn_str(argv, argv_len) : dn_null();
	v[DN_F_exec_argv_len] = r->argv_true_len == DN_RING_ARGV_HIDDEN ? dn_null() :
		dn_u(r->argv_true_len + argv_len - r->argv_len);
	v[DN_F_exec_cwd] = cwd_of(s, cwd, r->cwd_len, r->cwd_parts);
	v[DN_F_exec_uid] = dn_u(r->uid);
	v[DN_F_exec_gid] = dn_u(r->gid);
	v[DN_F_exec_secureexec] = r->secureexec == DN_RING_SECURE_UNKNOWN ? dn_null() :
		dn_u(r->secureexec);
	v[DN_F_exec_comm] = text(r->comm, sizeof(r->comm));
	v[DN_F_exec_redacted] = dn_u(redacted);
	return dn_row_send(s->o.sink, DN_EV_exec, v, DN_F_exec_N);
}

static int send_exit(struct dn_stream *s, const struct leaving *l)
{
	const struct dn_ring_thread_exit *r = &l->exit;
	struct dn_value v[DN_F_thread_exit_N];
	const struct dn_value none = dn_null();
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	bool dead = l->dead;

	v[DN_F_thread_exit_time] = dn_u(r->time);
	v[DN_F_thread_exit_thread] = dn_u(r->thread);
	v[DN_F_thread_exit_process] = dn_u(r->process);
	v[DN_F_thread_exit_exit_code] = dn_u(r->exit_code);
	v[DN_F_thread_exit_group_dead] = dn_u(dead);
	v[DN_F_thread_exit_seq] = dn_u(r->seq);
	v[DN_F_thread_exit_utime] = r->has_figures ? dn_u(r->utime) : none;
	v[DN_F_thread_exit_stime] = r->has_figures ? dn_u(r->stime) : none;
	v[DN_F_thread_exit_runtime] = r->has_figures ? dn_u(r->runtime) : none;
	v[DN_F_thread_exit_run_delay] = r->has_delay ? dn_u(r->run_delay) : none;
	v[DN_F_thread_exit_nvcsw] = r->has_figures ? dn_u(r->nvcsw) : none;
	v[DN_F_thread_exit_nivcsw] = r->has_figures ? dn_u(r->nivcsw) : none;
	v[DN_F_thread_exit_minflt] = r->has_figures ? dn_u(r->minflt) : none;
	v[DN_F_thread_exit_majflt] = r->has_figures ? dn_u(r->majflt) : none;
	v[DN_F_thread_exit_rchar] = r->has_io ? dn_u(r->rchar) : none;
	v[DN_F_thread_exit_wchar] = r->has_io ? dn_u(r->wchar) : none;
	v[DN_F_thread_exit_syscr] = r->has_io ? dn_u(r->syscr) : none;
	v[DN_F_thread_exit_syscw] = r->has_io ? dn_u(r->syscw) : none;
	v[DN_F_thread_exit_read_bytes] = r->has_io ? dn_u(r->read_bytes) : none;
	v[DN_F_thread_exit_write_bytes] = r->has_io ? dn_u(r->write_bytes) : none;
	v[DN_F_thread_exit_cancelled_write_bytes] = r->has_io ? dn_u(r->cancelled) : none;
	v[DN_F_thread_exit_maxrss] = dead && r->has_figures ?
		dn_u(r->maxrss_pages * page) : none;
	v[DN_F_thread_exit_comm] = text(r->comm, sizeof(r->comm));
	return dn_row_send(s->o.sink, DN_EV_thread_exit, v, DN_F_thread_exit_N);
}

static int on_thread_exit(struct dn_stream *s, const struct dn_ring_thread_exit *r)
{
	struct leaving l = { .exit = *r, .pass = s->pass };

	l.dead = dn_tree_remove(s->o.tree, r->thread, r->group_dead);
	for (size_t i = 0; i < s->nliving; i++)	/* it was listed, and ended after all */
		if (s->living[i].thread == r->thread)
			s->living[i--] = s->living[--s->nliving];
	if (dn_grow(&s->leaving, &s->leaving_cap, s->nleaving + 1u, sizeof(l)))
		return send_exit(s, &l);
	s->leaving[s->nleaving++] = l;
	return 0;
}

static int on_thread_gone(struct dn_stream *s, const struct dn_ring_thread_gone *r)
{
	for (uint32_t i = s->nleaving; i-- > 0;) {	/* it exited a moment ago */
		struct leaving l = s->leaving[i];

		if (l.exit.thread != r->thread)
			continue;
		s->leaving[i] = s->leaving[--s->nleaving];
		l.exit.runtime = r->runtime;
		l.exit.run_delay = r->run_delay;
		l.exit.nvcsw = r->nvcsw;
		l.exit.nivcsw = r->nivcsw;
		return send_exit(s, &l);
	}
	return 0;
}

/* Exits whose last switch does not come: a task that waits for its CPU for
 * that long, or a lost record. */
static int send_leaving(struct dn_stream *s, unsigned passes)
{
	int err = 0;

	for (uint32_t i = 0; i < s->nleaving && !err;) {
		struct leaving l = s->leaving[i];

		if (s->pass - l.pass < passes) {
			i++;
			continue;
		}
		s->leaving[i] = s->leaving[--s->nleaving];
		err = send_exit(s, &l);
	}
	return err;
}

static int on_comm(struct dn_stream *s, const struct dn_ring_comm *r)
{
	struct dn_value v[DN_F_comm_N];

	dn_tree_rename(s->o.tree, r->thread, r->comm);
	v[DN_F_comm_time] = dn_u(r->time);
	v[DN_F_comm_thread] = dn_u(r->thread);
	v[DN_F_comm_comm] = text(r->comm, sizeof(r->comm));
	return dn_row_send(s->o.sink, DN_EV_comm, v, DN_F_comm_N);
}

static int on_signal(struct dn_stream *s, const struct dn_ring_signal *r)
{
	struct dn_value v[DN_FIELDS_MAX];

	if (r->type == DN_RING_SIGNAL_DELIVERED) {
		v[DN_F_signal_delivered_time] = dn_u(r->time);
		v[DN_F_signal_delivered_thread] = dn_u(r->target);
		v[DN_F_signal_delivered_sig] = dn_u((uint64_t)r->sig);
		v[DN_F_signal_delivered_code] = dn_u((uint64_t)(int64_t)r->code);
		v[DN_F_signal_delivered_handler] = r->handler == DN_RING_HANDLER_HIDDEN ? dn_null() :
			dn_u(r->handler);
		v[DN_F_signal_delivered_sa_flags] = dn_u(r->sa_flags);
		return dn_row_send(s->o.sink, DN_EV_signal_delivered, v, DN_F_signal_delivered_N);
	}
	v[DN_F_signal_sent_time] = dn_u(r->time);
	v[DN_F_signal_sent_sender] = id(r->sender);
	v[DN_F_signal_sent_sender_tid] = r->sender || r->sender_tid ? dn_u(r->sender_tid) : dn_null();
	v[DN_F_signal_sent_sender_comm] = text(r->sender_comm, sizeof(r->sender_comm));
	v[DN_F_signal_sent_target] = id(r->target);
	v[DN_F_signal_sent_target_tid] = dn_u(r->target_tid);
	v[DN_F_signal_sent_sig] = dn_u((uint64_t)r->sig);
	v[DN_F_signal_sent_code] = dn_u((uint64_t)(int64_t)r->code);
	v[DN_F_signal_sent_group] = dn_u(r->group);
	v[DN_F_signal_sent_result] = dn_u(r->result);
	return dn_row_send(s->o.sink, DN_EV_signal_sent, v, DN_F_signal_sent_N);
}

static int on_oom(struct dn_stream *s, const struct dn_ring_oom *r)
{
	struct dn_value v[DN_F_oom_kill_N];

	v[DN_F_oom_kill_time] = dn_u(r->time);
	v[DN_F_oom_kill_thread] = id(r->thread);
	v[DN_F_oom_kill_tid] = dn_u(r->tid);
	v[DN_F_oom_kill_comm] = r->comm[0] ? text(r->comm, sizeof(r->comm)) : dn_null();
	return dn_row_send(s->o.sink, DN_EV_oom_kill, v, DN_F_oom_kill_N);
}

/* An address of a socket; null where there is none. */
static struct dn_value address(const uint8_t *p, uint8_t len)
{
	return len ? dn_str((const char *)p, len) : dn_null();
}

static int on_sock(struct dn_stream *s, const struct dn_ring_sock *r)
{
	struct dn_value v[DN_F_sock_N];

	v[DN_F_sock_time] = dn_u(r->time);
	v[DN_F_sock_sock] = dn_u(r->sock);
	v[DN_F_sock_thread] = id(r->thread);
	v[DN_F_sock_seq] = r->in_call ? dn_u(r->seq) : dn_null();
	v[DN_F_sock_fd] = r->fd < 0 ? dn_null() : dn_u((uint64_t)r->fd);
	v[DN_F_sock_origin] = dn_u(r->what);
	v[DN_F_sock_other] = id(r->other);
	v[DN_F_sock_family] = dn_u(r->family);
	v[DN_F_sock_type] = dn_u(r->sk_type);
	v[DN_F_sock_protocol] = dn_u(r->protocol);
	v[DN_F_sock_state] = dn_u(r->state);
	v[DN_F_sock_inode] = r->inode ? dn_u(r->inode) : dn_null();
	v[DN_F_sock_netns] = r->netns ? dn_u(r->netns) : dn_null();
	v[DN_F_sock_peer_inode] = r->peer_inode ? dn_u(r->peer_inode) : dn_null();
	v[DN_F_sock_local] = address(r->local, r->local_len);
	v[DN_F_sock_remote] = address(r->remote, r->remote_len);
	return dn_row_send(s->o.sink, DN_EV_sock, v, DN_F_sock_N);
}

static int on_sock_event(struct dn_stream *s, const struct dn_ring_sock *r)
{
	const struct dn_value none = dn_null();
	struct dn_value v[DN_F_sock_event_N];

	v[DN_F_sock_event_time] = dn_u(r->time);
	v[DN_F_sock_event_sock] = dn_u(r->sock);
	v[DN_F_sock_event_kind] = dn_u(r->what);
	v[DN_F_sock_event_thread] = id(r->thread);
	v[DN_F_sock_event_seq] = r->in_call ? dn_u(r->seq) : none;
	v[DN_F_sock_event_start] = r->in_call ? dn_u(r->start) : none;
	v[DN_F_sock_event_old_state] = r->old_state ? dn_u(r->old_state) : none;	/* TCP_ESTABLISHED is 1 */
	v[DN_F_sock_event_state] = r->state ? dn_u(r->state) : none;
	v[DN_F_sock_event_err] = r->err ? dn_u((uint64_t)r->err) : none;
	v[DN_F_sock_event_local] = address(r->local, r->local_len);
	v[DN_F_sock_event_remote] = address(r->remote, r->remote_len);
	v[DN_F_sock_event_peer_inode] = r->peer_inode ? dn_u(r->peer_inode) : none;
	v[DN_F_sock_event_srtt_us] = r->has_tcp && r->srtt_us ? dn_u(r->srtt_us) : none;
	v[DN_F_sock_event_retrans] = r->has_tcp ? dn_u(r->retrans) : none;
	v[DN_F_sock_event_tcp_sent] = r->has_tcp ? dn_u(r->tcp_sent) : none;
	v[DN_F_sock_event_tcp_resent] = r->has_tcp ? dn_u(r->tcp_resent) : none;
	v[DN_F_sock_event_tcp_acked] = r->has_tcp ? dn_u(r->tcp_acked) : none;
	v[DN_F_sock_event_tcp_received] = r->has_tcp ? dn_u(r->tcp_received) : none;
	return dn_row_send(s->o.sink, DN_EV_sock_event, v, DN_F_sock_event_N);
}

static int on_transfer(struct dn_stream *s, const struct dn_ring_transfer *r)
{
	return send_moved(s, &r->moved, r->time, r->thread, r->in_call ? &r->seq : NULL);
}

/* A row whose last field is the stack of that hash, as it was then. comm is what v points to, or NULL. */
static int send_stacked(struct dn_stream *s, enum dn_event event, struct dn_value *v, unsigned n, uint64_t hash,
			uint64_t when, const char *comm)
{
	struct unstacked *u;
	uint32_t id = 0;
	int err = hash && s->o.stacks ? dn_stacks_find(s->o.stacks, hash, when, &id) : 0;

	if (err)
		return err;
	v[n - 1] = id ? dn_u(id) : dn_null();
	if (id || !hash || !s->o.stacks)
		return dn_row_send(s->o.sink, event, v, n);
	if (dn_grow(&s->unstacked, &s->unstacked_cap, s->nunstacked + 1u, sizeof(*u))) {
		s->st.stacks_missing++;
		return dn_row_send(s->o.sink, event, v, n);
	}
	u = &s->unstacked[s->nunstacked++];
	*u = (struct unstacked){ .event = (uint16_t)event, .n = (uint16_t)n, .pass = s->pass, .hash = hash, .when = when };
	memcpy(u->v, v, n * sizeof(*v));
	if (comm)
		memcpy(u->comm, comm, sizeof(u->comm));
	return 0;
}

/* Those whose stack has come, or that have waited for so many passes. */
static int send_unstacked(struct dn_stream *s, unsigned passes)
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
		u->v[u->n - 1] = id ? dn_u(id) : dn_null();
		if (u->event == DN_EV_offcpu && u->v[DN_F_offcpu_waker_comm].p)
			u->v[DN_F_offcpu_waker_comm].p = u->comm;
		err = dn_row_send(s->o.sink, (enum dn_event)u->event, u->v, u->n);
	}
	s->nunstacked = kept;
	return err;
}

static int on_call_stack(struct dn_stream *s, const struct dn_ring_call_stack *r)
{
	struct dn_value v[DN_F_call_stack_N];

	v[DN_F_call_stack_time] = dn_u(r->time);
	v[DN_F_call_stack_thread] = dn_u(r->thread);
	v[DN_F_call_stack_seq] = dn_u(r->seq);
	v[DN_F_call_stack_abi] = dn_u(r->abi);
	v[DN_F_call_stack_nr] = dn_u(r->nr);
	v[DN_F_call_stack_dur] = dn_u(r->dur);
	return send_stacked(s, DN_EV_call_stack, v, DN_F_call_stack_N, r->stack, r->time, NULL);
}

static int on_sample(struct dn_stream *s, const struct dn_ring_sample *r)
{
	struct dn_value v[DN_F_sample_N];

	v[DN_F_sample_time] = dn_u(r->time);
	v[DN_F_sample_thread] = dn_u(r->thread);
	v[DN_F_sample_cpu] = dn_u(r->cpu);
	v[DN_F_sample_period] = dn_u(s->o.sample_period_ns);
	return send_stacked(s, DN_EV_sample, v, DN_F_sample_N, r->stack, r->time, NULL);
}

static int on_offcpu(struct dn_stream *s, const struct dn_ring_offcpu *r)
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
	return send_stacked(s, DN_EV_offcpu, v, DN_F_offcpu_N, r->stack, r->time - r->dur, r->waker_comm);
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
	return dn_row_send(s->o.sink, DN_EV_offcpu_short, v, DN_F_offcpu_short_N);
}

/* Of a thread that was not seen to run again. */
static int still_off(struct dn_stream *s, const struct dn_iter_thread *t, uint64_t now)
{
	struct dn_value v[DN_F_offcpu_N];
	uint64_t end = t->off_ran < now - t->off ? now - t->off_ran : t->off;

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
	v[DN_F_offcpu_ended] = dn_u(t->off_ran > 0);
	return send_stacked(s, DN_EV_offcpu, v, DN_F_offcpu_N, t->off_stack, t->off, NULL);
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
		return on_start(s, record);
	case DN_RING_EXEC:
		return on_exec(s, record, len);
	case DN_RING_THREAD_EXIT:
		return on_thread_exit(s, record);
	case DN_RING_THREAD_GONE:
		return on_thread_gone(s, record);
	case DN_RING_COMM:
		return on_comm(s, record);
	case DN_RING_SIGNAL_SENT:
	case DN_RING_SIGNAL_DELIVERED:
		return on_signal(s, record);
	case DN_RING_OOM:
		return on_oom(s, record);
	case DN_RING_SOCK:
		return on_sock(s, record);
	case DN_RING_SOCK_EVENT:
		return on_sock_event(s, record);
	case DN_RING_TRANSFER:
		return on_transfer(s, record);
	case DN_RING_OFFCPU:
		return on_offcpu(s, record);
	case DN_RING_CALL_STACK:
		return on_call_stack(s, record);
	case DN_RING_SHORT:
		return dn_stream_short(s, record);
	case DN_RING_STACK:
		return s->o.stacks ? dn_stacks_sent(s->o.stacks, record, len) : 0;
	case DN_RING_SAMPLE:
		return on_sample(s, record);
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

int dn_stream_finish(struct dn_stream *s, uint64_t now)
{
	struct dn_value v[DN_F_thread_end_N];
	int err = 0;

	err = send_leaving(s, 0);
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
		err = dn_row_send(s->o.sink, DN_EV_thread_end, v, DN_F_thread_end_N);
		if (!err && t->off && t->off < now)
			err = still_off(s, t, now);
		if (!err && t->in_call) {
			struct dn_syscall c = { .thread = t->thread, .seq = t->seq, .abi = t->abi,
				.nargs = t->nargs, .nr = t->nr, .flags = t->flags | DN_CALL_UNFINISHED,
				.start = t->start };

			memcpy(c.args, t->args, sizeof(c.args));
			err = complete(s, &c, t->nstr);
		}
	}
	if (!err)
		err = send_unstacked(s, 0);
	s->nliving = 0;
	s->st.strings_orphaned += s->waiting;
	return err;
}

void dn_stream_stats(struct dn_stream *s, struct dn_stream_stats *st)
{
	*st = s->st;
	s->st.wrote_terminal = false;
}
