/*
 * procwatch_rows.c - rows of what the looks at /proc found, and of what they
 * cannot find.
 */
#include "observed.h"
#include "procwatch_int.h"

#include <string.h>

#include "clocks.h"
#include "redact.h"
#include "row.h"
#include "tree.h"

static struct dn_value text(const char *p, size_t cap)
{
	return dn_str(p, strnlen(p, cap));
}

int dn_watch_start_row(struct dn_procwatch *w, const struct dn_watched *p, uint32_t thread, uint32_t tid,
		     uint32_t parent, uint32_t ppid, const struct dn_pid_stat *st, unsigned origin)
{
	struct dn_tree_thread t = { .thread = thread, .process = p->id, .parent = parent,
		.tid = tid, .pid = (uint32_t)p->pid, .ppid = ppid };
	struct dn_value v[DN_F_thread_start_N];
	uint64_t now = dn_now(), born = dn_scale(st->start, w->tick_ns);

	/* A tick is long. It was not there at the last look, but for the root. */
	if (origin == DN_ORIGIN_PROC && born < w->looked)
		born = w->looked < born + w->tick_ns ? w->looked : born + w->tick_ns - 1;
	t.born = (born < now ? born : now) - (uint64_t)w->timens;
	dn_watch_keep_comm(t.comm, st);
	dn_tree_add(w->o.tree, &t);
	w->counts.threads++;
	w->changed = now;
	dn_row_clear(v, DN_F_thread_start_N);
	v[DN_F_thread_start_time] = dn_u(now);
	v[DN_F_thread_start_thread] = dn_u(thread);
	v[DN_F_thread_start_process] = dn_u(p->id);
	if (parent)
		v[DN_F_thread_start_parent_thread] = dn_u(parent);
	v[DN_F_thread_start_tid] = dn_u(tid);
	v[DN_F_thread_start_pid] = dn_u((uint64_t)p->pid);
	v[DN_F_thread_start_ppid] = dn_u(ppid);
	v[DN_F_thread_start_origin] = dn_u(origin);
	v[DN_F_thread_start_born] = dn_u(t.born);
	v[DN_F_thread_start_comm] = text(t.comm, sizeof(t.comm));
	return dn_row_send(w->o.sink, DN_EV_thread_start, v, DN_F_thread_start_N);
}

int dn_watch_exec_row(struct dn_procwatch *w, const struct dn_watched *p, const struct dn_image *im)
{
	struct dn_value v[DN_F_exec_N];
	const char *list = w->argv;
	size_t len = im->argv;
	unsigned redacted = 0;

	if (w->o.redact) {
		len = dn_redact_argv(w->argv, im->argv, w->clean, sizeof(w->clean), &redacted);
		list = w->clean;
		w->counts.redacted += redacted;
	}
	w->changed = dn_now();
	dn_tree_rename(w->o.tree, p->id, p->comm);
	dn_row_clear(v, DN_F_exec_N);
	v[DN_F_exec_time] = dn_u(w->changed);
	v[DN_F_exec_thread] = dn_u(p->id);
	v[DN_F_exec_process] = dn_u(p->id);
	if (im->path > 0)
		v[DN_F_exec_path] = dn_str(w->exe, (size_t)im->path);
	if (im->argv) {
		v[DN_F_exec_argv] = dn_str(list, len);
		v[DN_F_exec_argv_len] = dn_u(im->argv_whole + len - im->argv);
		v[DN_F_exec_redacted] = dn_u(redacted);
	}
	if (im->cwd > 0)
		v[DN_F_exec_cwd] = dn_str(w->cwd, (size_t)im->cwd);
	v[DN_F_exec_uid] = dn_measured(im->euid);
	v[DN_F_exec_gid] = dn_measured(im->egid);
	v[DN_F_exec_comm] = text(p->comm, sizeof(p->comm));
	return dn_row_send(w->o.sink, DN_EV_exec, v, DN_F_exec_N);
}

int dn_watch_comm_row(struct dn_procwatch *w, const struct dn_watched *p)
{
	struct dn_value v[DN_F_comm_N];

	w->changed = dn_now();
	dn_tree_rename(w->o.tree, p->id, p->comm);
	v[DN_F_comm_time] = dn_u(w->changed);
	v[DN_F_comm_thread] = dn_u(p->id);
	v[DN_F_comm_comm] = text(p->comm, sizeof(p->comm));
	return dn_row_send(w->o.sink, DN_EV_comm, v, DN_F_comm_N);
}

