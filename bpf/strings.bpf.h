/*
 * strings.bpf.h - strings, argument lists, socket addresses and new descriptors of a call.
 *
 * Each is read into this CPU's scratch area and sent as a record of its own
 * with just the bytes it has, before the call's record. Scratch has a busy
 * mark: should another program of this family begin on this CPU in between
 * (an interrupt, or preemption on newer kernels), it leaves its strings out
 * and counts them.
 *
 * A user page that is not resident cannot be faulted in here: such a string
 * is tried again at the return of the call, when the kernel itself has read
 * it, and marked LATE.
 */
#ifndef DN_STRINGS_BPF_H
#define DN_STRINGS_BPF_H

#include "state.bpf.h"

#define SCRATCH_DATA 32768	/* a power of two above every area plus one read */

struct string_scratch {
	__u32 busy;
	__u32 argv_len;		/* state of read_argv: in a map, since what the */
	__u32 argv_bad;		/* verifier knows of a stack slot changes at each */
	__u32 argv_cut;		/* turn, and it would walk them all */
	struct dn_ring_string head;
	char data[SCRATCH_DATA];
};

/* One for each CPU, its size set by the recorder: a value of a per-CPU map may
 * have 32 KiB at most (mm/percpu.c, PCPU_MIN_UNIT_SIZE). */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct string_scratch);
} string_scratch SEC(".maps");

#define ARGV_PART_MAX 4096	/* bytes read of one argument */

#ifndef DN_RAW
#define ARGV_PARTS 4096

struct argv_walk {
	struct string_scratch *s;
	__u64 ptr;		/* of the list */
	__u64 width;		/* of a pointer */
};

static long argv_part(__u32 i, struct argv_walk *w)
{
	struct string_scratch *s = w->s;
	__u32 off = s->argv_len;
	__u64 p = 0;
	long n;

	if (bpf_probe_read_user(&p, w->width & 8 ? 8 : 4, (void *)(w->ptr + (__u64)i * w->width))) {
		s->argv_bad = !i;
		return 1;
	}
	if (!p)
		return 1;
	if (off >= DN_RING_ARGV_MAX || i == ARGV_PARTS - 1) {
		s->argv_cut = 1;
		return 1;
	}
	n = dn_read_user_str(&s->data[off & (DN_RING_ARGV_MAX - 1)], ARGV_PART_MAX + 1, (void *)p);
	if (n < 0) {
		s->argv_bad = 1;
		return 1;
	}
	s->argv_cut |= n > ARGV_PART_MAX;
	s->argv_len = off + n;
	return 0;
}

static __always_inline void walk_argv(struct string_scratch *s, __u64 ptr, __u64 width)
{
	struct argv_walk w = { .s = s, .ptr = ptr, .width = width };

	dn_loop(ARGV_PARTS, argv_part, &w);
}
#else
#define ARGV_PARTS 32

/* All ones where v is negative, or not 0; kept from the compiler, which would
 * make a branch of it. */
static __always_inline __u64 negative(__s64 v)
{
	v >>= 63;
	asm volatile("" : "+r"(v));
	return v;
}

static __always_inline __u64 nonzero(__u64 v)
{
	__u64 minus = -v;

	asm volatile("" : "+r"(minus));
	return negative(v | minus);
}

/*
 * The same for a verifier that walks a loop turn by turn: one path, no branch
 * in a turn, or it would walk each combination of them.
 */
static __always_inline void walk_argv(struct string_scratch *s, __u64 ptr, __u64 width)
{
	__u64 alive = ~0ull, bad = 0, cut = 0, off = 0;

	width = width & 8 ? 8 : 4;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < ARGV_PARTS; i++) {
		__u64 p = 0, err, over;
		__s64 n;

		err = negative(bpf_probe_read_user(&p, width, (void *)ptr));
		ptr += width;
		bad |= err & ~nonzero(i);
		alive &= nonzero(p) & ~err;
		over = negative(DN_RING_ARGV_MAX - 1 - off);
		cut |= alive & over;
		alive &= ~over;
		n = bpf_probe_read_user_str(&s->data[off & (DN_RING_ARGV_MAX - 1)], ARGV_PART_MAX + 1,
					    (void *)(p & alive));
		n += 1 + nonzero(n);	/* dn_read_user_str() */
		bad |= alive & negative(n);
		alive &= ~negative(n);
		cut |= alive & negative(ARGV_PART_MAX - n);
		off += n & alive;
	}
	s->argv_len = off;
	s->argv_bad = bad;
	s->argv_cut = cut | alive;
}
#endif

