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

/* This CPU's scratch area, or NULL where it is taken. */
static __always_inline struct exec_scratch *take_exec_scratch(void)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct exec_scratch *s = bpf_map_lookup_elem(&exec_scratch, &cpu);

	return s && take(&s->busy) ? s : NULL;
}

/* The current task, not the first of its process, has the first one's tid now. */
static __always_inline void tid_changed(struct task_struct *task, struct dn_task_state *st)
{
	st->flags |= DN_CALL_TID_CHANGED;
	st->next_thread = new_thread_id();
	st->seq++;	/* records of the old id, the execve's among them */
	send_start(task, st, st->next_thread, st->thread, DN_ORIGIN_EXEC, 0);
	st->seq--;
}

#define CLONE_VM 0x00000100ull	/* linux/sched.h */
#define CLONE_VFORK 0x00004000ull
#define CLONE_THREAD 0x00010000ull

static __always_inline int newtask(struct task_struct *child, __u64 flags)
{
	struct dn_task_state *parent = task_state(this_task()), *st;
	__u8 origin;

	if (!parent || parent->armed != DN_ARMED || run.stopping)
		return 0;
	st = new_state(child, DN_ARMED_WAITS);
	if (!st)
		return 0;
	st->thread = new_thread_id();
	st->process = flags & CLONE_THREAD ? parent->process : st->thread;
	st->hidden = parent->hidden;
	st->space = flags & CLONE_VM ? parent->space : new_id(&run.last_space);
	st->armed = DN_ARMED;
	st->fresh = 1;
	origin = flags & CLONE_THREAD ? DN_ORIGIN_THREAD : flags & CLONE_VFORK ? DN_ORIGIN_VFORK :
		flags & CLONE_VM ? DN_ORIGIN_CLONE : DN_ORIGIN_FORK;
#ifndef DN_PLAIN
	send_start(child, st, st->thread, parent->thread, origin, flags);
	if (run.sched) {
		st->off = bpf_ktime_get_boot_ns();
		st->off_state = DN_OFF_NEW;
	}
#else
	thread_begins(st->process);
	st->unborn = 1;
	st->start = bpf_ktime_get_boot_ns();
	st->args[DN_UNBORN_FLAGS] = flags;
	st->args[DN_UNBORN_PARENT] = parent->thread;
	st->args[DN_UNBORN_PPID] = numbers_here() >> 32;
	st->args[DN_UNBORN_ORIGIN] = origin;
#endif
	return 0;
}

TP("task_newtask")
int BPF_PROG(on_newtask, struct task_struct *child, __u64 flags)
{
	return newtask(child, flags);
}

#ifndef DN_RAW
TP("task_newtask")
int BPF_PROG(on_newtask_again, struct task_struct *child, __u64 flags)
{
	return task_state(child) ? 0 : newtask(child, flags);
}
#endif

TP("task_rename")
int BPF_PROG(on_rename, struct task_struct *task, const char *comm)
{
	struct dn_task_state *st = task_state(task);
	struct dn_ring_comm r = {};

	if (!st || st->armed != DN_ARMED)
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
