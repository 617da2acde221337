/*
 * test_source.c - analyzer/source.h, analyzer/spool.h, analyzer/chain.h: bytes,
 * whatever they come from, and the blocks that are found in them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chain.h"
#include "mktrace.h"
#include "numbers.h"
#include "scratch.h"
#include "source.h"
#include "spool.h"

#define SIZE (3u << 20)		/* more than a pipe's window takes at first */

static uint8_t bytes[SIZE];

static uint64_t rnd(void)
{
	static uint64_t state = 3;

	return xorshift(&state);
}

static int setup(void **state)
{
	FILE *f;

	if (scratch_setup(state))
		return 1;
	signal(SIGPIPE, SIG_IGN);	/* a feeder may find nobody there */
	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = (uint8_t)rnd();
	f = fopen("bytes", "wb");
	return !f || fwrite(bytes, 1, SIZE, f) != SIZE || fclose(f);
}

/* --- pipes ------------------------------------------------------------------- */

struct feeder {
	int fd, saved;
	pthread_t thread;
};

static void *feed(void *ctx)
{
	struct feeder *f = ctx;

	for (size_t at = 0; at < SIZE;) {
		size_t n = 1 + rnd() % 100000;
		ssize_t w = write(f->fd, bytes + at, n < SIZE - at ? n : SIZE - at);

		if (w <= 0)
			break;
		at += (size_t)w;
	}
	close(f->fd);
	return NULL;
}

/* Standard input becomes a pipe with all bytes. */
static struct dn_source *pipe_open(struct feeder *f)
{
	struct dn_source *s;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	f->saved = dup(0);
	f->fd = fds[1];
	dup2(fds[0], 0);
	close(fds[0]);
	assert_int_equal(pthread_create(&f->thread, NULL, feed, f), 0);
	assert_int_equal(dn_source_open("-", &s), 0);
	return s;
}

static void pipe_close(struct feeder *f)
{
	dup2(f->saved, 0);
	close(f->saved);
	pthread_join(f->thread, NULL);
}

/* --- source.h ---------------------------------------------------------------- */

/* Reads in pieces of any size, going back now and then. */
static void read_through(struct dn_source *s)
{
	static uint8_t buf[300000];
	uint64_t at = 0, kept = 0;

	while (at < SIZE) {
		size_t want = 1 + rnd() % sizeof(buf), n;
		long got;

		if (rnd() % 4 == 0)
			at = kept + rnd() % (at - kept + 1);
		got = dn_source_read(s, at, buf, want);
		n = want < SIZE - at ? want : (size_t)(SIZE - at);
		assert_int_equal(got, n);
		assert_memory_equal(buf, bytes + at, n);
		at += n;
		if (rnd() % 3 == 0) {
			kept = at - rnd() % (at - kept + 1);
			dn_source_forget(s, kept);
		}
	}
	assert_int_equal(dn_source_read(s, SIZE, buf, 1), 0);
	assert_int_equal(dn_source_read(s, UINT64_C(1) << 62, buf, 1), 0);
	assert_int_equal(dn_source_size(s), SIZE);
}

static void all_kinds_read_the_same(void **unused)
{
	struct dn_source *s = dn_source_memory(bytes, SIZE);
	struct feeder f;
	uint8_t one;

	(void)unused;
	assert_true(dn_source_seekable(s));
	read_through(s);
	dn_source_close(s);

	assert_int_equal(dn_source_open("bytes", &s), 0);
	assert_true(dn_source_seekable(s));
	assert_string_equal(dn_source_name(s), "bytes");
	assert_int_equal(dn_source_size(s), SIZE);
	read_through(s);
	assert_int_equal(dn_source_read(s, 0, &one, 1), 1);	/* a file forgets nothing */
	assert_int_equal(dn_source_read(s, UINT64_MAX, &one, 1), 0);
	dn_source_close(s);

	for (int i = 0; i < 10; i++) {
		s = pipe_open(&f);
		assert_false(dn_source_seekable(s));
		assert_string_equal(dn_source_name(s), "standard input");
		read_through(s);
		dn_source_close(s);
		pipe_close(&f);
	}
}

static void what_a_pipe_forgot(void **unused)
{
	struct dn_source *s;
	struct feeder f;
	uint8_t b[16];

	(void)unused;
	s = pipe_open(&f);
	assert_int_equal(dn_source_read(s, 1000, b, 16), 16);
	assert_memory_equal(b, bytes + 1000, 16);
	dn_source_forget(s, 900);
	assert_int_equal(dn_source_read(s, 899, b, 16), -ESPIPE);
	assert_int_equal(dn_source_read(s, 900, b, 16), 16);
	assert_memory_equal(b, bytes + 900, 16);
	dn_source_forget(s, 10);	/* going back is no use */
	assert_int_equal(dn_source_read(s, 10, b, 16), -ESPIPE);
	dn_source_close(s);
	pipe_close(&f);
}

