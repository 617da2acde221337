/*
 * state.bpf.h - what the programs share: knobs, maps, the state of a task,
 * counters, rings and the accounting of what finds no room in them.
 */
#ifndef DN_STATE_BPF_H
#define DN_STATE_BPF_H

#include "kernel_compat.bpf.h"

const volatile struct dn_knobs knobs SEC(".rodata.knobs") = { .strings = 1, .cpus = 1 };
struct dn_run run SEC(".data.run") = {};

/* From the kernel's configuration as libbpf finds it, or recorder/object.c. */
extern int CONFIG_HZ __kconfig __weak;

/* Whether the trace's numbers are other ones than the first namespace's. */
#ifndef DN_PLAIN
#define IN_NAMESPACE run.ns_level
#else
#define IN_NAMESPACE knobs.ns_ino
#endif

#ifndef DN_PLAIN
/* The trace's pid namespace is that of the recorder, or one around it. */
static __always_inline void take_namespace(struct task_struct *recorder)
{
	__u32 level = BPF_CORE_READ(recorder, thread_pid, level);

	level = level > knobs.ns_depth ? level - knobs.ns_depth : 0;
	run.ns = dn_pid_ns(recorder, level);
	run.ns_level = level;
}

/* Of the current task. */
static __always_inline __u32 number_here(void)
{
	return dn_number((struct task_struct *)bpf_get_current_task(), &run);
}
#else
/* Process and thread of the current task, in the upper and the lower half; 0: it is in
 * another pid namespace than the recorder. */
static __always_inline __u64 numbers_here(void)
{
	struct dn_pidns_info n = {};

	if (!knobs.ns_ino)
		return bpf_get_current_pid_tgid();
	bpf_get_ns_current_pid_tgid(knobs.ns_dev, knobs.ns_ino, (void *)&n, sizeof(n));
	return (__u64)n.tgid << 32 | n.pid;
}

static __always_inline __u32 number_here(void)
{
	return numbers_here();
}

/* Who task is, which must be the current one. */
static __always_inline void dn_describe(struct task_struct *task, struct dn_ring_thread_start *r,
					const struct dn_run *run)
{
	__u64 id = numbers_here();

	r->tid = id;
	r->pid = id >> 32;
	r->born = r->time;
	bpf_get_current_comm(r->comm, sizeof(r->comm));
}
#endif

/*
 * The states of tasks, by the task's address: one that lives has it alone. Each entry and
 * each return of a call looks here, those of all other processes too, so that no helper
 * is asked: the address, hashed, is a seat of the array. Who finds it taken gets another one near
 * by, and is in `displaced`. Without cmpxchg (5.12) all of it is a hash.
 */
struct {
#ifndef DN_RAW
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
#else
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u64);
#endif
	__uint(max_entries, DN_TASKS_MAX);
	__type(value, struct dn_task_state);
} tasks SEC(".maps");

#ifndef DN_RAW
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DN_TASKS_MAX / 2);	/* a quarter of the tasks is there when half of the seats are taken */
	__type(key, __u64);
	__type(value, __u32);
} displaced SEC(".maps");
#endif

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
	__uint(type, BPF_MAP_TYPE_HASH);	/* per-CPU values are allocated one by one, while the command waits */
	__uint(max_entries, DN_LOSS_ENTRIES);
	__type(key, struct dn_loss_key);
	__type(value, struct dn_loss_value);
} losses SEC(".maps");

/* What to read of a call. The compiler knows that slot is small and would drop
 * the mask that the verifier needs: it is told to forget it. */
static __always_inline const volatile struct dn_plan *plan_of(__u32 slot, __u32 nr)
{
	__u64 i = slot * DN_NR_MAX + (nr & (DN_NR_MAX - 1));

	asm volatile("" : "+r"(i));
	return &knobs.plans[i & (DN_SLOTS * DN_NR_MAX - 1)];
}

static __always_inline void count(__u32 id)
{
	__u64 *v = bpf_map_lookup_elem(&counters, &id);

	if (v)	/* of this CPU, but the handler may be preempted: kernel_compat.bpf.h */
		__sync_fetch_and_add(v, 1);
}

