/*
 * stream_life.c - rows of threads, the programs they execute, and signals.
 *
 * A thread's exit is written when its last switch has been seen, which tells what
 * of its times the exit did not know yet.
 */
#include "stream_int.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "events.h"
#include "grow.h"
#include "redact.h"
#include "row.h"
#include "tree.h"

/* A thread that exits, until its last switch. */
struct leaving {
	struct dn_ring_thread_exit exit;
	bool dead;			/* its process ends with it */
	unsigned pass;
};

static struct dn_ring_thread_exit *base_of(struct dn_stream *s, uint32_t thread)
{
	for (uint32_t i = s->nbases; i-- > 0;)
		if (s->base[i].thread == thread)
			return &s->base[i];
	return NULL;
}

int dn_stream_on_start(struct dn_stream *s, const struct dn_ring_thread_start *r)
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
	v[DN_F_thread_start_clone_flags] = r->origin == DN_ORIGIN_EXEC || r->origin == DN_ORIGIN_TARGET ||
			r->origin == DN_ORIGIN_ATTACH ?
		dn_null() : dn_u(r->clone_flags);
	v[DN_F_thread_start_born] = t.born ? dn_u(t.born) : dn_null();
	v[DN_F_thread_start_comm] = text(r->comm, sizeof(r->comm));
	v[DN_F_thread_start_ns_tids] = n ? dn_str(ns, (size_t)n) : dn_null();
	if (r->origin == DN_ORIGIN_EXEC) {	/* the id that called ends here */
		struct dn_ring_thread_exit *base = base_of(s, r->parent);
		struct dn_value e[DN_F_thread_end_N];
		int err;

		if (base)
			base->thread = r->thread;
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

int dn_stream_on_exec(struct dn_stream *s, const struct dn_ring_exec *r, uint32_t len)
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

int dn_stream_on_thread_base(struct dn_stream *s, const struct dn_ring_thread_exit *r)
{
	if (!dn_grow(&s->base, &s->bases_cap, s->nbases + 1u, sizeof(*r)))
		s->base[s->nbases++] = *r;
	return 0;
}

/* What a thread that was attached to has used since: its record says what it has in all. */
static struct dn_ring_thread_exit since(struct dn_stream *s, struct dn_ring_thread_exit r)
{
	static const size_t figure[] = {
#define FIGURE(name) offsetof(struct dn_ring_thread_exit, name)
		FIGURE(utime), FIGURE(stime), FIGURE(runtime), FIGURE(run_delay), FIGURE(nvcsw), FIGURE(nivcsw),
		FIGURE(minflt), FIGURE(majflt), FIGURE(rchar), FIGURE(wchar), FIGURE(syscr), FIGURE(syscw),
		FIGURE(read_bytes), FIGURE(write_bytes), FIGURE(cancelled),
#undef FIGURE
	};
	struct dn_ring_thread_exit *b = base_of(s, r.thread);

	for (unsigned i = 0; b && i < sizeof(figure) / sizeof(figure[0]); i++) {
		uint64_t before, *v = (uint64_t *)(void *)((char *)&r + figure[i]);

		memcpy(&before, (char *)b + figure[i], sizeof(before));
		*v = *v > before ? *v - before : 0;
	}
	if (b)
		*b = s->base[--s->nbases];
	return r;
}

static int send_exit(struct dn_stream *s, const struct leaving *l)
{
	const struct dn_ring_thread_exit now = since(s, l->exit), *r = &now;
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

int dn_stream_on_thread_exit(struct dn_stream *s, const struct dn_ring_thread_exit *r)
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

int dn_stream_on_thread_gone(struct dn_stream *s, const struct dn_ring_thread_gone *r)
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
int dn_stream_send_leaving(struct dn_stream *s, unsigned passes)
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

int dn_stream_on_comm(struct dn_stream *s, const struct dn_ring_comm *r)
{
	struct dn_value v[DN_F_comm_N];

	dn_tree_rename(s->o.tree, r->thread, r->comm);
	v[DN_F_comm_time] = dn_u(r->time);
	v[DN_F_comm_thread] = dn_u(r->thread);
	v[DN_F_comm_comm] = text(r->comm, sizeof(r->comm));
	return dn_row_send(s->o.sink, DN_EV_comm, v, DN_F_comm_N);
}

int dn_stream_on_signal(struct dn_stream *s, const struct dn_ring_signal *r)
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

int dn_stream_on_oom(struct dn_stream *s, const struct dn_ring_oom *r)
{
	struct dn_value v[DN_F_oom_kill_N];

	v[DN_F_oom_kill_time] = dn_u(r->time);
	v[DN_F_oom_kill_thread] = id(r->thread);
	v[DN_F_oom_kill_tid] = dn_u(r->tid);
	v[DN_F_oom_kill_comm] = r->comm[0] ? text(r->comm, sizeof(r->comm)) : dn_null();
	return dn_row_send(s->o.sink, DN_EV_oom_kill, v, DN_F_oom_kill_N);
}
