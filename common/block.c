/*
 * block.c - file header, block headers and footer as bytes; see dnt(5).
 *
 *   file header, 128 bytes            block header, 104 bytes
 *     0  magic                          0  magic
 *     8  u16 major, u16 minor           8  u8 kind, u8 flags, 6 zero
 *    12  u8 ABI, word bits, order, 0   16  uuid
 *    16  uuid                          32  u64 seq
 *    32  boot id                       40  u64 first end
 *    48  u64 boot clock                48  u64 last end
 *    56  u64 wall clock                56  u64 least start
 *    64  56 zero                       64  u32 rows
 *   120  u64 XXH64 of bytes 0..119     68  u32 raw length
 *                                      72  u32 stored length
 *                                      76  20 zero
 *                                      96  u64 XXH64 of the payload, its seed
 *                                          the XXH64 of the header (this as 0)
 */
#include "block.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "bytes.h"
#include "format_limits.h"

/* Both start with a byte above 127 and hold CR LF, SUB and LF, so that a
 * transfer as text is seen at once (the habit of PNG). */
const uint8_t dn_file_magic[DN_MAGIC_LEN] = { 0x89, 'D', 'N', 'T', '\r', '\n', 0x1a, '\n' };
const uint8_t dn_block_magic[DN_MAGIC_LEN] = { 0xb7, 'd', 'n', 'b', '\r', '\n', 0x1a, 0xe5 };

#define FILE_SUM 120
#define BLOCK_SUM 96

void dn_file_header_put(uint8_t *p, const struct dn_file_header *h)
{
	memset(p, 0, DN_FILE_HEADER_LEN);
	memcpy(p, dn_file_magic, DN_MAGIC_LEN);
	dn_put16(p + 8, h->major);
	dn_put16(p + 10, h->minor);
	p[12] = h->native_abi;
	p[13] = h->word_bits;
	p[14] = h->big_endian;
	memcpy(p + 16, h->uuid, DN_UUID_LEN);
	memcpy(p + 32, h->boot_id, DN_UUID_LEN);
	dn_put64(p + 48, h->boot_ns);
	dn_put64(p + 56, h->wall_ns);
	dn_put64(p + FILE_SUM, XXH64(p, FILE_SUM, 0));
}

int dn_file_header_get(const uint8_t *p, size_t len, struct dn_file_header *h)
{
	memset(h, 0, sizeof(*h));
	if (len < DN_FILE_HEADER_LEN || memcmp(p, dn_file_magic, DN_MAGIC_LEN))
		return -EBADMSG;
	h->major = dn_get16(p + 8);
	h->minor = dn_get16(p + 10);
	h->native_abi = p[12];
	h->word_bits = p[13];
	h->big_endian = p[14];
	memcpy(h->uuid, p + 16, DN_UUID_LEN);
	memcpy(h->boot_id, p + 32, DN_UUID_LEN);
	h->boot_ns = dn_get64(p + 48);
	h->wall_ns = dn_get64(p + 56);
	if (dn_get64(p + FILE_SUM) != XXH64(p, FILE_SUM, 0))
		return -EILSEQ;
	return h->major && h->major <= DN_FORMAT_MAJOR ? 0 : -EPROTONOSUPPORT;
}

/* XXH64 of the payload, seeded with the XXH64 of the header whose sum is 0. */
static uint64_t block_sum(const uint8_t *p, const void *payload, size_t len)
{
	uint8_t head[DN_BLOCK_HEADER_LEN];

	memcpy(head, p, sizeof(head));
	memset(head + BLOCK_SUM, 0, 8);
	return XXH64(payload, len, XXH64(head, sizeof(head), 0));
}

void dn_block_header_put(uint8_t *p, struct dn_block_header *h, const void *payload)
{
	memset(p, 0, DN_BLOCK_HEADER_LEN);
	memcpy(p, dn_block_magic, DN_MAGIC_LEN);
	p[8] = h->kind;
	p[9] = h->flags;
	memcpy(p + 16, h->uuid, DN_UUID_LEN);
	dn_put64(p + 32, h->seq);
	dn_put64(p + 40, h->first_end);
	dn_put64(p + 48, h->last_end);
	dn_put64(p + 56, h->least_start);
	dn_put32(p + 64, h->rows);
	dn_put32(p + 68, h->raw_len);
	dn_put32(p + 72, h->stored_len);
	h->checksum = block_sum(p, payload, h->stored_len);
	dn_put64(p + BLOCK_SUM, h->checksum);
}

