/*
 * process_plain.bpf.h - exec and death where no kernel structure can be read.
 *
 * A child cannot be asked who it is before it runs: it announces itself at its
 * first return to user mode, or at its end. The path of an execve is kept from
 * its entry; the arguments are found where the new program finds them, on its
 * stack. What a task has used, and where it works, is not known.
 */
#ifndef DN_PROCESS_PLAIN_BPF_H
#define DN_PROCESS_PLAIN_BPF_H

#include "process.bpf.h"

/* signal(7): those whose default action does not end the process */
#define HARMLESS (1u << 17 | 1u << 18 | 1u << 19 | 1u << 20 | 1u << 21 | 1u << 22 | 1u << 23 | 1u << 28)

/*
 * How a process ends, set by the thread that ends it: the others die of a
 * SIGKILL that nobody sent, and where a signal ends it even the one that takes
 * it sees SIGKILL (complete_signal, kernel/signal.c). Until then, the signal
 * that was sent last and not taken yet. Needed for the moment between the two:
 * what is forgotten costs an exit status, so that the oldest may go.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u32);
} endings SEC(".maps");

/* Threads of a process that have not ended, those that have not run yet too. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DN_TASKS_MAX);
	__type(key, __u32);
	__type(value, __u32);
} live SEC(".maps");

static __always_inline void thread_begins(__u32 process)
{
	__u32 one = 1, *n = bpf_map_lookup_elem(&live, &process);

	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&live, &process, &one, BPF_ANY);
}

/* Whether the last one has ended: 0 no, 2 perhaps, as two may end at the same moment. */
static __always_inline __u8 thread_ends(__u32 process)
{
	__u32 *n = bpf_map_lookup_elem(&live, &process);

	if (n) {
		__sync_fetch_and_add(n, -1);
		if (*(volatile __u32 *)n)
			return 0;
		bpf_map_delete_elem(&live, &process);
	}
	return 2;
}

#define PENDING 0x10000u

/* The ending of a process, NULL where none is known; or the pending signal. */
static __always_inline __u32 *ending(__u32 process, bool pending)
{
	__u32 *code = bpf_map_lookup_elem(&endings, &process);

	return code && !!(*code & PENDING) == pending ? code : NULL;
}

static __always_inline void set_ending(__u32 process, __u32 code)
{
	if (!ending(process, false))
		bpf_map_update_elem(&endings, &process, &code, BPF_ANY);
}

static __always_inline __u32 exit_status(const struct dn_task_state *st)
{
	return (st->args[0] & 0xff) << 8;
}

/* A signal is about to be acted upon. Which it really is; 0 where nobody sent it. */
static __always_inline int signal_taken(struct dn_task_state *st, int sig, struct k_sigaction *ka)
{
	__u32 process = st->process, *pending = ending(process, true);

	if (PLAIN(ka, struct dn_ksigaction, handler) || (sig < 32 && HARMLESS & 1u << (sig & 31))) {
		if (pending && *pending == (PENDING | (__u32)sig))
			bpf_map_delete_elem(&endings, &process);
		return sig;
	}
	if (sig == SIGKILL) {	/* none pending: an exec or the end of another thread */
		sig = pending ? *pending & 0x7f : 0;
		if (!sig)
			return 0;
	}
	set_ending(process, sig & 0x7f);
	return sig;
}

/* Paths of the execve calls that are open, by task. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 512);
	__type(key, __u64);
	__type(value, char[DN_RING_PATH_MAX]);
} exec_paths SEC(".maps");

static __always_inline void call_begins(struct task_struct *task, const struct dn_task_state *st, __u32 slot)
{
	__u64 key = (__u64)task;
	struct exec_scratch *s;
	__u64 path;

	if (slot >= DN_SLOTS)
		return;
	if (st->nr == knobs.exit_nrs[slot][1])
		set_ending(st->process, exit_status(st));
	if (st->nr == knobs.exec_nrs[slot][0])
		path = st->args[0];
	else if (st->nr == knobs.exec_nrs[slot][1])
		path = st->args[1];
	else
		return;
	s = take_exec_scratch();
	if (!s)
		return;
	if (bpf_probe_read_user_str(s->data, DN_RING_PATH_MAX, (void *)path) > 0)
		bpf_map_update_elem(&exec_paths, &key, s->data, BPF_ANY);
	s->busy = 0;
}

/* One word of the new program's stack. */
static __always_inline __u64 stack_word(__u64 sp, __u64 index, bool narrow)
{
	__u64 v = 0;

	bpf_probe_read_user(&v, narrow ? 4 : 8, (void *)(sp + index * (narrow ? 4 : 8)));
	return v;
}

