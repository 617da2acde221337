/*
 * process_core.bpf.h - exec and death as the kernel's structures tell them.
 */
#ifndef DN_PROCESS_CORE_BPF_H
#define DN_PROCESS_CORE_BPF_H

#include "process.bpf.h"
#include "sched.bpf.h"
#include "perf.bpf.h"

/* linux/binfmts.h: a file that its user may execute and not read */
#define BINPRM_FLAGS_ENFORCE_NONDUMP 1

#define CWD_PARTS 64		/* names read of a working directory */

struct cwd_walk {
	struct exec_scratch *s;
	struct dentry *dentry;
	struct mount *mount;
	__u64 begin;
};

static long cwd_step(__u32 i, struct cwd_walk *w)
{
	struct exec_scratch *s = w->s;
	struct dentry *dentry = w->dentry, *up;
	struct mount *mount = w->mount, *over;
	__u32 len = s->cwd_len;
	long n;

	if (dentry == BPF_CORE_READ(mount, mnt.mnt_root)) {
		over = BPF_CORE_READ(mount, mnt_parent);
		if (over == mount || !over) {
			s->cwd_done = 1;
			return 1;
		}
		w->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
		w->mount = over;
		return 0;
	}
	up = BPF_CORE_READ(dentry, d_parent);
	if (up == dentry || !up) {	/* a detached tree: what there is of it */
		s->cwd_done = 1;
		return 1;
	}
	if (len > DN_RING_PATH_MAX - 256)
		return 1;
	n = bpf_probe_read_kernel_str(&s->data[(w->begin + len) & (EXEC_DATA / 2 - 1)], 256,
				      BPF_CORE_READ(dentry, d_name.name));
	if (n <= 0)
		return 1;
	s->cwd_len = len + n;
	s->cwd_parts++;
	w->dentry = up;
	return 0;
}

/*
 * The working directory as names from the leaf to the root of its mount
 * namespace, each ended by a NUL; the recorder turns them round. bpf_d_path
 * is not allowed in this tracepoint. Returns bytes, or -1.
 */
static __always_inline long read_cwd(struct task_struct *task, struct exec_scratch *s, __u32 off,
				     __u16 *parts)
{
	struct vfsmount *vfs = BPF_CORE_READ(task, fs, pwd.mnt);
	struct cwd_walk w = {
		.s = s,
		.dentry = BPF_CORE_READ(task, fs, pwd.dentry),
		.mount = (void *)vfs - bpf_core_field_offset(struct mount, mnt),
		.begin = off,
	};

	if (!vfs || !w.dentry)
		return -1;
	s->cwd_len = s->cwd_parts = s->cwd_done = 0;
	dn_loop(2 * CWD_PARTS, cwd_step, &w);
	*parts = s->cwd_parts;
	return s->cwd_done ? s->cwd_len : -1;
}

static __always_inline int exec(struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm,
				struct dn_task_state *st)
{
	struct exec_scratch *s;
	unsigned long begin, end;
	__u32 off, old_tid;
	bool hidden, secure;
	__u16 parts = 0;
	long n;

	if (!st || st->armed != DN_ARMED || run.stopping)
		return 0;
	st->space = new_id(&run.last_space);
	if (knobs.perf && st->thread == DN_ROOT_THREAD)
		count_command(task);
	old_tid = st->tid;
	if (old_pid != READ(task, pid))
		tid_changed(task, st);
	begin = BPF_CORE_READ(task, mm, arg_start);
	end = BPF_CORE_READ(task, mm, arg_end);
	if (knobs.strings && st->late && !st->hidden)
		send_exec_strings(st, open_slot(st), (__u64)BPF_CORE_READ(bprm, filename), begin,
				  end > begin ? end - begin : 0);
	/* Whatever becomes of the record. Its own execve is told: those arguments were
	 * the caller's. */
	hidden = st->hidden;
	secure = BPF_CORE_READ_BITFIELD_PROBED(bprm, secureexec);
	if (knobs.hide_setuid &&
	    (secure || BPF_CORE_READ(bprm, interp_flags) & BINPRM_FLAGS_ENFORCE_NONDUMP))
		st->hidden = 1;
	s = take_exec_scratch();
	if (!s) {
		count(DN_COUNT_lifecycle_lost);
		return 0;
	}
	s->head.type = DN_RING_EXEC;
	s->head.secureexec = secure;
	s->head.thread = st->next_thread ? st->next_thread : st->thread;
	s->head.process = st->process;
	s->head.old_tid = old_tid;
	s->head.uid = BPF_CORE_READ(task, cred, euid.val);
	s->head.gid = BPF_CORE_READ(task, cred, egid.val);
	s->head.time = bpf_ktime_get_boot_ns();
	BPF_CORE_READ_INTO(&s->head.comm, task, comm);

	n = hidden ? 0 :
		bpf_probe_read_kernel_str(s->data, DN_RING_PATH_MAX, BPF_CORE_READ(bprm, filename));
	off = n > 0 ? n : 0;
	if (off > DN_RING_PATH_MAX)
		off = DN_RING_PATH_MAX;
	s->head.path_len = off;

	n = hidden ? -1 : read_cwd(task, s, off, &parts);
	if (n < 0 || n > DN_RING_PATH_MAX + 256) {
		n = 0;
		parts = DN_RING_CWD_BAD;
		if (!hidden)
			count(DN_COUNT_cwd_unreadable);
	}
	s->head.cwd_parts = parts;
	s->head.cwd_len = n;
	off += n;

