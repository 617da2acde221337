/*
 * test_codec.c - what goes through encode.c comes out of decode.c unchanged,
 * and no damaged payload does harm.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "block.h"
#include "bytes.h"
#include "columns.h"
#include "decode.h"
#include "encode.h"
#include "events.h"
#include "format_limits.h"
#include "numbers.h"

/* A small generator of its own, so that runs are the same everywhere. */
static uint64_t rnd_state = 88172645463325252u;

static uint64_t rnd(void)
{
	return xorshift(&rnd_state);
}

#define N 5000

struct expect {
	struct dn_syscall call[N];
	unsigned seen;
	unsigned rows;
};

static int check_call(void *ctx, const struct dn_syscall *s)
{
	struct expect *x = ctx;
	const struct dn_syscall *w = &x->call[x->seen++];

	assert_true(x->seen <= N);
	assert_int_equal(s->thread, w->thread);
	assert_int_equal(s->seq, w->seq);
	assert_int_equal(s->cpu, w->cpu);
	assert_int_equal(s->abi, w->abi);
	assert_int_equal(s->nr, w->nr);
	assert_int_equal(s->flags, w->flags);
	assert_true(s->start == w->start);
	assert_true(s->dur == w->dur);
	assert_true(s->ret == w->ret);
	assert_int_equal(s->nargs, w->nargs);
	for (unsigned i = 0; i < DN_CALL_ARGS; i++)
		assert_true(s->args[i] == (i < w->nargs ? w->args[i] : 0));
	assert_int_equal(s->nstr, w->nstr);
	for (unsigned i = 0; i < s->nstr; i++) {
		assert_int_equal(s->str[i].arg, w->str[i].arg);
		assert_int_equal(s->str[i].kind, w->str[i].kind);
		assert_int_equal(s->str[i].flags, w->str[i].flags);
		assert_int_equal(s->str[i].len, w->str[i].len);
		assert_int_equal(s->str[i].true_len, w->str[i].true_len);
		assert_memory_equal(s->str[i].p, w->str[i].p, w->str[i].len);
	}
	return 0;
}

static int check_row(void *ctx, const struct dn_row *r)
{
	struct expect *x = ctx;

	assert_int_equal(r->event, DN_EV_exec);
	assert_int_equal(r->nfields, DN_F_exec_N);
	assert_true(r->v[DN_F_exec_time].u == 1000 + x->rows);
	assert_true(r->v[DN_F_exec_cwd].null == (x->rows % 2 == 0));
	assert_int_equal(r->v[DN_F_exec_path].len, 5);
	assert_memory_equal(r->v[DN_F_exec_path].p, "/a\0b\xff", 5);
	assert_true((int64_t)r->v[DN_F_exec_uid].u == -1);
	x->rows++;
	return 0;
}

static void random_call(struct dn_syscall *s, unsigned i)
{
	static const char text[] = "/usr/lib/x86_64-linux-gnu/libc.so.6\0\x01\xff tail";

	memset(s, 0, sizeof(*s));
	s->thread = (uint32_t)(rnd() % 40);
	s->seq = rnd() % 9 ? i : (uint32_t)rnd();
	s->cpu = (uint16_t)(rnd() % 8);
	s->abi = (uint8_t)(1 + rnd() % 3);
	s->nr = rnd() % 50 ? (uint32_t)(rnd() % 5) : (uint32_t)rnd();
	s->nargs = (uint8_t)(rnd() % 7);
	s->flags = rnd() % 9 ? 0 : (uint32_t)(rnd() % 4);
	s->start = rnd() % 99 ? 1000000u + i * 300u : rnd();
	if (!(s->flags & (DN_CALL_UNFINISHED | DN_CALL_NO_ENTER)))
		s->dur = rnd() % 9 ? rnd() % 1000 : rnd();
	if (!(s->flags & DN_CALL_UNFINISHED))
		s->ret = rnd() % 3 ? (int64_t)(rnd() % 9) - 4 : (int64_t)rnd();
	for (unsigned a = 0; a < s->nargs; a++)
		s->args[a] = rnd() % 3 ? rnd() % 10 : rnd();
	s->nstr = rnd() % 3 ? 0 : (uint8_t)(rnd() % 5);
	for (unsigned k = 0; k < s->nstr; k++) {
		s->str[k].arg = (uint8_t)(rnd() % 6);
		s->str[k].kind = (uint8_t)(1 + rnd() % 5);
		s->str[k].flags = (uint8_t)(rnd() % 4);
		s->str[k].len = (uint32_t)(rnd() % sizeof(text));
		s->str[k].p = text;
		s->str[k].true_len = s->str[k].len;
		if (s->str[k].flags & DN_STR_TRUNCATED)
			s->str[k].true_len += (uint32_t)(rnd() % 5000);
	}
}

