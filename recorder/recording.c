/*
 * recording.c - one recording: start, watch, end.
 *
 * Threads: this one waits for the command and for signals, reads /proc and
 * draws the status line; the consumer (consumer.h) empties the rings; the
 * writer's own (writer.h) compresses and writes. What goes wrong after the
 * start is said on stderr and in the trace, and never reaches the command.
 */
#include "recording.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clocks.h"
#include "consumer.h"
#include "count.h"
#include "encode.h"
#include "environ.h"
#include "events.h"
#include "finish.h"
#include "human.h"
#include "kernel_code.h"
#include "keyframe.h"
#include "options.h"
#include "output.h"
#include "probe.h"
#include "procwatch.h"
#include "rec.h"
#include "rights.h"
#include "sampler.h"
#include "say.h"
#include "stacks.h"
#include "status.h"
#include "stream.h"
#include "symbols.h"
#include "target.h"
#include "tree.h"
#include "writer.h"

#define KEYFRAME_NS 60000000000u
#define KEYFRAME_BYTES (64u << 20)
#define TICK_NS 100000000u		/* news for the sampler, status line */
#define RECONCILE_NS 500000000u
#define QUIET_TERMINAL_NS 2000000000u	/* the command has not written for so long */

static const int forwarded[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };
#define NFORWARDED (sizeof(forwarded) / sizeof(forwarded[0]))

/* Rows of this thread, one at a time under the writer's lock, so that a slow
 * reading of /proc does not hold up the consumer. */
static int locked_row(void *ctx, const struct dn_row *r)
{
	struct dn_rec *x = ctx;
	const struct dn_sink *sink;
	int err;

	dn_writer_lock(x->writer);
	sink = dn_writer_sink(x->writer);
	err = sink->row(sink->ctx, r);
	dn_writer_unlock(x->writer);
	return err;
}

static int frame_row(void *ctx, const struct dn_row *r)
{
	struct dn_rec *x = ctx;
	int err = dn_encoder_row(x->frame, r);

	if (err != -ENOSPC)
		return err;
	dn_writer_block(x->writer, DN_BLOCK_KEYFRAME, x->frame);
	return dn_encoder_row(x->frame, r);
}

/* What the tree is at this moment, in a block of its own. */
static void keyframe(struct dn_rec *x)
{
	struct dn_sink sink = { NULL, frame_row, x };
	struct dn_tree_thread *list;
	struct dn_writer_stats st;
	uint64_t now = dn_now();
	long n = dn_tree_list(x->tree, &list);

	dn_clocks_emit(&sink);
	for (long i = 0; i < n; i++) {
		dn_rec_thread_row(&sink, &list[i], now);
		if (list[i].thread == list[i].process)
			dn_keyframe_process(x->keyframe, list[i].process, (pid_t)list[i].pid,
					    list[i].born, &sink);
	}
	if (n >= 0)
		free(list);
	dn_writer_block(x->writer, DN_BLOCK_KEYFRAME, x->frame);
	if (x->stacks)
		dn_stacks_keyframe(x->stacks);
	dn_writer_stats(x->writer, &st);
	x->frame_time = now;
	x->frame_bytes = st.bytes;
}

static void on_news(void *ctx, const struct dn_tree_news *n)
{
	struct dn_rec *x = ctx;

	if (n->dead)
		dn_sampler_remove(x->sampler, n->process, n->pid, true);
	else if (n->pid)	/* which it may not have: struct dn_knobs, ns_ino */
		dn_sampler_add(x->sampler, n->process, n->pid, n->born);
}

/* What to do when the BPF side cannot be had. */
static void advice(int err, char out[512])
{
	const char *what = "BPF needs Linux 5.8 or later, and a denet-record that was built with it";

	if (err == EPERM) {
		dn_rights_advice(out, 512);
		return;
	}
	if (err == EOPNOTSUPP)
		what = "record as root";
	else if (err == EMFILE || err == ENFILE)
		what = "raise the limit of open files (ulimit -n)";
	else if (err == ENOMEM)
		what = "ask for less with --buffer, or raise the limit of memory";
	snprintf(out, 512, "%s", what);
}

/* The next child that has ended; 0: none has, -1: there are no children. */
static pid_t next_ended(void)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) ? -1 : info.si_pid;
}

