/*
 * encode.c - rows to columns, as laid down in columns.h.
 *
 * A row is checked and every buffer it may need is sized before the first
 * byte of it is written, so that a failed allocation leaves the block whole.
 * Columns count their trailing zeros and write them only when another value
 * follows: a column of zeros stays empty.
 */
#include "encode.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "bytes.h"
#include "columns.h"
#include "events.h"
#include "format_limits.h"
#include "grow.h"
#include "threads.h"

struct column {
	uint8_t *p;
	uint32_t len, cap;
	uint32_t zeros;		/* pending: written before the next other value */
};

struct site {
	struct dn_shape shape;
	struct column *col;
	uint32_t columns;	/* dn_shape_columns() */
	uint64_t last[1 + DN_CALL_ARGS];	/* ret and arguments of its row before */
	struct dn_floor gap, dur;
	uint32_t next;		/* hash chain, index + 1 */
};

struct strings {
	uint8_t *bytes;
	size_t len, cap;
	uint32_t *end;		/* end of each string in bytes */
	uint32_t count, end_cap;
	uint32_t *slot;		/* hash: index + 1 */
	uint32_t slots;
};

struct event_columns {
	struct column col[2 * DN_FIELDS_MAX];
	uint64_t last[DN_FIELDS_MAX];
	uint32_t rows;
};

#define SITE_HASH 1024
#define PART_LEAST 4096		/* bytes; find: 5.79 to 5.55 bytes an event, 5.63 with 16 KiB */

struct dn_encoder {
	struct strings str;
	struct column fixed[DN_COL_FIXED];
	struct site *site;
	uint32_t nsites, sites_cap;
	uint32_t site_hash[SITE_HASH];	/* index + 1 */
	uint32_t calls;
	struct dn_thread_table threads;
	uint32_t prev_thread;
	uint16_t prev_cpu;
	struct dn_moment end;	/* of the call before */
	uint64_t step, next_step;	/* of the clock, in this block and in later ones; 0: 1 ns */
	struct event_columns *ev[DN_EV_MAX];
	struct dn_block_info info;
	size_t bytes;		/* near the raw length */
};

struct dn_encoder *dn_encoder_new(void)
{
	struct dn_encoder *e = calloc(1, sizeof(*e));

	if (e)
		e->end = DN_BEFORE_ALL;
	return e;
}

static void site_free(struct site *s)
{
	for (unsigned i = 0; i < s->columns; i++)
		free(s->col[i].p);
	free(s->col);
}

void dn_encoder_step(struct dn_encoder *e, uint64_t step)
{
	e->next_step = step < DN_STEP_ONE ? 0 : step;
	if (!e->nsites)
		e->step = e->next_step;
}

void dn_encoder_free(struct dn_encoder *e)
{
	if (!e)
		return;
	for (uint32_t i = 0; i < e->nsites; i++)
		site_free(&e->site[i]);
	free(e->site);
	for (unsigned i = 0; i < DN_COL_FIXED; i++)
		free(e->fixed[i].p);
	for (unsigned k = 0; k < DN_EV_MAX; k++) {
		for (unsigned i = 0; e->ev[k] && i < 2 * DN_FIELDS_MAX; i++)
			free(e->ev[k]->col[i].p);
		free(e->ev[k]);
	}
	free(e->str.bytes);
	free(e->str.end);
	free(e->str.slot);
	dn_threads_free(&e->threads);
	free(e);
}

/* Room for n values in a column, its pending zeros included. */
static int column_room(struct column *c, unsigned n)
{
	return dn_grow(&c->p, &c->cap, (size_t)c->len + c->zeros + n * DN_VARINT_MAX, 1);
}

/* Appends a value; column_room() came first. Returns bytes added. */
static inline size_t column_put(struct column *c, uint64_t v)
{
	uint8_t *p, *q;

	if (!v) {
		c->zeros++;
		return 0;
	}
	p = c->p + c->len;
	if (c->zeros) {
		memset(p, 0, c->zeros);
		p += c->zeros;
	}
	q = dn_put_varint(p, v);
	v = (uint64_t)(q - (c->p + c->len));
	c->len += (uint32_t)v;
	c->zeros = 0;
	return v;
}

