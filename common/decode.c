/*
 * decode.c - columns to rows, as laid down in columns.h.
 *
 * A payload is untrusted. A section's column lengths are read first and must
 * fit its bytes; every column is then a bounded reader of its own that yields
 * 0 past its end. Rows cost no memory, and sites only what the payload paid
 * for in bytes, so an absurd count is refused or harmless.
 *
 * Work is bounded too: a section has rows, a known event one section, and all
 * rows together are limited by the payload's length (dn_rows_max()). What a
 * row costs depends on the fields that we know, not on the columns that are
 * there. So a payload that inflates from nothing does not cost more than one
 * of its length may.
 */
#include "decode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "columns.h"
#include "events.h"
#include "format_limits.h"
#include "threads.h"

struct site {
	struct dn_shape shape;
	uint32_t col;		/* its first column */
	uint64_t last[1 + DN_CALL_ARGS];
	struct dn_floor gap, dur;
	bool v1;			/* times without a floor */
};

struct string {
	uint32_t begin, len;
};

struct dn_decoder {
	uint64_t want;
	struct string *str;
	uint32_t nstr, str_cap;
	const char *bytes;	/* of the strings */
	struct dn_bytes *col;	/* of the section at hand */
	uint32_t *len;			/* and the columns' lengths, while it is cut */
	uint32_t ncol, col_cap, len_cap;
	struct site *site;
	uint32_t site_cap;
	uint64_t step;		/* of the clock; 0: 1 ns */
	struct dn_thread_table threads;
};

struct dn_decoder *dn_decoder_new(void)
{
	struct dn_decoder *d = calloc(1, sizeof(*d));

	if (d)
		d->want = UINT64_MAX;
	return d;
}

void dn_decoder_free(struct dn_decoder *d)
{
	if (!d)
		return;
	free(d->str);
	free(d->col);
	free(d->len);
	free(d->site);
	dn_threads_free(&d->threads);
	free(d);
}

void dn_decoder_want(struct dn_decoder *d, uint64_t events)
{
	d->want = events;
}

/* Makes *pp hold n items; what was in it is not kept. */
static int room(void *pp, uint32_t *cap, size_t n, size_t size)
{
	void *p;

	if (n <= *cap)
		return 0;
	memcpy(&p, pp, sizeof(p));
	free(p);
	p = calloc(n, size);
	memcpy(pp, &p, sizeof(p));
	*cap = p ? (uint32_t)n : 0;
	return p ? 0 : -ENOMEM;
}

/* Next value of a column: 0 past its end. */
static inline uint64_t next(struct dn_bytes *c)
{
	if (c->p == c->end)
		return 0;
	return dn_get_varint(c);
}

static inline int64_t next_signed(struct dn_bytes *c)
{
	return dn_unzigzag(next(c));
}

/* A time from its two columns: a plain byte, and the rest as a varint. */
static inline int64_t next_time(struct dn_bytes *c, struct dn_floor *f)
{
	uint8_t low = c->p < c->end ? *c->p++ : 0;
	int64_t v = dn_floor_join(f, low, next(c + 1));

	dn_floor_see(f, v);
	return v;
}

static inline uint64_t next_time_v1(struct dn_bytes *c)
{
	uint64_t low = c->p < c->end ? *c->p++ : 0;

	return next(c + 1) << 8 | low;
}

/* Goes from m to the time that stands next in the columns *cp, and leaves these behind. False:
 * they are damaged. */
static inline bool go_on(struct dn_bytes **cp, struct dn_floor *f, uint64_t step, struct dn_moment *m)
{
	struct dn_bytes *c = *cp;
	int64_t way = next_time(c, f);

	*cp += dn_time_columns(step);
	if (step)
		dn_moment_get(m, step, way, (uint64_t)next_signed(c + 2));
	else
		m->time += (uint64_t)way;
	return !(c[1].bad | (step && c[2].bad));
}

static inline bool go_on_v1(struct dn_bytes **cp, bool is_signed, struct dn_moment *m)
{
	struct dn_bytes *c = *cp;
	uint64_t n = next_time_v1(c);

	*cp += 2;
	m->time += is_signed ? (uint64_t)dn_unzigzag(n) : n;
	return !c[1].bad;
}

static int read_strings(struct dn_decoder *d, struct dn_bytes *b)
{
	uint64_t count = dn_get_varint(b);
	uint64_t bytes = dn_get_varint(b), sum = 0;
	const uint8_t *p;

	/* each string has a byte of length at least */
	if (b->bad || count > dn_bytes_left(b) || bytes > dn_bytes_left(b))
		return -EBADMSG;
	if (room(&d->str, &d->str_cap, count + 1, sizeof(*d->str)))
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t len = dn_get_varint(b);

		if (len > DN_STRING_MAX || len > bytes - sum)
			return -EBADMSG;
		d->str[i] = (struct string){ (uint32_t)sum, (uint32_t)len };
		sum += len;
	}
	p = dn_take(b, bytes);
	if (!p || sum != bytes)
		return -EBADMSG;
	d->nstr = (uint32_t)count;
	d->bytes = (const char *)p;
	return 0;
}

