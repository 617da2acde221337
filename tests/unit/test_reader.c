/*
 * test_reader.c - analyzer/reader.h: whole files, and files with every kind
 * of damage that RELIABILITY promises to see.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "block.h"
#include "decode.h"
#include "format_limits.h"
#include "mktrace.h"
#include "reader.h"
#include "seqset.h"
#include "source.h"

#define BLOCKS 5
#define CALLS 3		/* in each block */

/* A trace in memory: where its blocks begin; block[0] is the schema, then
 * BLOCKS of events, then the footer. */
struct trace {
	uint8_t *p;
	size_t len;
	size_t block[BLOCKS + 3];	/* the last: where the file ends */
};

static void slurp(struct trace *t, const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t cap = 1 << 20, n = 0;

	assert_non_null(f);
	t->p = malloc(cap);
	assert_non_null(t->p);
	t->len = fread(t->p, 1, cap, f);
	assert_true(t->len < cap);
	fclose(f);
	unlink(path);
	for (size_t at = DN_FILE_HEADER_LEN; at < t->len; n++) {
		struct dn_block_header h;

		assert_int_equal(dn_block_header_get(t->p + at, t->len - at, &h), 0);
		t->block[n] = at;
		at += DN_BLOCK_HEADER_LEN + h.stored_len;
	}
	t->block[n] = t->len;
}

static void make(struct trace *t, bool footer)
{
	char path[] = "test_reader.XXXXXX";
	struct mktrace *m = mk_new();
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	for (uint32_t b = 0; b < BLOCKS; b++) {
		for (uint32_t i = 0; i < CALLS; i++) {
			const uint64_t args[] = { 3, 4096, i };
			struct dn_syscall s = mk_sys(1, b * CALLS + i, "read",
						     1000 * (b * CALLS + i), 100, 10, 3, args);

			mk_call(m, &s);
		}
		mk_block(m);
	}
	mk_write(m, path, footer);
	slurp(t, path);
}

/* What a sink sees of a damaged file is counted; it must be whole calls. */
static int count_call(void *ctx, const struct dn_syscall *s)
{
	assert_string_equal("", s->nr == 0 ? "" : "a call that nobody made");
	assert_true(s->seq < BLOCKS * CALLS);
	++*(unsigned *)ctx;
	return 0;
}

static int count_row(void *ctx, const struct dn_row *r)
{
	(void)ctx;
	(void)r;
	return 0;
}

/* Reads all of it. Returns the calls; the report is copied. -errno of opening. */
static int read_source(struct dn_source *src, struct dn_read_report *rep)
{
	struct dn_decoder *d = dn_decoder_new();
	struct dn_block b = { 0 };
	struct dn_reader *r;
	unsigned calls = 0;
	const struct dn_sink sink = { count_call, count_row, &calls };
	char err[256];
	int ret = dn_reader_open(src, &r, err, sizeof(err));

	memset(rep, 0, sizeof(*rep));
	if (ret) {
		assert_true(strlen(err) > 0);
		calls = 0;
		goto out;
	}
	while ((ret = dn_reader_next(r, &b)) > 0)
		if (dn_decode(d, b.payload, b.len, &sink, NULL))
			dn_reader_damaged(r, &b, "rows");
	assert_int_equal(ret, 0);
	*rep = *dn_reader_report(r);
	rep->gap = NULL;	/* the reader's */
	dn_reader_close(r);
out:
	dn_block_release(&b);
	dn_decoder_free(d);
	return ret < 0 ? ret : (int)calls;
}

static int read_bytes(const void *p, size_t len, struct dn_read_report *rep)
{
	struct dn_source *src = dn_source_memory(p, len);
	int ret;

	assert_non_null(src);
	ret = read_source(src, rep);
	dn_source_close(src);
	return ret;
}

struct feeder {
	int fd;
	const uint8_t *p;
	size_t len, chunk;
};

static void *feed(void *ctx)
{
	struct feeder *f = ctx;

	for (size_t at = 0; at < f->len;) {
		size_t n = f->len - at < f->chunk ? f->len - at : f->chunk;
		ssize_t w = write(f->fd, f->p + at, n);

		if (w <= 0)
			break;
		at += (size_t)w;
	}
	close(f->fd);
	return NULL;
}

