/* walk.c - block after block, checked and decoded. */
#include "walk.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "block.h"
#include "decode.h"
#include "format_limits.h"

static int wrong(const char *what, uint64_t at)
{
	fprintf(stderr, "byte %llu: %s\n", (unsigned long long)at, what);
	return -1;
}

int walk(FILE *f, const struct dn_sink *sink, struct walk_end *end)
{
	uint8_t head[DN_FILE_HEADER_LEN], *stored = malloc(DN_BLOCK_STORED_MAX),
		*raw = malloc(DN_BLOCK_RAW_MAX);
	struct dn_decoder *d = dn_decoder_new();
	struct dn_file_header fh;
	struct dn_block_header b;
	size_t n, len;
	int err = -1;

	memset(end, 0, sizeof(*end));
	if (!stored || !raw || !d)
		abort();
	if (fread(head, 1, DN_FILE_HEADER_LEN, f) != DN_FILE_HEADER_LEN ||
	    dn_file_header_get(head, DN_FILE_HEADER_LEN, &fh)) {
		wrong("no file header", 0);
		goto out;
	}
	for (end->bytes = DN_FILE_HEADER_LEN;; end->bytes += DN_BLOCK_HEADER_LEN + b.stored_len) {
		const uint8_t *payload = stored;

		n = fread(head, 1, DN_BLOCK_HEADER_LEN, f);
		if (!n)
			break;
		if (n < DN_BLOCK_HEADER_LEN) {
			end->rest = true;
			break;
		}
		if (dn_block_header_get(head, n, &b)) {
			wrong("no block header", end->bytes);
			goto out;
		}
		if (fread(stored, 1, b.stored_len, f) != b.stored_len) {
			end->rest = true;
			break;
		}
		if (!dn_block_verify(head, &b, stored) || memcmp(b.uuid, fh.uuid, DN_UUID_LEN) ||
		    b.seq != end->blocks || end->footer) {
			wrong("a block with a wrong checksum, owner or place", end->bytes);
			goto out;
		}
		end->blocks++;
		end->footer = b.kind == DN_BLOCK_FOOTER;
		if (b.kind != DN_BLOCK_EVENTS && b.kind != DN_BLOCK_KEYFRAME)
			continue;
		len = b.stored_len;
		if (b.flags & DN_BLOCK_ZSTD) {
			payload = raw;
			len = ZSTD_decompress(raw, DN_BLOCK_RAW_MAX, stored, b.stored_len);
		}
		if (len != b.raw_len || dn_decode(d, payload, len, sink, NULL)) {
			wrong("a block that does not decode", end->bytes);
			goto out;
		}
		end->events += b.rows;
	}
	err = 0;
out:
	dn_decoder_free(d);
	free(stored);
	free(raw);
	return err;
}
