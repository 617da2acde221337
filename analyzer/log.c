/*
 * log.c - the verb `log`: selection, the tasks' names, and the lines.
 *
 * Two passes. The first reads the whole trace for the starts of threads, which
 * give every record its pid and tid, and for what is missing; it decodes no
 * calls. The second is the timeline. Between them --decode-fds has one of its own.
 */
#include "log.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "calltext.h"
#include "events.h"
#include "fdpass.h"
#include "names.h"
#include "options.h"
#include "reader.h"
#include "say.h"
#include "select.h"
#include "siginfo.h"
#include "source.h"
#include "spool.h"
#include "timeline.h"
#include "verbs.h"
#include "when.h"

#define ALIGN 40		/* column of " = ", as strace has it */
#define TASK_NAME 24		/* two numbers and a slash */

#define DIM "\033[2m"
#define RED "\033[31m"
#define YELLOW "\033[33m"
#define PLAIN "\033[0m"

struct task {
	uint32_t thread;
	int32_t pid, tid;
};

struct log {
	const struct dn_options *o;
	struct dn_reader *reader;
	struct dn_select *select;
	FILE *out;
	uint64_t origin;
	uint64_t lost;		/* calls, as the recorder counted them */
	bool blind;		/* it recorded none */
	uint64_t damaged;	/* blocks that did not decode */
	/* sorted by thread, each once, after the first pass */
	struct task *task;
	size_t ntasks, tasks_cap;
	const struct task *last;
	struct dn_fdtrack *fds;	/* -y; NULL: no */
	struct dn_fdcursor fd_cursor;
	int width;		/* of the first column */
	/* the first column of the last line, padded */
	const struct task *named;
	char name[TASK_NAME + 2];
	int name_len;
};

/* --- tasks -------------------------------------------------------------------- */

static int32_t number(const struct dn_value *v)
{
	return v->null ? -1 : (int32_t)v->u;
}

static bool is_text(const struct dn_value *v, const char *text)
{
	return !v->null && v->len == strlen(text) && !memcmp(v->p, text, v->len);
}

static int learn_row(void *ctx, const struct dn_row *r)
{
	struct log *l = ctx;

	if (r->event == DN_EV_counter) {
		if (r->v[DN_F_counter_counter].u == DN_COUNT_syscall_lost)
			l->lost = r->v[DN_F_counter_value].u;
		return 0;
	}
	if (r->event == DN_EV_probe) {
		l->blind |= is_text(&r->v[DN_F_probe_name], "syscalls") &&
			    is_text(&r->v[DN_F_probe_rung], "none");
		return 0;
	}
	if (r->v[DN_F_thread_start_thread].null)
		return 0;
	if (l->ntasks == l->tasks_cap) {
		size_t cap = l->tasks_cap ? 2 * l->tasks_cap : 64;
		void *p = realloc(l->task, cap * sizeof(*l->task));

		if (!p)
			return -ENOMEM;
		l->task = p;
		l->tasks_cap = cap;
	}
	l->task[l->ntasks++] = (struct task){
		(uint32_t)r->v[DN_F_thread_start_thread].u,
		number(&r->v[DN_F_thread_start_pid]), number(&r->v[DN_F_thread_start_tid]),
	};
	return 0;
}

static int compare_tasks(const void *a, const void *b)
{
	const struct task *x = a, *y = b;

	return (x->thread > y->thread) - (x->thread < y->thread);
}

static const struct task *find_task(struct log *l, uint32_t thread)
{
	const struct task key = { .thread = thread };

	if (!l->last || l->last->thread != thread)
		l->last = l->ntasks ?
				  bsearch(&key, l->task, l->ntasks, sizeof(key), compare_tasks) :
				  NULL;
	return l->last;
}

/* The first column of a task's lines; its length. */
static int task_name(const struct task *k, char buf[TASK_NAME])
{
	if (!k || k->pid < 0)
		return snprintf(buf, TASK_NAME, "?");
	if (k->pid == k->tid)
		return snprintf(buf, TASK_NAME, "%" PRId32, k->pid);
	return snprintf(buf, TASK_NAME, "%" PRId32 "/%" PRId32, k->pid, k->tid);
}

