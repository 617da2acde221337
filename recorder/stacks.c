/*
 * stacks.c - the tree of stacks.
 *
 * Three tables, each a vector by id and an open hash table over it: frames by (object, offset),
 * stacks by (stack of the caller, frame), and the ids of stacks by the hash under which the kernel side
 * names them. They are bounded: full, they begin anew with further ids, and the kernel side is told
 * to send all again. What is on its way with an older hash by then is still found in the table before.
 */
#include "stacks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clocks.h"
#include "grow.h"
#include "kernel_code.h"
#include "mappings.h"
#include "mapwatch.h"
#include "row.h"
#include "spaces.h"
#include "symbols.h"

#define HASHES_MAX (1u << 17)
#define NODES_MAX (1u << 20)
#define FRAMES_MAX (1u << 20)
#define DEPTH_MAX (2 * DN_STACK_FRAMES + 2)
#define SPACES_STAY_NS 1000000000	/* after their end: what the rings hold of them is read by then */

struct object {
	uint32_t told;			/* epoch */
	bool met;
};

struct frame {
	struct dn_place at;
	uint32_t told;			/* epoch */
};

struct node {
	uint32_t parent, frame;		/* ids; parent 0: none */
	uint32_t told;
};

/* Numbers from 1 on, found by a key that stands elsewhere. */
struct index {
	uint32_t *seat;
	uint32_t seats;			/* a power of two, or 0 */
	uint32_t used;
};

struct known {
	uint64_t hash;			/* 0: free */
	uint64_t time;			/* it is this stack then, and as long as nothing else is mapped there */
	uint32_t stack;
	uint32_t pid;
};

struct dn_stacks {
	struct dn_stacks_opts o;
	struct dn_codes *codes;
	struct dn_spaces *spaces;
	struct frame *frame;		/* of id frames_before + 1 + i */
	uint32_t frames_before, nframes, frames_cap;
	struct dn_place *kept;		/* of frames before, to be named at the end */
	uint32_t nkept, kept_cap;
	struct index by_place;
	struct node *node;		/* of id first + i */
	uint32_t first, nnodes, nodes_cap;
	struct node *node_before;	/* of id first_before + i, up to first: what `before` names */
	uint32_t first_before;
	struct index by_caller;
	struct object *object;		/* by id - 1 */
	uint32_t objects_cap;
	struct known *known, *before;	/* HASHES_MAX * 2 seats each; before: may be NULL */
	uint32_t nknown;
	uint32_t epoch;			/* raised by keyframes */
	uint64_t read, before_that;	/* mappings, up to this time; in the pass before */
	struct dn_symbols_opts naming;
};

struct dn_stacks *dn_stacks_new(const struct dn_stacks_opts *o)
{
	struct dn_stacks *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->o = *o;
	s->epoch = 1;
	s->first = 1;
	s->codes = dn_codes_new();
	s->spaces = s->codes ? dn_spaces_new(s->codes) : NULL;
	s->known = calloc(2 * HASHES_MAX, sizeof(*s->known));
	if (s->spaces && s->known)
		return s;
	dn_stacks_free(s);
	errno = ENOMEM;
	return NULL;
}

void dn_stacks_free(struct dn_stacks *s)
{
	if (!s)
		return;
	if (!dn_symbols_free(s->o.symbols))
		return;
	dn_mapwatch_close(s->o.maps);
	dn_kernel_code_free(s->o.kernel);
	dn_spaces_free(s->spaces);
	dn_codes_free(s->codes);
	free(s->frame);
	free(s->kept);
	free(s->by_place.seat);
	free(s->node);
	free(s->node_before);
	free(s->by_caller.seat);
	free(s->object);
	free(s->known);
	free(s->before);
	free(s);
}

int dn_stacks_follow(struct dn_stacks *s, uint32_t pid)
{
	return dn_spaces_follow(s->spaces, pid, 0);
}

static void on_mapped(void *ctx, const struct dn_map_event *e)
{
	struct dn_stacks *s = ctx;

	dn_spaces_event(s->spaces, e);
}

int dn_stacks_attach(struct dn_stacks *s, uint32_t pid)
{
	const uint64_t now = dn_now();
	int err = dn_spaces_follow(s->spaces, pid, now);

	if (err)
		return err;
	err = dn_mappings_read((pid_t)pid, now, on_mapped, s);
	return err == -ENOMEM ? err : 0;	/* of what may not be read there are addresses */
}

