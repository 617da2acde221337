/*
 * tree.h - the threads and processes of the recorded tree that live.
 *
 * Fed by the consumer from the records of process life; read by the main
 * thread for samples, keyframes and the status line. All calls lock.
 */
#ifndef DN_RECORDER_TREE_H
#define DN_RECORDER_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "record.h"

struct dn_tree;

struct dn_tree_thread {
	uint32_t thread, process, parent;
	uint32_t tid, pid, ppid;
	uint64_t born;
	char comm[16];
};

struct dn_tree *dn_tree_new(void);	/* NULL with errno */
void dn_tree_free(struct dn_tree *t);

/* 0 or -ENOMEM. */
int dn_tree_add(struct dn_tree *t, const struct dn_tree_thread *th);
/* ends: the process ends with this thread: 0 no, 1 yes, 2 if no other thread
 * of it is left. Returns whether it did. */
bool dn_tree_remove(struct dn_tree *t, uint32_t thread, unsigned ends);
void dn_tree_rename(struct dn_tree *t, uint32_t thread, const char comm[16]);

unsigned dn_tree_processes(struct dn_tree *t);	/* that live */

/* Births and deaths of processes since the last call, in order, for the
 * sampler. Calls fn without the lock. */
struct dn_tree_news {
	uint32_t process;
	pid_t pid;
	uint64_t born;
	bool dead;
};
void dn_tree_news(struct dn_tree *t, void (*fn)(void *ctx, const struct dn_tree_news *n), void *ctx);

/* A copy of the threads that live: *list is malloc()ed, the caller's. Count, or -ENOMEM. */
long dn_tree_list(struct dn_tree *t, struct dn_tree_thread **list);

#endif