/* Takes what one of this CPU may hold; false where another has it. */
static __always_inline bool take(__u32 *busy)
{
#ifndef DN_RAW
	return !__sync_lock_test_and_set(busy, 1);
#else
	if (*busy)
		return false;
	*busy = 1;
	return true;
#endif
}

#ifndef DN_RAW
#define SEATS_TRIED 32

/* A task's address, less that of `run`: of what the verifier knows as a pointer nothing but
 * the distance from another one is a number (kernel/bpf/verifier.c, adjust_reg_min_max_vals). */
static __always_inline __u64 task_key(struct task_struct *task)
{
	return (void *)task - (void *)&run;
}

static __always_inline __u32 seat_of(__u64 key)
{
	/* 2^64 by the golden ratio, and the upper bits: Knuth, The Art of Computer Programming 6.4.
	 * Tasks lie at even distances, which would stay ones but for the shift. */
	return (key ^ key >> 17) * 0x9e3779b97f4a7c15ull >> 48 & (DN_TASKS_MAX - 1);
}

static __always_inline struct dn_task_state *task_state(struct task_struct *task)
{
	__u64 key = task_key(task);
	__u32 seat = seat_of(key), *other;
	struct dn_task_state *st = bpf_map_lookup_elem(&tasks, &seat);

	if (!st || st->task == key)
		return st;
	other = run.displaced ? bpf_map_lookup_elem(&displaced, &key) : NULL;
	st = other ? bpf_map_lookup_elem(&tasks, other) : NULL;
	return st && st->task == key ? st : NULL;	/* the entry may be another's by now */
}

/* A fresh state, armed as enum dn_armed says; NULL where there is no room for it, which is counted. */
static __always_inline struct dn_task_state *new_state(struct task_struct *task, __u8 armed)
{
	struct dn_task_state init = { .task = task_key(task), .armed = armed }, *st = task_state(task);
	__u32 first = seat_of(init.task), seat = first;

	for (int i = 0; !st && i < SEATS_TRIED; i++) {
		seat = (first + i) & (DN_TASKS_MAX - 1);
		st = bpf_map_lookup_elem(&tasks, &seat);
		if (st && __sync_val_compare_and_swap(&st->task, 0, init.task))
			st = NULL;
	}
	if (st && seat != first && bpf_map_update_elem(&displaced, &init.task, &seat, BPF_ANY)) {
		st->task = 0;
		st = NULL;
	}
	if (!st) {
		count(DN_COUNT_storage_failed);
		return NULL;
	}
	if (seat != first)
		__sync_fetch_and_add(&run.displaced, 1);
	*st = init;
	return st;
}

/* A task's address may be another's as soon as it is gone. */
static __always_inline void drop_state(struct task_struct *task, struct dn_task_state *st)
{
	__u64 key = task_key(task);

	if (run.displaced && !bpf_map_delete_elem(&displaced, &key))
		__sync_fetch_and_add(&run.displaced, -1);
	st->armed = DN_ARMED_WAITS;
	__sync_lock_test_and_set(&st->task, 0);	/* after all else */
}
#else	/* the same of the hash */
static __always_inline struct dn_task_state *task_state(struct task_struct *task)
{
	__u64 key = (__u64)task;

	return bpf_map_lookup_elem(&tasks, &key);
}

static __always_inline struct dn_task_state *new_state(struct task_struct *task, __u8 armed)
{
	struct dn_task_state init = { .armed = armed }, *st;
	__u64 key = (__u64)task;

	bpf_map_update_elem(&tasks, &key, &init, BPF_ANY);
	st = bpf_map_lookup_elem(&tasks, &key);
	if (!st)
		count(DN_COUNT_storage_failed);
	return st;
}

static __always_inline void drop_state(struct task_struct *task, struct dn_task_state *st)
{
	__u64 key = (__u64)task;

	bpf_map_delete_elem(&tasks, &key);
}
#endif

/*
 * Ids of threads and of sockets, in the order of their births. An atomic
 * addition that gives the sum came with 5.12 (commit 5ca419f2864a). Without it
 * the sum is read afterwards, and two CPUs may read the same, but no CPU twice:
 * the pair of both is an id. That takes a handler that is not preempted, as on
 * the kernels that need it.
 */
