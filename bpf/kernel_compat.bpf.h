/*
 * kernel_compat.bpf.h - every difference between kernels and architectures,
 * each with its source.
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

#define PF_KTHREAD 0x00200000	/* include/linux/sched.h */

#if defined(__TARGET_ARCH_x86)
#define DN_NATIVE_ABI DN_ABI_X86_64
#define TS_COMPAT 0x0002	/* arch/x86/include/asm/thread_info.h: a 32-bit call (int 0x80, sysenter) is open */

/* Sets abi and slot of the call that task has open, and takes x32's bit off nr. */
static __always_inline __u32 dn_call_abi(struct task_struct *task, __u32 *nr, __u8 *abi)
{
	if (task->thread_info.status & TS_COMPAT) {
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
		args[0] = (__u32)regs->bx;
		args[1] = (__u32)regs->cx;
		args[2] = (__u32)regs->dx;
		args[3] = (__u32)regs->si;
		args[4] = (__u32)regs->di;
		args[5] = (__u32)regs->bp;
		return;
	}
	args[0] = regs->di;
	args[1] = regs->si;
	args[2] = regs->dx;
	args[3] = regs->r10;
	args[4] = regs->r8;
	args[5] = regs->r9;
}

static __always_inline __u32 dn_call_nr(struct pt_regs *regs)
{
	return (__u32)regs->orig_ax;
}
#elif defined(__TARGET_ARCH_arm64)
#define DN_NATIVE_ABI DN_ABI_AARCH64
#define TIF_32BIT (1ul << 22)	/* arch/arm64/include/asm/thread_info.h */

static __always_inline __u32 dn_call_abi(struct task_struct *task, __u32 *nr, __u8 *abi)
{
	if (task->thread_info.flags & TIF_32BIT) {
		*abi = DN_ABI_ARM;
		return DN_SLOT_COMPAT;
	}
	*abi = DN_ABI_AARCH64;
	return DN_SLOT_NATIVE;
}

static __always_inline void dn_call_args(struct pt_regs *regs, __u8 abi, __u64 *args)
{
	args[0] = regs->orig_x0;
	args[1] = regs->regs[1];
	args[2] = regs->regs[2];
	args[3] = regs->regs[3];
	args[4] = regs->regs[4];
	args[5] = regs->regs[5];
}

static __always_inline __u32 dn_call_nr(struct pt_regs *regs)
{
	return (__u32)regs->syscallno;
}
#else
#error "this architecture has no register layout here"
#endif

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

#define TASK_DEAD 0x80	/* include/linux/sched.h */

/* Renamed from state to __state in 5.14 (commit 2f064a59a11f). */
static __always_inline bool dn_task_dead(struct task_struct *task)
{
	struct task_struct___new *new = (void *)task;
	struct task_struct___old *old = (void *)task;

	if (bpf_core_field_exists(new->__state))
		return new->__state & TASK_DEAD;
	return BPF_CORE_READ(old, state) & TASK_DEAD;
}

/*
 * oom:mark_victim passed a pid until 6.8 and passes a task since (commit
 * 72ba14deb40a); the field comm came with the change.
 */
static __always_inline bool dn_mark_victim_has_task(void)
{
	return bpf_core_field_exists(struct trace_event_raw_mark_victim___task, __data_loc_comm);
}

/*
 * bpf_loop came with 5.17 (commit e6f2dd0f8067). The verifier walks its body
 * once; a plain loop it walks turn by turn, so that an older kernel is given
 * fewer turns.
 */
#define DN_FEW_TURNS 24

#define dn_loop(turns, body, ctx)                                             \
	do {                                                                  \
		if (bpf_core_enum_value_exists(enum bpf_func_id___loop,       \
					       BPF_FUNC_loop___loop)) {       \
			bpf_loop(turns, body, ctx, 0);                        \
		} else {                                                      \
			for (__u32 turn = 0; turn < DN_FEW_TURNS; turn++)     \
				if (body(turn, ctx))                          \
					break;                                \
		}                                                             \
	} while (0)

#endif
