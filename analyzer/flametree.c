/*
 * flametree.c - the prefix tree of addresses folded into one of names.
 *
 * A weight's stack is walked from its innermost frame outwards until a frame
 * whose node below this root is known (`seen`), or the end; then back, making the
 * nodes on the way. So each pair of root and frame is walked once. The walk marks
 * its frames: one that is met again is a circle, and is cut there.
 *
 * Hashes are seeded: a trace cannot be made so that all its keys meet in one place.
 */
#include "flametree.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <xxhash.h>

#define SEEN_FACTOR 2		/* pairs of root and frame, for each node allowed */
#define TEXTS_MAX (1u << 30)	/* bytes of names */

struct text {
	size_t at;
	uint32_t len;
};

/* A frame as it was fed. */
struct frame {
	int64_t id, parent_id;
	uint32_t order;		/* of those with one id the first fed comes first */
	uint32_t key;		/* in struct dn_flametree.key */
	uint32_t parent;	/* index; NONE: outermost, or missing */
	uint32_t object;
	uint32_t walk;		/* the last that came by */
	bool has_parent;
};

/* What makes two frames one. */
struct key {
	uint32_t name;
	enum dn_frame_kind kind;
};

/* 64 bits to 32, open addressing; value 0 is a free slot, so what is kept is one more. */
struct map {
	struct slot {
		uint64_t key;
		uint32_t value;
	} *slot;
	size_t cap, n;
};

struct dn_flametree {
	size_t nodes_max;
	uint32_t depth_max;
	uint64_t seed;

	char *bytes;
	size_t nbytes, bytes_cap;
	struct text *text;
	uint32_t ntext, text_cap;
	uint32_t *text_hash;	/* index + 1 */
	size_t text_slots;

	struct key *key;
	uint32_t nkey, key_cap;
	struct map keys;	/* name and kind */

	struct frame *frame;
	uint32_t nframe, frame_cap;
	bool sorted;
	uint32_t walk;
	uint32_t *path, path_cap;

	struct dn_flame_node *node;	/* `end` is the key until it is settled */
	uint32_t nnode, node_cap;
	struct map children;	/* parent and key */
	struct map seen;	/* root and frame */
	bool full;
	struct dn_flame_flaws flaws;
};

/* Room for one more in an array of n, cap. */
static int grow(void *array, uint32_t n, uint32_t *cap, size_t size)
{
	uint32_t more = *cap ? *cap * 2 : 64;
	void *p;

	if (n < *cap)
		return 0;
	if (*cap > UINT32_MAX / 4)
		return -ENOMEM;
	memcpy(&p, array, sizeof(p));
	p = realloc(p, more * size);
	if (!p)
		return -ENOMEM;
	memcpy(array, &p, sizeof(p));
	*cap = more;
	return 0;
}

/* --- maps ---------------------------------------------------------------- */

static struct slot *find_slot(const struct map *m, uint64_t key, uint64_t seed)
{
	size_t i = (size_t)XXH3_64bits_withSeed(&key, sizeof(key), seed) & (m->cap - 1);

	while (m->slot[i].value && m->slot[i].key != key)
		i = (i + 1) & (m->cap - 1);
	return &m->slot[i];
}

/* The value, or NONE. */
static uint32_t map_get(const struct map *m, uint64_t key, uint64_t seed)
{
	return m->cap ? find_slot(m, key, seed)->value - 1 : DN_FLAME_NONE;
}

static int map_grow(struct map *m, uint64_t seed)
{
	struct map to = { .cap = m->cap ? m->cap * 2 : 256, .n = m->n };

	to.slot = calloc(to.cap, sizeof(*to.slot));
	if (!to.slot)
		return -ENOMEM;
	for (size_t i = 0; i < m->cap; i++)
		if (m->slot[i].value)
			*find_slot(&to, m->slot[i].key, seed) = m->slot[i];
	free(m->slot);
	*m = to;
	return 0;
}