/* The first pass. */
static int learn(struct log *l)
{
	const struct dn_sink sink = { .row = learn_row, .ctx = l };
	struct dn_decoder *d = dn_decoder_new();
	struct dn_block b = { 0 };
	size_t n = 0;
	int err = -ENOMEM;

	if (!d)
		return err;
	dn_decoder_want(d, UINT64_C(1) << DN_EV_thread_start | UINT64_C(1) << DN_EV_counter |
			    UINT64_C(1) << DN_EV_probe);
	while ((err = dn_reader_next(l->reader, &b)) > 0) {
		err = dn_decode(d, b.payload, b.len, &sink, NULL);
		if (err == -EBADMSG)
			dn_reader_damaged(l->reader, &b, "its records make no sense");
		else if (err)
			break;
	}
	dn_block_release(&b);
	dn_decoder_free(d);
	if (l->ntasks)
		qsort(l->task, l->ntasks, sizeof(*l->task), compare_tasks);
	/* A keyframe repeats what is known already. */
	for (size_t i = 0; i < l->ntasks; i++) {
		char name[TASK_NAME];
		int width = task_name(&l->task[i], name);

		if (n && l->task[n - 1].thread == l->task[i].thread)
			continue;
		l->task[n++] = l->task[i];
		if (width > l->width)
			l->width = width;
	}
	l->ntasks = n;
	return err;
}

/* --- selection ---------------------------------------------------------------- */

static bool listed(const int32_t *list, size_t n, int32_t v)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == v)
			return true;
	return !n;
}

static bool want_task(struct log *l, uint32_t thread)
{
	const struct task *t;

	if (!l->o->npid && !l->o->ntid)
		return true;
	t = find_task(l, thread);
	return t && listed(l->o->pid, l->o->npid, t->pid) && listed(l->o->tid, l->o->ntid, t->tid);
}

static bool want_call(void *ctx, const struct dn_syscall *s)
{
	struct log *l = ctx;

	return dn_select_has(l->select, s->abi, s->nr) && want_task(l, s->thread);
}

static bool want_row(void *ctx, const struct dn_row *r)
{
	struct log *l = ctx;
	unsigned thread = DN_F_signal_delivered_thread;
	const struct task *k;

	switch (r->event) {
	case DN_EV_thread_exit:
		thread = DN_F_thread_exit_thread;
		break;
	case DN_EV_thread_end:
		thread = DN_F_thread_end_thread;
		break;
	case DN_EV_exec:
		/* only where another thread than the first called, and took its place */
		if (r->v[DN_F_exec_old_tid].null || r->v[DN_F_exec_thread].null)
			return false;
		k = find_task(l, (uint32_t)r->v[DN_F_exec_thread].u);
		if (!k || k->pid == (int32_t)r->v[DN_F_exec_old_tid].u)
			return false;
		thread = DN_F_exec_thread;
		break;
	}
	return !r->v[thread].null && want_task(l, (uint32_t)r->v[thread].u);
}

/* --- lines -------------------------------------------------------------------- */

/* "12.000000345" in at least 13 columns, without printf: it is on every line. */
static void put_seconds(struct dn_text *t, uint64_t ns, bool negative)
{
	char buf[32], *p = buf + sizeof(buf);

	for (int i = 0; i < 10 || ns; i++) {
		if (i == 9)
			*--p = '.';
		*--p = (char)('0' + ns % 10);
		ns /= 10;
	}
	if (negative)
		*--p = '-';
	while (p > buf + sizeof(buf) - 13)
		*--p = ' ';
	dn_text_bytes(t, p, (size_t)(buf + sizeof(buf) - p));
}

static void put_prefix(struct log *l, struct dn_text *t, uint32_t thread, uint64_t time)
{
	const struct task *k = find_task(l, thread);
	bool negative = time < l->origin;

	if (l->o->color)
		dn_text_add(t, DIM);
	if (!l->name_len || l->named != k) {
		l->name_len = snprintf(l->name, sizeof(l->name), "%*s ", -l->width, "");
		task_name(k, l->name);
		l->name[strlen(l->name)] = ' ';
		l->named = k;
	}
	dn_text_bytes(t, l->name, (size_t)l->name_len);
	put_seconds(t, negative ? l->origin - time : time - l->origin, negative);
	dn_text_char(t, ' ');
	if (l->o->color)
		dn_text_add(t, PLAIN);
}

/* As strace -y does; what only has a kind has its name in capitals. */
static void put_fd(void *ctx, struct dn_text *t, const struct dn_syscall *s, int32_t fd,
		   uint64_t time)
{
	struct log *l = ctx;
	struct dn_fd_span span;
	unsigned kind = dn_fdtrack_find(l->fds, &l->fd_cursor, s->thread, fd, time, &span);

	if (kind == DN_FD_CLOSED || (kind == DN_FD_UNKNOWN && !span.name))
		return;
	dn_text_char(t, '<');
	if (!span.name || span.name[0] != '/') {
		for (const char *p = dn_fd_kind_name(kind); *p; p++)
			dn_text_char(t, (char)toupper(*p));
		dn_text_add(t, span.name ? ":" : "");
	}
	dn_text_angle(t, span.name ? span.name : "", span.len);
	dn_text_char(t, '>');
}

