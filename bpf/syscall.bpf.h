/*
 * syscall.bpf.h - every system call of the tree, one record each.
 *
 * Number, ABI, arguments and time are taken at the entry, since the registers
 * at the return are no longer the call's after execve and rt_sigreturn, and
 * sent at the return. A return without entry is a seccomp refusal, or the
 * first of a forked child, which made no call.
 */
#ifndef DN_SYSCALL_BPF_H
#define DN_SYSCALL_BPF_H

#include "state.bpf.h"
#include "strings.bpf.h"
#ifndef DN_PLAIN
#include "socket.bpf.h"
#include "stack.bpf.h"
#endif

#ifdef DN_PLAIN	/* process_plain.bpf.h */
static void thread_begins(__u32 process);
static void call_begins(struct task_struct *task, const struct dn_task_state *st, __u32 slot);
static void exec_done(struct task_struct *task, struct dn_task_state *st, struct pt_regs *regs,
		      bool ok);
#endif

static __always_inline bool is_exec(__u32 slot, __u32 nr)
{
	return slot < DN_SLOTS && (nr == knobs.exec_nrs[slot][0] || nr == knobs.exec_nrs[slot][1]);
}

static __always_inline void fill_call(struct dn_ring_call *r, const struct dn_task_state *st,
				      __u64 end, __s64 ret)
{
	r->type = DN_RING_CALL;
	r->abi = st->abi;
	r->nargs = st->nargs;
	r->nstr = st->nstr;
	r->cpu = bpf_get_smp_processor_id();
	r->flags = st->flags;
	r->thread = st->thread;
	r->seq = st->seq;
	r->nr = st->nr;
	r->pad = 0;
	r->start = st->start;
	r->dur = end - st->start;
	/* an error is no secret; an address or a length may be one */
	r->ret = st->hidden && (ret >= 0 || ret < -4095) ? 0 : ret;
	r->args[0] = st->args[0];
	r->args[1] = st->args[1];
	r->args[2] = st->args[2];
}

static __always_inline void fill_rest(struct dn_ring_call *r, const struct dn_task_state *st)
{
	r->args[3] = st->args[3];
	r->args[4] = st->args[4];
	r->args[5] = st->args[5];
}

/*
 * Sends the record of the call that st describes. It counts in the thread's
 * sequence whether there was room or not.
 */
static __always_inline void send_call(struct dn_task_state *st, __u64 end, __s64 ret)
{
	void *ring = this_ring();
	struct dn_ring_call *r;

	if (!ring) {
		lost_call(st->process, st->abi, st->nr, st->start, end);
#ifndef DN_PLAIN
	} else if (st->moved.sock) {
		r = bpf_ringbuf_reserve(ring, DN_RING_CALL_MOVED, 0);
		if (r) {
			fill_call(r, st, end, ret);
			fill_rest(r, st);
			*(struct dn_ring_moved *)&r->args[6] = st->moved;
			bpf_ringbuf_submit(r, wake_flags(ring, st->seq));
		} else {
			count(DN_COUNT_transfer_lost);
			lost_call(st->process, st->abi, st->nr, st->start, end);
		}
		st->moved.sock = 0;
#endif
	} else if (st->nargs <= 3) {	/* the verifier wants one size a reserve */
		r = bpf_ringbuf_reserve(ring, DN_RING_CALL3, 0);
		if (r) {
			fill_call(r, st, end, ret);
			bpf_ringbuf_submit(r, wake_flags(ring, st->seq));
		} else {
			lost_call(st->process, st->abi, st->nr, st->start, end);
		}
	} else {
		r = bpf_ringbuf_reserve(ring, DN_RING_CALL6, 0);
		if (r) {
			fill_call(r, st, end, ret);
			fill_rest(r, st);
			bpf_ringbuf_submit(r, wake_flags(ring, st->seq));
		} else {
			lost_call(st->process, st->abi, st->nr, st->start, end);
		}
	}
	st->seq++;
	st->in_call = 0;
	if (st->next_thread) {	/* an exec from a second thread ended: see process.bpf.h */
		st->thread = st->next_thread;
		st->next_thread = 0;
		st->seq = 0;
	}
}

/* The slot of the open call's ABI. */
static __always_inline __u32 open_slot(const struct dn_task_state *st)
{
	return st->abi == DN_NATIVE_ABI ? DN_SLOT_NATIVE :
		st->abi == DN_ABI_X32 ? DN_SLOT_X32 : DN_SLOT_COMPAT;
}

/* Takes the call of task into st. Returns its ABI's slot. */
static __always_inline __u32 open_call(struct dn_task_state *st, struct task_struct *task,
				       struct pt_regs *regs, __u32 nr)
{
	__u32 slot = dn_call_abi(task, regs, &nr, &st->abi);

