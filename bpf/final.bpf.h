/*
 * final.bpf.h - the tasks of the tree that live when the recording ends,
 * listed by a task iterator: their sequence, and the call they are in.
 */
#ifndef DN_FINAL_BPF_H
#define DN_FINAL_BPF_H

#include "state.bpf.h"

SEC("iter/task")
int list_threads(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct dn_iter_thread r = {};
	struct dn_task_state *st;

	if (!task)
		return 0;
	st = task_state(task);
	if (!st || st->armed != DN_ARMED)
		return 0;
	r.thread = st->thread;
	r.process = st->process;
	r.tid = task->pid;
	r.pid = task->tgid;
	r.seq = st->seq;
	r.in_call = st->in_call;
	r.abi = st->abi;
	r.nargs = st->nargs;
	r.nstr = st->nstr;
	r.nr = st->nr;
	r.flags = st->flags;
	r.start = st->start;
	r.off = st->off;
	r.off_ran = task->se.sum_exec_runtime - st->off_runtime;
	r.off_state = st->off_state;
	r.off_stack = st->off_stack;
	r.woken = st->woken_by ? st->woken : 0;
	for (int i = 0; i < 6; i++)
		r.args[i] = st->args[i];
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}

#endif