/* Cuts the section's bytes into d->col; b then stands behind the section. */
static int read_columns(struct dn_decoder *d, struct dn_bytes *b, uint64_t ncol)
{
	if (ncol > DN_BLOCK_COLUMNS_MAX || ncol > dn_bytes_left(b))
		return -EBADMSG;
	if (room(&d->col, &d->col_cap, ncol + 1, sizeof(*d->col)) ||
	    room(&d->len, &d->len_cap, ncol + 1, sizeof(*d->len)))
		return -ENOMEM;
	for (uint32_t i = 0; i < ncol; i++) {
		uint64_t len = dn_get_varint(b);

		if (len > DN_BLOCK_RAW_MAX)
			return -EBADMSG;
		d->len[i] = (uint32_t)len;
	}
	for (uint32_t i = 0; i < ncol; i++) {
		const uint8_t *p = dn_take(b, d->len[i]);

		if (!p)
			return -EBADMSG;
		d->col[i] = dn_bytes_of(p, d->len[i]);
	}
	d->ncol = (uint32_t)ncol;
	return 0;
}

/* Of the first n only: a section may have any number that nobody reads. */
static int columns_bad(const struct dn_decoder *d, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (d->col[i].bad)
			return -EBADMSG;
	return 0;
}

static int decode_rows(struct dn_decoder *d, unsigned event, uint64_t rows, const struct dn_sink *sink)
{
	const struct dn_event_desc *desc = dn_event_desc(event);
	struct dn_value v[DN_FIELDS_MAX];
	uint64_t last[DN_FIELDS_MAX] = { 0 };
	struct dn_row row = { .event = (uint16_t)event, .nfields = desc->nfields, .v = v };
	unsigned have = d->ncol / 2 < desc->nfields ? d->ncol / 2 : desc->nfields;
	int err;

	for (unsigned i = have; i < desc->nfields; i++)
		v[i] = dn_null();	/* written by an older version without it */
	while (rows--) {
		for (unsigned i = 0; i < have; i++) {
			struct dn_bytes *c = &d->col[2 * i];
			uint64_t u;

			v[i] = dn_null();
			if (next(c))
				continue;
			switch (desc->field[i].type) {
			case DN_TIME:
			case DN_INT:
				last[i] += (uint64_t)next_signed(c + 1);
				v[i] = dn_u(last[i]);
				break;
			case DN_RAW:
				v[i] = dn_u(next(c + 1));
				break;
			case DN_STR:
				u = next(c + 1);
				if (!u || u > d->nstr)
					return -EBADMSG;
				v[i] = dn_str(d->bytes + d->str[u - 1].begin, d->str[u - 1].len);
				break;
			}
		}
		err = columns_bad(d, 2 * have);
		if (!err)
			err = sink->row(sink->ctx, &row);
		if (err)
			return err;
	}
	return 0;
}

static int read_sites(struct dn_decoder *d, uint32_t *nsites)
{
	struct dn_bytes *b = &d->col[DN_COL_SITES];
	uint32_t col = DN_COL_FIXED, n = 0;

	uint32_t most = DN_BLOCK_SITES_MAX;

	d->step = 0;
	if (b->p < b->end && !*b->p) {
		b->p++;
		d->step = next(b);
		if (d->step < DN_STEP_ONE)
			return -EBADMSG;
	}
	/* a site takes a byte at least: its first value is never 0 */
	if (most > dn_bytes_left(b))
		most = (uint32_t)dn_bytes_left(b);
	if (room(&d->site, &d->site_cap, most + 1, sizeof(*d->site)))
		return -ENOMEM;
	while (b->p < b->end) {
		struct site *s = &d->site[n];
		uint64_t first = next(b), abi = next(b), nr = next(b);
		uint64_t flags = next(b), nstr = next(b);
		bool v1 = first < DN_SITE_FIRST;
		uint64_t nargs = first - (v1 ? DN_SITE_FIRST_V1 : DN_SITE_FIRST);

		if (b->bad || n >= most || (v1 && d->step) || nargs > DN_CALL_ARGS || abi > UINT8_MAX ||
		    nr > UINT32_MAX || flags > UINT32_MAX || nstr > DN_CALL_STRS)
			return -EBADMSG;
		memset(s, 0, sizeof(*s));
		s->shape = (struct dn_shape){ .nr = (uint32_t)nr, .flags = (uint32_t)flags,
			.abi = (uint8_t)abi, .nargs = (uint8_t)nargs, .nstr = (uint8_t)nstr };
		for (unsigned i = 0; i < nstr; i++) {
			uint64_t arg = next(b), kind = next(b), sflags = next(b);

			if (b->bad || arg >= DN_CALL_ARGS || kind > UINT8_MAX || sflags > UINT8_MAX)
				return -EBADMSG;
			s->shape.str[i].arg = (uint8_t)arg;
			s->shape.str[i].kind = (uint8_t)kind;
			s->shape.str[i].flags = (uint8_t)sflags;
		}
		s->v1 = v1;
		s->col = col;
		col += dn_shape_columns(&s->shape, d->step);
		if (col > d->ncol)
			return -EBADMSG;
		n++;
	}
	*nsites = n;
	return 0;
}