int dn_block_header_get(const uint8_t *p, size_t len, struct dn_block_header *h)
{
	memset(h, 0, sizeof(*h));
	if (len < DN_BLOCK_HEADER_LEN || memcmp(p, dn_block_magic, DN_MAGIC_LEN))
		return -EBADMSG;
	h->kind = p[8];
	h->flags = p[9];
	memcpy(h->uuid, p + 16, DN_UUID_LEN);
	h->seq = dn_get64(p + 32);
	h->first_end = dn_get64(p + 40);
	h->last_end = dn_get64(p + 48);
	h->least_start = dn_get64(p + 56);
	h->rows = dn_get32(p + 64);
	h->raw_len = dn_get32(p + 68);
	h->stored_len = dn_get32(p + 72);
	h->checksum = dn_get64(p + BLOCK_SUM);
	if (h->raw_len > DN_BLOCK_RAW_MAX || h->stored_len > DN_BLOCK_STORED_MAX ||
	    h->rows > DN_BLOCK_ROWS_MAX)
		return -EBADMSG;
	if (!(h->flags & DN_BLOCK_ZSTD) && h->raw_len != h->stored_len)
		return -EBADMSG;
	return 0;
}

bool dn_block_verify(const uint8_t *p, const struct dn_block_header *h, const void *payload)
{
	return block_sum(p, payload, h->stored_len) == h->checksum;
}

/*
 * Footer payload: the file header's bytes, varint blocks, then for each
 * block: offset delta to the block before, kind, rows, first end, last end
 * and least start each as zigzag delta to the same of the block before;
 * varint kinds that have a count, for each block that many varint counts.
 */
uint8_t *dn_footer_put(const struct dn_footer *f, size_t *len)
{
	size_t bound = DN_FILE_HEADER_LEN + 2 * DN_VARINT_MAX +
		       (size_t)f->nblocks * (6 + DN_INDEX_KINDS) * DN_VARINT_MAX;
	struct dn_index_entry prev = { 0 };
	uint8_t *buf = malloc(bound), *p = buf;

	if (!buf)
		return NULL;
	dn_file_header_put(p, &f->file);
	p = dn_put_varint(p + DN_FILE_HEADER_LEN, f->nblocks);
	p = dn_put_varint(p, DN_INDEX_KINDS);
	for (uint32_t i = 0; i < f->nblocks; i++) {
		const struct dn_index_entry *b = &f->block[i];

		p = dn_put_varint(p, b->offset - prev.offset);
		p = dn_put_varint(p, b->kind);
		p = dn_put_varint(p, b->rows);
		p = dn_put_varint(p, dn_zigzag((int64_t)(b->first_end - prev.first_end)));
		p = dn_put_varint(p, dn_zigzag((int64_t)(b->last_end - prev.last_end)));
		p = dn_put_varint(p, dn_zigzag((int64_t)(b->least_start - prev.least_start)));
		for (unsigned k = 0; k < DN_INDEX_KINDS; k++)
			p = dn_put_varint(p, f->kind_rows[(size_t)i * DN_INDEX_KINDS + k]);
		prev = *b;
	}
	*len = (size_t)(p - buf);
	return buf;
}

int dn_footer_get(const void *payload, size_t len, struct dn_footer *f)
{
	struct dn_bytes b = dn_bytes_of(payload, len);
	struct dn_index_entry prev = { 0 };
	uint64_t n, kinds;
	const uint8_t *head = dn_take(&b, DN_FILE_HEADER_LEN);

	memset(f, 0, sizeof(*f));
	if (!head || dn_file_header_get(head, DN_FILE_HEADER_LEN, &f->file))
		return -EBADMSG;
	n = dn_get_varint(&b);
	kinds = dn_get_varint(&b);
	/* a block takes 6 + kinds bytes at least */
	if (b.bad || kinds > 4096 || n > dn_bytes_left(&b) / (6 + kinds))
		return -EBADMSG;
	f->block = calloc(n + 1, sizeof(*f->block));
	f->kind_rows = calloc((n + 1) * DN_INDEX_KINDS, sizeof(*f->kind_rows));
	if (!f->block || !f->kind_rows)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		struct dn_index_entry *e = &f->block[i];

		e->offset = prev.offset + dn_get_varint(&b);
		e->kind = (uint8_t)dn_get_varint(&b);
		e->rows = (uint32_t)dn_get_varint(&b);
		e->first_end = prev.first_end + (uint64_t)dn_unzigzag(dn_get_varint(&b));
		e->last_end = prev.last_end + (uint64_t)dn_unzigzag(dn_get_varint(&b));
		e->least_start = prev.least_start + (uint64_t)dn_unzigzag(dn_get_varint(&b));
		for (unsigned k = 0; k < kinds; k++) {
			uint64_t rows = dn_get_varint(&b);

			if (k < DN_INDEX_KINDS)
				f->kind_rows[(size_t)i * DN_INDEX_KINDS + k] = (uint32_t)rows;
		}
		prev = *e;
	}
	f->nblocks = (uint32_t)n;
	return b.bad ? -EBADMSG : 0;
}

void dn_footer_free(struct dn_footer *f)
{
	free(f->block);
	free(f->kind_rows);
	f->block = NULL;
	f->kind_rows = NULL;
}