/* The same through a pipe, in pieces. */
static int read_pipe(const void *p, size_t len, size_t chunk, struct dn_read_report *rep)
{
	int fds[2], saved = dup(0), ret;
	struct feeder f = { .p = p, .len = len, .chunk = chunk };
	struct dn_source *src;
	pthread_t thread;

	assert_int_equal(pipe(fds), 0);
	f.fd = fds[1];
	assert_int_equal(dup2(fds[0], 0), 0);
	close(fds[0]);
	assert_int_equal(pthread_create(&thread, NULL, feed, &f), 0);
	assert_int_equal(dn_source_open("-", &src), 0);
	assert_false(dn_source_seekable(src));
	ret = read_source(src, rep);
	dn_source_close(src);
	dup2(saved, 0);		/* closes the pipe's end: a feeder that is not done ends */
	close(saved);
	pthread_join(thread, NULL);
	return ret;
}

static void a_whole_file(void **unused)
{
	struct dn_read_report rep;
	struct trace t;

	(void)unused;
	make(&t, true);
	assert_int_equal(read_bytes(t.p, t.len, &rep), BLOCKS * CALLS);
	assert_true(rep.complete && rep.clean_end && rep.header_ok);
	assert_int_equal(rep.blocks, BLOCKS);
	assert_int_equal(rep.bytes, t.len);
	assert_int_equal(rep.nnotes, 0);
	for (size_t chunk = 1; chunk < 4096; chunk = chunk * 3 + 1) {
		assert_int_equal(read_pipe(t.p, t.len, chunk, &rep), BLOCKS * CALLS);
		assert_true(rep.complete);
	}
	free(t.p);
}

static void a_file_without_footer(void **unused)
{
	struct dn_read_report rep;
	struct trace t;

	(void)unused;
	make(&t, false);
	assert_int_equal(read_bytes(t.p, t.len, &rep), BLOCKS * CALLS);
	assert_false(rep.complete || rep.clean_end || rep.cut);
	assert_int_equal(rep.damaged + rep.lost + rep.skipped, 0);
	free(t.p);
}

/* A cut at every byte: all whole blocks before it, never "complete". */
static void cut_anywhere(void **unused)
{
	struct dn_read_report rep;
	struct trace t;

	(void)unused;
	make(&t, true);
	for (size_t len = 0; len < t.len; len++) {
		int whole = 0, calls;

		for (int b = 1; b <= BLOCKS; b++)
			whole += t.block[b + 1] <= len;
		calls = read_bytes(t.p, len, &rep);
		if (len < DN_FILE_HEADER_LEN) {
			assert_int_equal(calls, len ? -EBADMSG : -ENODATA);
			continue;
		}
		assert_int_equal(calls, whole * CALLS);
		assert_false(rep.complete);
		assert_int_equal(rep.damaged, 0);
		for (int b = 0; b <= BLOCKS + 1; b++)
			if (len == t.block[b])
				goto at_a_border;
		assert_true(rep.cut);
at_a_border:
		if (len % 7 == 0) {
			assert_int_equal(read_pipe(t.p, len, 512, &rep), calls);
			assert_false(rep.complete);
		}
	}
	free(t.p);
}