static void add_exec(struct dn_encoder *e, unsigned i)
{
	struct dn_value v[DN_F_exec_N];
	struct dn_row r = { DN_EV_exec, DN_F_exec_N, v };

	for (unsigned f = 0; f < DN_F_exec_N; f++)
		v[f] = dn_event_desc(DN_EV_exec)->field[f].type == DN_STR ?
			dn_str("", 0) : dn_u(i * f);
	v[DN_F_exec_time] = dn_u(1000 + i);
	v[DN_F_exec_path] = dn_str("/a\0b\xff", 5);
	v[DN_F_exec_cwd] = i % 2 ? dn_str("/", 1) : dn_null();
	v[DN_F_exec_uid] = dn_u((uint64_t)-1);
	assert_int_equal(dn_encoder_row(e, &r), 0);
}

static uint64_t step_ns = 0;	/* of fill()'s clock, DN_STEP_BITS behind the point */

static long fill(struct expect *x, uint8_t **buf, size_t *cap, struct dn_block_info *info)
{
	struct dn_encoder *e = dn_encoder_new();
	long len;

	assert_non_null(e);
	dn_encoder_step(e, step_ns);
	for (unsigned i = 0; i < N; i++) {
		random_call(&x->call[i], i);
		assert_int_equal(dn_encoder_call(e, &x->call[i]), 0);
		if (i % 50 == 0)
			add_exec(e, i / 50);
	}
	len = dn_encoder_take(e, buf, cap, info);
	assert_true(len > 0);
	assert_int_equal(dn_encoder_rows(e), 0);
	dn_encoder_free(e);
	return len;
}

static void test_round_trip(void **state)
{
	struct expect *x = calloc(1, sizeof(*x));
	struct dn_sink sink = { check_call, check_row, x };
	struct dn_decoder *d = dn_decoder_new();
	struct dn_block_info info;
	uint8_t *buf = NULL;
	size_t cap = 0;
	uint64_t skipped = 0;
	long len;

	(void)state;
	for (int round = 0; round < 6; round++) {	/* the decoder starts afresh */
		x->seen = x->rows = 0;
		step_ns = round % 2 ? 168086528 : 0;
		len = fill(x, &buf, &cap, &info);
		assert_int_equal(info.rows, N + N / 50);
		assert_int_equal(info.kind_rows[DN_EV_syscall], N);
		assert_int_equal(info.kind_rows[DN_EV_exec], N / 50);
		assert_int_equal(dn_decode(d, buf, (size_t)len, &sink, &skipped), 0);
		assert_int_equal(x->seen, N);
		assert_int_equal(x->rows, N / 50);
		assert_int_equal(skipped, 0);
	}
	free(buf);
	dn_decoder_free(d);
	free(x);
}

static void test_reuse(void **state)
{
	struct expect *x = calloc(1, sizeof(*x));
	struct dn_sink sink = { check_call, check_row, x };
	struct dn_encoder *e = dn_encoder_new();
	struct dn_decoder *d = dn_decoder_new();
	struct dn_block_info info;
	uint8_t *buf = NULL;
	size_t cap = 0;
	long len;

	(void)state;
	for (unsigned round = 0; round < 20; round++) {	/* no base is kept from block to block */
		x->seen = x->rows = 0;
		for (unsigned i = 0; i < 100; i++) {
			random_call(&x->call[i], i);
			assert_int_equal(dn_encoder_call(e, &x->call[i]), 0);
			if (i == 50)	/* of the next block */
				dn_encoder_step(e, round % 3 * 10 * DN_STEP_ONE);
		}
		add_exec(e, 0);
		len = dn_encoder_take(e, &buf, &cap, &info);
		assert_int_equal(dn_decode(d, buf, (size_t)len, &sink, NULL), 0);
		assert_int_equal(x->seen, 100);
		assert_int_equal(x->rows, 1);
	}
	assert_int_equal(dn_encoder_take(e, &buf, &cap, &info), 0);
	free(buf);
	dn_encoder_free(e);
	dn_decoder_free(d);
	free(x);
}

