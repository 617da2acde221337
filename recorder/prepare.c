/*
 * prepare.c - all of a recording that is there before the command goes: what watches it,
 * the stages that records go through, and the description of the host.
 */
#include "prepare.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attach.h"
#include "clocks.h"
#include "consumer.h"
#include "count.h"
#include "encode.h"
#include "environ.h"
#include "kernel_code.h"
#include "keyframe.h"
#include "options.h"
#include "perfcount.h"
#include "probe.h"
#include "procwatch.h"
#include "rec.h"
#include "recording.h"
#include "rights.h"
#include "sampler.h"
#include "say.h"
#include "stacks.h"
#include "status.h"
#include "stream.h"
#include "symbols.h"
#include "tree.h"
#include "writer.h"

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
	else if (err == ENODATA)
		what = "a kernel with BTF (CONFIG_DEBUG_INFO_BTF) tells more of what runs already";
	else if (err == EMFILE || err == ENFILE)
		what = "raise the limit of open files (ulimit -n)";
	else if (err == ENOMEM)
		what = "ask for less with --buffer, or raise the limit of memory";
	snprintf(out, 512, "%s", what);
}

static int attach_from_proc(struct dn_rec *x)
{
	const struct dn_attach_process *list;
	unsigned n;
	int err = 0;

	list = dn_attach_list(x->attach, &n);
	for (unsigned i = 0; i < n && !err; i++)
		err = dn_procwatch_attach(x->procwatch, list[i].pid, list[i].start);
	return err;
}

/* The lowest way of recording: why the others failed, and what mends it. */
static int from_proc_only(struct dn_rec *x, const char *why, const char *todo)
{
	struct dn_procwatch_opts po = { .sink = &x->locked, .tree = x->tree, .redact = x->o->redact };
	int err;

	/* Who is never found cannot be waited for, unless the kernel makes it our child
	 * when its parent ends. Children of what we were before would be among them. */
	x->reaps = po.reaps = !x->attach && x->o->wait_tree && x->alone && !prctl(PR_SET_CHILD_SUBREAPER, 1);

	if (strcmp(x->rung, "proc"))
		dn_say("recording from /proc only: no system calls, strings and signals, and no processes that "
		       "live for milliseconds: %s; %s", why, todo);
	x->procwatch = dn_procwatch_new(&po);
	err = !x->procwatch ? -errno : x->attach ? attach_from_proc(x) :
		dn_procwatch_target(x->procwatch, x->target.pid, &x->root);
	if (err) {
		dn_say("cannot record from /proc either: %s; mount the /proc of this pid namespace", strerror(-err));
		return err;
	}
	/* Whether the command writes to the terminal is not known: it keeps it. */
	dn_status_free(x->line);
	x->line = NULL;
	return dn_procwatch_emit(x->procwatch, why);
}

/* Of the command, or the first that is attached to. */
static pid_t first_pid(const struct dn_rec *x)
{
	unsigned n;

	return x->attach ? dn_attach_list(x->attach, &n)->pid : x->target.pid;
}

static int prepare_stacks(struct dn_rec *x)
{
	struct dn_stacks_opts so = { .sink = dn_writer_sink(x->writer), .maps = dn_probe_take_maps(x->probe),
		.kernel = dn_kernel_code_new(dn_probe_name, x->probe),
		.symbols = x->o->symbols ? dn_symbols_new() : NULL,
		.generation = dn_probe_stack_generation(x->probe) };
	const struct dn_attach_process *list;
	unsigned n;
	struct stat st;
	char proc[32];
	int err = 0;

	/* As -u or the caller has it: what it writes in /tmp is its own. */
	snprintf(proc, sizeof(proc), "/proc/%d", (int)first_pid(x));
	x->owner = stat(proc, &st) ? geteuid() : st.st_uid;
	x->stacks = dn_stacks_new(&so);
	if (!x->stacks)
		return -ENOMEM;
	if (!x->attach)
		return dn_stacks_follow(x->stacks, (uint32_t)x->target.pid);
	list = dn_attach_list(x->attach, &n);
	for (unsigned i = 0; i < n && !err; i++)
		err = dn_stacks_attach(x->stacks, (uint32_t)list[i].pid);
	return err;
}

