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
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "attach.h"
#include "clocks.h"
#include "consumer.h"
#include "count.h"
#include "encode.h"
#include "environ.h"
#include "finish.h"
#include "keyframe.h"
#include "options.h"
#include "output.h"
#include "prepare.h"
#include "probe.h"
#include "procwatch.h"
#include "rec.h"
#include "sampler.h"
#include "say.h"
#include "stacks.h"
#include "status.h"
#include "stream.h"
#include "target.h"
#include "tree.h"
#include "writer.h"

#define KEYFRAME_NS 60000000000u
#define KEYFRAME_BYTES (64u << 20)
#define TICK_NS 100000000u		/* news for the sampler, status line */
#define RECONCILE_NS 500000000u
#define MOMENT_NS 1000000u
#define ROUNDS_MAX 16
#define AWAIT_MOMENTS 1000		/* for a consumer that does not get a CPU */
#define QUIET_TERMINAL_NS 2000000000u	/* the command has not written for so long */

static const int forwarded[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };
#define NFORWARDED (sizeof(forwarded) / sizeof(forwarded[0]))


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

/* The next child that has ended; 0: none has, -1: there are no children. */
static pid_t next_ended(void)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) ? -1 : info.si_pid;
}

/* A signal that a process sent to us is passed on, once; the terminal's own
 * has reached the command already. */