/* The lowest way of recording: why the others failed, and what mends it. */
static int from_proc_only(struct dn_rec *x, const char *why, const char *todo)
{
	struct dn_procwatch_opts po = { .sink = &x->locked, .tree = x->tree, .redact = x->o->redact };
	int err;

	/* Who is never found cannot be waited for, unless the kernel makes it our child
	 * when its parent ends. Children of what we were before would be among them. */
	x->reaps = po.reaps = x->o->wait_tree && x->alone && !prctl(PR_SET_CHILD_SUBREAPER, 1);

	if (strcmp(x->rung, "proc"))
		dn_say("recording from /proc only: no system calls, strings and signals, and no processes that "
		       "live for milliseconds: %s; %s", why, todo);
	x->procwatch = dn_procwatch_new(&po);
	err = x->procwatch ? dn_procwatch_target(x->procwatch, x->target.pid, &x->root) : -errno;
	if (err) {
		dn_say("cannot record from /proc either: %s; mount the /proc of this pid namespace", strerror(-err));
		return err;
	}
	/* Whether the command writes to the terminal is not known: it keeps it. */
	dn_status_free(x->line);
	x->line = NULL;
	return dn_procwatch_emit(x->procwatch, why);
}

static int prepare_stacks(struct dn_rec *x)
{
	struct dn_stacks_opts so = { .sink = dn_writer_sink(x->writer), .maps = dn_probe_take_maps(x->probe),
		.kernel = dn_kernel_code_new(dn_probe_name, x->probe),
		.symbols = x->o->symbols ? dn_symbols_new() : NULL,
		.generation = dn_probe_stack_generation(x->probe) };
	struct stat st;
	char proc[32];

	/* As -u or the caller has it: what it writes in /tmp is its own. */
	snprintf(proc, sizeof(proc), "/proc/%d", (int)x->target.pid);
	x->owner = stat(proc, &st) ? geteuid() : st.st_uid;
	x->stacks = dn_stacks_new(&so);
	return x->stacks ? dn_stacks_follow(x->stacks, (uint32_t)x->target.pid) : -ENOMEM;
}

/* What only BPF gives records to. */
static int prepare_stream(struct dn_rec *x, enum dn_abi native)
{
	struct dn_stream_opts to = { .redact = x->o->redact, .sink = dn_writer_sink(x->writer), .tree = x->tree,
		.sample_period_ns = x->o->freq ? 1000000000 / x->o->freq : 0 };

	if (strcmp(dn_probe_rung(x->probe, "stacks"), "none") && prepare_stacks(x))
		return -ENOMEM;
	to.stacks = x->stacks;
	if (x->o->count) {
		x->count = dn_count_new(native);
		to.also = dn_rec_count;
		to.also_ctx = x->count;
	}
	x->stream = dn_stream_new(&to);
	return x->stream && (x->count || !x->o->count) ? 0 : -ENOMEM;
}

static int start_consumer(struct dn_rec *x)
{
	int err;

	dn_probe_emit(x->probe, &x->locked);
	x->consumer = dn_consumer_start(x->probe, x->stream, x->writer);
	if (x->consumer)
		return 0;
	err = -errno;
	dn_say("cannot start a thread: %s; raise the limit of processes", strerror(-err));
	return err;
}

/* --require: what the user asks for by name must be observed. */
static int require(struct dn_rec *x)
{
	for (unsigned i = 0; i < x->o->nrequired; i++) {
		const char *rung = x->probe ? dn_probe_rung(x->probe, x->o->required[i]) :
			dn_procwatch_rung(x->o->required[i]);

		if (rung && strcmp(rung, "none"))
			continue;
		if (!rung)
			dn_say("there is nothing called \"%s\" to require; denet-record(1) lists the probes",
			    x->o->required[i]);
		else
			dn_say("%s, required by --require, cannot be observed here; %s", x->o->required[i],
			    x->o->rung ? "a better --rung may" : "denet-record --check says why");
		return -EOPNOTSUPP;
	}
	return 0;
}

static void say_lacks(struct dn_rec *x)
{
	char names[256];
	const char *why;

	if (dn_probe_lacks(x->probe, names, &why))
		dn_say("not observed on this kernel: %s (%s)", names, why);
}