/* What only BPF gives records to. */
static int prepare_stream(struct dn_rec *x, enum dn_abi native)
{
	const char *why;
	const uint64_t cycles = dn_probe_cycles(x->probe, &why);
	struct dn_stream_opts to = { .redact = x->o->redact, .sink = dn_writer_sink(x->writer), .tree = x->tree,
		.sample_period_ns = x->o->freq && !cycles ? 1000000000 / x->o->freq : 0, .sample_cycles = cycles,
		.offcpu_min = x->o->offcpu_min_ns, .perf = dn_probe_perf_kinds(x->probe) };

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
		if (!rung && !x->attach && dn_probe_without(x->o->required[i]))
			dn_say("%s, required by --require, goes with -p", x->o->required[i]);
		else if (!rung)
			dn_say("there is nothing called \"%s\" to require; denet-record(1) lists the probes",
			    x->o->required[i]);
		else
			dn_say("%s, required by --require, cannot be observed here; %s", x->o->required[i],
			    x->o->rung ? "a better --rung may" : "denet-record --check says why");
		return -EOPNOTSUPP;
	}
	return 0;
}

/* The same of counters that --counters names. */
static int require_counters(struct dn_rec *x)
{
	const char *why = "it takes BPF (denet-record --check says what is missing)", *name;

	if (!x->o->perf_named)
		return 0;
	name = x->probe ? dn_probe_perf_lacks(x->probe, x->o->perf_named, &why) :
		dn_perf_name((unsigned)__builtin_ctz(x->o->perf_named));
	if (!name)
		return 0;
	dn_say("cannot count %s: %s; --counters=hardware takes what there is, and may be nothing", name, why);
	return -EOPNOTSUPP;
}

static void say_lacks(struct dn_rec *x)
{
	char names[256];
	const char *why;

	if (dn_probe_lacks(x->probe, names, &why))
		dn_say("not observed on this kernel: %s (%s)", names, why);
	dn_probe_cycles(x->probe, &why);
	if (*why)
		dn_say("samples are taken by the clock of each CPU, not by cycles: %s", why);
}

/* The only part that needs capabilities: loads, attaches. Without x->probe why
 * says why and todo what mends it; that is no error. */
static int attach(struct dn_rec *x, char why[512], char todo[512])
{
	struct dn_probe_opts po = { .buffer_bytes = x->o->buffer, .strings = x->o->strings,
		.net = x->o->net, .offcpu = x->o->offcpu, .offcpu_min = x->o->offcpu_min_ns,
		.stack_slow = x->o->stack_slow_ns, .stack_calls = x->o->stack_calls, .stacks = x->o->stacks, .symbols = x->o->symbols,
		.freq = x->o->freq, .cycles = x->o->cycles, .attach = !!x->attach, .perf = x->o->perf, .rung = x->rung[0] ? x->rung : NULL, .bytes = x->bytes[0] ? x->bytes : NULL,
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

int dn_rec_prepare(struct dn_rec *x, const struct dn_invoker *who)
{
	struct dn_writer_opts wo = { .level = x->o->level, .sync = x->o->sync_blocks };
	struct dn_sampler_opts so = { .interval_ns = x->o->interval_ns,
		.max_interval_ns = x->o->max_interval_ns };
	struct dn_keyframe_opts ko = { .arguments = x->attach, .no_redact = !x->o->redact };
	struct dn_environ_opts eo = { .recorder_argv = who->argv, .command_argv = x->o->argv,
		.environ = x->attach ? NULL : who->environ, .no_redact = !x->o->redact, .capabilities = who->capabilities,
		.attached = x->o->attach, .attached_pid = (int)first_pid(x) };
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
	if (!err)
		err = require_counters(x);
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
