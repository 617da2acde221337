/*
 * columns.h - the byte layout of an EVENTS payload, shared by the twins
 * encode.c and decode.c. dnt(5) tells the same to other implementations.
 *
 *   payload  := strings section*
 *   strings  := varint count, varint bytes, count x varint length, the bytes
 *   section  := varint event id, varint rows, varint columns,
 *               columns x varint column length, the columns' bytes
 *
 * A string is named by its 1-based place in the table; 0 is "no string".
 *
 * Every column is a run of varints, but for those called bytes (_lo), which
 * are plain. A column may end early: values past its end are 0. As most deltas
 * of regular work are 0, most columns are then short or empty, which costs
 * neither space nor time.
 *
 * Columns of an ordinary event: two for each field of events.def.
 *   nulls   empty: none is null. Else one varint a row: 1 null, 0 not.
 *   values  one varint a row that is not null:
 *           TIME, INT  zigzag(value - value of the row before, at first 0)
 *           RAW        value
 *           STR        place in the string table
 *   So n fields are 2n columns, and a field that a reader does not know is
 *   two columns it passes over.
 *
 * Columns of the system calls. Calls of one shape (a "site": number, ABI,
 * arguments, flags and strings) share columns of their own, since their
 * values resemble each other.
 *   0 sites   where the clock's step is known: 0, step. For each:
 *             DN_SITE_FIRST + nargs, abi, nr, flags, nstr, then for each string
 *             arg, kind, flags
 *   1 site    of each row, by index
 *   2 thread  zigzag(delta to the row before)
 *   3 seq     zigzag(seq - the seq expected: 1 + the last of this thread in
 *             this block, or 0 at its first row)
 *   4 cpu     zigzag(delta to the row before)
 *   then for each site in order, values of its rows only:
 *     start_lo, start_hi   the gap before it, in two parts: start - the end
 *             of the last call of this thread in this block; at its first
 *             row, of the row before; at first 0
 *     start_far            only with a step; the gap is then 3 * steps + 0, 1, or 2: that many
 *             steps on (struct dn_moment), or a ns after that, or a ns before it. What is missing
 *             still stands here: zigzag(start - that moment)
 *     dur_lo, dur_hi, dur_far   the same of the duration; not if UNFINISHED or
 *             NO_ENTER, whose end is their start
 *     ret     zigzag(delta to the site's row before); not if UNFINISHED
 *     nargs x arg     zigzag(delta to the site's row before)
 *     nstr x string   place in the string table
 *     nstr x excess   true length - kept length, only of strings TRUNCATED
 *
 * Times are cut in two since their low bits are noise and their high bits are
 * not: apart, each compresses by its own statistics. dd: 1.26 to 1.17 bytes an
 * event, find and wc: 5.3 to 5.0 (zstd level 3, the same traces encoded anew).
 * They are cut above a floor (struct dn_floor), which keeps values that differ
 * little from lying to both sides of a multiple of 256; then the high parts are 0.
 *
 * A clock whose counter is slower than 1 GHz shows few of all ns: 0, 10, 20, 30, 40, 50,
 * 60, 70, 80, 91 ... with a step of 10.02. Which ns a number of steps leads to is mostly known
 * from the times before, so that steps are less noise than ns are. (A guest's counter is
 * scaled, which blurs its steps: a ns is missing at a tenth of them.)
 */
#ifndef DN_COMMON_COLUMNS_H
#define DN_COMMON_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format_limits.h"
#include "record.h"

/*
 * Events that a payload of this length may hold. A row may cost no byte at all
 * where it repeats the one before and the column ends there; those that a
 * recorder writes cost a byte at least, since time passes. The limit keeps a few
 * bytes from standing for a million rows.
 */
static inline uint64_t dn_rows_max(size_t len)
{
	uint64_t n = DN_BLOCK_ROWS_FREE + (uint64_t)DN_BLOCK_ROWS_A_BYTE * len;

	return n < DN_BLOCK_ROWS_MAX ? n : DN_BLOCK_ROWS_MAX;
}

/*
 * First value of a site, less its count of arguments. It is never 0, and tells how the
 * site's times are cut: in traces of major version 1 without a floor, the low 8 bits and
 * the rest of zigzag(gap), and of the duration.
 */
#define DN_SITE_FIRST 9
#define DN_SITE_FIRST_V1 1

/*
 * The floor of a time column: the least value of some rows before, as each twin
 * finds it by itself. It looks at the first 32 rows of the site in a block, and at the 32 up to
 * row 512, 8192, 131072 (each 16 times as far): seldom, since equal values should be coded
 * alike. A floor that moves by no more than 32 stays.
 */
#define DN_FLOOR_ROWS 32
#define DN_FLOOR_AGAIN 16
#define DN_FLOOR_NEAR 32

struct dn_floor {
	uint64_t value;
	uint64_t least;		/* of the rows looked at; a negative gap is 0 */
	uint64_t rows;		/* of the site, so far */
	uint64_t pass;		/* rows before it looks again */
};

static inline void dn_floor_see(struct dn_floor *f, int64_t v)
{
	uint64_t u = v > 0 ? (uint64_t)v : 0;

	if (++f->rows <= f->pass)
		return;
	if (f->rows == f->pass + 1 || u < f->least)
		f->least = u;
	if (f->rows < f->pass + DN_FLOOR_ROWS)
		return;
	if (f->least - f->value + DN_FLOOR_NEAR > 2 * DN_FLOOR_NEAR)	/* further off, up or down */
		f->value = f->least;
	f->pass = f->rows * DN_FLOOR_AGAIN - DN_FLOOR_ROWS;
}