/* A sink that reads every byte it is told of, for the sanitizers to judge. */
static int touch_call(void *ctx, const struct dn_syscall *s)
{
	uint64_t *sum = ctx;

	for (unsigned i = 0; i < s->nstr; i++)
		for (uint32_t k = 0; k < s->str[i].len; k++)
			*sum += (uint8_t)s->str[i].p[k];
	return 0;
}

static int touch_row(void *ctx, const struct dn_row *r)
{
	uint64_t *sum = ctx;

	for (unsigned i = 0; i < r->nfields; i++)
		for (uint32_t k = 0; !r->v[i].null && k < r->v[i].len; k++)
			*sum += (uint8_t)r->v[i].p[k];
	return 0;
}

static void test_damage(void **state)
{
	struct expect *x = calloc(1, sizeof(*x));
	uint64_t sum = 0;
	struct dn_sink sink = { touch_call, touch_row, &sum };
	struct dn_decoder *d = dn_decoder_new();
	struct dn_block_info info;
	uint8_t *buf = NULL, *copy;
	size_t cap = 0;
	long len;

	(void)state;
	step_ns = 168086528;
	len = fill(x, &buf, &cap, &info);
	for (unsigned i = 0; i < 4000; i++) {
		size_t cut = i % 2 ? (size_t)len : (size_t)(rnd() % (uint64_t)len);
		int err;

		if (i == 2000) {
			step_ns = 0;
			len = fill(x, &buf, &cap, &info);
			cut = (size_t)len;
		}
		copy = malloc(cut + 1);		/* its end is the allocation's, for ASan */
		memcpy(copy, buf, cut);
		for (unsigned k = 0; cut && k < 1 + i % 4; k++)
			copy[rnd() % (i % 3 ? cut : cut < 300 ? cut : 300)] = (uint8_t)rnd();
		err = dn_decode(d, copy, cut, &sink, NULL);
		assert_true(err == 0 || err == -EBADMSG);
		free(copy);
	}
	free(buf);
	dn_decoder_free(d);
	free(x);
}

static void test_unknown_event(void **state)
{
	/* no strings; event 200 with 3 rows in 2 columns; then one clock row */
	uint8_t p[64], *q = p;
	uint64_t sum = 0, skipped = 0;
	struct dn_sink sink = { touch_call, touch_row, &sum };
	struct dn_decoder *d = dn_decoder_new();

	(void)state;
	q = dn_put_varint(q, 0);
	q = dn_put_varint(q, 0);
	q = dn_put_varint(q, 200);
	q = dn_put_varint(q, 3);
	q = dn_put_varint(q, 2);
	q = dn_put_varint(q, 1);
	q = dn_put_varint(q, 2);
	*q++ = 1;
	*q++ = 2;
	*q++ = 3;
	q = dn_put_varint(q, DN_EV_clock);
	q = dn_put_varint(q, 1);
	q = dn_put_varint(q, 2);	/* an older writer: one field only */
	q = dn_put_varint(q, 0);
	q = dn_put_varint(q, 1);
	*q++ = 10;
	assert_int_equal(dn_decode(d, p, (size_t)(q - p), &sink, &skipped), 0);
	assert_int_equal(skipped, 3);
	dn_decoder_free(d);
}

/* A section of rows without a byte of their own, in so many empty columns. */
static uint8_t *empty_section(uint8_t *q, uint64_t event, uint64_t rows, unsigned columns)
{
	q = dn_put_varint(q, event);
	q = dn_put_varint(q, rows);
	q = dn_put_varint(q, columns);
	memset(q, 0, columns);
	return q + columns;
}

