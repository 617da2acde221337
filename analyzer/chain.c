/*
 * chain.c - finding whole blocks in a source.
 *
 * At each place: read the header; if it is one, read the payload and verify
 * the checksum over both. If that fails, two ways on:
 *   - the header told the truth about its length and a marker stands behind
 *     it (or the file ends there): one block is damaged, go there;
 *   - otherwise look for the next marker from the byte after this one.
 * The first keeps a payload that happens to hold a marker from being taken
 * for blocks.
 */
#include "chain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "format_limits.h"
#include "source.h"

#define SCAN_CHUNK (64u << 10)

/* Failed verifications may cost this much and a multiple of what was passed;
 * beyond, a marker is believed about its length. The same for footers. */
#define WASTE_BASE (64u << 20)
#define WASTE_FACTOR 16
#define FOOTER_TRIES 16

static int stored_room(struct dn_block *b, size_t n)
{
	uint8_t *p;

	if (n <= b->stored_cap)
		return 0;
	p = realloc(b->stored, n);
	if (!p)
		return -ENOMEM;
	b->stored = p;
	b->stored_cap = n;
	return 0;
}

int dn_chain_at(struct dn_source *src, uint64_t off, struct dn_block *b, uint64_t *end,
		uint64_t *there)
{
	uint8_t head[DN_BLOCK_HEADER_LEN];
	long n = dn_source_read(src, off, head, sizeof(head));
	size_t len;

	if (end)
		*end = 0;
	if (there)
		*there = n > 0 ? (uint64_t)n : 0;
	if (n < 0)
		return (int)n;
	if (dn_block_header_get(head, (size_t)n, &b->header))
		return 0;
	len = b->header.stored_len;
	b->offset = off;
	if (end)
		*end = off + sizeof(head) + len;
	/* Do not ask for memory that the file cannot fill. */
	if (dn_source_seekable(src) && off + sizeof(head) + len > dn_source_size(src)) {
		if (there)
			*there = dn_source_size(src) - off;
		return 0;
	}
	if (stored_room(b, len ? len : 1))
		return -ENOMEM;
	n = dn_source_read(src, off + sizeof(head), b->stored, len);
	if (n < 0)
		return (int)n;
	if (there)
		*there += (uint64_t)n;
	return (size_t)n == len && dn_block_verify(head, &b->header, b->stored);
}

/* The first marker at or after off; UINT64_MAX: none up to the end or limit. */
static int find_marker(struct dn_source *src, uint64_t off, uint64_t limit, uint64_t *found)
{
	uint8_t buf[SCAN_CHUNK];

	*found = UINT64_MAX;
	while (off < limit) {
		long n = dn_source_read(src, off, buf, sizeof(buf));
		const uint8_t *p = buf, *end;

		if (n < 0)
			return (int)n;
		if (n < DN_MAGIC_LEN)
			break;
		end = buf + n - DN_MAGIC_LEN + 1;
		while (p < end && (p = memchr(p, dn_block_magic[0], (size_t)(end - p)))) {
			if (!memcmp(p, dn_block_magic, DN_MAGIC_LEN)) {
				*found = off + (uint64_t)(p - buf);
				return 0;
			}
			p++;
		}
		off += (uint64_t)(end - buf);
		dn_source_forget(src, off);
	}
	return 0;
}

/* Whether a header of a block, or the end of the file, stands at off. */
static bool header_at(struct dn_source *src, uint64_t off)
{
	uint8_t head[DN_BLOCK_HEADER_LEN];
	struct dn_block_header h;
	long n = dn_source_read(src, off, head, sizeof(head));

	return !n || (n > 0 && !dn_block_header_get(head, (size_t)n, &h));
}

static bool is_file_header(struct dn_source *src, uint64_t off)
{
	uint8_t head[DN_FILE_HEADER_LEN];
	struct dn_file_header h;
	long n = dn_source_read(src, off, head, sizeof(head));
	int err;

	if (n < (long)sizeof(head))
		return false;
	err = dn_file_header_get(head, sizeof(head), &h);
	return !err || err == -EPROTONOSUPPORT;
}