/* The only part that needs capabilities: loads, attaches. Without x->probe why
 * says why and todo what mends it; that is no error. */
static int attach(struct dn_rec *x, char why[512], char todo[512])
{
	struct dn_probe_opts po = { .buffer_bytes = x->o->buffer, .strings = x->o->strings,
		.net = x->o->net, .offcpu = x->o->offcpu, .offcpu_min = x->o->offcpu_min_ns,
		.stack_slow = x->o->stack_slow_ns, .stack_calls = x->o->stack_calls, .stacks = x->o->stacks, .symbols = x->o->symbols,
		.freq = x->o->freq, .rung = x->rung[0] ? x->rung : NULL, .bytes = x->bytes[0] ? x->bytes : NULL,
		.hide_setuid = geteuid() != 0 };
	uint64_t counters[DN_KCOUNTER_MAX];
	int err;

	if (dn_rights_bpf_kills()) {
		snprintf(why, 512, "a seccomp filter kills whoever calls bpf(2)");
		snprintf(todo, 512, "record outside of it");
		return dn_rights_drop(false);
	}
	err = dn_rights_raise();
	if (err) {
		dn_say("cannot use the capabilities there are: %s; record as root", strerror(-err));
		return err;
	}
	x->probe = dn_probe_open(&po, why);
	if (!x->probe)
		advice(errno, todo);	/* of the capabilities as they were */
	err = dn_rights_lower();
	/* Maps are read to the end. Before 5.19 ("bpf: refine kernel.unprivileged_bpf_disabled
	 * behaviour") that can need CAP_BPF: it is tried. */
	if (!err)
		err = dn_rights_drop(x->probe && dn_probe_counters(x->probe, counters) == -EPERM);
	if (err)
		dn_say("cannot give up the capabilities: %s; record as root", strerror(-err));
	return err;
}

static int prepare(struct dn_rec *x, const struct dn_invoker *who)
{
	struct dn_writer_opts wo = { .level = x->o->level, .sync = x->o->sync_blocks };
	struct dn_sampler_opts so = { .interval_ns = x->o->interval_ns,
		.max_interval_ns = x->o->max_interval_ns };
	struct dn_keyframe_opts ko = { 0 };
	struct dn_environ_opts eo = { .recorder_argv = who->argv, .command_argv = x->o->argv,
		.environ = who->environ, .no_redact = !x->o->redact, .capabilities = who->capabilities };
	char why[512], todo[512];
	int err;

	if (x->o->rung && !dn_probe_parse_rung(x->o->rung, x->rung, x->bytes)) {
		dn_say("there is no rung \"%s\" here; the rungs are tp_btf, raw_tp, no_btf and proc, and of bytes "
		       "through sockets tracepoint, fentry, kprobe and calls", x->o->rung);
		return -EINVAL;
	}
	x->locked = (struct dn_sink){ NULL, locked_row, x };
	err = attach(x, why, todo);	/* before there are other threads: see rights.h */
	if (err)
		return err;
	x->root = DN_ROOT_THREAD;
	err = require(x);
	if (err)
		return err;
	if (x->probe)
		say_lacks(x);
	err = dn_environ_header(&wo.header);
	if (!err) {
		x->writer = dn_writer_new(&wo, x->out);
		err = x->writer ? 0 : -errno;
	}
	if (err) {
		dn_say("cannot begin the trace %s: %s; name another place with -o", x->o->output, strerror(-err));
		return err;
	}
	x->tree = dn_tree_new();
	x->sampler = dn_sampler_new(&so, &x->locked);
	x->keyframe = dn_keyframe_new(&ko);
	x->frame = dn_encoder_new();
	if (!x->tree || !x->sampler || !x->keyframe || !x->frame ||
	    (x->probe && prepare_stream(x, (enum dn_abi)wo.header.native_abi))) {
		if (access("/proc/self/stat", R_OK))
			dn_say("cannot read /proc: %s; mount it", strerror(errno));
		else
			dn_say("not enough memory to begin; end something and try again");
		return -ENOMEM;
	}
	dn_clocks_emit(&x->locked);
	err = dn_environ_emit(&eo, &x->locked);
	if (err)
		dn_say("the description of host and command is not complete: %s", strerror(-err));
	x->environ_redacted = eo.redacted;
	return x->probe ? start_consumer(x) : from_proc_only(x, why, todo);
}