static int count_row(void *ctx, const struct dn_row *r)
{
	(void)r;
	++*(uint64_t *)ctx;
	return 0;
}

static int count_call(void *ctx, const struct dn_syscall *s)
{
	(void)s;
	++*(uint64_t *)ctx;
	return 0;
}

/* Decodes sections that follow an empty string table. */
static int decode_sections(const uint8_t *p, const uint8_t *end, uint64_t *seen, uint64_t *skipped)
{
	size_t len = 2 + (size_t)(end - p);
	uint8_t *copy = calloc(1, len);
	const struct dn_sink sink = { count_call, count_row, seen };
	struct dn_decoder *d = dn_decoder_new();
	int err;

	*seen = *skipped = 0;
	memcpy(copy + 2, p, len - 2);
	err = dn_decode(d, copy, len, &sink, skipped);
	assert_true(*seen + *skipped <= dn_rows_max(len));
	dn_decoder_free(d);
	free(copy);
	return err;
}

static void test_what_no_writer_makes(void **state)
{
	enum { UNKNOWN = 5000 };
	uint64_t seen, skipped;
	uint8_t p[64], *q;

	(void)state;
	q = empty_section(p, DN_EV_clock, 1, 2);
	assert_int_equal(decode_sections(p, q, &seen, &skipped), 0);
	assert_int_equal(seen, 1);
	/* the same again; and another kind may follow */
	assert_int_equal(decode_sections(p, empty_section(q, DN_EV_clock, 1, 2), &seen, &skipped),
			 -EBADMSG);
	assert_int_equal(decode_sections(p, empty_section(q, DN_EV_loss, 1, 0), &seen, &skipped), 0);
	assert_int_equal(seen, 2);
	assert_int_equal(decode_sections(p, empty_section(q, 0, 1, 0), &seen, &skipped), -EBADMSG);
	assert_int_equal(decode_sections(p, empty_section(q, DN_EV_loss, 0, 0), &seen, &skipped),
			 -EBADMSG);
	assert_int_equal(decode_sections(p, empty_section(q, UNKNOWN, 0, 0), &seen, &skipped),
			 -EBADMSG);
	/* what a later version may add is passed over, system calls or not before it */
	q = empty_section(q, UNKNOWN, 7, 5);
	q = empty_section(q, UINT64_MAX, 8, 1);
	q = empty_section(q, DN_EV_loss, 2, 0);
	assert_int_equal(decode_sections(p, q, &seen, &skipped), 0);
	assert_int_equal(seen, 3);
	assert_int_equal(skipped, 15);
}

/* However it is made, a payload's rows are limited by its length. */
static void test_rows_for_a_length(void **state)
{
	static uint8_t p[1 << 19];
	const uint64_t most = dn_rows_max(2 + 4 + 2);	/* event, rows, columns; two of them */
	uint64_t seen, skipped;
	clock_t begin;

	(void)state;
	assert_int_equal(decode_sections(p, p + sizeof(p), &seen, &skipped), -EBADMSG);
	assert_int_equal(seen + skipped, 0);
	assert_true(most < 10000);
	assert_int_equal(decode_sections(p, empty_section(p, DN_EV_clock, most, 2), &seen, &skipped),
			 0);
	assert_int_equal(seen, most);
	assert_int_equal(decode_sections(p, empty_section(p, DN_EV_clock, most + 1, 2), &seen,
					 &skipped), -EBADMSG);
	assert_int_equal(decode_sections(p, empty_section(p, 5000, most + 1, 1), &seen, &skipped),
			 -EBADMSG);
	/* all sections count together */
	assert_int_equal(decode_sections(p, empty_section(empty_section(p, DN_EV_clock, most - 8, 0),
							  DN_EV_loss, most - 8, 0),
					 &seen, &skipped), -EBADMSG);
	assert_int_equal(seen, most - 8);
	/* a row costs what its known fields cost: 10^11 columns would be minutes */
	begin = clock();
	assert_int_equal(decode_sections(p, empty_section(p, DN_EV_clock, 1 << 20, 1 << 18), &seen,
					 &skipped), 0);
	assert_int_equal(seen, 1 << 20);
	assert_true(clock() - begin < 10 * CLOCKS_PER_SEC);
}

