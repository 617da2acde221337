/*
 * vmlinux_flavours.h - types as some kernels have them, and others not: to be asked
 * for before they are read. What follows ___ is not part of the kernel's name.
 *
 * Made by update-types.sh from vmlinux_min.list. Do not edit.
 */
#ifndef DN_VMLINUX_FLAVOURS_H
#define DN_VMLINUX_FLAVOURS_H

enum bpf_func_id___loop {
	BPF_FUNC_loop___loop = 181,	/* since 5.17 */
};

enum bpf_func_id___regs {
	BPF_FUNC_task_pt_regs___regs = 175,	/* since 5.15 */
};

enum bpf_func_id___stack {
	BPF_FUNC_get_task_stack___stack = 141,	/* since 5.9 */
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

#if defined(__TARGET_ARCH_x86)

struct task_struct___x86 {
	void *stack;
};

#endif

struct task_struct___new {
	unsigned int __state;	/* since 5.14, else task_struct___old.state */
};

struct task_struct___old {
	long state;	/* until 5.13, else task_struct___new.__state */
};

struct file___count {
	struct { long long counter; } f_count;	/* until 6.12, else file___ref.f_ref */
};

struct file___ref {
	struct { struct { long long counter; } refcnt; } f_ref;	/* since 6.13, else file___count.f_count */
};

struct trace_event_raw_mark_victim___task {
	unsigned int __data_loc_comm;	/* since 6.9 */
};

struct trace_event_raw_sched_process_exit___dead {
	bool group_dead;	/* since 6.16 */
};

#pragma clang attribute pop

#endif
