/*
 * sched.bpf.h - when a thread leaves its CPU, who wakes it, and when it runs again.
 */
#ifndef DN_SCHED_BPF_H
#define DN_SCHED_BPF_H

#include "state.bpf.h"

static __always_inline void send_off(struct dn_task_state *st, __u64 end)
{
	struct dn_ring_offcpu r = {
		.type = DN_RING_OFFCPU,
		.state = st->off_state,
		.in_call = st->in_call,
		.thread = st->thread,
		.seq = st->seq,
		.nr = st->nr,
		.abi = st->abi,
		.time = end,
		.dur = end - st->off,
	};
	void *ring = this_ring();

	/* One that is woken on its way off its CPU was woken before it left. */
	if (st->woken_by) {
		r.by = st->woken_by;
		r.waker = st->waker;
		r.waker_tid = st->waker_tid;
		r.ready = end - (st->woken > st->off ? st->woken : st->off);
		__builtin_memcpy(r.waker_comm, st->waker_comm, sizeof(r.waker_comm));
	}
	st->off = 0;
	st->woken_by = DN_WOKEN_UNSEEN;
	if (!ring || bpf_ringbuf_output(ring, &r, sizeof(r), BPF_RB_NO_WAKEUP))
		count(DN_COUNT_offcpu_lost);
}

/* It was not seen how it got the CPU that it leaves now: it has had it for as long as the
 * scheduler says. */
static __always_inline void send_unseen(struct dn_task_state *st, __u64 now, __u64 runtime)
{
	__u64 ran = runtime - st->off_runtime;

	send_off(st, ran < now - st->off ? now - ran : st->off);
}

static __always_inline void switched(bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct dn_task_state *from = task_state(prev), *to = task_state(next);
	__u64 now, runtime;

	if (from && from->armed != 1)
		from = NULL;
	if (to && (to->armed != 1 || !to->off))
		to = NULL;
	if (!(from || to))
		return;
	if (run.stopping) {	/* it is listed as one that runs */
		if (to)
			to->off = 0;
		return;
	}
	now = bpf_ktime_get_boot_ns();
	if (to)
		send_off(to, now);
	if (!from)
		return;
	runtime = READ(prev, se.sum_exec_runtime);
	if (from->off)
		send_unseen(from, now, runtime);
	from->off_state = preempt ? DN_OFF_RUNNABLE : dn_off_state(prev);
	from->off_runtime = runtime;
	from->off = now;
}

/* In the waker, or in an interrupt of whoever it holds up. */
TP("sched_waking")
int BPF_PROG(on_waking, struct task_struct *task)
{
	struct dn_task_state *st = task_state(task), *by;

	if (!st || st->armed != 1 || run.stopping)
		return 0;
	st->woken = bpf_ktime_get_boot_ns();
	st->waker = st->waker_tid = 0;
	st->woken_by = dn_interrupted(this_task(), ctx) ? DN_WOKEN_BY_INTERRUPT : DN_WOKEN_BY_TASK;
	if (st->woken_by == DN_WOKEN_BY_INTERRUPT)
		return 0;
	by = task_state(this_task());
	if (by && by->armed)
		st->waker = by->thread;
	st->waker_tid = number_here();
	bpf_get_current_comm(st->waker_comm, sizeof(st->waker_comm));
	return 0;
}

#endif
