/*
 * stack.bpf.h - stacks, and samples of what threads do on their CPUs.
 *
 * A stack is read, hashed, and sent only where its hash is not in a table of those
 * that were: records name it by the hash. In the hash are the addresses, whose they are (the
 * address space, by a number of its own, as the same addresses are other functions elsewhere),
 * and the recorder's generation, which it raises when it has forgotten what it was sent.
 * The table is one of direct places, without locks: a hash that takes another one's place
 * has that other stack sent again some day.
 */
#ifndef DN_STACK_BPF_H
#define DN_STACK_BPF_H

#include "state.bpf.h"

/* Room for one stack: of the kernel's frames and the user's behind them. Its size is one that
 * the verifier sees in the masks below. */
struct stack_area {
	__u64 hash;		/* state of mix_frame, in a map as in strings.bpf.h */
	__u32 frames;
	struct dn_ring_stack head;
	__u64 frame[2 * DN_STACK_ROOM];
};

/* A CPU has one for each use: the interrupt of a sample may come between. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, DN_STACK_USES);
	__type(key, __u32);
	__type(value, struct stack_area);
} stack_areas SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, DN_STACKS_KNOWN);
	__type(key, __u32);
	__type(value, __u64);
} stacks_known SEC(".maps");

/* One round for each address, with the multiplier of MurmurHash64A (Austin Appleby), whose
 * low and high bits are both good. */
static __always_inline __u64 stack_mix(__u64 h, __u64 v)
{
	v *= 0xc6a4a7935bd1e995ull;
	v ^= v >> 47;
	return (h ^ v * 0xc6a4a7935bd1e995ull) * 0xc6a4a7935bd1e995ull;
}

struct mixing {
	struct stack_area *a;
};

static long mix_frame(__u32 i, struct mixing *m)
{
	struct stack_area *a = m->a;

	if (i >= a->frames)
		return 1;
	a->hash = stack_mix(a->hash, a->frame[i & (2 * DN_STACK_ROOM - 1)]);
	return 0;
}

/* The stack of a task in a, so many bytes of the kernel's and the user's frames, as its hash; 0: there is none.
 * It is sent where it is new. */
static __always_inline __u64 stack_hash(struct stack_area *a, struct task_struct *task, struct dn_task_state *st,
					__u32 use, __u64 kernel, __u64 user, __u64 now)
{
	struct mixing m = { a };
	__u64 h, *known;
	__u32 slot;
	void *ring;

	a->frames = (kernel + user) >> 3;
	if (!a->frames)
		return 0;
	a->hash = stack_mix(run.stack_generation, (__u64)use << 62 | kernel << 32 | (user ? st->space : 0));
	dn_loop_or(2 * DN_STACK_FRAMES, 2 * DN_STACK_FRAMES, mix_frame, &m);	/* all: a hash of a part names wrong stacks */
	h = a->hash ^ a->hash >> 47;
	h += !h;
	slot = h & (DN_STACKS_KNOWN - 1);
	known = bpf_map_lookup_elem(&stacks_known, &slot);
	if (!known || *known == h)
		return h;
	a->head = (struct dn_ring_stack){
		.type = DN_RING_STACK,
		.kernel = kernel >> 3,
		.user = user >> 3,
		.use = use,
		.pid = dn_number(BPF_CORE_READ(task, group_leader), &run),
		.hash = h,
		.time = now,
	};
	ring = this_ring();
	if (!ring || bpf_ringbuf_output(ring, &a->head, (sizeof(a->head) + kernel + user) & (4 * DN_STACK_ROOM * 8 - 1),
					BPF_RB_NO_WAKEUP))
		count(DN_COUNT_stack_unsent);
	else
		*known = h;
	return h;
}

/* Of the current task, st its state. ctx is the program's own. */
static __always_inline __u64 stack_here(void *ctx, struct task_struct *task, struct dn_task_state *st,
					__u32 use, __u64 now)
{
	struct stack_area *a = bpf_map_lookup_elem(&stack_areas, &use);
	long kernel, user;

	if (!a)
		return 0;
	/* At the return of a call there is nothing more of it in the kernel. */
	kernel = use == DN_STACK_OF_CALL ? 0 : bpf_get_stack(ctx, a->frame, DN_STACK_FRAMES * 8, 0);
	if (kernel < 0)
		kernel = 0;
	kernel &= DN_STACK_ROOM * 8 - 1;
	user = bpf_get_stack(ctx, (void *)a->frame + kernel, DN_STACK_FRAMES * 8, BPF_F_USER_STACK);
	if (user < 0)
		user = 0;
	user &= DN_STACK_ROOM * 8 - 1;
	return stack_hash(a, task, st, use, kernel, user, now);
}

/* Of another task, which sleeps: the kernel's part, as its memory is not to be read from here. */
static __always_inline __u64 stack_there(struct task_struct *task, struct dn_task_state *st, __u64 now)
{
	__u32 use = DN_STACK_OF_TAKEN;
	struct stack_area *a = bpf_map_lookup_elem(&stack_areas, &use);
	long kernel;

	if (!a || !bpf_core_enum_value_exists(enum bpf_func_id___stack, BPF_FUNC_get_task_stack___stack))
		return 0;
	kernel = bpf_get_task_stack(task, a->frame, DN_STACK_FRAMES * 8, 0);
	if (kernel <= 0)
		return 0;
	return stack_hash(a, task, st, use, kernel & (DN_STACK_ROOM * 8 - 1), 0, now);
}

/* At a clock of each CPU (dn_object_sample), whoever it holds up. */
SEC("perf_event")
int on_sample(void *ctx)
{
	struct task_struct *task = this_task();
	struct dn_task_state *st = task_state(task);
	struct dn_ring_sample r = {
		.type = DN_RING_SAMPLE,
		.cpu = bpf_get_smp_processor_id(),
	};
	void *ring;

	if (!st || st->armed != DN_ARMED || run.stopping)
		return 0;
	r.thread = thread_now(st);
	r.time = bpf_ktime_get_boot_ns();
	if (knobs.stacks)
		r.stack = stack_here(ctx, task, st, DN_STACK_OF_SAMPLE, r.time);
	ring = this_ring();
	if (!ring || bpf_ringbuf_output(ring, &r, sizeof(r), BPF_RB_NO_WAKEUP))
		count(DN_COUNT_sample_lost);
	return 0;
}

#endif