/* argc, the pointers to the arguments, 0, the pointers to the environment; the
 * strings stand in that order too (create_elf_tables, fs/binfmt_elf.c). */
static __always_inline __u64 read_arguments(struct exec_scratch *s, __u32 off, struct pt_regs *regs)
{
	bool narrow = is_narrow(regs);
	__u64 sp = REG(regs, sp), argc = stack_word(sp, 0, narrow);
	__u64 begin = stack_word(sp, 1, narrow), end = stack_word(sp, argc + 2, narrow), n;
	long last;

	off &= EXEC_DATA / 2 - 1;
	if (!argc)
		return 0;
	if (!end) {	/* no environment: the end of the last argument */
		end = stack_word(sp, argc, narrow);
		last = bpf_probe_read_user_str(&s->data[off], DN_RING_PATH_MAX, (void *)end);
		end += last > 0 ? last : 0;
	}
	if (end <= begin)
		return 0;
	n = end - begin;
	s->head.argv_true_len = n;
	if (n > DN_RING_ARGV_MAX)
		n = DN_RING_ARGV_MAX;
	if (bpf_probe_read_user(&s->data[off], n & (2 * DN_RING_ARGV_MAX - 1), (void *)begin))
		n = 0;
	s->head.argv_len = n;
	return n;
}

static __always_inline void exec_done(struct task_struct *task, struct dn_task_state *st,
				      struct pt_regs *regs, bool ok)
{
	__u64 key = (__u64)task, who = bpf_get_current_uid_gid();
	__u32 tid = number_here(), old = st->tid, off = 0;
	struct exec_scratch *s;
	char *path;
	long n;

	if (ok && old != tid)
		tid_changed(task, st);
	s = ok ? take_exec_scratch() : NULL;
	if (s) {
		s->head.type = DN_RING_EXEC;
		s->head.secureexec = DN_RING_SECURE_UNKNOWN;
		s->head.thread = st->next_thread ? st->next_thread : st->thread;
		s->head.process = st->process;
		s->head.old_tid = old;
		s->head.uid = who;
		s->head.gid = who >> 32;
		s->head.cwd_parts = DN_RING_CWD_BAD;
		s->head.cwd_len = s->head.argv_len = s->head.argv_true_len = 0;
		s->head.time = bpf_ktime_get_boot_ns();
		bpf_get_current_comm(s->head.comm, sizeof(s->head.comm));
		path = bpf_map_lookup_elem(&exec_paths, &key);
		n = path ? bpf_probe_read_kernel_str(s->data, DN_RING_PATH_MAX, path) : 0;
		if (n > 0 && n <= DN_RING_PATH_MAX)
			off = n;
		s->head.path_len = off;
		off += read_arguments(s, off, regs);
		send_life(&s->head, (sizeof(s->head) + off) & (EXEC_DATA - 1));
		s->busy = 0;
	} else if (ok) {
		count(DN_COUNT_lifecycle_lost);
	}
	bpf_map_delete_elem(&exec_paths, &key);
}

TP("sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	struct dn_task_state *st = task_state(task);
	struct dn_ring_thread_exit r = {};
	__u32 *code, process;

	if (!st || st->armed != DN_ARMED)
		return 0;
	if (st->unborn)
		announce(st);
	process = st->process;
	code = ending(process, false);
	r.exit_code = code ? *code : st->in_call ? exit_status(st) : 0;
	if (st->in_call) {
		st->flags |= DN_CALL_UNFINISHED;
		st->next_thread = 0;
		send_call(st, st->start, 0);
	}
	r.type = DN_RING_THREAD_EXIT;
	r.group_dead = thread_ends(process);
	r.thread = st->thread;
	r.process = process;
	r.seq = st->seq;
	r.time = bpf_ktime_get_boot_ns();
	bpf_get_current_comm(r.comm, sizeof(r.comm));
	send_life(&r, sizeof(r));
	drop_state(task, st);
	return 0;
}

#endif