/* argv at entry: pointers and strings of user memory. Bytes, or < 0. */
FUNCTION int read_argv(struct string_scratch *s, __u64 ptr, __u32 width)
{
	if (!s)
		return -1;
	s->argv_len = s->argv_bad = s->argv_cut = 0;
	walk_argv(s, ptr, width);
	if (s->argv_bad)
		return -1;
	if (s->argv_len > DN_RING_ARGV_MAX) {
		s->argv_len = DN_RING_ARGV_MAX;
		s->argv_cut = 1;
	}
	if (s->argv_cut)
		s->head.flags |= DN_STR_TRUNCATED;
	return s->argv_len;
}

static __always_inline bool is_out(__u32 kind)
{
	return kind == DN_STR_SOCKADDR_OUT || kind == DN_PLAN_MSGHDR_OUT || kind == DN_STR_FDS;
}

/* The address that a struct msghdr names: pointer and length are its first fields. */
static __always_inline int msghdr_name(struct dn_task_state *st, __u64 msg, __u64 *name)
{
	__u32 width = st->abi == DN_NATIVE_ABI ? 8 : 4;
	__s32 len = 0;

	*name = 0;
	if (bpf_probe_read_user(name, width, (void *)msg) ||
	    bpf_probe_read_user(&len, sizeof(len), (void *)(msg + width)))
		return -1;
	return !*name || len < 0 ? 0 : len;
}

/* Length of a socket address: the argument after it, or what that points to. */
static __always_inline int sockaddr_len(struct dn_task_state *st, __u32 arg, bool out)
{
	__u32 len = 0, next = arg + 1;
	__u64 v;

	if (next > 5)
		return -1;
	v = st->args[next];
	if (!out)
		return (__s32)v < 0 ? 0 : (__s32)v;
	if (bpf_probe_read_user(&len, sizeof(len), (void *)v))
		return -1;
	return (__s32)len < 0 ? 0 : (__s32)len;
}

/* Sends the n bytes in scratch as the string of a call; there were want. */
static __always_inline int put_string(struct string_scratch *s, struct dn_task_state *st, __u32 item,
				      long n, long want)
{
	void *ring = this_ring();

	s->head.type = DN_RING_STRING;
	s->head.arg = DN_PLAN_ARG(item);
	s->head.kind = DN_PLAN_KIND(item);
	s->head.thread = st->thread;
	s->head.seq = st->seq;
	s->head.len = n;
	s->head.true_len = want;
	n += sizeof(s->head);
	if (ring && !bpf_ringbuf_output(ring, &s->head, n & (SCRATCH_DATA - 1), BPF_RB_NO_WAKEUP)) {
		st->nstr++;
	} else {
		st->flags |= DN_CALL_STR_LOST;
		count(DN_COUNT_string_lost);
	}
	return 0;
}

/*
 * Reads string i of a plan and sends it. 0 done (or nothing to do), -1 not
 * readable now. at_return: the last try; what is still not readable is sent
 * empty and marked. Global, like read_argv.
 */