/* A signal that a process sent to us is passed on, once; the terminal's own
 * has reached the command already. */
static void on_signal(struct dn_rec *x, const struct signalfd_siginfo *s)
{
	for (unsigned i = 0; i < NFORWARDED; i++) {
		if ((int)s->ssi_signo != forwarded[i])
			continue;
		if (x->ended) {		/* only the rest of the tree is waited for */
			x->stop = true;
			return;
		}
		if (s->ssi_code <= 0 && !(x->passed_on & 1u << i)) {
			x->passed_on |= 1u << i;
			kill(x->target.pid, forwarded[i]);
		}
	}
}

/* The command has ended: its last reading is taken while it is a zombie. */
static void reap(struct dn_rec *x)
{
	siginfo_t info = { .si_pid = 0 };
	struct dn_consumer_stats c;

	if (x->ended || waitid(P_PID, (id_t)x->target.pid, &info, WEXITED | WNOHANG | WNOWAIT) ||
	    !info.si_pid)
		return;
	x->end_time = dn_now();
	dn_tree_news(x->tree, on_news, x);
	dn_sampler_remove(x->sampler, x->root, x->target.pid, true);
	if (x->procwatch) {
		x->ended = !dn_procwatch_reap(x->procwatch, &x->status);
		return;
	}
	x->ended = waitpid(x->target.pid, &x->status, 0) == x->target.pid;
	dn_consumer_stats(x->consumer, &c);
	x->end_passes = c.passes;
}

/* Those of the tree whose parents are gone. */
static void reap_orphans(struct dn_rec *x)
{
	pid_t pid;

	while (x->reaps && (pid = next_ended()) > 0 && (x->ended || pid != x->target.pid)) {
		dn_procwatch_orphan(x->procwatch, pid);
		dn_tree_news(x->tree, on_news, x);
		waitpid(pid, NULL, __WALL);
	}
}

static void show_status(struct dn_rec *x, uint64_t now)
{
	struct dn_status_numbers n = { .elapsed_ns = now - x->begin_time };
	struct dn_writer_stats w;
	uint64_t counters[DN_KCOUNTER_MAX];

	if (!x->line)
		return;
	if (dn_consumer_wrote_terminal(x->consumer)) {		/* the terminal is the command's while it uses it */
		dn_status_clear(x->line);
		x->terminal_used = now;
	}
	if (now < x->terminal_used + QUIET_TERMINAL_NS)
		return;
	dn_writer_stats(x->writer, &w);
	if (!dn_probe_counters(x->probe, counters))
		n.lost = counters[DN_COUNT_syscall_lost] + dn_events_lost(counters);
	n.events = w.rows;
	n.bytes = w.bytes;
	n.processes = dn_tree_processes(x->tree);
	dn_status_show(x->line, &n);
}

static int discard(void *ctx, const struct dn_row *r)
{
	(void)ctx;
	(void)r;
	return 0;
}

void dn_rec_reconcile(struct dn_rec *x)
{
	const struct dn_sink nowhere = { NULL, discard, NULL };
	uint64_t counters[DN_KCOUNTER_MAX];
	struct dn_tree_thread *list;
	long n;

	if (!x->probe || dn_probe_counters(x->probe, counters) || !counters[DN_COUNT_lifecycle_lost])
		return;
	n = dn_tree_list(x->tree, &list);
	for (long i = 0; i < n; i++)
		if (dn_keyframe_process(x->keyframe, list[i].process, (pid_t)list[i].pid,
					list[i].thread == list[i].process ? list[i].born : 0,
					&nowhere) == -ESRCH)
			dn_tree_remove(x->tree, list[i].thread, 2);
	if (n >= 0)
		free(list);
}