static void on_signal(struct dn_rec *x, const struct signalfd_siginfo *s)
{
	for (unsigned i = 0; i < NFORWARDED; i++) {
		if ((int)s->ssi_signo != forwarded[i])
			continue;
		if (x->attach && s->ssi_signo != SIGUSR1 && s->ssi_signo != SIGUSR2)
			x->stop = true;
		if (x->attach)
			return;
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

static void mark_end(struct dn_rec *x)
{
	struct dn_consumer_stats c;

	x->ended = true;
	if (!x->consumer)
		return;
	dn_consumer_stats(x->consumer, &c);
	x->end_passes = c.passes;
}

/* The command has ended: its last reading is taken while it is a zombie. */
static void reap(struct dn_rec *x)
{
	siginfo_t info = { .si_pid = 0 };

	if (x->attach) {
		if (x->ended || !dn_attach_over(x->attach))
			return;
		x->end_time = dn_now();
		mark_end(x);
		return;
	}
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
	if (waitpid(x->target.pid, &x->status, 0) == x->target.pid)
		mark_end(x);
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

/* Two passes of the consumer, so that the tree is known: the first may have begun before. */
static void await_tree(struct dn_rec *x)
{
	const struct timespec moment = { 0, MOMENT_NS };
	struct dn_consumer_stats c;
	uint64_t before;

	if (!x->consumer)
		return;
	dn_consumer_stats(x->consumer, &c);
	before = c.passes;
	for (unsigned i = 0; i < AWAIT_MOMENTS && c.passes < before + 2; i++) {
		dn_consumer_hurry(x->consumer);
		nanosleep(&moment, NULL);
		dn_consumer_stats(x->consumer, &c);
	}
}

/* Makes what runs already the tree. 0, or an exit status. */
static int take_running(struct dn_rec *x)
{
	const struct dn_attach_process *list;
	unsigned n = 0, done = 0;
	pid_t changed = 0;
	int taken = x->probe ? 0 : (int)dn_tree_processes(x->tree), more;

	/* For root the kernel side finds those that were born meanwhile. For others it does not know whom they may
	 * trace; those born of whom is taken are seen, so that one more look is enough but for the look's own time. */
	for (unsigned round = 0; x->probe && taken >= 0 && round < ROUNDS_MAX; round++) {
		list = dn_attach_list(x->attach, &n);
		more = done < n ? dn_probe_attach(x->probe, list + done, n - done) : 0;
		taken = more < 0 ? more : taken + more;
		done = n;
		if (!geteuid() || !dn_attach_more(x->attach))
			break;
	}
	if (taken > 0)
		changed = dn_attach_forbidden(x->attach);
	if (changed) {
		dn_say("cannot attach to %d: meanwhile it executes a program that you may not trace; record as root", (int)changed);
		return DN_EXIT_RECORDER;
	}
	if (taken > 0) {
		unsigned processes;

		await_tree(x);
		processes = dn_tree_processes(x->tree);
		if (!x->o->quiet)
			dn_say("attached to %u process%s; ^C ends the recording and nothing else", processes,
			       processes == 1 ? "" : "es");
		return 0;
	}
	dn_say("cannot attach to %s: %s", x->o->attach, taken < 0 ? strerror(-taken) :
	       "it has ended meanwhile; ps -e lists those that run");
	return DN_EXIT_RECORDER;
}

static int start_command(struct dn_rec *x)
{
	int err;

	/* What its descriptors are, before it can close them. */
	dn_keyframe_inherited(x->keyframe, x->root, x->target.pid, &x->locked);
	err = dn_target_go(&x->target, x->probe ? dn_probe_target(x->probe) : 0);
	if (!err)
		return 0;
	if (err < 0)
		err = -err;
	dn_say("cannot execute %s: %s; is it a program for this machine, with its interpreter in place?",
	    x->target.path, strerror(err));
	waitpid(x->target.pid, NULL, 0);
	return err == ENOENT ? DN_EXIT_NOT_FOUND : DN_EXIT_NOT_EXECUTABLE;
}

/* Lets the command go and records it to its end. */
static int record(struct dn_rec *x)
{
	int err;

	x->begin_time = x->terminal_used = dn_now();
	err = x->attach ? take_running(x) : start_command(x);
	if (err)
		return err;
	if (!x->attach)
		say_unmarked(x);
	late_facts(x);
	err = dn_output_commit(x->out);
	if (err)
		dn_say("the trace cannot be named %s: %s; it is %s", x->o->output, strerror(-err),
		    dn_output_name(x->out));
	if (x->procwatch && !x->attach) {
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
	dn_attach_free(x->attach);
	free(x->target.path);
	if (x->signals >= 0)
		close(x->signals);
}

/* Starts the command, which waits. Takes path over. 0, or an exit status. */
static int spawn(struct dn_rec *x, char *path, const struct dn_target_opts *to)
{
	int err = x->signals < 0 ? -errno : dn_target_spawn(&x->target, path, x->o->argv, to);

	if (!err)
		return 0;
	if (err == -ESRCH)
		dn_say("there is no user %s; name one of this machine with -u", x->o->user);
	else
		dn_say("cannot start a process: %s; raise the limit of processes", strerror(-err));
	free(path);
	return DN_EXIT_RECORDER;
}

/* Where the command is. 0 and *path, or an exit status. */
static int find_command(const struct dn_record_opts *o, char **path)
{
	int status = dn_target_find(o->argv[0], path);

	if (status)
		dn_say("cannot run %s: %s; %s", o->argv[0],
		       status == DN_EXIT_NOT_FOUND && !strchr(o->argv[0], '/') ?
		       "command not found" : strerror(errno),
		       status == DN_EXIT_NOT_FOUND ? "check its name and PATH" :
		       "it must be a program that you may execute");
	return status;
}

int dn_record(const struct dn_record_opts *o, const struct dn_invoker *who)
{
	struct dn_rec x = { .o = o, .signals = -1, .target = { .go = -1, .result = -1 } };
	struct dn_target_opts to = { .user = o->user, .trace_on_stdout = !strcmp(o->output, "-"),
		.environ = who->environ };
	sigset_t set;
	char why[512], *path = NULL;
	int status = 0;

	if (o->user && geteuid()) {
		dn_say("cannot run the command as %s: only root can; leave out -u", o->user);
		return DN_EXIT_RECORDER << 8;
	}
	if (o->attach)
		x.attach = dn_attach_open(o->attach);
	else
		status = find_command(o, &path);
	if (o->attach && !x.attach)
		status = DN_EXIT_RECORDER;
	if (status)
		return status << 8;
	/* A full pipe or file is an error of write to us, and where SIGCHLD is
	 * ignored the kernel keeps no status to wait for. */
	sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN }, &to.pipe);
	sigaction(SIGXFSZ, &(struct sigaction){ .sa_handler = SIG_IGN }, &to.xfsz);
	sigaction(SIGCHLD, &(struct sigaction){ .sa_handler = SIG_DFL }, &to.chld);
	x.out = dn_output_open(o->output, why);
	if (!x.out) {
		dn_say("%s", why);
		free(path);
		dn_attach_free(x.attach);
		return DN_EXIT_RECORDER << 8;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (unsigned i = 0; i < NFORWARDED; i++)
		sigaddset(&set, forwarded[i]);
	sigprocmask(SIG_BLOCK, &set, &to.mask);
	x.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	x.alone = next_ended() < 0;
	if (!x.attach && spawn(&x, path, &to)) {
		release(&x);
		return DN_EXIT_RECORDER << 8;
	}
	if (!o->quiet)
		x.line = dn_status_new(STDERR_FILENO);
	status = dn_rec_prepare(&x, who) ? DN_EXIT_RECORDER : 0;
	if (status) {
		if (x.consumer)
			dn_consumer_join(x.consumer);
		if (!x.attach)
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