/* Rows that repeat cost nothing: the writer ends the block before the reader would not
 * take it. */
static void test_rows_without_bytes(void **state)
{
	struct dn_value v[DN_F_clock_N];
	const struct dn_row r = { DN_EV_clock, DN_F_clock_N, v };
	struct dn_encoder *e = dn_encoder_new();
	struct dn_decoder *d = dn_decoder_new();
	struct dn_block_info info;
	uint64_t seen = 0, calls = 0;
	const struct dn_sink sink = { count_call, count_row, &seen };
	uint8_t *buf = NULL;
	size_t cap = 0;
	long len;

	(void)state;
	for (unsigned f = 0; f < DN_F_clock_N; f++)
		v[f] = dn_u(0);
	for (unsigned blocks = 0; blocks < 3; blocks++) {
		struct dn_syscall s = { .abi = 1 };

		for (; !dn_encoder_row(e, &r); calls++)
			;
		for (; !dn_encoder_call(e, &s); calls++)
			s.seq++;
		assert_int_equal(dn_encoder_row(e, &r), -ENOSPC);
		len = dn_encoder_take(e, &buf, &cap, &info);
		assert_true(len > 0 && info.rows >= DN_BLOCK_ROWS_FREE);
		assert_int_equal(dn_decode(d, buf, (size_t)len, &sink, NULL), 0);
		assert_int_equal(seen, calls);
	}
	free(buf);
	dn_encoder_free(e);
	dn_decoder_free(d);
}

static void test_full(void **state)
{
	struct dn_encoder *e = dn_encoder_new();
	struct dn_syscall s = { .abi = 1, .nargs = 6 };
	uint8_t *buf = NULL;
	size_t cap = 0;
	struct dn_block_info info;
	unsigned n;
	long len;

	(void)state;
	for (n = 0; n <= DN_BLOCK_ROWS_MAX; n++) {
		s.args[n % 6] = rnd();
		s.start = rnd();
		s.seq = n;
		if (dn_encoder_call(e, &s))
			break;
	}
	assert_true(n > 10000);
	assert_int_equal(dn_encoder_call(e, &s), -ENOSPC);
	len = dn_encoder_take(e, &buf, &cap, &info);
	assert_true(len > 0 && len <= (long)DN_BLOCK_RAW_MAX);
	assert_int_equal(info.rows, n);
	assert_int_equal(dn_encoder_call(e, &s), 0);
	free(buf);
	dn_encoder_free(e);
}

static void test_varint(void **state)
{
	static const uint64_t v[] = { 0, 1, 127, 128, 16383, 16384, UINT32_MAX,
		UINT64_MAX, UINT64_MAX - 1, UINT64_C(1) << 63 };
	uint8_t p[DN_VARINT_MAX + 1];

	(void)state;
	for (unsigned i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		uint8_t *end = dn_put_varint(p, v[i]);
		struct dn_bytes b = dn_bytes_of(p, (size_t)(end - p));

		assert_true(end - p <= DN_VARINT_MAX);
		assert_true(dn_get_varint(&b) == v[i]);
		assert_false(b.bad);
		assert_true(b.p == end);
		b = dn_bytes_of(p, (size_t)(end - p) - 1);
		dn_get_varint(&b);
		assert_true(b.bad);
		assert_true(dn_unzigzag(dn_zigzag((int64_t)v[i])) == (int64_t)v[i]);
	}
	memset(p, 0xff, sizeof(p));
	struct dn_bytes b = dn_bytes_of(p, sizeof(p));
	dn_get_varint(&b);
	assert_true(b.bad);
}

/* What lies above its floor by less than 256 has nothing in the high part; where it moves to, the
 * floor follows, and not to each outlier. */
