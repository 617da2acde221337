/*
 * stacks.h - stacks as the kernel side sends them, to rows of the trace.
 *
 * A stack comes once, as addresses under a hash, and records name the hash. Here
 * addresses become places in code (object and offset), which are the same in every process,
 * and stacks become a tree: each is a frame on top of the stack of its caller. Objects,
 * frames and stacks are told where they are met first, and again after each keyframe, so that no
 * part of a trace needs much of what lies before it.
 *
 * Belongs to the thread that reads the rings; after that has ended, to the main thread.
 */
#ifndef DN_RECORDER_STACKS_H
#define DN_RECORDER_STACKS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "code.h"
#include "record.h"
#include "ring_event.h"

struct dn_kernel_code;
struct dn_mapwatch;
struct dn_stacks;
struct dn_symbols;

struct dn_stacks_opts {
	const struct dn_sink *sink;
	/* These three become those of the dn_stacks. */
	struct dn_mapwatch *maps;	/* NULL: what processes map is not seen */
	struct dn_kernel_code *kernel;	/* may be NULL */
	struct dn_symbols *symbols;	/* NULL: no names are wanted */
	__u64 *generation;		/* of struct dn_run: raised to have all stacks sent again */
};

struct dn_stacks *dn_stacks_new(const struct dn_stacks_opts *o);	/* NULL with errno */
void dn_stacks_free(struct dn_stacks *s);

/* Whose mappings count: this process, and those born of it. 0 or -ENOMEM. */
int dn_stacks_follow(struct dn_stacks *s, uint32_t pid);

/* The same of a process that runs already. Before rings are read. */
int dn_stacks_attach(struct dn_stacks *s, uint32_t pid);

/* The rings are marked, and are read up to there next: what was mapped by then is taken in. */
void dn_stacks_pass(struct dn_stacks *s);

/* A record of the ring. 0 or -EPROTO; one there is no memory for is as if it had not come. */
int dn_stacks_sent(struct dn_stacks *s, const struct dn_ring_stack *r, uint32_t len);

/* The id in the trace of the stack of that hash as it was at that time, 0: it has not come. Its rows are
 * told where they must be. 0 or an error of the sink. */
int dn_stacks_find(struct dn_stacks *s, uint64_t hash, uint64_t time, uint32_t *id);

/* All rows are told again where they are met. Any thread. */
void dn_stacks_keyframe(struct dn_stacks *s);

/* Tells the names of all functions that stacks went through: dn_symbols_tell(). */
long dn_stacks_symbols(struct dn_stacks *s, uid_t owner, uint64_t budget_ns);

uint64_t dn_stacks_mappings_lost(const struct dn_stacks *s);

#endif