/* Every bit, one at a time: seen, and at most one block is lost. */
static void any_bit_flipped(void **unused)
{
	struct dn_read_report rep;
	struct trace t;

	(void)unused;
	make(&t, true);
	for (size_t bit = 0; bit < 8 * t.len; bit++) {
		int calls;

		t.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		calls = read_bytes(t.p, t.len, &rep);
		/* The magic, version and checksum of the header: the version may
		 * come out as another one only with a checksum that holds. */
		assert_false(rep.complete);
		assert_true(calls == BLOCKS * CALLS || calls == (BLOCKS - 1) * CALLS);
		if (bit / 8 >= t.block[1] && bit / 8 < t.block[BLOCKS + 1]) {
			assert_int_equal(calls, (BLOCKS - 1) * CALLS);
			assert_int_equal(rep.lost, 1);
		}
		if (bit % 61 == 0) {
			assert_int_equal(read_pipe(t.p, t.len, 4096, &rep), calls);
			assert_false(rep.complete);
		}
		t.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	free(t.p);
}

/* A file of blocks of t in this order; -1 ends it. */
static size_t arrange(const struct trace *t, const int *order, uint8_t *out)
{
	size_t len = DN_FILE_HEADER_LEN;

	memcpy(out, t->p, len);
	for (; *order >= 0; order++) {
		size_t n = t->block[*order + 1] - t->block[*order];

		memcpy(out + len, t->p + t->block[*order], n);
		len += n;
	}
	return len;
}

static void blocks_in_another_order(void **unused)
{
	static const struct { int order[12]; int calls; uint64_t lost, again, early; } table[] = {
		{ { 0, 1, 2, 3, 4, 5, 6, -1 }, 15, 0, 0, 0 },
		{ { 0, 1, 3, 2, 4, 5, 6, -1 }, 15, 0, 0, 1 },
		{ { 0, 5, 4, 3, 2, 1, 6, -1 }, 15, 0, 0, 4 },
		{ { 0, 1, 2, 2, 3, 4, 5, 6, -1 }, 15, 0, 1, 0 },
		{ { 0, 1, 2, 3, 4, 5, 1, 2, 6, -1 }, 15, 0, 2, 0 },
		{ { 0, 1, 2, 4, 5, 6, -1 }, 12, 1, 0, 0 },
		{ { 0, 1, 5, 6, -1 }, 6, 3, 0, 0 },
		{ { 1, 2, 3, 4, 5, 6, -1 }, 15, 1, 0, 0 },
	};
	struct dn_read_report rep;
	struct trace t;
	uint8_t *buf;

	(void)unused;
	make(&t, true);
	buf = malloc(2 * t.len);
	assert_non_null(buf);
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		size_t len = arrange(&t, table[i].order, buf);

		assert_int_equal(read_bytes(buf, len, &rep), table[i].calls);
		assert_int_equal(rep.complete, i == 0);
		assert_int_equal(rep.lost, table[i].lost);
		assert_int_equal(rep.duplicated, table[i].again);
		assert_int_equal(rep.reordered, table[i].early);
		assert_int_equal(rep.ngaps, rep.lost ? 1 : 0);
		assert_true(rep.clean_end);
	}
	free(buf);
	free(t.p);
}

/* Gives a block another UUID, with a checksum that holds. */
static void rename_block(uint8_t *p)
{
	struct dn_block_header h;

	dn_block_header_get(p, DN_BLOCK_HEADER_LEN, &h);
	memset(h.uuid, 0xee, sizeof(h.uuid));
	dn_block_header_put(p, &h, p + DN_BLOCK_HEADER_LEN);
}

static void blocks_of_another_trace(void **unused)
{
	struct dn_read_report rep;
	struct trace t;
	uint8_t *two;

	(void)unused;
	make(&t, true);
	rename_block(t.p + t.block[2]);
	assert_int_equal(read_bytes(t.p, t.len, &rep), (BLOCKS - 1) * CALLS);
	assert_int_equal(rep.foreign, 1);
	assert_int_equal(rep.lost, 1);
	assert_false(rep.complete);
	free(t.p);

	/* Two traces in one file: the first is read, the second is seen. */
	make(&t, true);
	two = malloc(2 * t.len);
	assert_non_null(two);
	memcpy(two, t.p, t.len);
	memcpy(two + t.len, t.p, t.len);
	for (int b = 0; b < BLOCKS + 2; b++)
		rename_block(two + t.len + t.block[b]);
	assert_int_equal(read_bytes(two, 2 * t.len, &rep), BLOCKS * CALLS);
	assert_int_equal(rep.foreign, BLOCKS + 2);
	assert_int_equal(rep.duplicated, 0);
	assert_false(rep.complete);
	free(two);
	free(t.p);
}

/* The blocks say whose file it is when the header is gone. */
static void without_its_header(void **unused)
{
	struct dn_read_report rep;
	struct dn_reader *r;
	struct dn_source *src;
	struct trace t;
	char err[128];

	(void)unused;
	for (int footer = 0; footer < 2; footer++) {
		make(&t, footer);
		memset(t.p, 'x', DN_FILE_HEADER_LEN);
		rename_block(t.p + t.block[3]);	/* a stranger does not outvote four */
		assert_int_equal(read_bytes(t.p, t.len, &rep), (BLOCKS - 1) * CALLS);
		assert_false(rep.complete || rep.header_ok);
		assert_int_equal(rep.foreign, 1);
		assert_int_equal(read_pipe(t.p, t.len, 300, &rep), (BLOCKS - 1) * CALLS);

		src = dn_source_memory(t.p, t.len);
		assert_int_equal(dn_reader_open(src, &r, err, sizeof(err)), 0);
		assert_int_equal(dn_reader_origin(r), MK_ORIGIN);
		if (footer) {
			assert_int_equal(dn_reader_header(r)->wall_ns, MK_WALL);
		}
		dn_reader_close(r);
		dn_source_close(src);
		free(t.p);
	}
}