static void a_file_grows_and_shrinks(void **unused)
{
	struct dn_source *s;
	uint8_t b[100];
	FILE *f = fopen("growing", "wb");

	(void)unused;
	fwrite(bytes, 1, 50, f);
	fflush(f);
	assert_int_equal(dn_source_open("growing", &s), 0);
	assert_int_equal(dn_source_read(s, 0, b, 100), 50);
	fwrite(bytes + 50, 1, 30, f);
	fflush(f);
	assert_int_equal(dn_source_read(s, 0, b, 100), 80);
	assert_memory_equal(b, bytes, 80);
	assert_int_equal(dn_source_size(s), 80);
	assert_int_equal(ftruncate(fileno(f), 20), 0);
	assert_int_equal(dn_source_read(s, 0, b, 100), 20);	/* and no SIGBUS */
	dn_source_close(s);
	fclose(f);
}

static void what_does_not_open(void **unused)
{
	struct dn_source *s = (void *)1;

	(void)unused;
	assert_int_equal(dn_source_open("none", &s), -ENOENT);
	assert_null(s);
	assert_int_equal(dn_source_open(".", &s), -EISDIR);
	assert_int_equal(dn_source_open("bytes/x", &s), -ENOTDIR);
}

/* --- spool.h ----------------------------------------------------------------- */

