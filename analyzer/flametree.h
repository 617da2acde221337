/*
 * flametree.h - stacks and their weights, merged into one tree by name.
 *
 * It is fed with frames, each the end of a stack and named by an id, with the id
 * of the frame that called it; then with weights of stacks, each below a root
 * that the caller names (a process, a thread). Frames of one name and kind below
 * the same parent become one node, whatever their addresses were.
 *
 * What it is fed with comes out of a trace, which may be damaged or made to do
 * harm: a parent that is not there, a circle of parents, a stack of a million
 * frames. All work is in loops, over tables with a limit, and each frame is looked
 * at once for each root; what did not fit or made no sense is counted.
 *
 * Order of calls: frame() for all frames, add() for all weights, settle(), and
 * then node() for what came of it. clear() goes back to the state before the
 * first add(). One thread at a time. Functions return 0 or -ENOMEM.
 */
#ifndef DN_ANALYZER_FLAMETREE_H
#define DN_ANALYZER_FLAMETREE_H

#include <stddef.h>
#include <stdint.h>

struct dn_flametree;

enum dn_frame_kind {
	DN_FRAME_USER,
	DN_FRAME_KERNEL,
	DN_FRAME_MARK,	/* no function: a remark where frames are missing */
	DN_FRAME_ROOT,	/* what the caller named in add(), and the node above */
};

#define DN_FLAME_NONE UINT32_MAX

/* Nodes are in the order of a walk: a parent, then all that is below it, children by name. */
struct dn_flame_node {
	uint32_t parent;	/* DN_FLAME_NONE: the topmost, node 0 */
	uint32_t end;		/* the first node behind that is not below this one */
	uint32_t depth;		/* 0: the topmost */
	uint32_t name;		/* dn_flametree_text() */
	uint32_t object;	/* the same; DN_FLAME_NONE: not known */
	enum dn_frame_kind kind;
	uint64_t self;		/* weight of stacks that end here */
	uint64_t total;		/* and of those that go on below */
};

/* What is not in the tree as it was fed. */
struct dn_flame_flaws {
	uint64_t broken;	/* stacks with a missing parent or a circle, and ids that are not there */
	uint64_t deep;		/* frames below `depth`, or without room: their weight is with the last one above */
	uint64_t crowded;	/* weights of stacks that found no room: below their root as a mark */
	uint64_t negative;	/* weights below 0, left out */
};

/* At most `nodes` nodes, `depth` levels below the roots. NULL: no memory. */
struct dn_flametree *dn_flametree_new(size_t nodes, uint32_t depth);
void dn_flametree_free(struct dn_flametree *t);

/* parent NULL: the outermost. object NULL: not known. Of two frames with one id the first counts. */
int dn_flametree_frame(struct dn_flametree *t, int64_t id, const int64_t *parent, const char *name,
		       size_t len, const char *object, size_t object_len, enum dn_frame_kind kind);

int dn_flametree_add(struct dn_flametree *t, const char *root, size_t len, int64_t stack, int64_t weight);

int dn_flametree_settle(struct dn_flametree *t);
void dn_flametree_clear(struct dn_flametree *t);

/* Of a settled tree; node 0 is there even where nothing was added. */
uint32_t dn_flametree_count(const struct dn_flametree *t);
const struct dn_flame_node *dn_flametree_node(const struct dn_flametree *t, uint32_t i);
const char *dn_flametree_text(const struct dn_flametree *t, uint32_t text, size_t *len);
/* Texts are numbered from 0. */
uint32_t dn_flametree_texts(const struct dn_flametree *t);
const struct dn_flame_flaws *dn_flametree_flaws(const struct dn_flametree *t);

#endif