static int put_call(void *ctx, const struct dn_syscall *s, struct dn_text *t)
{
	struct log *l = ctx;
	const struct dn_calltext_opts opts = { .align = ALIGN, .duration = true,
					       .fd = l->fds ? put_fd : NULL, .ctx = l };
	bool red = l->o->color && !(s->flags & DN_CALL_UNFINISHED) && s->ret < 0 &&
		   s->ret >= -4095 && !dn_errno_is_restart((unsigned)-s->ret);

	put_prefix(l, t, s->thread, s->start);
	if (red)
		dn_text_add(t, RED);
	dn_calltext(t, s, &opts);
	dn_text_add(t, red ? PLAIN "\n" : "\n");
	return t->failed ? -ENOMEM : 0;
}

static void put_signal_name(struct dn_text *t, int sig)
{
	const char *name = dn_signal_name(sig);

	if (name)
		dn_text_add(t, name);
	else
		dn_text_addf(t, "%d", sig);
}

static void put_signal(struct dn_text *t, const struct dn_value *v)
{
	int sig = (int)v[DN_F_signal_delivered_sig].u, code = (int)v[DN_F_signal_delivered_code].u;
	const char *name = dn_si_code_name(sig, code);

	dn_text_add(t, "--- ");
	put_signal_name(t, sig);
	dn_text_add(t, " {si_signo=");
	put_signal_name(t, sig);
	if (!v[DN_F_signal_delivered_code].null) {
		dn_text_add(t, ", si_code=");
		if (name)
			dn_text_add(t, name);
		else
			dn_text_addf(t, "%#x", (unsigned)code);
	}
	dn_text_add(t, "} ---");
}

static void put_exit(struct dn_text *t, const struct dn_value *code)
{
	unsigned status = (unsigned)code->u;

	if (code->null) {
		dn_text_add(t, "+++ exited +++");
	} else if (status & 0x7f) {
		dn_text_add(t, "+++ killed by ");
		put_signal_name(t, status & 0x7f);
		dn_text_add(t, status & 0x80 ? " (core dumped) +++" : " +++");
	} else {
		dn_text_addf(t, "+++ exited with %u +++", status >> 8 & 0xff);
	}
}

static int put_row(void *ctx, const struct dn_row *r, struct dn_text *t)
{
	struct log *l = ctx;
	uint32_t thread;

	switch (r->event) {
	case DN_EV_signal_delivered:
		thread = (uint32_t)r->v[DN_F_signal_delivered_thread].u;
		break;
	case DN_EV_thread_exit:
		thread = (uint32_t)r->v[DN_F_thread_exit_thread].u;
		break;
	case DN_EV_exec:
		thread = (uint32_t)r->v[DN_F_exec_thread].u;
		break;
	default:
		thread = (uint32_t)r->v[DN_F_thread_end_thread].u;
		break;
	}
	put_prefix(l, t, thread, r->v[0].u);
	if (l->o->color)
		dn_text_add(t, YELLOW);
	if (r->event == DN_EV_signal_delivered)
		put_signal(t, r->v);
	else if (r->event == DN_EV_thread_exit)
		put_exit(t, &r->v[DN_F_thread_exit_exit_code]);
	else if (r->event == DN_EV_exec)
		dn_text_addf(t, "+++ superseded by execve in pid %" PRId32 " +++",
			     (int32_t)r->v[DN_F_exec_old_tid].u);
	else
		dn_text_add(t, "<detached ...>");
	dn_text_add(t, l->o->color ? PLAIN "\n" : "\n");
	return t->failed ? -ENOMEM : 0;
}

static int emit(void *ctx, const char *p, size_t len)
{
	struct log *l = ctx;

	return fwrite(p, 1, len, l->out) == len ? 0 : -EPIPE;
}

/* --- the verb ----------------------------------------------------------------- */

/* Boot clock at t ns of the trace, held in the range of the clock. */
static uint64_t boot_time(uint64_t origin, int64_t t)
{
	uint64_t u = t < 0 ? -(uint64_t)t : (uint64_t)t;

	if (t < 0)
		return u > origin ? 0 : origin - u;
	return u > UINT64_MAX - origin ? UINT64_MAX : origin + u;
}