	st->nr = nr;
	st->flags = 0;
	st->nstr = 0;
	st->late = 0;
	st->sock_act = 0;
	st->closing = 0;
	st->addr_room = DN_RING_SOCKADDR_MAX;
	if (st->hidden) {
		count(DN_COUNT_hidden);
		st->nargs = 0;
		__builtin_memset(st->args, 0, sizeof(st->args));
		return slot;
	}
	st->nargs = 6;
	if (st->nr < DN_NR_MAX) {
		const volatile struct dn_plan *plan = plan_of(slot, st->nr);

		st->nargs = plan->nargs;
		st->sock_act = plan->sock;
	}
	dn_call_args(regs, st->abi, st->args);
	return slot;
}

/* The command makes itself known by a call with the cookie as its argument. */
static __always_inline bool is_root(struct pt_regs *regs)
{
	__u64 args[6];

	if (!run.root_cookie)
		return false;
	dn_call_args(regs, DN_NATIVE_ABI, args);
	return args[0] == run.root_cookie;
}

static __always_inline int call_enters(struct pt_regs *regs, long id)
{
	struct task_struct *task = this_task();
	struct dn_task_state *st = task_state(task);
	__u32 slot, nr;

	if (!st) {
		if (!is_root(regs))
			return 0;
#ifndef DN_PLAIN
		take_namespace(BPF_CORE_READ(task, real_parent));
#endif
		st = new_state(task, DN_ARMED_WAITS);
		if (st) {
			st->thread = st->process = DN_ROOT_THREAD;
			st->start = run.root_cookie;
		}
		run.root_cookie = 0;
		return 0;
	}
	if (run.stopping)
		return 0;
	if (st->armed != DN_ARMED) {	/* the command, before its first execve */
		if (st->armed != DN_ARMED_WAITS || !is_exec(DN_SLOT_NATIVE, id))
			return 0;
		st->armed = DN_ARMED;
		know_tick();
		count(DN_COUNT_threads);
#ifdef DN_PLAIN
		thread_begins(st->process);
#endif
		send_start(task, st, st->thread, 0, DN_ORIGIN_TARGET, 0);
	}
	st->fresh = 0;
	if (st->in_call) {	/* its return was skipped: kernel_compat.bpf.h */
		if (!(st->flags & DN_CALL_NO_ENTER))	/* or was over before the thread was taken */
			count(DN_COUNT_nested_enter);
		st->flags |= DN_CALL_UNFINISHED;
		send_call(st, st->start, 0);
	}
	st->exec_seen = 0;
	count(DN_COUNT_attempted);
	slot = open_call(st, task, regs, id);
	st->in_call = 1;
	nr = st->nr;
#ifdef DN_PLAIN
	call_begins(task, st, slot);
#else
	if (st->sock_act == DN_SOCK_ACT_CLOSE && run.last_sock)
		sock_closes(st);
#endif
	if (knobs.strings && nr < DN_NR_MAX && !st->hidden &&
	    plan_of(slot, nr)->str[0])
		send_strings(st, slot, false, false);
	st->start = bpf_ktime_get_boot_ns();
	return 0;
}

#ifndef DN_PLAIN
/* The command tells of a descriptor it was given. */
static __always_inline void before_exec(struct dn_task_state *st, struct pt_regs *regs)
{
	__u64 args[6];

	dn_call_args(regs, DN_NATIVE_ABI, args);
	if (args[0] == st->start && args[1])
		sock_inherited(st, args[1] - 1);
}
#endif

#ifndef DN_PLAIN
/* Sends the stack of a call that returns, where it was asked for: for its name, or as it took long. */
static __always_inline void send_call_stack(void *ctx, struct task_struct *task, struct dn_task_state *st,
					    __u32 slot, __u64 now)
{
	struct dn_ring_call_stack r = {
		.type = DN_RING_CALL_STACK,
		.abi = st->abi,
		.thread = st->thread,
		.seq = st->seq,
		.nr = st->nr,
		.time = now,
		.dur = now - st->start,
	};
	bool slow = knobs.stack_slow && r.dur >= knobs.stack_slow && !(st->flags & DN_CALL_NO_ENTER);
	void *ring;

	if (!slow && (r.nr >= DN_NR_MAX || !plan_of(slot, r.nr)->stack))
		return;
	r.stack = stack_here(ctx, task, st, DN_STACK_OF_CALL, now);
	ring = this_ring();
	if (!ring || bpf_ringbuf_output(ring, &r, sizeof(r), BPF_RB_NO_WAKEUP))
		count(DN_COUNT_call_stack_lost);
}
#endif