static void test_floor(void **state)
{
	static const uint64_t v[] = { 0, 1, 255, 256, 1000, (uint64_t)-1, (uint64_t)-256, (uint64_t)-257,
		UINT64_C(1) << 63, ~(UINT64_C(1) << 63) };
	struct dn_floor f = { 0 }, g = { 0 };
	uint64_t high, outside = 0, n = 0;
	uint8_t low;

	(void)state;
	for (unsigned i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		for (unsigned k = 0; k < sizeof(v) / sizeof(v[0]); k++) {
			f.value = v[k];
			dn_floor_cut(&f, (int64_t)v[i], &low, &high);
			assert_true(dn_floor_join(&f, low, high) == (int64_t)v[i]);
			assert_int_equal(high == 0, v[i] - v[k] < 256);
		}
	f = g;
	for (; n < 40000; n++) {
		int64_t value = (int64_t)(n < 20000 ? 470 + rnd() % 100 : 90000 + rnd() % 200);

		if (n % 50 == 49)
			value = (int64_t)(rnd() % 2000000) - 1000;
		dn_floor_cut(&f, value, &low, &high);
		assert_true(dn_floor_join(&g, low, high) == value);
		dn_floor_see(&f, value);
		dn_floor_see(&g, value);
		assert_memory_equal(&f, &g, sizeof(f));
		outside += high != 0;
		if (n == 511) {
			assert_in_range(f.value, 0, 500);
			assert_true(outside < 60);
		}
		if (n == 8191)	/* 2 % are outliers */
			assert_true(outside < 8192 / 3);
	}
	assert_true(f.value <= 500);	/* the next look is at the 131072nd */
	for (; n < 131072; n++)
		dn_floor_see(&f, 90000 + (int64_t)(rnd() % 200));
	assert_in_range(f.value, 90000, 90199);
	n = f.value;
	f.rows = 0;
	f.pass = 0;
	for (unsigned i = 0; i < DN_FLOOR_ROWS; i++)
		dn_floor_see(&f, (int64_t)n + 32);
	assert_int_equal(f.value, n);	/* near enough */
	f.rows = 0;
	f.pass = 0;
	for (unsigned i = 0; i < DN_FLOOR_ROWS; i++)
		dn_floor_see(&f, (int64_t)n - 33);
	assert_int_equal(f.value, n - 33);
}

/* Ways between any two times lead there; between times of a clock with a step, nearly always by
 * steps alone. */
static void test_moment(void **state)
{
	static const uint64_t steps[] = { DN_STEP_ONE, 3 * DN_STEP_ONE, 168086528, 41 * (uint64_t)DN_STEP_ONE + 11184810,
		UINT64_C(1) << 39, UINT64_MAX };
	static const uint64_t v[] = { 0, 1, 1000, UINT64_C(1) << 37, UINT64_C(1) << 38, UINT64_C(1) << 40,
		UINT64_C(1) << 63, (uint64_t)-1, (uint64_t)-1000, (uint64_t)-(INT64_C(1) << 38) };

	(void)state;
	for (unsigned s = 0; s < sizeof(steps) / sizeof(steps[0]); s++)
		for (unsigned i = 0; i < 10000; i++) {
			struct dn_moment m = { .time = i < 100 ? v[i / 10] : rnd(), .rest = rnd() % DN_STEP_ONE }, to = m;
			uint64_t time = i < 100 ? v[i % 10] : m.time + (rnd() >> rnd() % 64), far;
			int64_t way = dn_moment_put(&m, steps[s], time, &far);

			assert_true(m.time == time && m.rest < DN_STEP_ONE);
			dn_moment_get(&to, steps[s], way, far);
			assert_true(to.time == time && to.rest == m.rest);
		}
	for (unsigned s = 1; s < 4; s++) {
		struct dn_moment m = DN_BEFORE_ALL;
		uint64_t now = UINT64_C(1000000000) * DN_STEP_ONE + 5555555;
		unsigned beside = 0;

		for (unsigned i = 0; i < 100000; i++) {
			uint64_t time = now >> DN_STEP_BITS, far;
			int64_t way = dn_moment_put(&m, steps[s], time, &far);

			assert_true(m.time == time);
			beside += way % 3 || far;
			now += steps[s] * (rnd() % 200);
		}
		assert_in_range(beside, 1, 3000);	/* the first of all, and while the rest is found */
	}
}

static void test_block_header(void **state)
{
	struct dn_block_header h = { .kind = DN_BLOCK_EVENTS, .seq = 7, .first_end = 1,
		.last_end = UINT64_MAX, .least_start = 3, .rows = 4, .raw_len = 5, .stored_len = 5 }, g;
	struct dn_file_header f = { .major = DN_FORMAT_MAJOR, .native_abi = 1, .word_bits = 64,
		.boot_ns = 5, .wall_ns = 6 }, k;
	uint8_t p[DN_BLOCK_HEADER_LEN], q[DN_FILE_HEADER_LEN], payload[] = "hello";

	(void)state;
	memset(h.uuid, 0xab, sizeof(h.uuid));
	dn_block_header_put(p, &h, payload);
	assert_int_equal(dn_block_header_get(p, sizeof(p), &g), 0);
	assert_true(g.kind == h.kind && g.flags == h.flags && g.seq == h.seq);
	assert_true(g.first_end == h.first_end && g.last_end == h.last_end);
	assert_true(g.least_start == h.least_start && g.rows == h.rows);
	assert_true(g.raw_len == h.raw_len && g.stored_len == h.stored_len);
	assert_memory_equal(g.uuid, h.uuid, sizeof(g.uuid));
	assert_true(dn_block_verify(p, &g, payload));
	for (unsigned bit = 0; bit < 8 * sizeof(p); bit++) {	/* every flipped bit is seen */
		p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(!dn_block_header_get(p, sizeof(p), &g) && dn_block_verify(p, &g, payload) &&
			     g.checksum == h.checksum);
		p[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	payload[2] ^= 1;
	dn_block_header_get(p, sizeof(p), &g);
	assert_false(dn_block_verify(p, &g, payload));

	dn_file_header_put(q, &f);
	assert_int_equal(dn_file_header_get(q, sizeof(q), &k), 0);
	assert_true(k.major == f.major && k.minor == f.minor && k.native_abi == f.native_abi);
	assert_true(k.word_bits == f.word_bits && k.boot_ns == 5 && k.wall_ns == 6);
	q[60] ^= 4;
	assert_int_equal(dn_file_header_get(q, sizeof(q), &k), -EILSEQ);
	f.major = 99;
	dn_file_header_put(q, &f);
	assert_int_equal(dn_file_header_get(q, sizeof(q), &k), -EPROTONOSUPPORT);
	assert_int_equal(dn_file_header_get(q, 10, &k), -EBADMSG);
}

static void test_footer(void **state)
{
	struct dn_index_entry b[3] = { { 128, 1, 0, 0, 0, 0 }, { 500, 2, 1000, 5, 900, 1 },
		{ 90000, 2, 7, 850, 2000, 4 } };
	uint32_t rows[3 * DN_INDEX_KINDS] = { 0 };
	struct dn_footer f = { .nblocks = 3, .block = b, .kind_rows = rows }, g;
	uint8_t *p;
	size_t len;

	(void)state;
	f.file.major = DN_FORMAT_MAJOR;
	rows[DN_INDEX_KINDS + 1] = 1000;
	p = dn_footer_put(&f, &len);
	assert_non_null(p);
	assert_int_equal(dn_footer_get(p, len, &g), 0);
	assert_int_equal(g.nblocks, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(g.block[i].offset == b[i].offset && g.block[i].rows == b[i].rows);
		assert_int_equal(g.block[i].kind, b[i].kind);
		assert_true(g.block[i].first_end == b[i].first_end);
		assert_true(g.block[i].last_end == b[i].last_end);
		assert_true(g.block[i].least_start == b[i].least_start);
	}
	assert_memory_equal(g.kind_rows, rows, sizeof(rows));
	dn_footer_free(&g);
	for (size_t cut = 0; cut < len; cut++) {
		assert_true(dn_footer_get(p, cut, &g) != 0);
		dn_footer_free(&g);
	}
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_varint),
		cmocka_unit_test(test_floor),
		cmocka_unit_test(test_moment),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_reuse),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_unknown_event),
		cmocka_unit_test(test_what_no_writer_makes),
		cmocka_unit_test(test_rows_for_a_length),
		cmocka_unit_test(test_rows_without_bytes),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_block_header),
		cmocka_unit_test(test_footer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
