/*
 * stacks.h - the stacks of a loaded trace, out of the views stack_nodes and
 * stack_weights into a flame tree. What folded.c and flame.c begin with.
 */
#ifndef DN_ANALYZER_STACKS_H
#define DN_ANALYZER_STACKS_H

#include <stdbool.h>
#include <stdint.h>

#include "options.h"

struct dn_db;
struct dn_flametree;
struct dn_text;

/* Names of one kind of weight. */
struct dn_weight_name {
	const char *what;	/* in the view and behind --of */
	const char *title;	/* a heading */
	bool ns;		/* the weight is a time */
};

extern const struct dn_weight_name dn_weight_names[DN_WEIGHTS];

/*
 * All frames of a trace, with " FILE:LINE" behind the names of those whose line is known. `folded`: names as a line of folded stacks can have them,
 * without ";" and control characters, and with _[k] behind those of the kernel.
 * 0 or a negative errno; dn_db_error() has the reason of -EIO.
 */
int dn_stacks_frames(struct dn_db *db, int64_t trace, struct dn_flametree *t, bool folded);

/*
 * One kind of weight into the tree, and settles it. The roots are the names of the
 * threads, with their numbers where `by` asks for it: comm, comm-PID, comm-PID/TID.
 * How many weights there were, or a negative errno.
 */
int64_t dn_stacks_weigh(struct dn_db *db, int64_t trace, struct dn_flametree *t, enum dn_weight of,
			enum dn_stacks_by by, bool folded);

/* Whether the trace has weights of that kind: 1, 0 or a negative errno. */
int dn_stacks_has(struct dn_db *db, int64_t trace, enum dn_weight of);

/* What does not stand in the tree as the trace has it, as half a sentence; nothing where nothing. */
void dn_stacks_flaws(const struct dn_flametree *t, struct dn_text *out);

#endif
