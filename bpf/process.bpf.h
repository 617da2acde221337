/*
 * process.bpf.h - birth, exec, rename and death of the tasks of the tree.
 *
 * A task's state is made in task_newtask, which runs in the parent before the
 * child can: no call of it is missed. A thread that calls execve while it is
 * not the first of its process takes over the first one's tid in the middle
 * of the call; from the call's return on it has a thread id of its own in the
 * trace (origin EXEC), so that each id stands for one tid.
 */
#ifndef DN_PROCESS_BPF_H
#define DN_PROCESS_BPF_H

#include "syscall.bpf.h"

#define CLONE_VM 0x00000100ull	/* linux/sched.h */
#define CLONE_VFORK 0x00004000ull
#define CLONE_THREAD 0x00010000ull

#define CWD_PARTS 64		/* names read of a working directory */
#define EXEC_DATA 32768		/* power of two above path + cwd + argv */

struct exec_scratch {
	__u32 busy;
	__u32 cwd_len;		/* state of read_cwd, in a map as in strings.bpf.h */
	__u32 cwd_parts;
	__u32 cwd_done;
	struct dn_ring_exec head;
	char data[EXEC_DATA];
};

/* One for each CPU, its size set by the recorder: a value of a per-CPU map may
 * have 32 KiB at most (mm/percpu.c, PCPU_MIN_UNIT_SIZE). */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct exec_scratch);
} exec_scratch SEC(".maps");

static __always_inline __u32 new_thread_id(void)
{
	count(DN_COUNT_threads);
	return __sync_fetch_and_add(&last_thread, 1) + 1;
}