/* The same for a column of plain bytes. */
static inline size_t byte_put(struct column *c, uint8_t v)
{
	if (!v) {
		c->zeros++;
		return 0;
	}
	if (c->zeros) {
		memset(c->p + c->len, 0, c->zeros);
		c->len += c->zeros;
		c->zeros = 0;
	}
	c->p[c->len++] = v;
	return 1;
}

/* Goes from m to a time and puts down the way in the columns *cp, which it leaves behind. */
static inline size_t time_put(struct column **cp, struct dn_floor *f, uint64_t step, struct dn_moment *m,
			      uint64_t time)
{
	struct column *c = *cp;
	uint64_t high, far = 0;
	int64_t way;
	uint8_t low;

	*cp += dn_time_columns(step);
	if (step) {
		way = dn_moment_put(m, step, time, &far);
	} else {
		way = (int64_t)(time - m->time);
		m->time = time;
	}
	dn_floor_cut(f, way, &low, &high);
	dn_floor_see(f, way);
	return byte_put(c, low) + column_put(c + 1, high) +
		(step ? column_put(c + 2, dn_zigzag((int64_t)far)) : 0);
}

static inline void column_clear(struct column *c)
{
	c->len = c->zeros = 0;
}

static int strings_rehash(struct strings *t, uint32_t slots)
{
	uint32_t *slot = calloc(slots, sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	for (uint32_t i = 0; i < t->count; i++) {
		uint32_t begin = i ? t->end[i - 1] : 0;
		uint32_t h = (uint32_t)XXH3_64bits(t->bytes + begin, t->end[i] - begin);

		while (slot[h & (slots - 1)])
			h++;
		slot[h & (slots - 1)] = i + 1;
	}
	free(t->slot);
	t->slot = slot;
	t->slots = slots;
	return 0;
}

/* 1-based place of a string in the table, added if new. 0: no memory. */
static uint32_t intern(struct dn_encoder *e, const char *p, uint32_t len)
{
	struct strings *t = &e->str;
	uint32_t h, i, begin;

	if (t->count * 2 >= t->slots && strings_rehash(t, t->slots ? t->slots * 2 : 256))
		return 0;
	for (h = (uint32_t)XXH3_64bits(p, len); (i = t->slot[h & (t->slots - 1)]); h++) {
		begin = i > 1 ? t->end[i - 2] : 0;
		if (t->end[i - 1] - begin == len && (!len || !memcmp(t->bytes + begin, p, len)))
			return i;
	}
	if (t->len + len > t->cap) {
		size_t cap = t->cap ? t->cap : 4096;
		uint8_t *q;

		while (cap < t->len + len)
			cap *= 2;
		q = realloc(t->bytes, cap);
		if (!q)
			return 0;
		t->bytes = q;
		t->cap = cap;
	}
	if (dn_grow(&t->end, &t->end_cap, t->count + 1, sizeof(*t->end)))
		return 0;
	if (len)
		memcpy(t->bytes + t->len, p, len);
	t->len += len;
	t->end[t->count++] = (uint32_t)t->len;
	t->slot[h & (t->slots - 1)] = t->count;
	e->bytes += len + 2;
	return t->count;
}

/* e->bytes may be up to three times the raw length of a block of short strings and many
 * shapes; an eighth of it is below dn_rows_max() in any case. */
static int has_room(const struct dn_encoder *e, size_t more)
{
	return e->info.rows < dn_rows_max(e->bytes / DN_BLOCK_ROWS_A_BYTE) &&
	       e->bytes + more < DN_BLOCK_RAW_MAX / 2;
}

static void count_row(struct dn_encoder *e, unsigned kind, uint64_t start, uint64_t end)
{
	struct dn_block_info *b = &e->info;

	if (end) {
		if (!b->last_end || end < b->first_end)
			b->first_end = end;
		if (end > b->last_end)
			b->last_end = end;
		if (!b->least_start || start < b->least_start)
			b->least_start = start;
	}
	b->rows++;
	if (kind < 32)
		b->kind_rows[kind]++;
}

static void shape_of(struct dn_shape *h, const struct dn_syscall *s)
{
	memset(h, 0, sizeof(*h));
	h->nr = s->nr;
	h->flags = s->flags;
	h->abi = s->abi;
	h->nargs = s->nargs;
	h->nstr = s->nstr;
	for (unsigned i = 0; i < s->nstr; i++) {
		h->str[i].arg = s->str[i].arg;
		h->str[i].kind = s->str[i].kind;
		h->str[i].flags = s->str[i].flags;
	}
}

static struct site *find_site(struct dn_encoder *e, const struct dn_syscall *s)
{
	struct dn_shape shape;
	struct site *t;
	uint32_t h, i;

	shape_of(&shape, s);
	h = (shape.nr * 31 + shape.flags * 7 + shape.abi + shape.nstr * 5) % SITE_HASH;
	for (i = e->site_hash[h]; i; i = e->site[i - 1].next)
		if (!memcmp(&e->site[i - 1].shape, &shape, sizeof(shape)))
			return &e->site[i - 1];
	if (e->nsites >= DN_BLOCK_SITES_MAX)
		return errno = ENOSPC, NULL;
	if (dn_grow(&e->site, &e->sites_cap, e->nsites + 1, sizeof(*e->site)) ||
	    column_room(&e->fixed[DN_COL_SITES], 2 + 5 + 3 * DN_CALL_STRS))
		return errno = ENOMEM, NULL;
	t = &e->site[e->nsites];
	memset(t, 0, sizeof(*t));
	t->shape = shape;
	t->columns = dn_shape_columns(&shape, e->step);
	t->col = calloc(t->columns + 1, sizeof(*t->col));
	if (!t->col)
		return errno = ENOMEM, NULL;
	if (!e->nsites && e->step) {
		column_put(&e->fixed[DN_COL_SITES], 0);
		column_put(&e->fixed[DN_COL_SITES], e->step);
	}
	t->next = e->site_hash[h];
	e->site_hash[h] = ++e->nsites;
	column_put(&e->fixed[DN_COL_SITES], DN_SITE_FIRST + shape.nargs);
	column_put(&e->fixed[DN_COL_SITES], shape.abi);
	column_put(&e->fixed[DN_COL_SITES], shape.nr);
	column_put(&e->fixed[DN_COL_SITES], shape.flags);
	column_put(&e->fixed[DN_COL_SITES], shape.nstr);
	for (unsigned i2 = 0; i2 < shape.nstr; i2++) {
		column_put(&e->fixed[DN_COL_SITES], shape.str[i2].arg);
		column_put(&e->fixed[DN_COL_SITES], shape.str[i2].kind);
		column_put(&e->fixed[DN_COL_SITES], shape.str[i2].flags);
	}
	e->bytes += 16;
	return t;
}

int dn_encoder_call(struct dn_encoder *e, const struct dn_syscall *s)
{
	uint32_t ref[DN_CALL_STRS];
	struct dn_thread_state *th;
	struct dn_moment at;
	struct column *c;
	struct site *t;
	size_t more = 128;
	unsigned i;
	int fresh;

	assert(s->nargs <= DN_CALL_ARGS && s->nstr <= DN_CALL_STRS);
	for (i = 0; i < s->nstr; i++) {
		if (s->str[i].len > DN_STRING_MAX)
			return -E2BIG;
		more += s->str[i].len + 16;
	}
	if (!has_room(e, more))
		return -ENOSPC;
	t = find_site(e, s);
	if (!t)
		return -errno;
	for (i = 0; i < t->columns; i++)
		if (column_room(&t->col[i], 1))
			return -ENOMEM;
	for (i = DN_COL_SITE; i < DN_COL_FIXED; i++)
		if (column_room(&e->fixed[i], 1))
			return -ENOMEM;
	for (i = 0; i < s->nstr; i++) {
		ref[i] = intern(e, s->str[i].p, s->str[i].len);
		if (!ref[i])
			return -ENOMEM;
	}
	th = dn_threads_get(&e->threads, s->thread, &fresh);
	if (!th)
		return -ENOMEM;

	at = fresh ? e->end : th->end;
	more = column_put(&e->fixed[DN_COL_SITE], (uint64_t)(t - e->site));
	more += column_put(&e->fixed[DN_COL_THREAD], dn_zigzag((int64_t)s->thread - e->prev_thread));
	more += column_put(&e->fixed[DN_COL_SEQ], dn_zigzag((int64_t)s->seq - th->next_seq));
	more += column_put(&e->fixed[DN_COL_CPU], dn_zigzag((int64_t)s->cpu - e->prev_cpu));
	c = t->col;
	more += time_put(&c, &t->gap, e->step, &at, s->start);
	if (dn_shape_has_dur(&t->shape))
		more += time_put(&c, &t->dur, e->step, &at, s->start + s->dur);
	if (!(s->flags & DN_CALL_UNFINISHED)) {
		more += column_put(c++, dn_zigzag((int64_t)((uint64_t)s->ret - t->last[0])));
		t->last[0] = (uint64_t)s->ret;
	}
	for (i = 0; i < s->nargs; i++) {
		more += column_put(c++, dn_zigzag((int64_t)(s->args[i] - t->last[1 + i])));
		t->last[1 + i] = s->args[i];
	}
	for (i = 0; i < s->nstr; i++)
		more += column_put(c++, ref[i]);
	for (i = 0; i < s->nstr; i++)
		if (s->str[i].flags & DN_STR_TRUNCATED)
			more += column_put(c++, s->str[i].true_len > s->str[i].len ?
					   s->str[i].true_len - s->str[i].len : 0);
	th->next_seq = s->seq + 1;
	th->end = e->end = at;
	e->prev_thread = s->thread;
	e->prev_cpu = s->cpu;
	e->calls++;
	e->bytes += more;
	count_row(e, DN_EV_syscall, s->start, at.time);
	return 0;
}

int dn_encoder_row(struct dn_encoder *e, const struct dn_row *r)
{
	const struct dn_event_desc *d = dn_event_desc(r->event);
	uint32_t ref[DN_FIELDS_MAX];
	struct event_columns *ev;
	uint64_t time = 0;
	size_t more = 64;
	unsigned i;

	assert(d && r->event != DN_EV_syscall && r->nfields == d->nfields);
	for (i = 0; i < r->nfields; i++) {
		if (d->field[i].type != DN_STR || r->v[i].null)
			continue;
		if (r->v[i].len > DN_STRING_MAX)
			return -E2BIG;
		more += r->v[i].len + 16;
	}
	if (!has_room(e, more))
		return -ENOSPC;
	if (!e->ev[r->event])
		e->ev[r->event] = calloc(1, sizeof(*ev));
	ev = e->ev[r->event];
	if (!ev)
		return -ENOMEM;
	for (i = 0; i < r->nfields; i++) {
		if (column_room(&ev->col[2 * i], 1) || column_room(&ev->col[2 * i + 1], 1))
			return -ENOMEM;
		if (d->field[i].type != DN_STR || r->v[i].null)
			continue;
		ref[i] = intern(e, r->v[i].p, r->v[i].len);
		if (!ref[i])
			return -ENOMEM;
	}
	more = 0;
	for (i = 0; i < r->nfields; i++) {
		const struct dn_value *v = &r->v[i];

		more += column_put(&ev->col[2 * i], v->null);
		if (v->null)
			continue;
		if (!i && d->field[i].type == DN_TIME)
			time = v->u;	/* a TIME that comes first is the event's own */
		switch (d->field[i].type) {
		case DN_TIME:
		case DN_INT:
			more += column_put(&ev->col[2 * i + 1], dn_zigzag((int64_t)(v->u - ev->last[i])));
			ev->last[i] = v->u;
			break;
		case DN_RAW:
			more += column_put(&ev->col[2 * i + 1], v->u);
			break;
		case DN_STR:
			more += column_put(&ev->col[2 * i + 1], ref[i]);
			break;
		}
	}
	ev->rows++;
	e->bytes += more;
	count_row(e, r->event, time, time);
	return 0;
}

uint32_t dn_encoder_rows(const struct dn_encoder *e)
{
	return e->info.rows;
}

size_t dn_encoder_bytes(const struct dn_encoder *e)
{
	return e->bytes;
}

static size_t sum_columns(const struct column *c, unsigned n)
{
	size_t len = 0;

	for (unsigned i = 0; i < n; i++)
		len += c[i].len + 5;
	return len;
}

static uint8_t *put_lengths(uint8_t *p, const struct column *c, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		p = dn_put_varint(p, c[i].len);
	return p;
}

/* A part of the payload may end at `at`, before a column of len bytes: a large one is compressed
 * by its own statistics. */
static void part(struct dn_block_info *b, size_t at, size_t len)
{
	size_t last = b->parts ? b->part[b->parts - 1] : 0;

	if (at > last && (at - last >= PART_LEAST || len >= PART_LEAST) && b->parts < DN_PARTS_MAX)
		b->part[b->parts++] = (uint32_t)at;
}

static uint8_t *put_columns(uint8_t *p, const uint8_t *buf, const struct column *c, unsigned n,
			    struct dn_block_info *info)
{
	for (unsigned i = 0; i < n; i++) {
		part(info, (size_t)(p - buf), c[i].len);
		if (c[i].len)
			memcpy(p, c[i].p, c[i].len);
		p += c[i].len;
	}
	return p;
}

static uint8_t *put_section_head(uint8_t *p, unsigned event, uint32_t rows, unsigned columns)
{
	p = dn_put_varint(p, event);
	p = dn_put_varint(p, rows);
	return dn_put_varint(p, columns);
}

/* An upper bound of the payload. */
static size_t payload_bound(const struct dn_encoder *e)
{
	size_t n = 64 + e->str.len + 5u * e->str.count;

	n += sum_columns(e->fixed, DN_COL_FIXED);
	for (uint32_t i = 0; i < e->nsites; i++)
		n += sum_columns(e->site[i].col, e->site[i].columns);
	for (unsigned k = 0; k < DN_EV_MAX; k++)
		if (e->ev[k] && e->ev[k]->rows)
			n += 32 + sum_columns(e->ev[k]->col, 2u * dn_event_desc(k)->nfields);
	return n;
}

static void encoder_clear(struct dn_encoder *e)
{
	for (uint32_t i = 0; i < e->nsites; i++)
		site_free(&e->site[i]);
	e->nsites = 0;
	memset(e->site_hash, 0, sizeof(e->site_hash));
	for (unsigned i = 0; i < DN_COL_FIXED; i++)
		column_clear(&e->fixed[i]);
	for (unsigned k = 0; k < DN_EV_MAX; k++) {
		if (!e->ev[k])
			continue;
		for (unsigned i = 0; i < 2 * DN_FIELDS_MAX; i++)
			column_clear(&e->ev[k]->col[i]);
		memset(e->ev[k]->last, 0, sizeof(e->ev[k]->last));
		e->ev[k]->rows = 0;
	}
	e->str.len = e->str.count = 0;
	if (e->str.slots)
		memset(e->str.slot, 0, e->str.slots * sizeof(*e->str.slot));
	dn_threads_clear(&e->threads);
	e->calls = e->prev_thread = e->prev_cpu = 0;
	e->end = DN_BEFORE_ALL;
	e->step = e->next_step;
	e->bytes = 0;
	memset(&e->info, 0, sizeof(e->info));
}

long dn_encoder_take(struct dn_encoder *e, uint8_t **buf, size_t *cap, struct dn_block_info *info)
{
	size_t bound = payload_bound(e);
	unsigned columns = DN_COL_FIXED;
	uint8_t *p;

	*info = e->info;
	if (!e->info.rows)
		return 0;
	if (bound > *cap) {
		p = realloc(*buf, bound);
		if (!p)
			return -ENOMEM;
		*buf = p;
		*cap = bound;
	}
	p = *buf;
	p = dn_put_varint(p, e->str.count);
	p = dn_put_varint(p, e->str.len);
	for (uint32_t i = 0; i < e->str.count; i++)
		p = dn_put_varint(p, e->str.end[i] - (i ? e->str.end[i - 1] : 0));
	if (e->str.len)
		memcpy(p, e->str.bytes, e->str.len);
	p += e->str.len;

	for (unsigned k = 0; k < DN_EV_MAX; k++) {
		struct event_columns *ev = e->ev[k];

		if (!ev || !ev->rows)
			continue;
		p = put_section_head(p, k, ev->rows, 2u * dn_event_desc(k)->nfields);
		p = put_lengths(p, ev->col, 2u * dn_event_desc(k)->nfields);
		p = put_columns(p, *buf, ev->col, 2u * dn_event_desc(k)->nfields, info);
	}
	if (e->calls) {
		for (uint32_t i = 0; i < e->nsites; i++)
			columns += e->site[i].columns;
		p = put_section_head(p, DN_EV_syscall, e->calls, columns);
		p = put_lengths(p, e->fixed, DN_COL_FIXED);
		for (uint32_t i = 0; i < e->nsites; i++)
			p = put_lengths(p, e->site[i].col, e->site[i].columns);
		p = put_columns(p, *buf, e->fixed, DN_COL_FIXED, info);
		for (uint32_t i = 0; i < e->nsites; i++)
			p = put_columns(p, *buf, e->site[i].col, e->site[i].columns, info);
	}
	assert((size_t)(p - *buf) <= bound);
	encoder_clear(e);
	return p - *buf;
}

/*
 * Schema payload: varint kinds; for each: id, name, doc, fields; for each
 * field: type, name, unit, doc. Texts are varint length and bytes.
 */
static uint8_t *put_text(uint8_t *p, const char *s)
{
	size_t n = strlen(s);

	p = dn_put_varint(p, n);
	memcpy(p, s, n);
	return p + n;
}

uint8_t *dn_schema_put(size_t *len)
{
	const struct dn_event_desc *d;
	size_t bound = DN_VARINT_MAX;
	unsigned kinds = 0;
	uint8_t *buf, *p;

	for (unsigned k = 0; k < DN_EV_MAX; k++) {
		d = dn_event_desc(k);
		if (!d)
			continue;
		kinds++;
		bound += 4 * DN_VARINT_MAX + strlen(d->name) + strlen(d->doc);
		for (unsigned i = 0; i < d->nfields; i++)
			bound += 4 * DN_VARINT_MAX + strlen(d->field[i].name) +
				 strlen(d->field[i].unit) + strlen(d->field[i].doc);
	}
	buf = malloc(bound);
	if (!buf)
		return NULL;
	p = dn_put_varint(buf, kinds);
	for (unsigned k = 0; k < DN_EV_MAX; k++) {
		d = dn_event_desc(k);
		if (!d)
			continue;
		p = dn_put_varint(p, k);
		p = put_text(p, d->name);
		p = put_text(p, d->doc);
		p = dn_put_varint(p, d->nfields);
		for (unsigned i = 0; i < d->nfields; i++) {
			p = dn_put_varint(p, d->field[i].type);
			p = put_text(p, d->field[i].name);
			p = put_text(p, d->field[i].unit);
			p = put_text(p, d->field[i].doc);
		}
	}
	*len = (size_t)(p - buf);
	assert(*len <= bound);
	return buf;
}