int dn_watch_exit_row(struct dn_procwatch *w, const struct dn_watched *p, uint32_t thread, bool last)
{
	const struct dn_figures *f = &p->figures;
	struct dn_value v[DN_F_thread_exit_N];

	w->changed = dn_now();
	dn_tree_remove(w->o.tree, thread, last);
	dn_row_clear(v, DN_F_thread_exit_N);
	v[DN_F_thread_exit_time] = dn_u(w->changed);
	v[DN_F_thread_exit_thread] = dn_u(thread);
	v[DN_F_thread_exit_process] = dn_u(p->id);
	v[DN_F_thread_exit_group_dead] = dn_u(last);
	if (last) {
		v[DN_F_thread_exit_exit_code] = dn_measured(f->code);
		v[DN_F_thread_exit_maxrss] = dn_measured(f->peak);
		v[DN_F_thread_exit_comm] = text(p->comm, sizeof(p->comm));
	}
	if (last && !p->threaded && !p->attached) {
		v[DN_F_thread_exit_utime] = dn_measured(f->utime);
		v[DN_F_thread_exit_stime] = dn_measured(f->stime);
		v[DN_F_thread_exit_minflt] = dn_measured(f->minflt);
		v[DN_F_thread_exit_majflt] = dn_measured(f->majflt);
		v[DN_F_thread_exit_rchar] = dn_measured(f->io.rchar);
		v[DN_F_thread_exit_wchar] = dn_measured(f->io.wchar);
		v[DN_F_thread_exit_syscr] = dn_measured(f->io.syscr);
		v[DN_F_thread_exit_syscw] = dn_measured(f->io.syscw);
		v[DN_F_thread_exit_read_bytes] = dn_measured(f->io.read_bytes);
		v[DN_F_thread_exit_write_bytes] = dn_measured(f->io.write_bytes);
		v[DN_F_thread_exit_cancelled_write_bytes] = dn_measured(f->io.cancelled_write_bytes);
	}
	/* These are of one thread, utime and stime of all: where they are more,
	 * there were others between two looks, or these are the older ones. */
	if (last && !p->threaded && !p->attached && f->run.runtime >= f->utime + f->stime) {
		v[DN_F_thread_exit_runtime] = dn_measured(f->run.runtime);
		v[DN_F_thread_exit_run_delay] = dn_measured(f->run.delay);
		v[DN_F_thread_exit_nvcsw] = dn_measured(f->status.nvcsw);
		v[DN_F_thread_exit_nivcsw] = dn_measured(f->status.nivcsw);
	}
	return dn_row_send(w->o.sink, DN_EV_thread_exit, v, DN_F_thread_exit_N);
}

int dn_watch_sample_row(struct dn_procwatch *w, const struct dn_watched *p)
{
	const struct dn_figures *f = &p->figures;
	struct dn_value v[DN_F_process_sample_N];

	dn_row_clear(v, DN_F_process_sample_N);
	v[DN_F_process_sample_time] = dn_u(p->looked);
	v[DN_F_process_sample_process] = dn_u(p->id);
	v[DN_F_process_sample_pid] = dn_u((uint64_t)p->pid);
	v[DN_F_process_sample_phase] = dn_u(DN_PHASE_LAST);
	v[DN_F_process_sample_state] = dn_u((unsigned char)p->stat.state);
	v[DN_F_process_sample_utime] = dn_measured(f->utime);
	v[DN_F_process_sample_stime] = dn_measured(f->stime);
	v[DN_F_process_sample_threads] = dn_measured(p->stat.threads);
	v[DN_F_process_sample_minflt] = dn_measured(f->minflt);
	v[DN_F_process_sample_majflt] = dn_measured(f->majflt);
	v[DN_F_process_sample_rchar] = dn_measured(f->io.rchar);
	v[DN_F_process_sample_wchar] = dn_measured(f->io.wchar);
	v[DN_F_process_sample_syscr] = dn_measured(f->io.syscr);
	v[DN_F_process_sample_syscw] = dn_measured(f->io.syscw);
	v[DN_F_process_sample_read_bytes] = dn_measured(f->io.read_bytes);
	v[DN_F_process_sample_write_bytes] = dn_measured(f->io.write_bytes);
	return dn_row_send(w->o.sink, DN_EV_process_sample, v, DN_F_process_sample_N);
}

int dn_watch_end_row(struct dn_procwatch *w, const struct dn_watched *p, uint32_t thread, uint64_t now)
{
	struct dn_value v[DN_F_thread_end_N];

	dn_row_clear(v, DN_F_thread_end_N);
	v[DN_F_thread_end_time] = dn_u(now);
	v[DN_F_thread_end_thread] = dn_u(thread);
	v[DN_F_thread_end_process] = dn_u(p->id);
	return dn_row_send(w->o.sink, DN_EV_thread_end, v, DN_F_thread_end_N);
}

/* --- what is seen this way, and what is not ------------------------------------------------ */

static const struct {
	const char *name, *rung;
} probes[] = {
	{ "syscalls", "none" },
	{ "strings", "none" },
	{ "process", "proc" },
	{ "scheduling", "none" },
	{ "samples", "none" },
	{ "stacks", "none" },
	{ "counters", "none" },
	{ "signals", "none" },
	{ "oom", "none" },
	{ "names", "proc" },
	{ "cwd", "proc" },
	{ "exit_figures", "proc" },
	{ "threads_at_end", "proc" },
};

static const struct {
	const char *subject, *reason;
} blind[] = {
	{ "short_processes", "processes and threads that begin and end between two looks at /proc (1 to 10 ms, longer "
	  "where there are many) are missing, and with a process its children" },
	{ "execs", "an execve is seen at the next look, by the program's own path; of several in between only the last" },
	{ "ends", "times of beginning and end are those of looks; figures and status of a process whose parent waited "
	  "for it at once are those of the last look, or not known" },
	{ "thread_names", "names that threads but the first give themselves later" },
	{ "samples", "what threads do on their CPUs is not sampled" },
	{ "stacks", "no stacks are recorded" },
};

const char *dn_procwatch_rung(const char *name)
{
	for (unsigned i = 0; i < sizeof(probes) / sizeof(probes[0]); i++)
		if (!strcmp(probes[i].name, name))
			return probes[i].rung;
	return "none";
}

int dn_procwatch_emit(struct dn_procwatch *w, const char *why)
{
	int err = 0;

	for (unsigned i = 0; i < sizeof(probes) / sizeof(probes[0]) && !err; i++)
		err = dn_probe_row(w->o.sink, probes[i].name, probes[i].rung, why);
	for (unsigned i = 0; i < sizeof(blind) / sizeof(blind[0]) && !err; i++)
		err = dn_not_observed_row(w->o.sink, blind[i].subject, blind[i].reason);
	return err;
}