FUNCTION int send_string(struct string_scratch *s, struct dn_task_state *st, __u32 item,
			   __u32 at_return)
{
	__u32 kind = DN_PLAN_KIND(item), arg = DN_PLAN_ARG(item);
	long n = -1, want = 0;
	__u64 ptr;

	if (!s || !st || arg > 5)
		return 0;
	ptr = st->args[arg];
	if (!ptr)
		return 0;
	s->head.flags = at_return && !is_out(kind) ? DN_STR_LATE : 0;
	if (kind == DN_STR_PATH) {
		n = dn_read_user_str(s->data, DN_RING_PATH_MAX + 1, (void *)ptr);
		if (n > DN_RING_PATH_MAX)	/* an exact fit is not cut */
			s->head.flags |= DN_STR_TRUNCATED;
		n = n > 0 ? n - 1 : -1;
		want = n;
	} else if (kind == DN_STR_TEXT) {
		n = dn_read_user_str(s->data, DN_RING_TEXT_MAX + 1, (void *)ptr);
		if (n > DN_RING_TEXT_MAX)	/* an exact fit is not cut */
			s->head.flags |= DN_STR_TRUNCATED;
		n = n > 0 ? n - 1 : -1;
		want = n;
	} else if (kind == DN_STR_FDS) {
		want = DN_RING_FDS_SIZE;
		n = bpf_probe_read_user(s->data, DN_RING_FDS_SIZE, (void *)ptr) ? -1 : want;
	} else {
		if (kind == DN_PLAN_MSGHDR || kind == DN_PLAN_MSGHDR_OUT) {
			want = msghdr_name(st, ptr, &ptr);
			kind = kind == DN_PLAN_MSGHDR ? DN_STR_SOCKADDR : DN_STR_SOCKADDR_OUT;
			item = DN_PLAN(kind, arg);
		} else {
			want = sockaddr_len(st, arg, kind == DN_STR_SOCKADDR_OUT);
		}
		if (want == 0)
			return 0;
		if (want > 0) {
			n = want > DN_RING_SOCKADDR_MAX ? DN_RING_SOCKADDR_MAX : want;
			if (kind == DN_STR_SOCKADDR_OUT && n > st->addr_room)
				n = st->addr_room;	/* the kernel filled no more */
			if (n < want)
				s->head.flags |= DN_STR_TRUNCATED;
			if (bpf_probe_read_user(s->data, n & (2 * DN_RING_SOCKADDR_MAX - 1), (void *)ptr))
				n = -1;
		}
	}
	if (n < 0) {
		if (!at_return)
			return -1;
		s->head.flags |= DN_STR_UNREADABLE;
		n = want = 0;
		count(DN_COUNT_string_unreadable);
	}
	if (s->head.flags & DN_STR_TRUNCATED)
		count(DN_COUNT_string_truncated);
	return put_string(s, st, item, n, want);
}

/* The same for an argument list: apart, as what it costs the verifier should
 * be paid once and not for each string of a plan. */
FUNCTION int send_argv(struct string_scratch *s, struct dn_task_state *st, __u32 item, __u32 at_return)
{
	long n;

	if (!s || !st || DN_PLAN_ARG(item) > 5 || !st->args[DN_PLAN_ARG(item)])
		return 0;
	s->head.flags = at_return ? DN_STR_LATE : 0;
	n = read_argv(s, st->args[DN_PLAN_ARG(item)], st->abi == DN_NATIVE_ABI ? 8 : 4);
	if (n < 0) {
		if (!at_return)
			return -1;
		s->head.flags |= DN_STR_UNREADABLE;
		n = 0;
		count(DN_COUNT_string_unreadable);
	}
	if (s->head.flags & DN_STR_TRUNCATED)
		count(DN_COUNT_string_truncated);
	return put_string(s, st, item, n, n);
}

/* This CPU's scratch area, marked busy; NULL where it is taken, and counted. */
static __always_inline struct string_scratch *take_scratch(struct dn_task_state *st)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct string_scratch *s = bpf_map_lookup_elem(&string_scratch, &cpu);

	if (!s)
		return NULL;
	if (!take(&s->busy)) {
		st->flags |= DN_CALL_STR_LOST;
		count(DN_COUNT_scratch_busy);
		return NULL;
	}
	return s;
}

/* Whether the caller wants to know an address: recv(2) is recvfrom(2) of NULL, and to read
 * there is a page fault at every call. */
