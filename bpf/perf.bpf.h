/*
 * perf.bpf.h - what performance counters count while threads of the tree are on CPUs.
 *
 * Each counter is one perf event on each CPU, which counts whatever runs there; the recorder puts them
 * into perf_events. What it says as a thread gets a CPU is kept beside that CPU; as the
 * thread leaves it, the difference is added to the thread's sums. So a switch between tasks that are
 * not of the tree reads no counter, and no event is switched with a task. The sums are told at the
 * thread's last switch; those of threads that live on the recorder reads at the end, after
 * settle_counts has run on each CPU. What is of a CPU has no lock: switches and that program run with
 * interrupts off.
 */
#ifndef DN_PERF_BPF_H
#define DN_PERF_BPF_H

#include "state.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(max_entries, 1);		/* with knobs.perf: of each enum dn_perf all CPUs, one kind after the other */
	__type(key, __u32);
	__type(value, __u32);
} perf_events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);		/* DN_PERF_MAX with knobs.perf */
	__type(key, __u32);
	__type(value, struct dn_ring_perf);
} perf_sums SEC(".maps");

/* The stretch of time that runs on a CPU. */
struct stretch {
	__u64 task;		/* whose: its address; 0: of none in the tree */
	struct dn_perf_sum from[DN_PERF_KINDS];
	struct dn_ring_perf counted;	/* scratch: too large for the stack */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct stretch);
} stretches SEC(".maps");

/* What was counted since the last look on this CPU, to s->counted; what is next begins here. */
static __always_inline void look_at_counters(struct stretch *s)
{
	__u32 cpu = bpf_get_smp_processor_id();

	for (__u32 i = 0; i < DN_PERF_KINDS; i++) {
		struct dn_perf_sum now = {}, *from = &s->from[i], *counted = &s->counted.sum[i];

		if (!(knobs.perf & 1u << i))
			continue;
		/* Of a CPU that came later there is no event, and all stay 0. */
		bpf_perf_event_read_value(&perf_events, i * knobs.cpus + cpu, (void *)&now, sizeof(now));
		if (now.enabled && from->enabled) {
			counted->value = now.value - from->value;
			counted->enabled = now.enabled - from->enabled;
			counted->running = now.running - from->running;
		} else {
			*counted = (struct dn_perf_sum){};
		}
		*from = now;
	}
}

/* s->counted is this thread's. */
static __always_inline void add_counted(struct stretch *s, __u32 thread)
{
	struct dn_ring_perf *sums = bpf_map_lookup_elem(&perf_sums, &thread);

	if (!sums) {
		s->counted.type = DN_RING_PERF;
		s->counted.kinds = knobs.perf;
		s->counted.thread = thread;
		if (bpf_map_update_elem(&perf_sums, &thread, &s->counted, BPF_NOEXIST))
			count(DN_COUNT_perf_missed);
		return;
	}
	for (__u32 i = 0; i < DN_PERF_KINDS; i++) {
		if (!(knobs.perf & 1u << i))
			continue;
		sums->sum[i].value += s->counted.sum[i].value;
		sums->sum[i].enabled += s->counted.sum[i].enabled;
		sums->sum[i].running += s->counted.sum[i].running;
	}
}

/* prev leaves this CPU to next, which are of the tree where they have a state. */
static __always_inline void count_switch(struct task_struct *prev, struct task_struct *next)
{
	struct dn_task_state *from = task_state(prev), *to = task_state(next);
	const bool leaves = from && from->armed, comes = to && to->armed;
	__u32 zero = 0;
	struct stretch *s;

	if (!leaves && !comes)
		return;
	s = bpf_map_lookup_elem(&stretches, &zero);
	if (!s)
		return;
	look_at_counters(s);
	if (leaves && s->task == (__u64)prev) {
		add_counted(s, thread_now(from));
	} else {	/* a switch was not seen: to prev, or from another one */
		if (leaves && (from->thread != DN_ROOT_THREAD || from->seq))	/* nor is the command before its execve */
			count(DN_COUNT_perf_missed);
		if (s->task)
			count(DN_COUNT_perf_missed);
	}
	s->task = comes ? (__u64)next : 0;
}

/* At an execve of the command, which had its CPU before it was one of the tree: from here on. */
static __always_inline void count_command(struct task_struct *task)
{
	__u32 zero = 0;
	struct stretch *s = bpf_map_lookup_elem(&stretches, &zero);

	if (!s || s->task)
		return;
	look_at_counters(s);
	s->task = (__u64)task;
}

/* A thread is gone: its sums are told. Where there is no room in the ring the recorder reads
 * them at the end. */
static __always_inline void tell_counted(struct dn_task_state *st)
{
	__u32 thread = thread_now(st);
	struct dn_ring_perf *sums = bpf_map_lookup_elem(&perf_sums, &thread);
	void *ring = this_ring();

	if (!sums || !ring)
		return;
	sums->time = bpf_ktime_get_boot_ns();
	if (!bpf_ringbuf_output(ring, sums, sizeof(*sums), BPF_RB_NO_WAKEUP))
		bpf_map_delete_elem(&perf_sums, &thread);
}

/* Run by the recorder on each CPU, in an interrupt of whatever is there (BPF_PROG_TEST_RUN): adds what
 * it was given until now. */
SEC("raw_tp")
int settle_counts(void *ctx)
{
	struct task_struct *task = this_task();
	struct dn_task_state *st = task_state(task);
	struct stretch *s;
	__u32 zero = 0;

	if (!st || !st->armed)
		return 0;
	s = bpf_map_lookup_elem(&stretches, &zero);
	if (!s)
		return 0;
	if (s->task == (__u64)task) {
		look_at_counters(s);
		add_counted(s, thread_now(st));
	} else {
		count(DN_COUNT_perf_missed);
	}
	return 0;
}

#endif