static bool over(struct dn_rec *x, uint64_t now)
{
	struct dn_consumer_stats c;

	if (x->stop)
		return true;
	if (x->o->duration_ns && now >= x->begin_time + x->o->duration_ns) {
		x->duration_over = true;
		return true;
	}
	if (!x->ended || !x->o->wait_tree)
		return x->ended;
	if (x->reaps) {
		x->all_gone = next_ended() < 0;
		return x->all_gone;
	}
	if (x->procwatch)
		return !dn_tree_processes(x->tree);
	/* The tree is known once a pass that began after the command's end is
	 * over: the first to finish may have begun before. */
	dn_consumer_stats(x->consumer, &c);
	return c.passes >= x->end_passes + 2 && !dn_tree_processes(x->tree);
}

/* What the consumer does where there is BPF. */
static void look(struct dn_rec *x, bool ends)
{
	uint64_t now = dn_now();

	if (ends)
		dn_procwatch_ends(x->procwatch);
	if (now >= dn_procwatch_next_ns(x->procwatch))
		dn_procwatch_look(x->procwatch);
	dn_writer_flush(x->writer, now, DN_BLOCK_AGE_NS);
}

static void watch(struct dn_rec *x)
{
	uint64_t now = dn_now(), next, reconciled = 0;

	for (; !over(x, now); now = dn_now()) {
		if (x->ended && now >= reconciled + RECONCILE_NS) {
			dn_rec_reconcile(x);
			reconciled = now;
		}
		struct pollfd p[2] = { { .fd = x->signals, .events = POLLIN }, { .fd = -1, .events = POLLIN } };
		struct signalfd_siginfo s;
		struct dn_writer_stats w;
		struct timespec wait = { 0, 0 };

		next = dn_sampler_next_ns(x->sampler);
		if (x->procwatch) {
			p[1].fd = dn_procwatch_fd(x->procwatch);
			if (next > dn_procwatch_next_ns(x->procwatch))
				next = dn_procwatch_next_ns(x->procwatch);
		}
		if (next > now + TICK_NS)
			next = now + TICK_NS;
		if (x->o->duration_ns && next > x->begin_time + x->o->duration_ns)
			next = x->begin_time + x->o->duration_ns;
		if (next > now)
			wait.tv_nsec = (long)(next - now);
		if (ppoll(p, 2, &wait, NULL) > 0)
			while (read(x->signals, &s, sizeof(s)) == sizeof(s))
				on_signal(x, &s);
		if (x->procwatch)
			look(x, p[1].revents);
		reap(x);
		reap_orphans(x);
		dn_tree_news(x->tree, on_news, x);
		now = dn_now();
		if (now >= dn_sampler_next_ns(x->sampler))
			dn_sampler_tick(x->sampler, now);
		dn_writer_stats(x->writer, &w);
		if (now >= x->frame_time + KEYFRAME_NS || w.bytes >= x->frame_bytes + KEYFRAME_BYTES)
			keyframe(x);
		show_status(x, now);
	}
}

/* It has executed, so that by now it has made itself known, or never will. */
static void say_unmarked(struct dn_rec *x)
{
	uint64_t counters[DN_KCOUNTER_MAX];

	if (x->probe && !dn_probe_counters(x->probe, counters) && !counters[DN_COUNT_threads]) {
		x->unmarked = true;
		dn_say("nothing of the command is recorded, as it could not make itself known: a seccomp filter that "
		       "refuses getppid(2) does that; record without it");
	}
}

/* It has executed: what the kernel side knows of the machine since. */
static void late_facts(struct dn_rec *x)
{
	uint64_t tick = x->probe ? dn_probe_tick_ns(x->probe) : 0;

	if (tick)
		dn_environ_later("host.kernel_hz", (1000000000 + tick / 2) / tick, &x->locked);
}