static void on_map(void *ctx, const struct dn_map_event *e)
{
	struct dn_stacks *s = ctx;

	dn_spaces_event(s->spaces, e);
	s->read = e->time;
}

void dn_stacks_pass(struct dn_stacks *s)
{
	if (!s->o.maps)
		return;
	/* Only what the pass before knew of: after one that took long the rings hold older stacks than the last second's. */
	if (s->before_that > SPACES_STAY_NS)
		dn_spaces_forget(s->spaces, s->before_that - SPACES_STAY_NS, dn_mapwatch_lost(s->o.maps));
	s->before_that = s->read;
	dn_mapwatch_read(s->o.maps, on_map, s);
}

static uint32_t mix(uint64_t a, uint64_t b)
{
	uint64_t h = (a * UINT64_C(0x9e3779b97f4a7c15) ^ b) * UINT64_C(0xc6a4a7935bd1e995);

	return (uint32_t)(h ^ h >> 29 ^ h >> 47);
}

/* Doubles the seats; hash(ctx, number) is that of what a number stands for. */
static int more_seats(struct index *x, uint32_t (*hash)(const struct dn_stacks *s, uint32_t i),
		      const struct dn_stacks *s)
{
	uint32_t seats = x->seats ? x->seats * 2 : 1024, *seat = calloc(seats, sizeof(*seat));

	if (!seat)
		return -ENOMEM;
	for (uint32_t i = 0; i < x->seats; i++)
		if (x->seat[i]) {
			uint32_t at = hash(s, x->seat[i] - 1) & (seats - 1);

			while (seat[at])
				at = (at + 1) & (seats - 1);
			seat[at] = x->seat[i];
		}
	free(x->seat);
	x->seat = seat;
	x->seats = seats;
	return 0;
}

static uint32_t frame_hash(const struct dn_stacks *s, uint32_t i)
{
	return mix(s->frame[i].at.object, s->frame[i].at.offset);
}

/* The id of a frame; 0: there is no room. */
static uint32_t frame_at(struct dn_stacks *s, const struct dn_place *p)
{
	struct index *x = &s->by_place;
	uint32_t at;

	if (x->used * 2 >= x->seats && more_seats(x, frame_hash, s))
		return 0;
	for (at = mix(p->object, p->offset) & (x->seats - 1); x->seat[at]; at = (at + 1) & (x->seats - 1)) {
		const struct frame *f = &s->frame[x->seat[at] - 1];

		if (f->at.object == p->object && f->at.offset == p->offset)
			return s->frames_before + x->seat[at];
	}
	if (s->nframes == FRAMES_MAX || dn_grow(&s->frame, &s->frames_cap, s->nframes + 1, sizeof(*s->frame)))
		return 0;
	s->frame[s->nframes++] = (struct frame){ .at = *p };
	x->used++;
	x->seat[at] = s->nframes;
	return s->frames_before + s->nframes;
}

static uint32_t node_hash(const struct dn_stacks *s, uint32_t i)
{
	return mix(s->node[i].parent, s->node[i].frame);
}

/* The id of the stack of a frame over that of its caller; 0: there is no room. */
static uint32_t node_over(struct dn_stacks *s, uint32_t parent, uint32_t frame)
{
	struct index *x = &s->by_caller;
	uint32_t at;

	if (x->used * 2 >= x->seats && more_seats(x, node_hash, s))
		return 0;
	for (at = mix(parent, frame) & (x->seats - 1); x->seat[at]; at = (at + 1) & (x->seats - 1)) {
		const struct node *n = &s->node[x->seat[at] - 1];

		if (n->parent == parent && n->frame == frame)
			return s->first + x->seat[at] - 1;
	}
	if (dn_grow(&s->node, &s->nodes_cap, s->nnodes + 1, sizeof(*s->node)))
		return 0;
	s->node[s->nnodes++] = (struct node){ .parent = parent, .frame = frame };
	x->used++;
	x->seat[at] = s->nnodes;
	return s->first + s->nnodes - 1;
}

