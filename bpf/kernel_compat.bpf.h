/*
 * kernel_compat.bpf.h - every difference between kernels and architectures,
 * each with its source.
 *
 * The same programs are compiled into three objects (recorder/object.c has the
 * ladder of them):
 *
 *   denet.bpf.c        typed arguments (tp_btf), an array for the state of tasks;
 *                      5.17 or later, with fewer turns of a loop 5.13 or later
 *   denet_raw.bpf.c    DN_RAW: raw tracepoints, a hash for the state of tasks,
 *                      no instruction newer than 5.8; fields by CO-RE
 *   denet_plain.bpf.c  DN_RAW and DN_PLAIN: the same without the kernel's BTF:
 *                      no kernel structure is read, only what the helpers, the
 *                      tracepoints' own numbers and the register frame tell
 */
#ifndef DN_KERNEL_COMPAT_BPF_H
#define DN_KERNEL_COMPAT_BPF_H

#ifdef DN_VMLINUX_H	/* ./configure --with-vmlinux-h: all types of one kernel */
#include DN_VMLINUX_H
#else
#include "vmlinux_min.h"
#endif
#include "vmlinux_flavours.h"

#define NULL ((void *)0)

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "ring_event.h"

/*
 * Handlers of tracepoints run with preemption on from 7.0 on
 * (include/linux/tracepoint.h: guard(rcu_tasks_trace) for system calls, guard(srcu_fast_notrace)
 * for the others, at first on real-time kernels only). A program is never run twice at once on a CPU
 * (kernel/trace/bpf_trace.c): what comes while it is preempted is skipped, and
 * counted as recursion_misses. So the programs of calls, births, execs and
 * deaths have a second one each (_again) that does what the first was kept from;
 * where that was skipped too, a call without return is sent at the next entry,
 * one without entry at its return. What belongs to a CPU is taken by atomic
 * operations.
 *
 * A thread that is preempted in a program keeps others of its CPU out of it until it runs again,
 * a second one in the second program keeps them out of both: of a crowd at nothing but
 * calls, 0.2 % had no entry on 7.2. The side of the tracepoints that perf uses runs
 * with preemption off (include/trace/perf.h), so that nothing is skipped there: where it can be had,
 * calls are seen through it (_steady).
 */

#ifndef DN_RAW
/*
 * Of the programs of calls there are variants for such kernels (_held) that are not
 * preempted while they work: with the scratch area of a CPU taken, every other thread
 * there lost its strings until the one that had it came to run again. The functions are
 * of 6.10 (commit fc7566ad0a82); with preemption off a global function of ours may be
 * called since 6.15 (commit e2d8f560d176). Before 5.16 (commit a5d827275241) a program is
 * refused for a call that the kernel does not know, though it never comes to it.
 */
extern void bpf_preempt_disable(void) __ksym __weak;
extern void bpf_preempt_enable(void) __ksym __weak;

#define HELD(does)                                                            \
	({                                                                    \
		int result;                                                   \
                                                                              \
		if (bpf_preempt_disable)                                      \
			bpf_preempt_disable();                                \
		result = does;                                                \
		if (bpf_preempt_enable)                                       \
			bpf_preempt_enable();                                 \
		result;                                                       \
	})
#endif

#define SIGKILL 9

/*
 * A field of what a tracepoint or this_task() gave. A raw tracepoint's
 * arguments are plain numbers to the verifier, which a helper must read.
 */
#ifndef DN_RAW
#define TP(name) SEC("tp_btf/" name)
#define READ(p, field) ((p)->field)
#else
#define TP(name) SEC("raw_tp/" name)
#define READ(p, field) BPF_CORE_READ(p, field)
#endif

/*
 * A function that the verifier walks by itself, once. It takes one with a
 * pointer as its argument from 5.12 on (commit e5069b9c23b3); before, it walks a
 * static one at each call.
 */
#ifndef DN_RAW
#define FUNCTION __noinline
#else
#define FUNCTION static __noinline
#endif

/* Argument n of a tracepoint as a number. What it gives as a pointer is none to the
 * verifier, and a FUNCTION does not take it for one. */
static __always_inline __u64 number_of(void *ctx, __u32 n)
{
	__u64 v = 0;

	bpf_probe_read_kernel(&v, sizeof(v), (__u64 *)ctx + n);
	return v;
}

/* bpf_probe_read_user_str(). Of an empty string strncpy_from_user_nofault() (mm/maccess.c)
 * says 0 up to 6.12 at least, and 1 on 6.18: its NUL has been copied in both. */
static __always_inline long dn_read_user_str(void *dst, __u32 size, const void *from)
{
	long n = bpf_probe_read_user_str(dst, size, from);

	return n ? n : 1;
}