static int decode_calls(struct dn_decoder *d, uint64_t rows, const struct dn_sink *sink)
{
	struct dn_bytes *fixed = d->col;
	struct dn_syscall s = { 0 };
	struct dn_moment at = DN_BEFORE_ALL;	/* the end of the row before */
	uint32_t nsites, prev_thread = 0;
	uint16_t prev_cpu = 0;
	struct dn_thread_state *th = NULL;
	int err, fresh = 1;

	if (d->ncol < DN_COL_FIXED)
		return -EBADMSG;
	err = read_sites(d, &nsites);
	if (err)
		return err;
	dn_threads_clear(&d->threads);
	while (rows--) {
		uint64_t index = next(&fixed[DN_COL_SITE]);
		struct dn_bytes *c;
		struct site *t;
		bool bad = false;

		if (index >= nsites)
			return -EBADMSG;
		t = &d->site[index];
		s.abi = t->shape.abi;
		s.nr = t->shape.nr;
		s.nargs = t->shape.nargs;
		s.nstr = t->shape.nstr;
		s.flags = t->shape.flags;
		s.thread = prev_thread + (uint32_t)next_signed(&fixed[DN_COL_THREAD]);
		if (!th || s.thread != prev_thread) {
			th = dn_threads_get(&d->threads, s.thread, &fresh);
			if (!th)
				return -ENOMEM;
		}
		if (!fresh)
			at = th->end;
		fresh = 0;
		s.seq = th->next_seq + (uint32_t)next_signed(&fixed[DN_COL_SEQ]);
		s.cpu = (uint16_t)(prev_cpu + next_signed(&fixed[DN_COL_CPU]));
		c = &d->col[t->col];
		bad |= !(t->v1 ? go_on_v1(&c, true, &at) : go_on(&c, &t->gap, d->step, &at));
		s.start = at.time;
		if (dn_shape_has_dur(&t->shape))
			bad |= !(t->v1 ? go_on_v1(&c, false, &at) : go_on(&c, &t->dur, d->step, &at));
		s.dur = at.time - s.start;
		s.ret = 0;
		if (!(s.flags & DN_CALL_UNFINISHED)) {
			t->last[0] += (uint64_t)next_signed(c);
			bad |= c++->bad;
			s.ret = (int64_t)t->last[0];
		}
		for (unsigned i = 0; i < s.nargs; i++) {
			t->last[1 + i] += (uint64_t)next_signed(c);
			bad |= c++->bad;
			s.args[i] = t->last[1 + i];
		}
		for (unsigned i = s.nargs; i < DN_CALL_ARGS; i++)
			s.args[i] = 0;
		for (unsigned i = 0; i < s.nstr; i++) {
			uint64_t ref = next(c);

			bad |= c++->bad;
			if (!ref || ref > d->nstr)
				return -EBADMSG;
			s.str[i] = (struct dn_call_str){
				.arg = t->shape.str[i].arg, .kind = t->shape.str[i].kind,
				.flags = t->shape.str[i].flags,
				.p = d->bytes + d->str[ref - 1].begin,
				.len = d->str[ref - 1].len, .true_len = d->str[ref - 1].len,
			};
		}
		for (unsigned i = 0; i < s.nstr; i++)
			if (s.str[i].flags & DN_STR_TRUNCATED) {
				s.str[i].true_len += (uint32_t)next(c);
				bad |= c++->bad;
			}
		for (unsigned i = 0; i < DN_COL_FIXED; i++)
			bad |= fixed[i].bad;
		if (bad)
			return -EBADMSG;
		th->next_seq = s.seq + 1;
		th->end = at;
		prev_thread = s.thread;
		prev_cpu = s.cpu;
		err = sink->call(sink->ctx, &s);
		if (err)
			return err;
	}
	return 0;
}

int dn_decode(struct dn_decoder *d, const void *payload, size_t len,
	      const struct dn_sink *sink, uint64_t *skipped)
{
	struct dn_bytes b = dn_bytes_of(payload, len);
	uint64_t left = dn_rows_max(len);
	bool seen[DN_EV_MAX] = { false };
	int err = read_strings(d, &b);

	while (!err && dn_bytes_left(&b)) {
		uint64_t event = dn_get_varint(&b), rows = dn_get_varint(&b);
		uint64_t columns = dn_get_varint(&b);
		bool known = event < DN_EV_MAX && dn_event_desc((unsigned)event);

		if (b.bad || !event || !rows || rows > left || (known && seen[event]))
			return -EBADMSG;
		left -= rows;
		err = read_columns(d, &b, columns);
		if (err)
			break;
		if (known)
			seen[event] = true;
		if (!known) {
			if (skipped)
				*skipped += rows;
		} else if (event < 64 && !(d->want & UINT64_C(1) << event)) {
			continue;
		} else if (event == DN_EV_syscall) {
			err = decode_calls(d, rows, sink);
		} else {
			err = decode_rows(d, (unsigned)event, rows, sink);
		}
	}
	return err;
}