static bool frames_full(const struct dn_stacks *s)
{
	return s->nframes + DEPTH_MAX > FRAMES_MAX;
}

static bool is_full(const struct dn_stacks *s)
{
	return s->nnodes + DEPTH_MAX > NODES_MAX || frames_full(s);
}

static void clear(struct index *x)
{
	memset(x->seat, 0, x->seats * sizeof(*x->seat));
	x->used = 0;
}

static void forget_before(struct dn_stacks *s)
{
	free(s->before);
	free(s->node_before);
	s->before = NULL;
	s->node_before = NULL;
}

/* Frames are met anew, too, under further ids. Those in files keep their turn to be named; what JITs
 * made is gone with them. No stack stays that has one. */
static void drop_frames(struct dn_stacks *s)
{
	for (uint32_t i = 0; i < s->nframes; i++) {
		const struct dn_place *p = &s->frame[i].at;

		if (p->object && dn_codes_get(s->codes, p->object)->kind != DN_CODE_MEMORY && s->nkept < FRAMES_MAX &&
		    !dn_grow(&s->kept, &s->kept_cap, s->nkept + 1, sizeof(*p)))
			s->kept[s->nkept++] = *p;
	}
	s->frames_before += s->nframes;
	s->nframes = 0;
	clear(&s->by_place);
	forget_before(s);
}

/* All stacks are met anew. */
static void begin_anew(struct dn_stacks *s)
{
	struct known *fresh = calloc(2 * HASHES_MAX, sizeof(*fresh));

	forget_before(s);
	if (fresh) {
		s->before = s->known;
		s->known = fresh;
		s->node_before = s->node;
		s->first_before = s->first;
		s->node = NULL;
		s->nodes_cap = 0;
	} else {
		memset(s->known, 0, 2 * HASHES_MAX * sizeof(*s->known));
	}
	s->nknown = 0;
	s->first += s->nnodes;
	s->nnodes = 0;
	clear(&s->by_caller);
	if (frames_full(s))
		drop_frames(s);
	__atomic_fetch_add(s->o.generation, 1, __ATOMIC_RELAXED);
}

static struct known *seat_of(struct known *table, uint64_t hash)
{
	uint32_t at = (uint32_t)(hash >> 20) & (2 * HASHES_MAX - 1);

	while (table[at].hash && table[at].hash != hash)
		at = (at + 1) & (2 * HASHES_MAX - 1);
	return &table[at];
}

static uint32_t mark(struct dn_stacks *s, uint32_t parent, const char *says)
{
	const struct dn_code code = { .kind = DN_CODE_MARK, .path = says };
	const struct dn_place at = { .object = dn_codes_add(s->codes, &code) };
	uint32_t frame = at.object ? frame_at(s, &at) : 0;

	return frame ? node_over(s, parent, frame) : 0;
}

/* Puts a frame on top of *stack. False: there is no room. */
static bool push(struct dn_stacks *s, uint32_t *stack, const struct dn_place *at)
{
	uint32_t frame = frame_at(s, at);

	*stack = frame ? node_over(s, *stack, frame) : 0;
	return *stack;
}

/* What is known of an object here; NULL: there is no memory. */
static struct object *object_of(struct dn_stacks *s, uint32_t id)
{
	return dn_grow_zero(&s->object, &s->objects_cap, id, sizeof(*s->object)) ? NULL : &s->object[id - 1];
}

/* Its file is opened as soon as a stack comes that leads into it: when a row has that stack its thread
 * may be about to end. */
static void meet(struct dn_stacks *s, uint32_t id)
{
	struct object *o = id && s->o.symbols ? object_of(s, id) : NULL;

	if (!o || o->met)
		return;
	o->met = true;
	dn_symbols_meet(s->o.symbols, id, dn_codes_get(s->codes, id));
}