/* bpf_get_current_task_btf came with 5.11 (commit 3ca1032ab7ab). */
static __always_inline struct task_struct *this_task(void)
{
#ifndef DN_RAW
	return bpf_get_current_task_btf();
#else
	return (struct task_struct *)bpf_get_current_task();
#endif
}

#ifdef DN_PLAIN
#include "plain.bpf.h"
#else
#define REG(regs, name) READ(regs, name)
#endif

/* Arguments and result of a kernel function, in the registers of a kprobe. */
#if defined(__TARGET_ARCH_x86)
#define DN_ARG1(ctx) ((ctx)->di)
#define DN_ARG4(ctx) ((ctx)->cx)
#define DN_RESULT(ctx) ((ctx)->ax)
#elif defined(__TARGET_ARCH_arm64)
#define DN_ARG1(ctx) ((ctx)->regs[0])
#define DN_ARG4(ctx) ((ctx)->regs[3])
#define DN_RESULT(ctx) ((ctx)->regs[0])
#endif

#if defined(__TARGET_ARCH_x86)
#define DN_NATIVE_ABI DN_ABI_X86_64
#define TS_COMPAT 0x0002	/* arch/x86/include/asm/thread_info.h: a 32-bit call (int 0x80, sysenter) is open */

/* Sets abi and slot of the call that task has open, and takes x32's bit off nr. */
static __always_inline __u32 dn_call_abi(struct task_struct *task, struct pt_regs *regs, __u32 *nr,
					 __u8 *abi)
{
#ifdef DN_PLAIN
	bool compat = is_narrow(regs);
#else
	bool compat = READ(task, thread_info.status) & TS_COMPAT;
#endif

	if (compat) {
		*abi = DN_ABI_I386;
		return DN_SLOT_COMPAT;
	}
	if (*nr & DN_X32_BIT && *nr != (__u32)-1) {
		*nr &= ~DN_X32_BIT;
		*abi = DN_ABI_X32;
		return DN_SLOT_X32;
	}
	*abi = DN_ABI_X86_64;
	return DN_SLOT_NATIVE;
}

static __always_inline void dn_call_args(struct pt_regs *regs, __u8 abi, __u64 *args)
{
	if (abi == DN_ABI_I386) {	/* asm/syscall.h: 32-bit argument order */
		args[0] = (__u32)REG(regs, bx);
		args[1] = (__u32)REG(regs, cx);
		args[2] = (__u32)REG(regs, dx);
		args[3] = (__u32)REG(regs, si);
		args[4] = (__u32)REG(regs, di);
		args[5] = (__u32)REG(regs, bp);
		return;
	}
	args[0] = REG(regs, di);
	args[1] = REG(regs, si);
	args[2] = REG(regs, dx);
	args[3] = REG(regs, r10);
	args[4] = REG(regs, r8);
	args[5] = REG(regs, r9);
}

static __always_inline __u32 dn_call_nr(struct pt_regs *regs)
{
	return (__u32)REG(regs, orig_ax);
}
#elif defined(__TARGET_ARCH_arm64)
#define DN_NATIVE_ABI DN_ABI_AARCH64
#define TIF_32BIT (1ul << 22)	/* arch/arm64/include/asm/thread_info.h */

static __always_inline __u32 dn_call_abi(struct task_struct *task, struct pt_regs *regs, __u32 *nr,
					 __u8 *abi)
{
#ifdef DN_PLAIN
	bool compat = is_narrow(regs);
#else
	bool compat = READ(task, thread_info.flags) & TIF_32BIT;
#endif

	if (compat) {
		*abi = DN_ABI_ARM;
		return DN_SLOT_COMPAT;
	}
	*abi = DN_ABI_AARCH64;
	return DN_SLOT_NATIVE;
}

static __always_inline void dn_call_args(struct pt_regs *regs, __u8 abi, __u64 *args)
{
	args[0] = REG(regs, orig_x0);
	args[1] = REG(regs, regs[1]);
	args[2] = REG(regs, regs[2]);
	args[3] = REG(regs, regs[3]);
	args[4] = REG(regs, regs[4]);
	args[5] = REG(regs, regs[5]);
}

static __always_inline __u32 dn_call_nr(struct pt_regs *regs)
{
	return (__u32)REG(regs, syscallno);
}
#else
#error "this architecture has no register layout here"
#endif

#ifndef DN_PLAIN
/* One of a task's numbers. The stride is the kernel's: an index would take our own, as
 * only constant offsets are relocated. */
static __always_inline void *dn_upid(struct pid *pid, __u32 level)
{
	return (void *)pid + bpf_core_field_offset(struct pid, numbers) + level * bpf_core_type_size(struct upid);
}