/* The parts of a value above (or, seldom, below) its floor: the low one is a byte. */
static inline void dn_floor_cut(const struct dn_floor *f, int64_t v, uint8_t *low, uint64_t *high)
{
	uint64_t above = (uint64_t)v - f->value, below = above >> 63;

	above ^= -below;
	*low = (uint8_t)above;
	*high = above >> 8 << 1 | below;
}

static inline int64_t dn_floor_join(const struct dn_floor *f, uint8_t low, uint64_t high)
{
	return (int64_t)(((high >> 1 << 8 | low) ^ -(high & 1)) + f->value);
}

#define DN_STEP_BITS 24		/* of a step, ns: those behind the point. It is 1 ns at least */
#define DN_STEP_REACH (UINT64_C(1) << 38)	/* ns: nearer times are counted in steps */

/* A time of the clock as it was shown, and what was cut off it as far as known from those
 * before. */
struct dn_moment {
	uint64_t time;		/* ns */
	uint32_t rest;		/* DN_STEP_BITS behind the point */
};

#define DN_STEP_ONE (1u << DN_STEP_BITS)

/* What the first row of a block stands on. */
#define DN_BEFORE_ALL ((struct dn_moment){ .rest = DN_STEP_ONE / 2 })

/* Goes n steps on from m. All wraps. */
static inline void dn_moment_go(struct dn_moment *m, uint64_t step, uint64_t n)
{
	uint64_t to = m->rest + n * step;

	m->time += (uint64_t)((int64_t)to >> DN_STEP_BITS);
	m->rest = to & (DN_STEP_ONE - 1);
}

/* A rest that was wrong goes so far beyond the least change that sets it right, or a step that is
 * known to 1e-6 draws it back over the same edge at once: a clock of 16 ns was beside its steps 98
 * times of 100, 1.5 with it. That of 10.02 is as often as without, 11 to 12. */
#define DN_STEP_SURE (DN_STEP_ONE / 32)

/* To a time beside the one where the steps led. By a ns it was the rest that was wrong. */
static inline void dn_moment_move(struct dn_moment *m, uint64_t off)
{
	m->time += off;
	if (off)
		m->rest = off == 1 ? DN_STEP_SURE : off == UINT64_MAX ? DN_STEP_ONE - DN_STEP_SURE : DN_STEP_ONE / 2;
}

/* How many steps it is from m to time, about: 0 where it is too far for a product. */
static inline int64_t dn_moment_steps(const struct dn_moment *m, uint64_t step, uint64_t time)
{
	uint64_t gap = time - m->time, half = step / 2;
	int64_t far;

	if (gap + DN_STEP_REACH >= 2 * DN_STEP_REACH || half >= DN_STEP_REACH)
		return 0;
	far = (int64_t)((gap << DN_STEP_BITS) + DN_STEP_ONE / 2 - m->rest + half);
	return far >= 0 ? (int64_t)((uint64_t)far / step) : -(int64_t)(((uint64_t)-far + step - 1) / step);
}

/* Goes from m to time. Returns the way as a column has it, and in far what is missing then. */
static inline int64_t dn_moment_put(struct dn_moment *m, uint64_t step, uint64_t time, uint64_t *far)
{
	int64_t n = dn_moment_steps(m, step, time), beside;
	uint64_t off;

	dn_moment_go(m, step, (uint64_t)n);
	off = time - m->time;
	beside = off == 1 ? 1 : off == UINT64_MAX ? 2 : 0;
	*far = beside ? 0 : off;
	dn_moment_move(m, off);
	return 3 * n + beside;
}

/* The way back: from m by what the columns have. */
static inline void dn_moment_get(struct dn_moment *m, uint64_t step, int64_t way, uint64_t far)
{
	int64_t n = way / 3, beside = way % 3;

	if (beside < 0) {
		beside += 3;
		n--;
	}
	dn_moment_go(m, step, (uint64_t)n);
	dn_moment_move(m, beside == 1 ? 1 : beside == 2 ? UINT64_MAX : far);
}

enum dn_call_column {
	DN_COL_SITES,
	DN_COL_SITE,
	DN_COL_THREAD,
	DN_COL_SEQ,
	DN_COL_CPU,
	DN_COL_FIXED
};

/* What the calls of a site have in common. */
struct dn_shape {
	uint32_t nr;
	uint32_t flags;
	uint8_t abi;
	uint8_t nargs;
	uint8_t nstr;
	uint8_t pad;
	struct {
		uint8_t arg, kind, flags, pad;
	} str[DN_CALL_STRS];
};

/* Whether the calls of a shape have a duration. */
static inline int dn_shape_has_dur(const struct dn_shape *s)
{
	return !(s->flags & (DN_CALL_UNFINISHED | DN_CALL_NO_ENTER));
}

/* Columns of a time, in a block with a step or without. */
static inline unsigned dn_time_columns(bool steps)
{
	return steps ? 3 : 2;
}

static inline unsigned dn_shape_columns(const struct dn_shape *s, bool steps)
{
	unsigned n = dn_time_columns(steps) + s->nargs + s->nstr;

	if (!(s->flags & DN_CALL_UNFINISHED))
		n++;
	if (dn_shape_has_dur(s))
		n += dn_time_columns(steps);
	for (unsigned i = 0; i < s->nstr; i++)
		n += s->str[i].flags & DN_STR_TRUNCATED;
	return n;
}

/*
 * What both twins remember of a thread within a block, in a small open
 * hash table keyed by thread id. Each id occurs in few runs, so that the
 * entry of the row before serves nearly always.
 */
struct dn_thread_state {
	uint32_t thread;
	uint32_t next_seq;
	struct dn_moment end;	/* of its last call */
};

#endif