	n = end > begin && !hidden ? end - begin : 0;
	s->head.argv_true_len = hidden ? DN_RING_ARGV_HIDDEN : n;
	if (n > DN_RING_ARGV_MAX)
		n = DN_RING_ARGV_MAX;
	off &= EXEC_DATA / 2 - 1;
	if (n > 0 && bpf_probe_read_user(&s->data[off], n & (2 * DN_RING_ARGV_MAX - 1), (void *)begin))
		n = 0;
	s->head.argv_len = n;
	off += n;
	send_life(&s->head, (sizeof(s->head) + off) & (EXEC_DATA - 1));
	s->busy = 0;
	return 0;
}

TP("sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm)
{
	struct dn_task_state *st = task_state(task);

	if (!st)
		return 0;
	st->exec_seen = 1;
	return exec(task, old_pid, bprm, st);
}

#ifndef DN_RAW
TP("sched_process_exec")
int BPF_PROG(on_exec_again, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm)
{
	struct dn_task_state *st = task_state(task);

	return st && !st->exec_seen ? exec(task, old_pid, bprm, st) : 0;
}
#endif

/* What a thread has used so far. */
static __always_inline void fill_figures(struct task_struct *task, struct dn_ring_thread_exit *r)
{
	r->has_figures = 1;
	r->time = bpf_ktime_get_boot_ns();
	r->utime = READ(task, utime);
	r->stime = READ(task, stime);
	r->runtime = READ(task, se.sum_exec_runtime);
	if (bpf_core_field_exists(task->sched_info.run_delay)) {
		r->run_delay = READ(task, sched_info.run_delay);
		r->has_delay = 1;
	}
	r->nvcsw = READ(task, nvcsw);
	r->nivcsw = READ(task, nivcsw);
	r->minflt = READ(task, min_flt);
	r->majflt = READ(task, maj_flt);
	if (bpf_core_field_exists(task->ioac.rchar) && bpf_core_field_exists(task->ioac.read_bytes)) {
		r->rchar = READ(task, ioac.rchar);
		r->wchar = READ(task, ioac.wchar);
		r->syscr = READ(task, ioac.syscr);
		r->syscw = READ(task, ioac.syscw);
		r->read_bytes = READ(task, ioac.read_bytes);
		r->write_bytes = READ(task, ioac.write_bytes);
		r->cancelled = READ(task, ioac.cancelled_write_bytes);
		r->has_io = 1;
	}
}

static __always_inline int task_exit(struct task_struct *task, unsigned long long *ctx)
{
	struct dn_task_state *st = task_state(task);
	struct dn_ring_thread_exit r = {};

	if (!st || st->armed != DN_ARMED) {
		if (st && st->armed == DN_ARMED_TAKEN)	/* at this very moment: its end is not told */
			count(DN_COUNT_lifecycle_lost);
		return 0;
	}
	if (st->in_call) {	/* exit and exit_group do not return */
		st->flags |= DN_CALL_UNFINISHED;
		st->next_thread = 0;
		send_call(st, st->start, 0);
	}
	if (st->off)
		send_unseen(st, bpf_ktime_get_boot_ns(), READ(task, se.sum_exec_runtime));
	if (knobs.offcpu_min)
		send_short(st);
	r.type = DN_RING_THREAD_EXIT;
	r.group_dead = dn_group_dead(task, ctx);
	r.thread = st->thread;
	r.process = st->process;
	r.seq = st->seq;
	r.exit_code = READ(task, exit_code);
	fill_figures(task, &r);
	r.maxrss_pages = BPF_CORE_READ(task, signal, maxrss);
	BPF_CORE_READ_INTO(&r.comm, task, comm);
	send_life(&r, sizeof(r));
	st->armed = DN_ARMED_LEAVES;
	if (run.ends_at_exit)
		drop_state(task, st);
	return 0;
}

TP("sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	return task_exit(task, ctx);
}

#ifndef DN_RAW
TP("sched_process_exit")
int BPF_PROG(on_exit_again, struct task_struct *task)
{
	return task_exit(task, ctx);
}
#endif

/*
 * A task's last switch: sum_exec_runtime is brought up to date at ticks and
 * switches only, and at its exit lacks up to a tick. One program for that and for what
 * sched.bpf.h and perf.bpf.h make of switches: each switch of the machine asks once, and a tracepoint that
 * loses the last but one of its programs waits for its readers (kernel/tracepoint.c).
 */
TP("sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct dn_ring_thread_gone r = {};
	struct dn_task_state *st;

	if (run.sched)
		switched(ctx, preempt, prev, next);
	if (knobs.perf && !run.stopping)
		count_switch(prev, next);
	if (!(dn_task_bits(prev) & TASK_DEAD))
		return 0;
	st = task_state(prev);
	if (!st)
		return 0;
	if (knobs.perf)
		tell_counted(st);
	r.type = DN_RING_THREAD_GONE;
	r.thread = st->armed == DN_ARMED_LEAVES ? st->thread : 0;
	drop_state(prev, st);
	if (!r.thread)
		return 0;
	r.runtime = READ(prev, se.sum_exec_runtime);
	if (bpf_core_field_exists(prev->sched_info.run_delay))
		r.run_delay = READ(prev, sched_info.run_delay);
	r.nvcsw = READ(prev, nvcsw);
	r.nivcsw = READ(prev, nivcsw);
	send_life(&r, sizeof(r));
	return 0;
}

#endif
