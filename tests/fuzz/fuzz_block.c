/*
 * fuzz_block.c - target: the block reader and the decoder, front to back and
 * by index, and every byte they hand out.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "columns.h"
#include "decode.h"
#include "events.h"
#include "reader.h"
#include "source.h"

struct seen {
	uint64_t rows;
	volatile uint8_t byte;	/* what was read last: no compiler leaves the reading out */
};

static void touch(struct seen *s, const char *p, uint32_t len)
{
	for (uint32_t i = 0; i < len; i += 1 + len / 64)
		s->byte = (uint8_t)p[i];
	if (len)
		s->byte = (uint8_t)p[len - 1];
}

static int on_call(void *ctx, const struct dn_syscall *c)
{
	struct seen *s = ctx;

	if (c->nargs > DN_CALL_ARGS || c->nstr > DN_CALL_STRS)
		abort();
	for (unsigned i = 0; i < c->nstr; i++)
		touch(s, c->str[i].p, c->str[i].len);
	s->rows++;
	return 0;
}

static int on_row(void *ctx, const struct dn_row *r)
{
	const struct dn_event_desc *d = dn_event_desc(r->event);
	struct seen *s = ctx;

	if (!d || r->nfields != d->nfields)
		abort();
	for (unsigned i = 0; i < r->nfields; i++)
		if (d->field[i].type == DN_STR && !r->v[i].null)
			touch(s, r->v[i].p, r->v[i].len);
	s->rows++;
	return 0;
}

static void decode(struct dn_decoder *d, const struct dn_block *b)
{
	struct seen s = { 0 };
	const struct dn_sink sink = { on_call, on_row, &s };
	uint64_t skipped = 0;

	dn_decode(d, b->payload, b->len, &sink, &skipped);
	if (s.rows + skipped > dn_rows_max(b->len))
		abort();
}

const char fuzz_inputs[] = "dnt";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *p = fuzz_repair(data, len);
	struct dn_source *src = dn_source_memory(p, len);
	struct dn_decoder *d = dn_decoder_new();
	struct dn_block b = { 0 };
	const struct dn_index_entry *e;
	const struct dn_read_report *rep;
	struct dn_reader *r = NULL;
	char err[256];
	size_t n;

	if (!src || !d || dn_reader_open(src, &r, err, sizeof(err)))
		goto out;
	while (dn_reader_next(r, &b) > 0)
		decode(d, &b);
	rep = dn_reader_report(r);
	/* A trace of which something is missing is never called complete. */
	if (rep->complete && (!rep->clean_end || rep->damaged || rep->lost || rep->skipped || rep->cut))
		abort();
	if (!dn_reader_index(r, &e, &n))
		for (size_t i = 0; i < n && i < 64; i++)
			if (!dn_reader_at(r, &e[i], &b))
				decode(d, &b);
out:
	dn_reader_close(r);
	dn_block_release(&b);
	dn_decoder_free(d);
	dn_source_close(src);
	free(p);
	return 0;
}