/* The user's frames, innermost first; of callers the address is the return's. */
static bool push_user(struct dn_stacks *s, uint32_t *stack, const struct dn_ring_stack *r, const uint64_t *f)
{
	struct dn_place at[DN_STACK_FRAMES];
	unsigned n = 0;
	bool broken = false;

	/* What has no frame pointers leads the kernel astray: a caller that is no code is none,
	 * nor are those that follow. */
	for (; n < r->user && !broken; n += !broken) {
		uint64_t address = f[n] - (n > 0);

		if (dn_spaces_find(s->spaces, r->pid, r->time, address, &at[n]))
			continue;
		at[n] = (struct dn_place){ .offset = address };
		broken = n && s->o.maps;
	}
	/* One alone has callers, but for the first instructions of a thread. */
	if (broken || r->user == DN_STACK_FRAMES || r->user == 1 || r->use == DN_STACK_OF_TAKEN)
		*stack = mark(s, 0, r->user == DN_STACK_FRAMES && !broken ? "[callers beyond 127]" : "[callers unknown]");
	while (n-- > 0) {
		meet(s, at[n].object);
		if (!push(s, stack, &at[n]))
			return false;
	}
	return true;
}

static bool push_kernel(struct dn_stacks *s, uint32_t *stack, const struct dn_ring_stack *r, const uint64_t *f)
{
	unsigned from = 0;

	if (s->o.kernel)
		dn_kernel_code_learn(s->o.kernel, f, r->kernel);
	if (r->use == DN_STACK_OF_SWITCH && s->o.kernel)
		for (unsigned i = 0; i < r->kernel && i < 16; i++)
			if (dn_kernel_code_switches(s->o.kernel, f[i] - 1))
				from = i + 1;
	for (unsigned i = r->kernel; i-- > from;) {
		/* a switch is in a call of the innermost one, too */
		struct dn_place at = { .offset = f[i] - (i > 0 || r->use == DN_STACK_OF_SWITCH || r->use == DN_STACK_OF_TAKEN) };

		if (s->o.kernel)
			dn_kernel_code_place(s->o.kernel, s->codes, at.offset, &at);
		if (!push(s, stack, &at))
			return false;
	}
	return true;
}

int dn_stacks_sent(struct dn_stacks *s, const struct dn_ring_stack *r, uint32_t len)
{
	uint64_t f[2 * DN_STACK_FRAMES];
	struct known *k;
	uint32_t stack = 0;

	if (r->kernel > DN_STACK_FRAMES || r->user > DN_STACK_FRAMES ||
	    len < sizeof(*r) + (r->kernel + r->user) * sizeof(f[0]))
		return -EPROTO;
	if (s->nknown == HASHES_MAX || is_full(s))
		begin_anew(s);
	k = seat_of(s->known, r->hash);
	if (k->hash)
		return 0;
	memcpy(f, r + 1, (r->kernel + r->user) * sizeof(f[0]));
	if (!push_user(s, &stack, r, f + r->kernel) || !push_kernel(s, &stack, r, f) || !stack)
		return 0;
	*k = (struct known){ r->hash, r->time, stack, r->pid };
	s->nknown++;
	return 0;
}

static int tell_object(struct dn_stacks *s, uint32_t id, uint32_t epoch)
{
	const struct dn_code *c = dn_codes_get(s->codes, id);
	struct object *o = object_of(s, id);
	struct dn_value v[DN_F_object_N];
	char hex[2 * DN_BUILD_ID_MAX + 1];

	if (!o || o->told == epoch)	/* without memory: it is told at the next one's turn */
		return 0;
	meet(s, id);	/* where another lay before */
	o->told = epoch;
	dn_build_id_hex(&c->build_id, hex);
	v[DN_F_object_object] = dn_u(id);
	v[DN_F_object_kind] = dn_u(c->kind);
	v[DN_F_object_path] = dn_str(c->path, strlen(c->path));
	v[DN_F_object_build_id] = c->build_id.len ? dn_str(hex, 2u * c->build_id.len) : dn_null();
	v[DN_F_object_dev] = c->dev ? dn_u(c->dev) : dn_null();
	v[DN_F_object_inode] = c->inode ? dn_u(c->inode) : dn_null();
	v[DN_F_object_pid] = c->kind == DN_CODE_MEMORY ? dn_u(c->pid) : dn_null();
	return dn_row_send(s->o.sink, DN_EV_object, v, DN_F_object_N);
}