static unsigned names_in(const char *dir)
{
	DIR *d = opendir(dir);
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void a_pipe_becomes_a_file(void **unused)
{
	struct dn_source *s, *copy = (void *)1;
	const char *before = getenv("TMPDIR");
	char *saved = before ? strdup(before) : NULL;
	char tmp[128], nowhere[128];
	struct feeder f;

	(void)unused;
	snprintf(tmp, sizeof(tmp), "%s/tmp", scratch);
	snprintf(nowhere, sizeof(nowhere), "%s/nowhere", scratch);
	assert_int_equal(dn_source_open("bytes", &s), 0);
	assert_int_equal(dn_spool(s, &copy), 0);
	assert_null(copy);		/* nothing to do */
	dn_source_close(s);

	assert_int_equal(mkdir("tmp", 0700), 0);
	setenv("TMPDIR", tmp, 1);
	s = pipe_open(&f);
	assert_int_equal(dn_spool(s, &copy), 0);
	assert_non_null(copy);
	dn_source_close(s);
	pipe_close(&f);
	assert_int_equal(names_in("tmp"), 0);	/* it has no name any more */
	assert_true(dn_source_seekable(copy));
	read_through(copy);
	dn_source_close(copy);

	setenv("TMPDIR", nowhere, 1);
	s = pipe_open(&f);
	assert_int_equal(dn_spool(s, &copy), -ENOENT);
	dn_source_close(s);
	pipe_close(&f);
	if (saved)
		setenv("TMPDIR", saved, 1);
	else
		unsetenv("TMPDIR");
	free(saved);
}

/* --- chain.h ----------------------------------------------------------------- */

#define BLOCKS 6		/* schema, four of events, footer */

struct trace {
	uint8_t *p;
	size_t len, block[BLOCKS + 1];
};

static void make(struct trace *t)
{
	struct mktrace *m = mk_new();
	struct dn_source *src;
	size_t n = 0;

	for (uint32_t i = 0; i < BLOCKS - 2; i++) {
		struct dn_syscall s = mk_sys(1, i, "read", 1000 * i, 10, 1, 0, NULL);

		mk_call(m, &s);
		mk_block(m);
	}
	mk_write(m, "t.dnt", true);
	assert_int_equal(dn_source_open("t.dnt", &src), 0);
	t->len = (size_t)dn_source_size(src);
	t->p = malloc(t->len + 4096);
	assert_int_equal(dn_source_read(src, 0, t->p, t->len), t->len);
	dn_source_close(src);
	/* The markers, found without the code that is tested. */
	for (size_t at = 0; at + DN_MAGIC_LEN <= t->len; at++)
		if (!memcmp(t->p + at, dn_block_magic, DN_MAGIC_LEN)) {
			assert_true(n < BLOCKS);
			t->block[n++] = at;
		}
	assert_int_equal(n, BLOCKS);
	t->block[n] = t->len;
}

/* The next block must be number k, after so many bytes of damage. -1: the end. */
static void expect(struct dn_chain *c, struct dn_block *b, const struct trace *t, int k, size_t gap)
{
	struct dn_chain_gap g;
	int ret = dn_chain_next(c, b, &g);

	assert_int_equal(g.err, 0);
	assert_int_equal(g.bytes, gap);
	assert_int_equal(ret, k >= 0);
	if (k >= 0) {
		assert_int_equal(b->offset, t->block[k]);
		assert_int_equal(b->header.seq, k);
		assert_int_equal(c->pos, t->block[k + 1]);
	}
}

static void whole_blocks_in_turn(void **unused)
{
	struct dn_block b = { 0 };
	struct dn_source *src;
	struct dn_chain c;
	struct trace t;

	(void)unused;
	make(&t);
	src = dn_source_memory(t.p, t.len);
	c = (struct dn_chain){ .src = src, .pos = DN_FILE_HEADER_LEN };
	for (int k = 0; k < BLOCKS; k++)
		expect(&c, &b, &t, k, 0);
	expect(&c, &b, &t, -1, 0);
	expect(&c, &b, &t, -1, 0);
	assert_int_equal(dn_chain_footer(src, &b), 1);
	assert_int_equal(b.offset, t.block[BLOCKS - 1]);
	dn_source_close(src);
	/* Something behind the footer hides it. */
	memcpy(t.p + t.len, "x", 1);
	src = dn_source_memory(t.p, t.len + 1);
	assert_int_equal(dn_chain_footer(src, &b), 0);
	dn_source_close(src);
	dn_block_release(&b);
	free(t.p);
}

static void over_damage(void **unused)
{
	struct dn_block b = { 0 };
	struct dn_chain_gap g;
	struct dn_source *src;
	struct dn_chain c;
	struct trace t;

	(void)unused;
	/* Any byte of a block: that block and no other. */
	make(&t);
	src = dn_source_memory(t.p, t.len);
	for (size_t at = t.block[2]; at < t.block[3]; at++) {
		t.p[at] ^= 0x55;
		c = (struct dn_chain){ .src = src, .pos = DN_FILE_HEADER_LEN };
		expect(&c, &b, &t, 0, 0);
		expect(&c, &b, &t, 1, 0);
		expect(&c, &b, &t, 3, t.block[3] - t.block[2]);
		expect(&c, &b, &t, 4, 0);
		assert_int_equal(dn_chain_at(src, t.block[2], &b, NULL, NULL), 0);
		t.p[at] ^= 0x55;
	}
	assert_int_equal(dn_chain_at(src, t.block[2], &b, NULL, NULL), 1);
	/* Looking no further than it is told. */
	c = (struct dn_chain){ .src = src, .pos = t.block[2] + 1 };
	assert_int_equal(dn_chain_find(&c, &b, &g, t.block[2] + 2), 0);
	c = (struct dn_chain){ .src = src, .pos = t.block[2] + 1 };
	assert_int_equal(dn_chain_find(&c, &b, &g, UINT64_MAX), 1);
	assert_int_equal(b.offset, t.block[3]);
	assert_int_equal(g.at, t.block[2] + 1);
	assert_int_equal(g.bytes, t.block[3] - t.block[2] - 1);
	dn_source_close(src);
	dn_block_release(&b);
	free(t.p);
}

static void cut_and_joined(void **unused)
{
	struct dn_block b = { 0 };
	struct dn_chain_gap g;
	struct dn_source *src;
	struct dn_chain c;
	struct trace t;
	uint8_t *two;

	(void)unused;
	make(&t);
	for (size_t len = t.block[3]; len <= t.block[4]; len++) {
		src = dn_source_memory(t.p, len);
		c = (struct dn_chain){ .src = src, .pos = t.block[2] };
		assert_int_equal(dn_chain_next(&c, &b, &g), 1);
		assert_int_equal(dn_chain_next(&c, &b, &g), len == t.block[4]);
		assert_int_equal(g.cut, len > t.block[3] && len < t.block[4]);
		assert_int_equal(g.bytes, 0);		/* what is cut is not passed over */
		dn_source_close(src);
	}
	/* Two files in one: the header of the second is told apart from damage. */
	two = malloc(2 * t.len);
	memcpy(two, t.p, t.len);
	memcpy(two + t.len, t.p, t.len);
	src = dn_source_memory(two, 2 * t.len);
	c = (struct dn_chain){ .src = src, .pos = t.len };
	assert_int_equal(dn_chain_next(&c, &b, &g), 1);
	assert_true(g.other_trace);
	assert_int_equal(g.bytes, DN_FILE_HEADER_LEN);
	assert_int_equal(b.offset, t.len + t.block[0]);
	dn_source_close(src);
	free(two);
	dn_block_release(&b);
	free(t.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_kinds_read_the_same),
		cmocka_unit_test(what_a_pipe_forgot),
		cmocka_unit_test(a_file_grows_and_shrinks),
		cmocka_unit_test(what_does_not_open),
		cmocka_unit_test(a_pipe_becomes_a_file),
		cmocka_unit_test(whole_blocks_in_turn),
		cmocka_unit_test(over_damage),
		cmocka_unit_test(cut_and_joined),
	};

	return cmocka_run_group_tests_name("source", tests, setup, scratch_teardown);
}