/* Whether the last `there` bytes, from off on, may be the beginning of a header. */
static bool begins_header(struct dn_source *src, uint64_t off, uint64_t there)
{
	uint8_t head[DN_MAGIC_LEN];
	long n = dn_source_read(src, off, head, sizeof(head));

	return there < DN_BLOCK_HEADER_LEN && n > 0 && !memcmp(head, dn_block_magic, (size_t)n);
}

int dn_chain_find(struct dn_chain *c, struct dn_block *b, struct dn_chain_gap *gap, uint64_t limit)
{
	uint64_t cut_at = UINT64_MAX, end, there, next;
	int err;

	memset(gap, 0, sizeof(*gap));
	gap->at = c->pos;
	for (;;) {
		dn_source_forget(c->src, c->pos);
		err = dn_chain_at(c->src, c->pos, b, &end, &there);
		if (err == -ENOMEM)
			return err;
		if (err) {
			gap->bytes = c->pos - gap->at;
			if (err > 0) {
				c->pos = end;
				return 1;
			}
			gap->err = err;
			return 0;
		}
		if (!there) {	/* the very end */
			gap->bytes = c->pos - gap->at;
			return 0;
		}
		if (end ? c->pos + there < end : begins_header(c->src, c->pos, there))
			cut_at = c->pos;
		if (end)
			c->wasted += there;
		if (c->pos == gap->at && is_file_header(c->src, c->pos)) {
			gap->other_trace = true;
			c->pos += DN_FILE_HEADER_LEN;
			continue;
		}
		if (end && c->pos + there == end &&
		    (header_at(c->src, end) ||
		     c->wasted > WASTE_BASE + WASTE_FACTOR * c->pos)) {
			c->pos = end;
			continue;
		}
		err = find_marker(c->src, c->pos + 1, limit, &next);
		if (err || next == UINT64_MAX) {
			/* A cut block is one that began at the last marker. */
			gap->cut = cut_at != UINT64_MAX;
			gap->err = err;
			next = dn_source_size(c->src);
			gap->bytes = (gap->cut ? cut_at : next) - gap->at;
			c->pos = next;
			return 0;
		}
		c->pos = next;
		cut_at = UINT64_MAX;
	}
}

int dn_chain_next(struct dn_chain *c, struct dn_block *b, struct dn_chain_gap *gap)
{
	return dn_chain_find(c, b, gap, UINT64_MAX);
}

int dn_chain_footer(struct dn_source *src, struct dn_block *b)
{
	uint64_t size = dn_source_size(src), end;
	size_t want = 4u << 10, most = DN_BLOCK_STORED_MAX + DN_BLOCK_HEADER_LEN;
	uint8_t *buf = NULL;
	unsigned tries = 0;
	int ret = 0;

	/* The footer tells its length only at its beginning: look for a footer's
	 * header in more and more of the end. */
	for (size_t seen = 0; !ret && seen < most && seen < size; want *= 8) {
		size_t len = want < most ? want : most;
		uint8_t *p;
		long n;

		if (len > size)
			len = (size_t)size;
		p = realloc(buf, len);
		if (!p) {
			ret = -ENOMEM;
			break;
		}
		buf = p;
		n = dn_source_read(src, size - len, buf, len);
		if (n < (long)len) {
			ret = n < 0 ? (int)n : 0;
			break;
		}
		for (size_t i = len - seen; !ret && i-- > 0;) {
			struct dn_block_header h;

			if (buf[i] != dn_block_magic[0] || dn_block_header_get(buf + i, len - i, &h))
				continue;
			if (h.kind == DN_BLOCK_FOOTER &&
			    i + DN_BLOCK_HEADER_LEN + h.stored_len == len && tries++ < FOOTER_TRIES)
				ret = dn_chain_at(src, size - len + i, b, &end, NULL);
		}
		seen = len;
	}
	free(buf);
	return ret;
}