static int tell_frame(struct dn_stacks *s, uint32_t id, uint32_t epoch)
{
	struct frame *f = &s->frame[id - 1 - s->frames_before];
	struct dn_value v[DN_F_frame_N];
	int err = 0;

	if (f->told == epoch)
		return 0;
	f->told = epoch;
	if (f->at.object)
		err = tell_object(s, f->at.object, epoch);
	v[DN_F_frame_frame] = dn_u(id);
	v[DN_F_frame_object] = f->at.object ? dn_u(f->at.object) : dn_null();
	v[DN_F_frame_offset] = dn_u(f->at.offset);
	return err ? err : dn_row_send(s->o.sink, DN_EV_frame, v, DN_F_frame_N);
}

static struct node *node_of(struct dn_stacks *s, uint32_t id)
{
	return id >= s->first ? &s->node[id - s->first] : &s->node_before[id - s->first_before];
}

/* A stack and its callers, outermost first. */
static int tell(struct dn_stacks *s, uint32_t id, uint32_t epoch)
{
	uint32_t chain[DEPTH_MAX], n = 0;
	int err = 0;

	for (; id && n < DEPTH_MAX && node_of(s, id)->told != epoch; id = node_of(s, id)->parent)
		chain[n++] = id;
	while (n-- > 0 && !err) {
		struct node *p = node_of(s, chain[n]);
		struct dn_value v[DN_F_stack_N];

		p->told = epoch;
		err = tell_frame(s, p->frame, epoch);
		v[DN_F_stack_stack] = dn_u(chain[n]);
		v[DN_F_stack_parent] = p->parent ? dn_u(p->parent) : dn_null();
		v[DN_F_stack_frame] = dn_u(p->frame);
		if (!err)
			err = dn_row_send(s->o.sink, DN_EV_stack, v, DN_F_stack_N);
	}
	return err;
}

/*
 * The kernel side does not send a stack again because something else is mapped at its addresses now, as after dlclose and
 * dlopen. So the addresses are got back from the places that they were, and are looked up at that other
 * time. False: there is no room, or some are not known any more.
 */
static bool look_again(struct dn_stacks *s, struct known *k, uint64_t time)
{
	struct dn_place at[DEPTH_MAX];
	uint32_t n = 0, stack = 0, id = k->stack;

	for (; id && n < DEPTH_MAX; id = node_of(s, id)->parent) {
		const struct dn_place *p = &s->frame[node_of(s, id)->frame - 1 - s->frames_before].at;
		uint64_t address;

		at[n++] = *p;
		if (dn_spaces_address(s->spaces, k->pid, k->time, p, &address) &&
		    !dn_spaces_find(s->spaces, k->pid, time, address, &at[n - 1]))
			return false;
	}
	while (n-- > 0)
		if (!push(s, &stack, &at[n]))
			return false;
	k->stack = stack;
	k->time = time;
	return true;
}

int dn_stacks_find(struct dn_stacks *s, uint64_t hash, uint64_t time, uint32_t *id)
{
	struct known *k = seat_of(s->known, hash);

	*id = 0;
	if (!k->stack && s->before)
		k = seat_of(s->before, hash);
	if (!k->stack || (dn_spaces_changed(s->spaces, k->pid, k->time, time) &&
			  (is_full(s) || !look_again(s, k, time))))
		return 0;
	*id = k->stack;
	return tell(s, *id, __atomic_load_n(&s->epoch, __ATOMIC_RELAXED));
}

void dn_stacks_keyframe(struct dn_stacks *s)
{
	__atomic_fetch_add(&s->epoch, 1, __ATOMIC_RELAXED);
}

static bool place_of(void *ctx, uint32_t i, struct dn_place *place)
{
	const struct dn_stacks *s = ctx;

	if (i >= s->nkept + s->nframes)
		return false;
	*place = i < s->nkept ? s->kept[i] : s->frame[i - s->nkept].at;
	return true;
}

long dn_stacks_symbols(struct dn_stacks *s, uid_t owner, uint64_t budget_ns)
{
	s->naming = (struct dn_symbols_opts){ .sink = s->o.sink, .codes = s->codes, .kernel = s->o.kernel,
		.frame = place_of, .ctx = s, .owner = owner, .budget_ns = budget_ns };

	return s->o.symbols ? dn_symbols_tell(s->o.symbols, &s->naming) : 0;
}

uint64_t dn_stacks_mappings_lost(const struct dn_stacks *s)
{
	return s->o.maps ? dn_mapwatch_lost(s->o.maps) : 0;
}
