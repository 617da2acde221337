/*
 * attach.bpf.h - processes that were there before the recording become part of the tree:
 * their threads, with the calls these are in, and their sockets.
 *
 * Iterators, which the recorder reads when everything else is attached. Which processes is
 * in a table by their numbers. One that is born of them meanwhile may be passed over, as its
 * number may be behind where the iterator is; it is taken the next time: the recorder asks until
 * none is new. Who is not through its birth (TASK_NEW) is left to on_newtask, or to the next time.
 */
#ifndef DN_ATTACH_BPF_H
#define DN_ATTACH_BPF_H

#include "process_core.bpf.h"

#define TASK_NEW 0x800		/* linux/sched.h; until wake_up_new_task(), after the tracepoint */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);		/* DN_ATTACHED_MAX where there is something to attach to */
	__type(key, __u32);
	__type(value, struct dn_attached);
} attached SEC(".maps");

/* Whether it is the one that had the number when it was looked at. */
static __always_inline bool is_born(const struct dn_attached *p, __u64 born)
{
	return born >= p->born && born - p->born < DN_USER_TICK_NS;
}

/* The process of a task, if it is to be taken. Where detail may have to stop at a process, only those
 * that the recorder has looked at are. */
static __always_inline struct dn_attached *attached_process(struct task_struct *task)
{
	struct task_struct *leader = READ(task, group_leader);
	__u32 pid = dn_number(leader, &run), parent;
	struct dn_attached *p = bpf_map_lookup_elem(&attached, &pid), fresh = {};
	struct task_struct *up;

	if (p)
		return is_born(p, READ(leader, start_boottime)) ? p : NULL;
	if (knobs.hide_setuid)
		return NULL;
	up = BPF_CORE_READ(task, real_parent, group_leader);
	parent = dn_number(up, &run);
	p = bpf_map_lookup_elem(&attached, &parent);
	if (!p || !is_born(p, BPF_CORE_READ(up, start_boottime)))
		return NULL;
	fresh.born = READ(leader, start_boottime);
	bpf_map_update_elem(&attached, &pid, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&attached, &pid);
}

/* What a thread has used by now. Its record is too large for the stack, beside a state. */
static __always_inline void send_base(struct task_struct *task, struct dn_task_state *st)
{
	__u32 use = DN_STACK_OF_TAKEN;
	struct stack_area *a = bpf_map_lookup_elem(&stack_areas, &use);
	struct dn_ring_thread_exit *r;

	if (!a)
		return;
	r = (struct dn_ring_thread_exit *)a->frame;
	__builtin_memset(r, 0, sizeof(*r));
	r->type = DN_RING_THREAD_BASE;
	r->thread = st->thread;
	r->process = st->process;
	fill_figures(task, r);
	send_life(r, sizeof(*r));
}

/* The call in which a task sleeps; its entry was not seen. Of one that does not sleep the registers
 * may change, or be those of a call that is over: it has an entry or a return soon. */
static __always_inline void take_call(struct task_struct *task, struct dn_task_state *st, __u64 now)
{
	struct pt_regs *regs;
	__u32 nr;

#ifndef DN_RAW
	if (!bpf_core_enum_value_exists(enum bpf_func_id___regs, BPF_FUNC_task_pt_regs___regs))
		return;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
#else
	regs = dn_stack_regs(task);
#endif
	if (!regs)
		return;
	nr = dn_call_nr(regs);
	if ((__s32)nr < 0)
		return;
	count(DN_COUNT_attempted);
	count(DN_COUNT_exit_only);
	open_call(st, task, regs, nr);
	st->flags = DN_CALL_NO_ENTER;
	st->late = st->hidden ? 0 : 0xff;
	st->start = now;
	st->in_call = 1;
}

SEC("iter/task")
int take_threads(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task, *leader;
	__u32 done = DN_TAKE_DONE, later = DN_TAKE_LATER, parent;
	struct dn_task_state *st;
	struct dn_attached *p;
	__u64 now, state;

	if (!task || READ(task, flags) & (PF_KTHREAD | PF_EXITING) ||
	    READ(task, tgid) == bpf_get_current_pid_tgid() >> 32)
		return 0;
	if (!run.tick_ns) {
		take_namespace((struct task_struct *)bpf_get_current_task());
		know_tick();
	}
	if (task_state(task))
		return 0;
	p = attached_process(task);
	if (!p)
		return 0;
	state = dn_task_bits(task);
	if (state & TASK_NEW) {
		bpf_seq_write(ctx->meta->seq, &later, sizeof(later));
		return 0;
	}
	st = new_state(task, DN_ARMED_TAKEN);
	if (!st)
		return 0;
	leader = READ(task, group_leader);
	if (!p->process)
		p->process = new_id(&run.last_thread);
	if (!p->space)
		p->space = new_id(&run.last_space);
	st->process = p->process;
	if (!p->led && (leader == task || READ(leader, flags) & PF_EXITING)) {
		p->led = 1;
		st->thread = p->process;
		count(DN_COUNT_threads);
	} else {
		st->thread = new_thread_id();
	}
	st->space = p->space;
	st->fresh = !READ(task, se.sum_exec_runtime);	/* its birth is not over, or it was a moment ago */
	parent = st->thread != p->process ? p->process : 0;
	if (!parent) {
		struct dn_task_state *up = task_state(READ(task, real_parent));

		parent = up && up->armed == DN_ARMED ? up->process : 0;
	}
	send_start(task, st, st->thread, parent, DN_ORIGIN_ATTACH, 0);
	send_base(task, st);
	now = bpf_ktime_get_boot_ns();
	/* A stopped one stops on its way back to user mode: its call is over. A worker makes none, and has the registers of
	 * who made it. */
	if (state && !(state & (__TASK_STOPPED | __TASK_TRACED)) && !(READ(task, flags) & (PF_IO_WORKER | PF_USER_WORKER)))
		take_call(task, st, now);
	if (run.sched && state) {
		st->off_state = dn_off_state(task);
		st->off_runtime = READ(task, se.sum_exec_runtime);
		st->off_in_call = st->in_call;
		st->off_nr = st->nr;
		st->off_abi = st->abi;
		st->off_stack = knobs.stacks ? stack_there(task, st, now) : 0;
		st->off = now;
	}
	asm volatile("" ::: "memory");
	*(volatile __u8 *)&st->armed = DN_ARMED;
	bpf_seq_write(ctx->meta->seq, &done, sizeof(done));
	return 0;
}

SEC("iter/task_file")
int take_sockets(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct dn_task_state *st;
	struct socket *socket;
	struct file *file = ctx->file;
	__u64 at = (__u64)file;

	if (!task || !file)
		return 0;
	st = task_state(task);
	if (!st || st->armed != DN_ARMED || st->hidden)
		return 0;
	socket = BPF_CORE_READ(file, private_data);
	asm volatile("" : "+m"(at));
	if (!socket || (__u64)BPF_CORE_READ(socket, file) != at)
		return 0;
	sock_id((__u64)BPF_CORE_READ(socket, sk), st, DN_SOCK_ATTACHED, ctx->fd, 0);
	return 0;
}

#endif