/* Lets the command go and records it to its end. */
static int record(struct dn_rec *x)
{
	int err;

	x->begin_time = x->terminal_used = dn_now();
	/* What its descriptors are, before it can close them. */
	dn_keyframe_inherited(x->keyframe, x->root, x->target.pid, &x->locked);
	err = dn_target_go(&x->target, x->probe ? dn_probe_target(x->probe) : 0);
	if (err) {
		if (err < 0)
			err = -err;
		dn_say("cannot execute %s: %s; is it a program for this machine, with its interpreter in place?",
		    x->target.path, strerror(err));
		waitpid(x->target.pid, NULL, 0);
		return err == ENOENT ? DN_EXIT_NOT_FOUND : DN_EXIT_NOT_EXECUTABLE;
	}
	say_unmarked(x);
	late_facts(x);
	err = dn_output_commit(x->out);
	if (err)
		dn_say("the trace cannot be named %s: %s; it is %s", x->o->output, strerror(-err),
		    dn_output_name(x->out));
	if (x->procwatch) {
		dn_procwatch_executed(x->procwatch, x->target.path, x->o->argv);
		dn_procwatch_look(x->procwatch);	/* before the keyframe, which takes its time */
	}
	dn_tree_news(x->tree, on_news, x);
	keyframe(x);
	watch(x);
	dn_status_free(x->line);
	x->line = NULL;
	return 0;
}

static void release(struct dn_rec *x)
{
	struct dn_writer_stats st;

	dn_status_free(x->line);
	dn_consumer_free(x->consumer);
	dn_stream_free(x->stream);
	dn_stacks_free(x->stacks);
	if (x->writer)
		dn_writer_close(x->writer, &st);
	dn_sampler_free(x->sampler);
	dn_keyframe_free(x->keyframe);
	dn_encoder_free(x->frame);
	dn_tree_free(x->tree);
	dn_count_free(x->count);
	dn_probe_close(x->probe);
	dn_procwatch_free(x->procwatch);
	dn_output_close(x->out);
	free(x->target.path);
	if (x->signals >= 0)
		close(x->signals);
}

int dn_record(const struct dn_record_opts *o, const struct dn_invoker *who)
{
	struct dn_rec x = { .o = o, .signals = -1, .target = { .go = -1, .result = -1 } };
	struct dn_target_opts to = { .user = o->user, .trace_on_stdout = !strcmp(o->output, "-"),
		.environ = who->environ };
	sigset_t set;
	char why[512], *path;
	int err, status;

	if (o->user && geteuid()) {
		dn_say("cannot run the command as %s: only root can; leave out -u", o->user);
		return DN_EXIT_RECORDER << 8;
	}
	status = dn_target_find(o->argv[0], &path);
	if (status) {
		dn_say("cannot run %s: %s; %s", o->argv[0],
		       status == DN_EXIT_NOT_FOUND && !strchr(o->argv[0], '/') ?
		       "command not found" : strerror(errno),
		       status == DN_EXIT_NOT_FOUND ? "check its name and PATH" :
		       "it must be a program that you may execute");
		return status << 8;
	}
	/* A full pipe or file is an error of write to us, and where SIGCHLD is
	 * ignored the kernel keeps no status to wait for. */
	sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN }, &to.pipe);
	sigaction(SIGXFSZ, &(struct sigaction){ .sa_handler = SIG_IGN }, &to.xfsz);
	sigaction(SIGCHLD, &(struct sigaction){ .sa_handler = SIG_DFL }, &to.chld);
	x.out = dn_output_open(o->output, why);
	if (!x.out) {
		dn_say("%s", why);
		free(path);
		return DN_EXIT_RECORDER << 8;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (unsigned i = 0; i < NFORWARDED; i++)
		sigaddset(&set, forwarded[i]);
	sigprocmask(SIG_BLOCK, &set, &to.mask);
	x.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	x.alone = next_ended() < 0;
	err = x.signals < 0 ? -errno : dn_target_spawn(&x.target, path, o->argv, &to);
	if (err) {
		if (err == -ESRCH)
			dn_say("there is no user %s; name one of this machine with -u", o->user);
		else
			dn_say("cannot start a process: %s; raise the limit of processes", strerror(-err));
		free(path);
		release(&x);
		return DN_EXIT_RECORDER << 8;
	}
	if (!o->quiet)
		x.line = dn_status_new(STDERR_FILENO);
	status = prepare(&x, who) ? DN_EXIT_RECORDER : 0;
	if (status) {
		if (x.consumer)
			dn_consumer_join(x.consumer);
		dn_target_abort(&x.target);
	} else {
		status = record(&x);
		if (status && x.consumer)
			dn_consumer_join(x.consumer);
	}
	if (status) {
		release(&x);
		return status << 8;
	}
	dn_rec_finish(&x);
	status = x.ended ? x.status : 0;
	release(&x);
	return status;
}