/* The pid namespace of that level that the task is in. */
static __always_inline __u64 dn_pid_ns(struct task_struct *task, __u32 level)
{
	__u64 ns = 0;

	bpf_probe_read_kernel(&ns, sizeof(ns), dn_upid(BPF_CORE_READ(task, thread_pid), level) +
			      bpf_core_field_offset(struct upid, ns));
	return ns;
}

/* Number of a thread in the trace's pid namespace; 0: it has none there. */
static __always_inline __u32 dn_number(struct task_struct *task, const struct dn_run *run)
{
	__u32 level = run->ns_level;
	struct pid *pid;
	int nr = 0;

	if (!level)
		return BPF_CORE_READ(task, pid);
	pid = BPF_CORE_READ(task, thread_pid);
	if (BPF_CORE_READ(pid, level) < level || dn_pid_ns(task, level) != run->ns)
		return 0;
	bpf_probe_read_kernel(&nr, sizeof(nr), dn_upid(pid, level) + bpf_core_field_offset(struct upid, nr));
	return nr;
}

/* Who task is. */
static __always_inline void dn_describe(struct task_struct *task, struct dn_ring_thread_start *r,
					const struct dn_run *run)
{
	struct pid *pid = READ(task, thread_pid);
	__u32 level = BPF_CORE_READ(pid, level), above = run->ns_level;

	r->tid = dn_number(task, run);
	r->pid = dn_number(BPF_CORE_READ(task, group_leader), run);
	r->ppid = dn_number(BPF_CORE_READ(task, real_parent, group_leader), run);
	r->born = READ(task, start_boottime);
	for (__u32 i = 0; i < DN_NS_LEVELS; i++) {
		int nr;

		if (above + i >= level ||
		    bpf_probe_read_kernel(&nr, sizeof(nr), dn_upid(pid, above + i + 1) +
					  bpf_core_field_offset(struct upid, nr)))
			break;
		r->ns_tid[i] = nr;
		r->ns_levels = i + 1;
	}
	BPF_CORE_READ_INTO(&r->comm, task, comm);
}

/*
 * Whether the thread that exits is the last of its process: 0 no, 1 yes,
 * 2 perhaps. The tracepoint says it itself since 6.16 (its second argument).
 * Before, the count of live threads is read, which is lowered earlier in
 * do_exit (kernel/exit.c): two threads that die together may both find 0, and
 * the recorder lets the later one be the last.
 */
static __always_inline __u8 dn_group_dead(struct task_struct *task, unsigned long long *ctx)
{
	if (bpf_core_field_exists(struct trace_event_raw_sched_process_exit___dead, group_dead))
		return !!(__u8)ctx[1];
	return BPF_CORE_READ(task, signal, live.counter) == 0 ? 2 : 0;
}

/* Whether nobody but one descriptor holds a file. A count from 1 on until 6.12; since then a
 * type of its own that counts from 0 on (commit 90ee6ed776c0). Both are nothing but a number. */
static __always_inline bool dn_file_single(struct file *file)
{
	struct file___ref *ref = (void *)file;
	struct file___count *count = (void *)file;
	__u64 held = 0;

	if (bpf_core_field_exists(ref->f_ref)) {
		if (bpf_probe_read_kernel(&held, sizeof(held), (void *)file + bpf_core_field_offset(ref->f_ref)))
			return false;
		return !held;
	}
	bpf_probe_read_kernel(&held, sizeof(held), (void *)file + bpf_core_field_offset(count->f_count));
	return held == 1;
}

#define __TASK_STOPPED 0x4	/* include/linux/sched.h */
#define __TASK_TRACED 0x8
#define TASK_DEAD 0x80
#define TASK_WAKING 0x200
#define TASK_RTLOCK_WAIT 0x1000
#define INTERRUPT_MASK 0xff0100	/* NMI, hard, soft while it is served: include/linux/preempt.h */

/* Renamed from state to __state in 5.14 (commit 2f064a59a11f). */
static __always_inline __u64 dn_task_bits(struct task_struct *task)
{
	struct task_struct___new *new = (void *)task;
	struct task_struct___old *old = (void *)task;

	if (bpf_core_field_exists(new->__state))
		return READ(new, __state);
	return BPF_CORE_READ(old, state);
}

/*
 * In which state prev leaves its CPU (include/linux/sched.h). Whoever wakes it at just this
 * moment may have set it to TASK_WAKING already, or to 0: it slept, then. The
 * tracepoint's own argument (5.18, commit fa2c3254d7cf) is not there on all kernels.
 */
static __always_inline __u8 dn_off_state(struct task_struct *prev)
{
	__u64 state = dn_task_bits(prev);

	if (!state)
		return DN_OFF_RUNNABLE;
	if (state & 1)
		return DN_OFF_SLEEPING;
	if (state & TASK_RTLOCK_WAIT)
		return DN_OFF_BLOCKED;
	if (state & 2)
		return BPF_CORE_READ_BITFIELD_PROBED(prev, in_iowait) ? DN_OFF_DISK : DN_OFF_BLOCKED;
	if (state & __TASK_STOPPED)
		return DN_OFF_STOPPED;
	if (state & __TASK_TRACED)
		return DN_OFF_TRACED;
	return state & TASK_WAKING ? DN_OFF_SLEEPING : DN_OFF_OTHER;
}

