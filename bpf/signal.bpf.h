/*
 * signal.bpf.h - signals from and to the tree, and victims of the OOM killer.
 *
 * They go through the rings of the CPUs: a storm of signals must not crowd
 * out process life.
 */
#ifndef DN_SIGNAL_BPF_H
#define DN_SIGNAL_BPF_H

#include "state.bpf.h"

#define SI_KERNEL 0x80		/* asm-generic/siginfo.h */
#define SIGNAL_GROUP_EXIT 0x04	/* linux/sched/signal.h */

#ifndef DN_PLAIN
/*
 * A signal that ends a process reaches each thread as SIGKILL (complete_signal
 * in kernel/signal.c), and so does exit_group; what it was stands in the
 * group's exit code. Returns the signal, or 0 where none was sent.
 */
static __always_inline int real_signal(struct task_struct *task, int sig)
{
	if (sig != SIGKILL || !(BPF_CORE_READ(task, signal, flags) & SIGNAL_GROUP_EXIT))
		return sig;
	return BPF_CORE_READ(task, signal, group_exit_code) & 0x7f;
}
#endif

static __always_inline __s32 signal_code(struct kernel_siginfo *info)
{
#ifndef DN_PLAIN
	return BPF_CORE_READ(info, si_code);
#else
	return PLAIN(info, struct dn_siginfo, code);
#endif
}

static __always_inline void send_event(void *record, __u64 size)
{
	void *ring = this_ring();

	if (!ring || bpf_ringbuf_output(ring, record, size, BPF_RB_NO_WAKEUP))
		count(DN_COUNT_signal_lost);
}

TP("signal_generate")
int BPF_PROG(on_signal_sent, int sig, struct kernel_siginfo *info, struct task_struct *task,
	     int group, int result)
{
	struct task_struct *current = this_task();
	struct dn_task_state *from = task_state(current), *to = task_state(task);
	struct dn_ring_signal r = {};

	if (from && from->armed)
		r.sender = from->thread;
	if (to && to->armed)
		r.target = to->thread;
	if (!(r.sender | r.target) || run.stopping)
		return 0;
	r.type = DN_RING_SIGNAL_SENT;
	r.sig = sig;
	/* SEND_SIG_NOINFO is 0, SEND_SIG_PRIV is 1 (linux/sched/signal.h) */
	if ((unsigned long)info > 1)
		r.code = signal_code(info);
	else
		r.code = (unsigned long)info ? SI_KERNEL : 0;
	r.group = !!group;
	r.result = result;
	r.time = bpf_ktime_get_boot_ns();
	r.sender_tid = number_here();
#ifndef DN_PLAIN
	r.target_tid = dn_number(task, &run);
#else
	r.target_tid = to ? to->tid : 0;
	if (to && !result)	/* TRACE_SIGNAL_DELIVERED (trace/events/signal.h) */
		set_ending(to->process, PENDING | (sig & 0x7f));
#endif
	bpf_get_current_comm(r.sender_comm, sizeof(r.sender_comm));
	send_event(&r, sizeof(r));
	return 0;
}

TP("signal_deliver")
int BPF_PROG(on_signal_delivered, int sig, struct kernel_siginfo *info, struct k_sigaction *ka)
{
	struct task_struct *current = this_task();
	struct dn_task_state *st = task_state(current);
	struct dn_ring_signal r = {};

	if (!st || st->armed != DN_ARMED || run.stopping)
		return 0;
#ifndef DN_PLAIN
	sig = real_signal(current, sig);
#else
	sig = signal_taken(st, sig, ka);
#endif
	if (!sig)
		return 0;
	r.type = DN_RING_SIGNAL_DELIVERED;
	r.sig = sig;
	r.code = signal_code(info);
	r.target = st->thread;
	r.target_tid = st->tid;
	r.time = bpf_ktime_get_boot_ns();
#ifndef DN_PLAIN
	r.handler = (__u64)BPF_CORE_READ(ka, sa.sa_handler);
	r.sa_flags = BPF_CORE_READ(ka, sa.sa_flags);
#else
	r.handler = PLAIN(ka, struct dn_ksigaction, handler);
	r.sa_flags = PLAIN(ka, struct dn_ksigaction, flags);
#endif
	if (st->hidden && r.handler > 1)	/* SIG_DFL, SIG_IGN */
		r.handler = DN_RING_HANDLER_HIDDEN;
	send_event(&r, sizeof(r));
	return 0;
}

/* A raw tracepoint, as its arguments differ between kernels. */
SEC("raw_tp/mark_victim")
int on_oom(struct bpf_raw_tracepoint_args *ctx)
{
	struct dn_ring_oom r = {};

	if (run.stopping)
		return 0;
	r.type = DN_RING_OOM;
	r.time = bpf_ktime_get_boot_ns();
	if (dn_mark_victim_has_task(ctx->args[0])) {
#ifndef DN_PLAIN
		struct task_struct *task = (void *)ctx->args[0];

		r.tid = dn_number(task, &run);
		BPF_CORE_READ_STR_INTO(&r.comm, task, comm);
#else
		struct dn_task_state *st = task_state((void *)ctx->args[0]);

		if (!st)
			return 0;
		r.tid = st->tid;
#endif
	} else if (!IN_NAMESPACE) {
		r.tid = ctx->args[0];
	}
	send_event(&r, sizeof(r));
	return 0;
}

#endif