static __always_inline bool asked_for(struct dn_task_state *st, __u32 item)
{
	return DN_PLAN_ARG(item) <= 5 && st->args[DN_PLAN_ARG(item)];
}

/* Bytes that the caller has for the address it asks for; -1: not readable. */
static __always_inline int room_for_address(struct dn_task_state *st, __u32 item)
{
	__u32 arg = DN_PLAN_ARG(item);
	__u64 name;

	if (DN_PLAN_KIND(item) == DN_STR_SOCKADDR_OUT)
		return sockaddr_len(st, arg, true);
	return arg > 5 ? -1 : msghdr_name(st, st->args[arg], &name);
}

/* Reads and sends the strings of the open call that are due: at its entry all
 * but the kernel's answers, at its return those (if it succeeded) and the late
 * ones. */
FUNCTION int send_strings(struct dn_task_state *st, __u32 slot, __u32 at_return, __u32 ok)
{
	const volatile struct dn_plan *plan;
	__u32 list = 0, list_late = 0;
	struct string_scratch *s;

	if (!st || slot >= DN_SLOTS || st->nr >= DN_NR_MAX)
		return 0;
	s = take_scratch(st);
	if (!s)
		return 0;
	plan = plan_of(slot, st->nr);
	for (int i = 0; i < DN_PLAN_STRS; i++) {
		__u8 item = plan->str[i];

		if (!item)
			break;
		if (is_out(DN_PLAN_KIND(item))) {
			if (!at_return) {
				int room;

				if (!asked_for(st, item))
					continue;
				st->late |= 1 << i;
				if (DN_PLAN_KIND(item) == DN_STR_FDS)
					continue;
				room = room_for_address(st, item);
				st->addr_room = room < 0 ? DN_RING_SOCKADDR_MAX : room;
			} else if (ok)
				send_string(s, st, item, true);
			continue;
		}
		if (at_return && !(st->late & 1 << i))
			continue;
		if (DN_PLAN_KIND(item) == DN_STR_ARGV) {
			list = item;
			list_late = 1 << i;
		} else if (send_string(s, st, item, at_return)) {
			st->late |= 1 << i;
		}
	}
	if (list && send_argv(s, st, list, at_return))
		st->late |= list_late;
	s->busy = 0;
	return 0;
}

#ifndef DN_PLAIN
/*
 * The late strings of an execve that has succeeded: its pages are gone, but
 * the kernel has the path, and the new image its arguments (from, len).
 */
FUNCTION int send_exec_strings(struct dn_task_state *st, __u32 slot, __u64 path, __u64 from,
				 __u64 len)
{
	struct string_scratch *s;

	if (!st || slot >= DN_SLOTS || st->nr >= DN_NR_MAX)
		return 0;
	s = take_scratch(st);
	if (!s)
		return 0;
	for (int i = 0; i < 2; i++) {
		__u32 item = plan_of(slot, st->nr)->str[i];
		long n = -1, want;

		if (!(st->late & 1 << i))
			continue;
		s->head.flags = DN_STR_LATE;
		if (DN_PLAN_KIND(item) == DN_STR_PATH) {
			n = bpf_probe_read_kernel_str(s->data, DN_RING_PATH_MAX, (void *)path) - 1;
			want = n;
		} else {
			want = len;
			n = len > DN_RING_ARGV_MAX ? DN_RING_ARGV_MAX : len;
			if (n < want)
				s->head.flags |= DN_STR_TRUNCATED;
			if (bpf_probe_read_user(s->data, n & (2 * DN_RING_ARGV_MAX - 1), (void *)from))
				n = -1;
		}
		if (n < 0 || n > DN_RING_ARGV_MAX) {
			s->head.flags = DN_STR_LATE | DN_STR_UNREADABLE;
			n = want = 0;
			count(DN_COUNT_string_unreadable);
		}
		put_string(s, st, item, n, want);
	}
	st->late = 0;
	s->busy = 0;
	return 0;
}
#endif

#endif