static void what_is_no_trace(void **unused)
{
	static uint8_t zeros[4096];
	struct dn_read_report rep;
	struct dn_file_header h = { .major = DN_FORMAT_MAJOR + 1, .minor = 7 };
	uint8_t head[DN_FILE_HEADER_LEN];

	(void)unused;
	assert_int_equal(read_bytes("", 0, &rep), -ENODATA);
	assert_int_equal(read_bytes("#!/bin/sh\n", 10, &rep), -EBADMSG);
	assert_int_equal(read_bytes(zeros, sizeof(zeros), &rep), -EBADMSG);
	assert_int_equal(read_pipe(zeros, sizeof(zeros), 1000, &rep), -EBADMSG);
	dn_file_header_put(head, &h);
	assert_int_equal(read_bytes(head, sizeof(head), &rep), -EPROTONOSUPPORT);
	h.major = 0;
	dn_file_header_put(head, &h);
	assert_int_equal(read_bytes(head, sizeof(head), &rep), -EPROTONOSUPPORT);
	for (h.major = 1; h.major <= DN_FORMAT_MAJOR; h.major++) {
		dn_file_header_put(head, &h);
		assert_int_equal(read_bytes(head, sizeof(head), &rep), 0);
		assert_false(rep.complete);
	}
}

/* Checksums are no secret: a forged block is bounded before it is unpacked. */
static void forged_lengths(void **unused)
{
	struct dn_read_report rep;
	struct dn_block_header h;
	struct trace t;
	uint8_t *p;

	(void)unused;
	make(&t, true);
	p = t.p + t.block[2];
	dn_block_header_get(p, DN_BLOCK_HEADER_LEN, &h);
	h.raw_len = DN_BLOCK_RAW_MAX;	/* the frame has less */
	dn_block_header_put(p, &h, p + DN_BLOCK_HEADER_LEN);
	assert_int_equal(read_bytes(t.p, t.len, &rep), (BLOCKS - 1) * CALLS);
	assert_int_equal(rep.damaged, 1);
	h.raw_len = 1;			/* the frame has more */
	dn_block_header_put(p, &h, p + DN_BLOCK_HEADER_LEN);
	assert_int_equal(read_bytes(t.p, t.len, &rep), (BLOCKS - 1) * CALLS);
	assert_int_equal(rep.damaged, 1);
	h.raw_len = DN_BLOCK_RAW_MAX + 1;	/* refused */
	dn_block_header_put(p, &h, p + DN_BLOCK_HEADER_LEN);
	assert_int_equal(read_bytes(t.p, t.len, &rep), (BLOCKS - 1) * CALLS);
	assert_int_equal(rep.lost, 1);
	h.raw_len = 100;
	h.seq = UINT64_MAX;		/* no bitmap of that size, no loss of that many */
	dn_block_header_put(p, &h, p + DN_BLOCK_HEADER_LEN);
	assert_int_equal(read_bytes(t.p, t.len, &rep), (BLOCKS - 1) * CALLS);
	assert_int_equal(rep.lost, 1);
	free(t.p);
}

/* False markers everywhere cost a bounded multiple of the file. */
static void a_field_of_markers(void **unused)
{
	size_t len = 4 << 20, at;
	struct dn_read_report rep;
	struct dn_block_header h;
	struct trace t;
	uint8_t *p;

	(void)unused;
	make(&t, true);
	p = calloc(1, len);
	assert_non_null(p);
	memcpy(p, t.p, t.len);
	for (at = t.len; at + DN_BLOCK_HEADER_LEN <= len; at += DN_BLOCK_HEADER_LEN) {
		size_t rest = len - at - DN_BLOCK_HEADER_LEN;

		memset(&h, 0, sizeof(h));
		h.kind = at % 5 ? DN_BLOCK_EVENTS : DN_BLOCK_FOOTER;
		dn_block_header_put(p + at, &h, "");
		/* a length that reaches to the end, a checksum that is wrong */
		p[at + 68] = p[at + 72] = (uint8_t)rest;
		p[at + 69] = p[at + 73] = (uint8_t)(rest >> 8);
		p[at + 70] = p[at + 74] = (uint8_t)(rest >> 16);
	}
	assert_int_equal(read_bytes(p, len, &rep), BLOCKS * CALLS);
	assert_false(rep.complete);
	memset(p, 0, DN_FILE_HEADER_LEN);	/* and now it has to look at the end too */
	assert_int_equal(read_bytes(p, len, &rep), BLOCKS * CALLS);
	free(p);
	free(t.p);
}

