/*
 * trace.c - reading back what a test recorded.
 */
#include "trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <zstd.h>

#include "block.h"
#include "decode.h"
#include "events.h"
#include "format_limits.h"

void trace_read(const char *path, const struct dn_sink *sink, struct trace_shape *shape)
{
	struct dn_decoder *d = dn_decoder_new();
	uint8_t head[DN_FILE_HEADER_LEN], *stored, *raw;
	struct dn_file_header fh;
	FILE *in = fopen(path, "rb");

	*shape = (struct trace_shape){ 0 };
	assert_non_null(in);
	stored = malloc(DN_BLOCK_STORED_MAX);
	raw = malloc(DN_BLOCK_RAW_MAX);
	assert_int_equal(fread(head, 1, sizeof(head), in), sizeof(head));
	assert_int_equal(dn_file_header_get(head, sizeof(head), &fh), 0);
	while (fread(head, 1, DN_BLOCK_HEADER_LEN, in) == DN_BLOCK_HEADER_LEN) {
		struct dn_block_header h;
		const uint8_t *p = stored;

		assert_int_equal(dn_block_header_get(head, sizeof(head), &h), 0);
		assert_int_equal(fread(stored, 1, h.stored_len, in), h.stored_len);
		assert_true(dn_block_verify(head, &h, stored));
		assert_int_equal(h.seq, shape->blocks++);
		assert_memory_equal(h.uuid, fh.uuid, sizeof(fh.uuid));
		if (h.flags & DN_BLOCK_ZSTD) {
			assert_int_equal(ZSTD_decompress(raw, DN_BLOCK_RAW_MAX, stored, h.stored_len),
					 h.raw_len);
			p = raw;
		}
		shape->keyframes += h.kind == DN_BLOCK_KEYFRAME;
		if (h.kind == DN_BLOCK_EVENTS || h.kind == DN_BLOCK_KEYFRAME) {
			assert_int_equal(dn_decode(d, p, h.raw_len, sink, NULL), 0);
		} else if (h.kind == DN_BLOCK_FOOTER) {
			struct dn_footer foot;

			assert_int_equal(dn_footer_get(p, h.raw_len, &foot), 0);
			assert_int_equal(foot.nblocks, shape->blocks - 1);
			dn_footer_free(&foot);
			shape->footers++;
		}
	}
	assert_true(feof(in));
	fclose(in);
	free(stored);
	free(raw);
	dn_decoder_free(d);
}

static int keep_call(void *ctx, const struct dn_syscall *s)
{
	struct trace *t = (struct trace *)((char *)ctx - offsetof(struct trace, rows));

	if (t->ncalls == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 1024;
		t->call = realloc(t->call, t->cap * sizeof(*t->call));
		assert_non_null(t->call);
	}
	t->call[t->ncalls] = *s;
	t->call[t->ncalls++].nstr = 0;
	return 0;
}

void trace_open(struct trace *t, const char *path)
{
	memset(t, 0, sizeof(*t));
	collect_init(&t->rows);
	t->rows.sink.call = keep_call;
	trace_read(path, &t->rows.sink, &t->shape);
}

void trace_free(struct trace *t)
{
	collect_free(&t->rows);
	free(t->call);
}

uint64_t trace_counter(const struct trace *t, unsigned id)
{
	const struct collected *found = NULL;

	for (size_t i = 0; i < t->rows.n; i++) {
		const struct collected *r = &t->rows.row[i];

		if (r->event != DN_EV_counter || r->v[DN_F_counter_counter].u != id)
			continue;
		assert_null(found);
		found = r;
	}
	assert_non_null(found);
	return found->v[DN_F_counter_value].u;
}

static int by_thread(const void *x, const void *y)
{
	const struct dn_syscall *a = x, *b = y;

	return a->thread != b->thread ? (a->thread < b->thread ? -1 : 1) :
	       a->seq != b->seq	      ? (a->seq < b->seq ? -1 : 1) : 0;
}

void trace_balanced(const struct trace *t)
{
	struct dn_syscall *sorted = malloc((t->ncalls + 1) * sizeof(*sorted));
	uint64_t lost = trace_counter(t, DN_COUNT_syscall_lost), expected = 0;

	assert_non_null(sorted);
	if (t->ncalls)
		memcpy(sorted, t->call, t->ncalls * sizeof(*sorted));
	qsort(sorted, t->ncalls, sizeof(*sorted), by_thread);
	for (size_t i = 1; i < t->ncalls; i++)
		assert_true(by_thread(&sorted[i - 1], &sorted[i]) < 0);
	free(sorted);

	assert_int_equal(t->ncalls, trace_counter(t, DN_COUNT_written));
	assert_int_equal(trace_counter(t, DN_COUNT_attempted), t->ncalls + lost);
	for (size_t i = 0; i < t->rows.n; i++) {
		const struct collected *r = &t->rows.row[i];

		if (r->event == DN_EV_thread_exit)
			expected += r->v[DN_F_thread_exit_seq].u;
		else if (r->event == DN_EV_thread_end)
			expected += r->v[DN_F_thread_end_seq].u;
	}
	assert_int_equal(expected, t->ncalls + lost);
}
