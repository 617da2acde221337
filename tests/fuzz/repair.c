/*
 * repair.c - the checksums and lengths of a mutated trace.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "block.h"

/* Where the next block header begins, or the end. */
static size_t next_block(const uint8_t *p, size_t len, size_t at)
{
	const uint8_t *q = at < len ? memmem(p + at, len - at, dn_block_magic, DN_MAGIC_LEN) : NULL;

	return q ? (size_t)(q - p) : len;
}

uint8_t *fuzz_repair(const uint8_t *data, size_t len)
{
	uint8_t *p = malloc(len + 1);
	struct dn_file_header file;

	if (!p)
		abort();
	if (len)
		memcpy(p, data, len);
	if (len >= DN_FILE_HEADER_LEN && !memcmp(p, dn_file_magic, DN_MAGIC_LEN)) {
		dn_file_header_get(p, len, &file);
		dn_file_header_put(p, &file);
	}
	for (size_t at = next_block(p, len, 0); at + DN_BLOCK_HEADER_LEN <= len;) {
		size_t body = at + DN_BLOCK_HEADER_LEN, end = next_block(p, len, body);
		struct dn_block_header h;

		dn_block_header_get(p + at, len - at, &h);
		if (h.checksum) {
			if (!(h.flags & DN_BLOCK_ZSTD))
				h.raw_len = h.stored_len = (uint32_t)(end - body);
			if (h.stored_len <= len - body)
				dn_block_header_put(p + at, &h, p + body);
		}
		at = end;
	}
	return p;
}