static void jumping(void **unused)
{
	const struct dn_index_entry *e;
	struct dn_block b = { 0 };
	struct dn_source *src;
	struct dn_reader *r;
	struct trace t;
	char err[128];
	size_t n;

	(void)unused;
	for (int footer = 0; footer < 2; footer++) {
		make(&t, footer);
		src = dn_source_memory(t.p, t.len);
		assert_int_equal(dn_reader_open(src, &r, err, sizeof(err)), 0);
		assert_int_equal(dn_reader_index(r, &e, &n), 0);
		assert_int_equal(n, BLOCKS);
		for (size_t i = n; i-- > 0;) {
			assert_int_equal(e[i].offset, t.block[i + 1]);
			assert_int_equal(e[i].rows, CALLS);
			assert_int_equal(e[i].least_start, MK_ORIGIN + 1000 * CALLS * i);
			assert_int_equal(dn_reader_at(r, &e[i], &b), 0);
			assert_int_equal(b.header.seq, i + 1);
		}
		t.p[t.block[2] + DN_BLOCK_HEADER_LEN] ^= 1;
		assert_int_equal(dn_reader_at(r, &e[1], &b), -EBADMSG);
		/* Jumping has moved nothing. */
		assert_int_equal(dn_reader_next(r, &b), 1);
		assert_int_equal(b.header.seq, 1);
		dn_block_release(&b);
		dn_reader_close(r);
		dn_source_close(src);
		free(t.p);
	}
}

/* Every order of adding 0..6 but one, against a plain list. */
static void seqset_by_permutations(void **unused)
{
	(void)unused;
	for (unsigned p = 0; p < 7 * 6 * 5 * 4 * 3 * 2; p++) {
		struct dn_seqset s = { 0 };
		unsigned left[7] = { 0, 1, 2, 3, 4, 5, 6 }, n = 7, code = p;
		int highest = -1;

		while (n > 1) {		/* the last one stays away */
			unsigned k = code % n, v = left[k];
			int want = (int)v > highest ? DN_SEQ_NEXT : DN_SEQ_EARLIER;

			code /= n;
			left[k] = left[--n];
			assert_int_equal(dn_seqset_add(&s, v, v + 1, v + 1), want);
			assert_int_equal(dn_seqset_add(&s, v, 0, 0), DN_SEQ_AGAIN);
			if ((int)v > highest)
				highest = (int)v;
		}
		assert_int_equal(dn_seqset_missing(&s), left[0] == 6 ? 0 : 1);
		assert_int_equal(s.n, left[0] == 0 || left[0] == 6 ? 1 : 2);
		for (size_t i = 0; i < s.n; i++) {
			assert_int_equal(s.span[i].from, s.span[i].first + 1);
			assert_int_equal(s.span[i].to, s.span[i].last + 1);
		}
		dn_seqset_free(&s);
	}
}

static void sources(void **unused)
{
	struct dn_source *src;

	(void)unused;
	assert_int_equal(dn_source_open("/nonexistent/x", &src), -ENOENT);
	assert_int_equal(dn_source_open("/", &src), -EISDIR);
	assert_int_equal(dn_source_open("/dev/null", &src), 0);
	dn_source_close(src);
	dn_source_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_file),
		cmocka_unit_test(a_file_without_footer),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(any_bit_flipped),
		cmocka_unit_test(blocks_in_another_order),
		cmocka_unit_test(blocks_of_another_trace),
		cmocka_unit_test(without_its_header),
		cmocka_unit_test(what_is_no_trace),
		cmocka_unit_test(forged_lengths),
		cmocka_unit_test(a_field_of_markers),
		cmocka_unit_test(jumping),
		cmocka_unit_test(seqset_by_permutations),
		cmocka_unit_test(sources),
	};

	return cmocka_run_group_tests_name("reader", tests, NULL, NULL);
}
