/*
 * state.bpf.h - what the programs share: knobs, maps, the state of a task,
 * counters, rings and the accounting of what finds no room in them.
 */
#ifndef DN_STATE_BPF_H
#define DN_STATE_BPF_H

#include "kernel_compat.bpf.h"

/* Knobs, set before the load: the verifier removes what is off. */
const volatile bool knob_strings = true;
const volatile __u32 knob_wake_level = 1 << 20;	/* bytes in a ring that wake the recorder */
const volatile struct dn_plan plans[DN_SLOTS][DN_NR_MAX] = {};
const volatile __u32 exec_nrs[DN_SLOTS][2] = {};	/* execve, execveat */

/* Run time state, shared with the recorder through the mapped .bss. */
__u32 last_thread;	/* ids given so far */
__u32 stopping;		/* 1: no call is begun any more; the open ones still end */

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct dn_task_state);
} tasks SEC(".maps");

struct inner_ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
};

/* One ring a CPU, or all entries the same one; filled by the recorder. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct inner_ring);
} rings SEC(".maps");

/* Process life has a ring of its own: it must not lose to system calls. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 2 * 1024 * 1024);
} life_ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, DN_KCOUNTER_MAX);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, DN_LOSS_ENTRIES);
	__type(key, struct dn_loss_key);
	__type(value, struct dn_loss_value);
} losses SEC(".maps");

static __always_inline void count(__u32 id)
{
	__u64 *v = bpf_map_lookup_elem(&counters, &id);

	if (v)
		(*v)++;
}

static __always_inline struct dn_task_state *task_state(struct task_struct *task)
{
	return bpf_task_storage_get(&tasks, task, 0, 0);
}

static __always_inline void *this_ring(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&rings, &cpu);
}

/*
 * Nobody is woken for a record; once the ring holds knob_wake_level bytes a
 * record in 64 rings the bell, which bounds the cost of asking.
 */
static __always_inline __u64 wake_flags(void *ring, __u32 seq)
{
	if (seq & 63)
		return BPF_RB_NO_WAKEUP;
	return bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) >= knob_wake_level ?
		BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

static __always_inline int loss_add(struct dn_loss_key *key, __u64 start, __u64 end)
{
	struct dn_loss_value *v = bpf_map_lookup_elem(&losses, key), fresh = {};

	if (!v) {
		fresh.count = 1;
		fresh.total = end - start;
		fresh.first = fresh.last = end;
		if (!bpf_map_update_elem(&losses, key, &fresh, BPF_NOEXIST))
			return 0;
		v = bpf_map_lookup_elem(&losses, key);	/* another CPU's came first */
		if (!v)
			return -1;
	}
	if (!v->count)
		v->first = end;
	v->count++;
	v->total += end - start;
	v->last = end;
	return 0;
}

/* Accounts one lost call: by process and number, else by process, else as one. */
__noinline int lost_call(__u32 process, __u32 abi, __u32 nr, __u64 start, __u64 end)
{
	struct dn_loss_key key = { .process = process, .abi = abi, .nr = nr };

	count(DN_COUNT_syscall_lost);
	if (!loss_add(&key, start, end))
		return 0;
	key.abi = 0;
	key.nr = DN_LOSS_ANY;
	if (!loss_add(&key, start, end))
		return 0;
	count(DN_COUNT_loss_table_full);
	return 0;
}

/* Sends a record of process life. */
static __always_inline void send_life(void *record, __u64 size)
{
	if (bpf_ringbuf_output(&life_ring, record, size, BPF_RB_NO_WAKEUP))
		count(DN_COUNT_lifecycle_lost);
}

/* Announces a thread id of the trace. */
static __always_inline void send_start(struct task_struct *task, const struct dn_task_state *st,
				       __u32 thread, __u32 parent, __u8 origin, __u64 flags)
{
	struct dn_ring_thread_start r = {
		.type = DN_RING_THREAD_START,
		.origin = origin,
		.thread = thread,
		.process = st->process,
		.parent = parent,
		.tid = task->pid,
		.pid = task->tgid,
		.ppid = BPF_CORE_READ(task, real_parent, tgid),
		.parent_seq = st->seq,
		.time = bpf_ktime_get_boot_ns(),
		.born = task->start_boottime,
		.clone_flags = flags,
	};
	struct pid *pid = task->thread_pid;
	__u32 level = BPF_CORE_READ(pid, level);

	for (__u32 i = 0; i < DN_NS_LEVELS; i++) {
		int nr;

		/* The stride is the kernel's: an index would take our own, as
		 * only constant offsets are relocated. */
		if (i >= level ||
		    bpf_probe_read_kernel(&nr, sizeof(nr), (void *)pid +
					  bpf_core_field_offset(struct pid, numbers) +
					  (i + 1) * bpf_core_type_size(struct upid) +
					  bpf_core_field_offset(struct upid, nr)))
			break;
		r.ns_tid[i] = nr;
		r.ns_levels = i + 1;
	}
	bpf_probe_read_kernel(r.comm, sizeof(r.comm), task->comm);
	send_life(&r, sizeof(r));
}

#endif