static __always_inline int call_returns(void *ctx, struct pt_regs *regs, long ret)
{
	struct task_struct *task = this_task();
	struct dn_task_state *st = task_state(task);
	__u64 now;
	__u32 slot;

	if (!st)
		return 0;
#ifdef DN_PLAIN
	if (st->unborn)
		announce(st);
#endif
	now = bpf_ktime_get_boot_ns();
	if (!st->in_call) {
		if (st->fresh) {	/* fork's return in the child: the call is the parent's */
			st->fresh = 0;
			return 0;
		}
#ifndef DN_PLAIN
		if (st->armed == DN_ARMED_WAITS)
			before_exec(st, regs);
#endif
		if (st->armed != DN_ARMED || run.stopping)
			return 0;
		count(DN_COUNT_attempted);
		count(DN_COUNT_exit_only);
		slot = open_call(st, task, regs, dn_call_nr(regs));
		st->flags = DN_CALL_NO_ENTER;
		st->start = now;
		st->late = st->hidden ? 0 : 0xff;
	} else {
		slot = open_slot(st);
		if (st->flags & DN_CALL_NO_ENTER)	/* it was in the call when it was attached to */
			st->start = now;
	}
#ifdef DN_PLAIN
	if (is_exec(slot, st->nr))
		exec_done(task, st, regs, !ret);
#else
	if (knobs.hide_setuid && is_exec(slot, st->nr) && !ret && !st->exec_seen)
		st->hidden = 1;		/* nobody has seen what it became */
#endif
	/* after a successful exec the addresses are another image's */
	if (knobs.strings && st->late && !(is_exec(slot, st->nr) && !ret))
		send_strings(st, slot, true, ret >= 0);
#ifndef DN_PLAIN
	if (st->sock_act)
		sock_call(st, ret);
	if (knobs.stack_calls && st->armed == DN_ARMED && !(is_exec(slot, st->nr) && !ret))
		send_call_stack(ctx, task, st, slot, now);
#endif
	send_call(st, now, ret);
	return 0;
}

TP("sys_enter")
int BPF_PROG(on_sys_enter, struct pt_regs *regs, long id)
{
	return call_enters(regs, id);
}

TP("sys_exit")
int BPF_PROG(on_sys_exit, struct pt_regs *regs, long ret)
{
	return call_returns(ctx, regs, ret);
}

#ifndef DN_RAW
static __always_inline int call_enters_again(struct pt_regs *regs, long id)
{
	struct dn_task_state *st = task_state(this_task());

	return st && !st->in_call ? call_enters(regs, id) : 0;
}

static __always_inline int call_returns_again(void *ctx, struct pt_regs *regs, long ret)
{
	struct dn_task_state *st = task_state(this_task());

	return st && st->in_call ? call_returns(ctx, regs, ret) : 0;
}

TP("sys_enter")
int BPF_PROG(on_sys_enter_again, struct pt_regs *regs, long id)
{
	return call_enters_again(regs, id);
}

TP("sys_exit")
int BPF_PROG(on_sys_exit_again, struct pt_regs *regs, long ret)
{
	return call_returns_again(ctx, regs, ret);
}

/* In the place of each, where it can be kept from being preempted: kernel_compat.bpf.h. */
TP("sys_enter")
int BPF_PROG(on_sys_enter_held, struct pt_regs *regs, long id)
{
	return HELD(call_enters(regs, id));
}

TP("sys_exit")
int BPF_PROG(on_sys_exit_held, struct pt_regs *regs, long ret)
{
	return HELD(call_returns(ctx, regs, ret));
}

TP("sys_enter")
int BPF_PROG(on_sys_enter_again_held, struct pt_regs *regs, long id)
{
	return HELD(call_enters_again(regs, id));
}

TP("sys_exit")
int BPF_PROG(on_sys_exit_again_held, struct pt_regs *regs, long ret)
{
	return HELD(call_returns_again(ctx, regs, ret));
}

/* In the place of all of them, where perf's side of the tracepoints can be had. The layouts
 * are those of events/raw_syscalls; 1: whoever else listens shall have the event too. */
struct dn_raw_syscalls {
	__u64 common;
	long id;
	long ret;		/* of sys_exit */
};

SEC("tp/raw_syscalls/sys_enter")
int on_sys_enter_steady(struct dn_raw_syscalls *e)
{
	call_enters((struct pt_regs *)bpf_task_pt_regs(this_task()), e->id);
	return 1;
}

SEC("tp/raw_syscalls/sys_exit")
int on_sys_exit_steady(struct dn_raw_syscalls *e)
{
	call_returns(e, (struct pt_regs *)bpf_task_pt_regs(this_task()), e->ret);
	return 1;
}
#endif

#endif