static int range_end(const struct log *l, const struct dn_when *w, uint64_t *t)
{
	int64_t ns;
	int err = dn_when_resolve(w, dn_reader_header(l->reader)->wall_ns, &ns);

	if (!err)
		*t = boot_time(l->origin, ns);
	return err;
}

static int run(struct log *l)
{
	const struct dn_options *o = l->o;
	int err = 0;
	struct dn_timeline t = {
		.reader = l->reader,
		.events = UINT64_C(1) << DN_EV_syscall,
		.to = UINT64_MAX,
		.tail = o->tail,
		.want_call = want_call,
		.want_row = want_row,
		.call = put_call,
		.row = put_row,
		.emit = emit,
		.ctx = l,
	};

	/* A list of calls asks for calls. */
	if (!o->syscall)
		t.events |= UINT64_C(1) << DN_EV_signal_delivered |
			    UINT64_C(1) << DN_EV_thread_exit | UINT64_C(1) << DN_EV_thread_end |
			    UINT64_C(1) << DN_EV_exec;
	if (o->has_since)
		err = range_end(l, &o->since, &t.from);
	if (!err && o->has_until)
		err = range_end(l, &o->until, &t.to);
	if (err)
		return err;
	return dn_timeline_run(&t, &l->damaged);
}

/* What a reader of the log must know is not in it. */
static int finish(const struct log *l, const char *name)
{
	const struct dn_read_report *rep = dn_reader_report(l->reader);

	if (l->blind && !l->o->quiet)
		dn_remark("%s: system calls were not recorded; denet-analyze %s says why", name, name);
	if (l->lost && !l->o->quiet)
		dn_remark("%s: the recorder lost %" PRIu64 " system calls; they are not in the log",
			  name, l->lost);
	if (l->fds && dn_fdtrack_overflowed(l->fds) && !l->o->quiet)
		dn_remark("%s: there are too many descriptors; what some of them are is not in the log",
			  name);
	if (rep->complete && !l->damaged)
		return DN_EXIT_OK;
	if (!l->o->quiet)
		dn_remark("%s is incomplete: %s", name,
			  rep->nnotes ? rep->note[0] : "some blocks do not decode");
	return l->o->allow_incomplete ? DN_EXIT_OK : DN_EXIT_INCOMPLETE;
}

int dn_log(const struct dn_options *o, struct dn_source *src, FILE *out)
{
	struct log l = { .o = o, .out = out, .width = 1 };
	const char *name = dn_source_name(src);
	int status = DN_EXIT_NONE, err;
	char why[256];

	if (o->tail > DN_TIMELINE_TAIL_MAX) {
		dn_error("show", "so many last lines", "--tail takes 10000000 at most", NULL);
		return DN_EXIT_USAGE;
	}
	if (o->syscall) {
		err = dn_select_new(o->syscall, &l.select, why, sizeof(why));
		if (err) {
			dn_error("use --syscall", o->syscall, why, NULL);
			return err == -EINVAL ? DN_EXIT_USAGE : DN_EXIT_NONE;
		}
	}
	err = dn_reader_open(src, &l.reader, why, sizeof(why));
	if (err) {
		dn_error("read", name, why, NULL);
		goto out;
	}
	err = learn(&l);
	l.origin = dn_reader_origin(l.reader);
	if (!err && o->decode_fds)
		err = dn_fdpass_learn(l.reader, o->threads, &l.fds);
	if (!err)
		err = run(&l);
	if (!err && fflush(out))
		err = -EPIPE;
	if (err == -ENODATA)
		dn_error("select by wall time in", name, "the trace does not know its own",
			 "Give seconds from its start");
	else if (err)
		dn_error(err == -EPIPE ? "write the log of" : "read", name,
			 strerror(err == -EPIPE && errno ? errno : -err), NULL);
	else
		status = finish(&l, name);
out:
	dn_reader_close(l.reader);
	dn_select_free(l.select);
	dn_fdtrack_free(l.fds);
	free(l.task);
	return status;
}

static int log_one(const struct dn_options *o, struct dn_source *src, void *ctx)
{
	struct dn_source *copy;
	int status, err = dn_spool(src, &copy);

	(void)ctx;
	if (err) {
		dn_error("keep a copy of", dn_source_name(src), strerror(-err),
			 "TMPDIR names the directory for it");
		return DN_EXIT_NONE;
	}
	status = dn_log(o, copy ? copy : src, stdout);
	dn_source_close(copy);
	return status;
}

int dn_log_main(const struct dn_options *o)
{
	return dn_run_each(o, log_one, NULL);
}
