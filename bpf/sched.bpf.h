/*
 * sched.bpf.h - when a thread leaves its CPU, who wakes it, and when it runs again.
 */
#ifndef DN_SCHED_BPF_H
#define DN_SCHED_BPF_H

#include "stack.bpf.h"

#define WOKEN_ON_THE_WAY 1000000	/* ns before it left its CPU: a wake-up older than that was of no sleep */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);		/* DN_SHORT_MAX with knobs.offcpu_min */
	__type(key, struct dn_short_key);
	__type(value, struct dn_short);
} short_times SEC(".maps");

/* Adds a time to the sums of a thread, which runs on one CPU at a time. False: there is no room. */
static __always_inline bool add_short(const struct dn_ring_offcpu *r)
{
	struct dn_short_key key = { .thread = r->thread, .state = r->state };
	struct dn_short fresh = { .total = r->dur, .ready = r->by ? r->ready : 0, .count = 1 }, *sum;

	sum = bpf_map_lookup_elem(&short_times, &key);
	if (!sum)
		return !bpf_map_update_elem(&short_times, &key, &fresh, BPF_NOEXIST);
	sum->total += fresh.total;
	sum->ready += fresh.ready;
	sum->count++;
	return true;
}

/* A thread ends: its sums are told. Those of others the recorder reads at the end. */
static __always_inline void send_short(struct dn_task_state *st)
{
	for (__u32 state = 0; state < DN_SHORT_STATES; state++) {
		struct dn_short_key key = { .thread = thread_now(st), .state = state };
		struct dn_short *sum = bpf_map_lookup_elem(&short_times, &key);
		struct dn_ring_short r = { .type = DN_RING_SHORT, .state = state, .thread = key.thread };

		if (!sum)
			continue;
		r.time = bpf_ktime_get_boot_ns();
		r.sum = *sum;
		send_life(&r, sizeof(r));
		bpf_map_delete_elem(&short_times, &key);
	}
}

static __always_inline void send_off(struct dn_task_state *st, __u64 end)
{
	struct dn_ring_offcpu r = {
		.type = DN_RING_OFFCPU,
		.state = st->off_state,
		.in_call = st->off_in_call && !st->next_thread,
		.thread = thread_now(st),
		.seq = st->off_seq,
		.nr = st->off_nr,
		.abi = st->off_abi,
		.time = end,
		.stack = st->off_stack,
		.dur = end > st->off ? end - st->off : 0,
	};
	__u64 ready = st->woken > st->off ? st->woken : st->off;
	void *ring = this_ring();

	/* One that is woken on its way off its CPU was woken before it left. */
	if (st->woken_by && ready <= end) {
		r.by = st->woken_by;
		r.waker = st->waker;
		r.waker_tid = st->waker_tid;
		r.ready = end - ready;
		__builtin_memcpy(r.waker_comm, st->waker_comm, sizeof(r.waker_comm));
	}
	st->off = st->off_stack = 0;
	st->woken_by = DN_WOKEN_UNSEEN;
	if (knobs.offcpu_min && r.dur < knobs.offcpu_min && r.state < DN_SHORT_STATES && add_short(&r))
		return;
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

/* Looks for the states itself, as count_switch() does: with both handed in the verifier walks twice as far. */
static __always_inline void switched(void *ctx, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct dn_task_state *from = task_state(prev), *to = task_state(next);
	__u64 now = 0, runtime;

	if (from && from->armed != DN_ARMED)
		from = NULL;
	if (to && (to->armed != DN_ARMED || !to->off))
		to = NULL;
	if (run.stopping)
		return;
	if (to) {
		now = bpf_ktime_get_boot_ns();
		send_off(to, now);
	}
	if (!from)
		return;
	if (!now)
		now = bpf_ktime_get_boot_ns();
	runtime = READ(prev, se.sum_exec_runtime);
	if (from->off)
		send_unseen(from, now, runtime);
	from->off_stack = knobs.stacks ? stack_here(ctx, prev, from, DN_STACK_OF_SWITCH, now) : 0;
	from->off_state = preempt ? DN_OFF_RUNNABLE : dn_off_state(prev);
	from->off_runtime = runtime;
	from->off_in_call = from->in_call;
	from->off_seq = from->seq;
	from->off_nr = from->nr;
	from->off_abi = from->abi;
	if (from->off_state == DN_OFF_RUNNABLE || now - from->woken > WOKEN_ON_THE_WAY)
		from->woken_by = DN_WOKEN_UNSEEN;
	from->off = now;
}

/* In the waker, or in an interrupt of whoever it holds up. */
TP("sched_waking")
int BPF_PROG(on_waking, struct task_struct *task)
{
	struct dn_task_state *st = task_state(task), *by;

	if (!st || st->armed != DN_ARMED || run.stopping)
		return 0;
	st->woken = bpf_ktime_get_boot_ns();
	st->waker = st->waker_tid = 0;
	st->woken_by = dn_interrupted(this_task(), ctx) ? DN_WOKEN_BY_INTERRUPT : DN_WOKEN_BY_TASK;
	if (st->woken_by == DN_WOKEN_BY_INTERRUPT)
		return 0;
	by = task_state(this_task());
	if (by && by->armed)
		st->waker = thread_now(by);
	st->waker_tid = number_here();
	bpf_get_current_comm(st->waker_comm, sizeof(st->waker_comm));
	return 0;
}

#endif