/*
 * Whether current itself does what it is seen at, or an interrupt that holds it up. With arm64 its
 * own count tells (include/linux/preempt.h). x86 has one for each CPU, whose place not all kernels
 * give away; but there an interrupt has a stack of its own (arch/x86/include/asm/irq_stack.h), unless
 * it came in user mode, which entries by an interrupt or a fault say with -1 in the place of a
 * call's number (arch/x86/entry/entry_64.S). ctx: a raw tracepoint's arguments are on the stack.
 */
#define TASK_STACK 16384	/* THREAD_SIZE, without KASAN */
#define PF_KTHREAD 0x00200000	/* linux/sched.h */
#define PF_IO_WORKER 0x00000010
#define PF_USER_WORKER 0x00004000	/* 6.4; before, who has used async_schedule() */
#define PF_EXITING 0x00000004	/* of a fault or an interrupt, but its end is its own */

/* The registers of user mode of a task that is in the kernel, by where they lie; NULL: not known. */
static __always_inline struct pt_regs *dn_stack_regs(struct task_struct *task)
{
#ifdef __TARGET_ARCH_x86
	return BPF_CORE_READ((struct task_struct___x86 *)task, stack) + TASK_STACK - bpf_core_type_size(struct pt_regs);
#else
	return NULL;	/* stacks are larger with larger pages */
#endif
}

static __always_inline bool dn_interrupted(struct task_struct *current, void *ctx)
{
#ifdef __TARGET_ARCH_x86
	__u64 stack = (__u64)BPF_CORE_READ((struct task_struct___x86 *)current, stack), at = (__u64)ctx, sp = 0;
	struct pt_regs *regs;

	asm volatile("" : "+m"(at));
	bpf_probe_read_kernel(&sp, sizeof(sp), &at);	/* what was a pointer is a number then */
	if (!READ(current, pid) || sp - stack >= TASK_STACK)
		return true;
	if (READ(current, flags) & (PF_KTHREAD | PF_EXITING))
		return false;
#ifndef DN_RAW
	if (bpf_core_enum_value_exists(enum bpf_func_id___regs, BPF_FUNC_task_pt_regs___regs))
		regs = (void *)bpf_task_pt_regs(current);
	else
#endif
		regs = dn_stack_regs(current);
	return BPF_CORE_READ(regs, orig_ax) == ~0ul;
#else
	return !READ(current, pid) || (BPF_CORE_READ(current, thread_info.preempt_count) & INTERRUPT_MASK);
#endif
}
#endif

/*
 * oom:mark_victim passed a pid until 6.8 and passes a task since (commit
 * 72ba14deb40a); the field comm came with the change. Without BTF the size of
 * the number tells: a pid has 22 bits at most (PID_MAX_LIMIT).
 */
static __always_inline bool dn_mark_victim_has_task(__u64 arg)
{
#ifdef DN_PLAIN
	return arg >> 22;
#else
	return bpf_core_field_exists(struct trace_event_raw_mark_victim___task, __data_loc_comm);
#endif
}

/*
 * bpf_loop came with 5.17 (commit e6f2dd0f8067). The verifier walks its body
 * once; a plain loop it walks turn by turn, so that an older kernel is given
 * fewer turns. Below 5.13 the address of a body is an instruction that even
 * dead code may not hold (BPF_PSEUDO_FUNC, commit 69c087ba6225).
 */
#define DN_FEW_TURNS 24

#define dn_turns(turns, body, ctx)                                            \
	do {                                                                  \
		/* 5.10 refuses a loop that begins right after a call */      \
		asm volatile("goto +0");                                      \
		for (__u32 turn = 0; turn < turns; turn++)                    \
			if (body(turn, ctx))                                  \
				break;                                        \
	} while (0)

/* few: the turns on an older kernel. */
#ifdef DN_RAW
#define dn_loop_or(turns, few, body, ctx) dn_turns(few, body, ctx)
#else
#define dn_loop_or(turns, few, body, ctx)                                     \
	do {                                                                  \
		if (bpf_core_enum_value_exists(enum bpf_func_id___loop,       \
					       BPF_FUNC_loop___loop))         \
			bpf_loop(turns, body, ctx, 0);                        \
		else                                                          \
			dn_turns(few, body, ctx);                             \
	} while (0)
#endif

#define dn_loop(turns, body, ctx) dn_loop_or(turns, DN_FEW_TURNS, body, ctx)

#endif