static int map_put(struct map *m, uint64_t key, uint32_t value, uint64_t seed)
{
	struct slot *s;

	if (m->n * 2 >= m->cap && map_grow(m, seed))
		return -ENOMEM;
	s = find_slot(m, key, seed);
	m->n += !s->value;
	*s = (struct slot){ key, value + 1 };
	return 0;
}

static void map_clear(struct map *m)
{
	free(m->slot);
	*m = (struct map){ 0 };
}

static uint64_t pair(uint32_t a, uint32_t b)
{
	return (uint64_t)a << 32 | b;
}

/* --- texts --------------------------------------------------------------- */

static uint32_t *text_slot(struct dn_flametree *t, const char *p, size_t len)
{
	size_t i = (size_t)XXH3_64bits_withSeed(p, len, t->seed) & (t->text_slots - 1);

	for (; t->text_hash[i]; i = (i + 1) & (t->text_slots - 1)) {
		const struct text *x = &t->text[t->text_hash[i] - 1];

		if (x->len == len && !memcmp(t->bytes + x->at, p, len))
			break;
	}
	return &t->text_hash[i];
}

static int more_text_slots(struct dn_flametree *t)
{
	size_t n = t->text_slots ? t->text_slots * 2 : 256;
	uint32_t *slots = calloc(n, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	free(t->text_hash);
	t->text_hash = slots;
	t->text_slots = n;
	for (uint32_t i = 0; i < t->ntext; i++)
		*text_slot(t, t->bytes + t->text[i].at, t->text[i].len) = i + 1;
	return 0;
}

static int intern(struct dn_flametree *t, const char *p, size_t len, uint32_t *out)
{
	uint32_t *slot;

	if (len > TEXTS_MAX - t->nbytes)
		return -ENOMEM;
	if ((size_t)t->ntext * 2 >= t->text_slots && more_text_slots(t))
		return -ENOMEM;
	slot = text_slot(t, p, len);
	if (*slot) {
		*out = *slot - 1;
		return 0;
	}
	if (grow(&t->text, t->ntext, &t->text_cap, sizeof(*t->text)))
		return -ENOMEM;
	if (len + 1 > t->bytes_cap - t->nbytes) {
		size_t cap = (t->bytes_cap + len + 1) * 2;
		char *bytes = realloc(t->bytes, cap);

		if (!bytes)
			return -ENOMEM;
		t->bytes = bytes;
		t->bytes_cap = cap;
	}
	memcpy(t->bytes + t->nbytes, p, len);
	t->bytes[t->nbytes + len] = 0;
	t->text[t->ntext] = (struct text){ t->nbytes, (uint32_t)len };
	t->nbytes += len + 1;
	*slot = ++t->ntext;
	*out = t->ntext - 1;
	return 0;
}

static int key_of(struct dn_flametree *t, const char *name, size_t len, enum dn_frame_kind kind,
		  uint32_t *out)
{
	uint32_t text;

	if (intern(t, name, len, &text))
		return -ENOMEM;
	*out = map_get(&t->keys, pair(text, kind), t->seed);
	if (*out != DN_FLAME_NONE)
		return 0;
	if (grow(&t->key, t->nkey, &t->key_cap, sizeof(*t->key)) ||
	    map_put(&t->keys, pair(text, kind), t->nkey, t->seed))
		return -ENOMEM;
	t->key[t->nkey] = (struct key){ text, kind };
	*out = t->nkey++;
	return 0;
}

/* --- frames -------------------------------------------------------------- */

int dn_flametree_frame(struct dn_flametree *t, int64_t id, const int64_t *parent, const char *name,
		       size_t len, const char *object, size_t object_len, enum dn_frame_kind kind)
{
	struct frame f = { .id = id, .parent_id = parent ? *parent : 0, .has_parent = parent,
			   .order = t->nframe, .parent = DN_FLAME_NONE, .object = DN_FLAME_NONE };

	if (grow(&t->frame, t->nframe, &t->frame_cap, sizeof(*t->frame)) ||
	    key_of(t, name, len, kind, &f.key) ||
	    (object && intern(t, object, object_len, &f.object)))
		return -ENOMEM;
	t->frame[t->nframe++] = f;
	t->sorted = false;
	return 0;
}

static int by_id(const void *pa, const void *pb)
{
	const struct frame *a = pa, *b = pb;

	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

/* The first frame with that id, or NONE. */
static uint32_t find_frame(const struct dn_flametree *t, int64_t id)
{
	uint32_t lo = 0, hi = t->nframe;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (t->frame[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < t->nframe && t->frame[lo].id == id ? lo : DN_FLAME_NONE;
}

static void sort_frames(struct dn_flametree *t)
{
	if (t->nframe)
		qsort(t->frame, t->nframe, sizeof(*t->frame), by_id);
	for (uint32_t i = 0; i < t->nframe; i++)
		if (t->frame[i].has_parent)
			t->frame[i].parent = find_frame(t, t->frame[i].parent_id);
	t->sorted = true;
}

/* --- nodes --------------------------------------------------------------- */

static uint64_t plus(uint64_t a, uint64_t b)
{
	return a > INT64_MAX - b ? INT64_MAX : a + b;	/* SQL and JSON have no more */
}

/* The node of a key below parent, made where it is not there yet. A tree that is full
 * gives NONE. */
static int child(struct dn_flametree *t, uint32_t parent, uint32_t key, uint32_t object, uint32_t *out)
{
	*out = map_get(&t->children, pair(parent, key), t->seed);
	if (*out != DN_FLAME_NONE || t->nnode >= t->nodes_max)
		return 0;
	if (grow(&t->node, t->nnode, &t->node_cap, sizeof(*t->node)) ||
	    map_put(&t->children, pair(parent, key), t->nnode, t->seed))
		return -ENOMEM;
	t->node[t->nnode] = (struct dn_flame_node){
		.parent = parent, .end = key, .depth = t->node[parent].depth + 1,
		.name = t->key[key].name, .object = object, .kind = t->key[key].kind,
	};
	*out = t->nnode++;
	return 0;
}

/* A remark below root, where there is room for it. */
static int remark(struct dn_flametree *t, uint32_t root, const char *text, uint32_t *out)
{
	uint32_t key;

	if (key_of(t, text, strlen(text), DN_FRAME_MARK, &key) ||
	    child(t, root, key, DN_FLAME_NONE, out))
		return -ENOMEM;
	if (*out == DN_FLAME_NONE)
		*out = root;
	return 0;
}

/* Walks from frame n outwards, leaving the frames that have no node yet in path. Returns how
 * many those are; *base is the node they come below. */
static int walk_out(struct dn_flametree *t, uint32_t root, uint32_t n, uint32_t *base, uint32_t *npath)
{
	*npath = 0;
	if (!++t->walk) {	/* 0: never walked */
		for (uint32_t i = 0; i < t->nframe; i++)
			t->frame[i].walk = 0;
		t->walk = 1;
	}
	for (;;) {
		struct frame *f = &t->frame[n];

		*base = map_get(&t->seen, pair(root, n), t->seed);
		if (*base != DN_FLAME_NONE)
			return 0;
		*base = root;
		if (f->walk == t->walk) {
			t->flaws.broken++;
			return 0;
		}
		if (t->full || t->seen.n + *npath >= t->nodes_max * SEEN_FACTOR) {
			t->full = true;
			return 0;
		}
		f->walk = t->walk;
		if (grow(&t->path, *npath, &t->path_cap, sizeof(*t->path)))
			return -ENOMEM;
		t->path[(*npath)++] = n;
		if (!f->has_parent)
			return 0;
		n = f->parent;
		if (n == DN_FLAME_NONE) {
			t->flaws.broken++;
			return remark(t, root, "[frames missing]", base);
		}
	}
}

/* The node where a stack ends. */
static int place(struct dn_flametree *t, uint32_t root, uint32_t n, uint32_t *out)
{
	uint32_t npath, base, next;

	if (walk_out(t, root, n, &base, &npath))
		return -ENOMEM;
	if (t->full && (npath || base == root)) {
		t->flaws.crowded++;
		return remark(t, root, "[left out]", out);
	}
	while (npath--) {
		const struct frame *f = &t->frame[t->path[npath]];

		next = DN_FLAME_NONE;
		if (t->node[base].depth <= t->depth_max &&
		    child(t, base, f->key, f->object, &next))
			return -ENOMEM;
		if (next == DN_FLAME_NONE)
			t->flaws.deep++;
		else
			base = next;
		if (map_put(&t->seen, pair(root, t->path[npath]), base, t->seed))
			return -ENOMEM;
	}
	*out = base;
	return 0;
}

static int begin(struct dn_flametree *t)
{
	uint32_t text;

	if (!t->sorted)
		sort_frames(t);
	if (t->nnode)
		return 0;
	if (intern(t, "all", 3, &text) || grow(&t->node, 0, &t->node_cap, sizeof(*t->node)))
		return -ENOMEM;
	t->node[0] = (struct dn_flame_node){ .parent = DN_FLAME_NONE, .name = text,
					     .object = DN_FLAME_NONE, .kind = DN_FRAME_ROOT };
	t->nnode = 1;
	return 0;
}

int dn_flametree_add(struct dn_flametree *t, const char *root, size_t len, int64_t stack, int64_t weight)
{
	uint32_t key, top, n, at;

	if (weight < 0) {
		t->flaws.negative++;
		return 0;
	}
	if (begin(t) || key_of(t, root, len, DN_FRAME_ROOT, &key) ||
	    child(t, 0, key, DN_FLAME_NONE, &top))
		return -ENOMEM;
	if (top == DN_FLAME_NONE) {
		t->flaws.crowded++;
		t->node[0].self = plus(t->node[0].self, (uint64_t)weight);
		return 0;
	}
	n = find_frame(t, stack);
	if (n == DN_FLAME_NONE)
		t->flaws.broken++;
	if (n == DN_FLAME_NONE ? remark(t, top, "[stack missing]", &at) : place(t, top, n, &at))
		return -ENOMEM;
	t->node[at].self = plus(t->node[at].self, (uint64_t)weight);
	return 0;
}

/* --- order --------------------------------------------------------------- */

struct named {
	const char *p;
	size_t len;
	enum dn_frame_kind kind;
	uint32_t key;
};

static int by_name(const void *pa, const void *pb)
{
	const struct named *a = pa, *b = pb;
	int d = memcmp(a->p, b->p, a->len < b->len ? a->len : b->len);

	if (d)
		return d;
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return (int)a->kind - (int)b->kind;
}

/* rank[key]: its place among all names. */
static uint32_t *rank_names(const struct dn_flametree *t)
{
	struct named *v = calloc(t->nkey + 1, sizeof(*v));
	uint32_t *rank = calloc(t->nkey + 1, sizeof(*rank));

	if (!v || !rank) {
		free(v);
		free(rank);
		return NULL;
	}
	for (uint32_t i = 0; i < t->nkey; i++) {
		const struct text *x = &t->text[t->key[i].name];

		v[i] = (struct named){ t->bytes + x->at, x->len, t->key[i].kind, i };
	}
	qsort(v, t->nkey, sizeof(*v), by_name);
	for (uint32_t i = 0; i < t->nkey; i++)
		rank[v[i].key] = i;
	free(v);
	return rank;
}

struct place {
	uint64_t key;	/* parent and rank: siblings lie together, by name */
	uint32_t node;
};

static int by_place(const void *pa, const void *pb)
{
	const struct place *a = pa, *b = pb;

	return a->key < b->key ? -1 : a->key > b->key;
}

/* The nodes in the order of a walk into out; `sorted` has all but the topmost. */
static void lay_out(const struct dn_flametree *t, const struct place *sorted, uint32_t *first,
		    uint32_t *at, struct dn_flame_node *out)
{
	uint32_t n = t->nnode - 1, i, made = 0, old = 0, up = DN_FLAME_NONE;

	for (uint32_t k = 0; k < t->nnode; k++)
		first[k] = DN_FLAME_NONE;
	for (uint32_t k = n; k-- > 0;) {
		first[sorted[k].key >> 32] = k;
		at[sorted[k].node] = k;
	}
	for (;;) {
		out[made] = t->node[old];
		out[made].parent = up;
		i = made++;
		if (first[old] != DN_FLAME_NONE) {
			up = i;
			old = sorted[first[old]].node;
			continue;
		}
		/* Up to a node that has a sibling behind it. */
		for (out[i].end = made; old; old = t->node[old].parent) {
			uint32_t next = at[old] + 1;

			if (next < n && sorted[next].key >> 32 == t->node[old].parent) {
				old = sorted[next].node;
				break;
			}
			out[up].end = made;
			up = out[up].parent;
		}
		if (!old)
			return;
	}
}

int dn_flametree_settle(struct dn_flametree *t)
{
	struct dn_flame_node *out = NULL;
	struct place *sorted = NULL;
	uint32_t *rank = NULL, *first = NULL, *at = NULL;
	int err = begin(t) ? -ENOMEM : 0;

	if (err)
		return err;
	/* A child was made after its parent. */
	for (uint32_t i = t->nnode; i-- > 0;) {
		struct dn_flame_node *n = &t->node[i];

		n->total = plus(n->total, n->self);
		if (i)
			t->node[n->parent].total = plus(t->node[n->parent].total, n->total);
	}
	rank = rank_names(t);
	sorted = calloc(t->nnode, sizeof(*sorted));
	first = calloc(t->nnode, sizeof(*first));
	at = calloc(t->nnode, sizeof(*at));
	out = calloc(t->nnode, sizeof(*out));
	if (!rank || !sorted || !first || !at || !out) {
		err = -ENOMEM;
		goto out;
	}
	for (uint32_t i = 1; i < t->nnode; i++)
		sorted[i - 1] = (struct place){ pair(t->node[i].parent, rank[t->node[i].end]), i };
	qsort(sorted, t->nnode - 1, sizeof(*sorted), by_place);
	lay_out(t, sorted, first, at, out);
	free(t->node);
	t->node = out;
	t->node_cap = t->nnode;
	out = NULL;
out:
	free(rank);
	free(sorted);
	free(first);
	free(at);
	free(out);
	return err;
}

void dn_flametree_clear(struct dn_flametree *t)
{
	map_clear(&t->children);
	map_clear(&t->seen);
	t->nnode = 0;
	t->full = false;
	t->flaws = (struct dn_flame_flaws){ 0 };
}

/* --- life, and what is read ---------------------------------------------- */

struct dn_flametree *dn_flametree_new(size_t nodes, uint32_t depth)
{
	struct dn_flametree *t = calloc(1, sizeof(*t));
	struct timespec now;

	if (!t)
		return NULL;
	clock_gettime(CLOCK_REALTIME, &now);
	t->seed = (uint64_t)now.tv_nsec << 32 ^ (uint64_t)(uintptr_t)t;
	t->nodes_max = nodes;
	t->depth_max = depth;
	return t;
}

void dn_flametree_free(struct dn_flametree *t)
{
	if (!t)
		return;
	map_clear(&t->keys);
	map_clear(&t->children);
	map_clear(&t->seen);
	free(t->bytes);
	free(t->text);
	free(t->text_hash);
	free(t->key);
	free(t->frame);
	free(t->path);
	free(t->node);
	free(t);
}

uint32_t dn_flametree_count(const struct dn_flametree *t)
{
	return t->nnode;
}

const struct dn_flame_node *dn_flametree_node(const struct dn_flametree *t, uint32_t i)
{
	return &t->node[i];
}

const char *dn_flametree_text(const struct dn_flametree *t, uint32_t text, size_t *len)
{
	*len = t->text[text].len;
	return t->bytes + t->text[text].at;
}

uint32_t dn_flametree_texts(const struct dn_flametree *t)
{
	return t->ntext;
}

const struct dn_flame_flaws *dn_flametree_flaws(const struct dn_flametree *t)
{
	return &t->flaws;
}