static __always_inline __u32 new_id(__u32 *last)
{
#ifndef DN_RAW
	return __sync_fetch_and_add(last, 1) + 1;
#else
	__sync_fetch_and_add(last, 1);
	return *(volatile __u32 *)last * knobs.cpus + bpf_get_smp_processor_id();
#endif
}

/* The recording begins. */
static __always_inline void know_tick(void)
{
	if (CONFIG_HZ > 0)
		run.tick_ns = 1000000000ull / (__u32)CONFIG_HZ;
}

static __always_inline __u32 new_thread_id(void)
{
	count(DN_COUNT_threads);
	return new_id(&run.last_thread);
}

/* The id of a task in the trace. */
static __always_inline __u32 thread_now(struct dn_task_state *st)
{
	return st->next_thread ? st->next_thread : st->thread;
}

static __always_inline void *this_ring(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&rings, &cpu);
}

/*
 * Nobody is woken for a record; once the ring holds knobs.wake_level bytes a
 * record in 64 rings the bell, which bounds the cost of asking.
 */
static __always_inline __u64 wake_flags(void *ring, __u32 seq)
{
	if (seq & 63)
		return BPF_RB_NO_WAKEUP;
	return bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) >= knobs.wake_level ?
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
		v = bpf_map_lookup_elem(&losses, key);	/* another one's came first, or there is no room */
		if (!v)
			return -1;
	}
	if (!v->count)
		v->first = end;
	__sync_fetch_and_add(&v->count, 1);
	__sync_fetch_and_add(&v->total, end - start);
	v->last = end;
	return 0;
}

/* Accounts one lost call: by process and number, else by process, else as one. */
FUNCTION int lost_call(__u32 process, __u32 abi, __u32 nr, __u64 start, __u64 end)
{
	struct dn_loss_key key = { .process = process, .abi = abi, .nr = nr,
		.cpu = bpf_get_smp_processor_id() };

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

#define LIFE_WAKE_LEVEL (256 * 1024)	/* bytes in the life ring that wake the recorder */
#define LIFE_TRIES 8

/* Sends a record of process life. All CPUs share its ring, whose lock is given up after a quarter
 * of a second since 6.15 (kernel/bpf/rqspinlock.c): a virtual CPU that stands still with it makes
 * the others fail where there is room, and they try again. */
static __always_inline void send_life(void *record, __u64 size)
{
	__u64 held = bpf_ringbuf_query(&life_ring, BPF_RB_AVAIL_DATA);
	__u64 flags = held >= LIFE_WAKE_LEVEL ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;

	for (int i = 0; i < LIFE_TRIES; i++) {
		if (!bpf_ringbuf_output(&life_ring, record, size, flags))
			return;
		if (held > LIFE_WAKE_LEVEL)
			break;
	}
	count(DN_COUNT_lifecycle_lost);
}

/* Announces a thread id of the trace. */
static __always_inline void send_start(struct task_struct *task, struct dn_task_state *st,
				       __u32 thread, __u32 parent, __u8 origin, __u64 flags)
{
	struct dn_ring_thread_start r = {
		.type = DN_RING_THREAD_START,
		.origin = origin,
		.thread = thread,
		.process = st->process,
		.parent = parent,
		.parent_seq = st->seq,
		.time = bpf_ktime_get_boot_ns(),
		.clone_flags = flags,
	};

	dn_describe(task, &r, &run);
	st->tid = r.tid;
	send_life(&r, sizeof(r));
}

#ifdef DN_PLAIN
/* The announcement of a child, made by itself: only now it can be asked. */
static __always_inline void announce(struct dn_task_state *st)
{
	__u64 id = numbers_here();
	struct dn_ring_thread_start r = {
		.type = DN_RING_THREAD_START,
		.origin = st->args[DN_UNBORN_ORIGIN],
		.thread = st->thread,
		.process = st->process,
		.parent = st->args[DN_UNBORN_PARENT],
		.tid = id,
		.pid = id >> 32,
		.ppid = st->args[DN_UNBORN_PPID],
		.time = st->start,
		.born = st->start,
		.clone_flags = st->args[DN_UNBORN_FLAGS],
	};

	bpf_get_current_comm(r.comm, sizeof(r.comm));
	st->tid = id;
	st->unborn = 0;
	send_life(&r, sizeof(r));
}
#endif

#endif
