/*
 * test_writer.c - what is written is a whole trace, also when writes fail.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "block.h"
#include "encode.h"
#include "events.h"
#include "numbers.h"
#include "output.h"
#include "scratch.h"
#include "trace.h"
#include "writer.h"

struct found {
	struct trace_shape shape;
	uint64_t calls, rows;
	uint32_t seq;		/* of the next call */
	bool in_order;
};

static int on_call(void *ctx, const struct dn_syscall *s)
{
	struct found *f = ctx;

	f->calls++;
	if (s->seq < f->seq)
		f->in_order = false;
	f->seq = s->seq + 1;
	return 0;
}

static int on_row(void *ctx, const struct dn_row *r)
{
	(void)r;
	((struct found *)ctx)->rows++;
	return 0;
}

static void read_back(const char *name, struct found *f)
{
	struct dn_sink sink = { on_call, on_row, f };

	*f = (struct found){ .in_order = true };
	trace_read(name, &sink, &f->shape);
}

static struct dn_writer *begin(struct dn_output **out, const char *name)
{
	struct dn_writer_opts o = { .level = 1, .header = { .major = DN_FORMAT_MAJOR, .uuid = "0123456789abcde" } };
	struct dn_writer *w;
	char why[512];

	*out = dn_output_open(name, why);
	assert_non_null(*out);
	assert_int_equal(dn_output_commit(*out), 0);
	w = dn_writer_new(&o, *out);
	assert_non_null(w);
	return w;
}

static void add(struct dn_writer *w, uint32_t n)
{
	const struct dn_sink *sink = dn_writer_sink(w);
	uint64_t x = 88172645463325252u;	/* noise, which does not compress */

	for (uint32_t i = 0; i < n; i++) {
		struct dn_syscall s = { .thread = 1, .seq = i, .abi = 1, .nargs = 3, .nr = i % 7,
			.start = 1000 + i * 100ull, .dur = x % 4096,
			.args = { i * 40503u, i % 13, 4096 } };

		xorshift(&x);
		dn_writer_lock(w);
		assert_int_equal(sink->call(sink->ctx, &s), 0);
		dn_writer_unlock(w);
	}
}

static void test_whole(void **state)
{
	struct dn_output *out;
	struct dn_writer *w = begin(&out, "a.dnt");
	struct dn_encoder *e = dn_encoder_new();
	struct dn_writer_stats st;
	struct found f;
	struct dn_value v[DN_F_clock_N] = { dn_u(5), dn_u(6), dn_u(7), dn_null() };
	struct dn_row row = { DN_EV_clock, DN_F_clock_N, v };
	struct stat sb;

	(void)state;
	add(w, 500000);
	assert_int_equal(dn_encoder_row(e, &row), 0);
	assert_int_equal(dn_writer_block(w, DN_BLOCK_KEYFRAME, e), 0);
	dn_writer_close(w, &st);
	dn_output_close(out);
	dn_encoder_free(e);
	assert_int_equal(st.error, 0);
	assert_int_equal(st.calls, 500000);
	read_back("a.dnt", &f);
	assert_int_equal(f.calls, 500000);
	assert_int_equal(f.rows, 1);
	assert_true(f.in_order);
	assert_int_equal(f.shape.footers, 1);
	assert_int_equal(f.shape.keyframes, 1);
	assert_true(f.shape.blocks > 3);
	assert_int_equal(stat("a.dnt", &sb), 0);
	assert_int_equal(sb.st_size, st.bytes);
	assert_int_equal(sb.st_mode & 0777, 0600);
}

static void test_age(void **state)
{
	struct dn_output *out;
	struct dn_writer *w = begin(&out, "b.dnt");
	struct dn_writer_stats st;
	struct found f;

	(void)state;
	add(w, 10);
	dn_writer_flush(w, 0, UINT64_MAX);	/* too young */
	add(w, 10);
	dn_writer_flush(w, 0, 0);
	add(w, 10);
	dn_writer_close(w, &st);
	dn_output_close(out);
	read_back("b.dnt", &f);
	assert_int_equal(f.calls, 30);
	assert_int_equal(f.shape.blocks, 4);		/* schema, two of events, footer */
}

/* A limit on the size of files makes writes fail with EFBIG, part of the way
 * through a block. */
static void test_full(void **state)
{
	struct rlimit old, lim;
	struct dn_writer_stats st;
	struct dn_output *out;
	struct dn_writer *w;
	struct found f;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	w = begin(&out, "c.dnt");
	lim = old;
	lim.rlim_cur = 500000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &lim), 0);
	add(w, 500000);
	dn_writer_close(w, &st);
	dn_output_close(out);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(st.error, EFBIG);
	assert_true(st.errors > 0);
	read_back("c.dnt", &f);			/* a valid prefix */
	assert_true(f.calls > 0);
	assert_int_equal(f.calls + st.calls_lost, 500000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_whole, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(test_age, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(test_full, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