SEC("tp_btf/task_newtask")
int BPF_PROG(on_newtask, struct task_struct *child, __u64 flags)
{
	struct dn_task_state *parent = task_state(bpf_get_current_task_btf());
	struct dn_task_state init = {}, *st;
	__u8 origin;

	if (!parent || !parent->armed || stopping)
		return 0;
	st = bpf_task_storage_get(&tasks, child, &init, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!st) {
		count(DN_COUNT_storage_failed);
		return 0;
	}
	st->thread = new_thread_id();
	st->process = flags & CLONE_THREAD ? parent->process : st->thread;
	st->armed = 1;
	st->fresh = 1;
	origin = flags & CLONE_THREAD ? DN_ORIGIN_THREAD : flags & CLONE_VFORK ? DN_ORIGIN_VFORK :
		flags & CLONE_VM ? DN_ORIGIN_CLONE : DN_ORIGIN_FORK;
	send_start(child, st, st->thread, parent->thread, origin, flags);
	return 0;
}

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

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm)
{
	struct dn_task_state *st = task_state(task);
	struct exec_scratch *s;
	unsigned long begin, end;
	__u32 cpu = bpf_get_smp_processor_id(), off;
	__u16 parts = 0;
	long n;

	if (!st || !st->armed || stopping)
		return 0;
	if (old_pid != task->pid) {
		st->flags |= DN_CALL_TID_CHANGED;
		st->next_thread = new_thread_id();
		st->seq++;	/* records of the old id, the execve's among them */
		send_start(task, st, st->next_thread, st->thread, DN_ORIGIN_EXEC, 0);
		st->seq--;
	}
	begin = BPF_CORE_READ(task, mm, arg_start);
	end = BPF_CORE_READ(task, mm, arg_end);
	if (knob_strings && st->late)
		send_exec_strings(st, open_slot(st), (__u64)BPF_CORE_READ(bprm, filename), begin,
				  end > begin ? end - begin : 0);
	s = bpf_map_lookup_elem(&exec_scratch, &cpu);
	if (!s || s->busy) {
		count(DN_COUNT_lifecycle_lost);
		return 0;
	}
	s->busy = 1;
	s->head.type = DN_RING_EXEC;
	s->head.secureexec = BPF_CORE_READ_BITFIELD_PROBED(bprm, secureexec);
	s->head.thread = st->next_thread ? st->next_thread : st->thread;
	s->head.process = st->process;
	s->head.old_tid = old_pid;
	s->head.uid = BPF_CORE_READ(task, cred, euid.val);
	s->head.gid = BPF_CORE_READ(task, cred, egid.val);
	s->head.time = bpf_ktime_get_boot_ns();
	bpf_probe_read_kernel(s->head.comm, sizeof(s->head.comm), task->comm);

	n = bpf_probe_read_kernel_str(s->data, DN_RING_PATH_MAX, BPF_CORE_READ(bprm, filename));
	off = n > 0 ? n : 0;
	if (off > DN_RING_PATH_MAX)
		off = DN_RING_PATH_MAX;
	s->head.path_len = off;

	n = read_cwd(task, s, off, &parts);
	if (n < 0 || n > DN_RING_PATH_MAX + 256) {
		n = 0;
		parts = DN_RING_CWD_BAD;
		count(DN_COUNT_cwd_unreadable);
	}
	s->head.cwd_parts = parts;
	s->head.cwd_len = n;
	off += n;

	n = end > begin ? end - begin : 0;
	s->head.argv_true_len = n;
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

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	struct dn_task_state *st = task_state(task);
	struct dn_ring_thread_exit r = {};

	if (!st || st->armed != 1)
		return 0;
	if (st->in_call) {	/* exit and exit_group do not return */
		st->flags |= DN_CALL_UNFINISHED;
		st->next_thread = 0;
		send_call(st, st->start, 0);
	}
	r.type = DN_RING_THREAD_EXIT;
	r.group_dead = dn_group_dead(task, ctx);
	r.thread = st->thread;
	r.process = st->process;
	r.seq = st->seq;
	r.exit_code = task->exit_code;
	r.time = bpf_ktime_get_boot_ns();
	r.utime = task->utime;
	r.stime = task->stime;
	r.runtime = task->se.sum_exec_runtime;
	if (bpf_core_field_exists(task->sched_info.run_delay)) {
		r.run_delay = task->sched_info.run_delay;
		r.has_delay = 1;
	}
	r.nvcsw = task->nvcsw;
	r.nivcsw = task->nivcsw;
	r.minflt = task->min_flt;
	r.majflt = task->maj_flt;
	if (bpf_core_field_exists(task->ioac.rchar) && bpf_core_field_exists(task->ioac.read_bytes)) {
		r.rchar = task->ioac.rchar;
		r.wchar = task->ioac.wchar;
		r.syscr = task->ioac.syscr;
		r.syscw = task->ioac.syscw;
		r.read_bytes = task->ioac.read_bytes;
		r.write_bytes = task->ioac.write_bytes;
		r.cancelled = task->ioac.cancelled_write_bytes;
		r.has_io = 1;
	}
	r.maxrss_pages = BPF_CORE_READ(task, signal, maxrss);
	bpf_probe_read_kernel(r.comm, sizeof(r.comm), task->comm);
	send_life(&r, sizeof(r));
	st->armed = 2;
	return 0;
}

/*
 * A task's last switch: sum_exec_runtime is brought up to date at ticks and
 * switches only, and at its exit lacks up to a tick. Any other switch costs
 * the look at one field.
 */
SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev)
{
	struct dn_ring_thread_gone r = {};
	struct dn_task_state *st;

	if (!dn_task_dead(prev))
		return 0;
	st = task_state(prev);
	if (!st || st->armed != 2)
		return 0;
	st->armed = 0;
	r.type = DN_RING_THREAD_GONE;
	r.thread = st->thread;
	r.runtime = prev->se.sum_exec_runtime;
	if (bpf_core_field_exists(prev->sched_info.run_delay))
		r.run_delay = prev->sched_info.run_delay;
	r.nvcsw = prev->nvcsw;
	r.nivcsw = prev->nivcsw;
	send_life(&r, sizeof(r));
	return 0;
}

SEC("tp_btf/task_rename")
int BPF_PROG(on_rename, struct task_struct *task, const char *comm)
{
	struct dn_task_state *st = task_state(task);
	struct dn_ring_comm r = {};

	if (!st || !st->armed)
		return 0;
	if (st->in_call && is_exec(open_slot(st), st->nr))
		return 0;	/* the exec record has the name */
	r.type = DN_RING_COMM;
	r.thread = st->thread;
	r.time = bpf_ktime_get_boot_ns();
	bpf_probe_read_kernel_str(r.comm, sizeof(r.comm), comm);
	send_life(&r, sizeof(r));
	return 0;
}

#endif
