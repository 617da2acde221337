/*
 * bytes.h - little-endian numbers, varints, and reading them within bounds.
 *
 * Writing: into memory the caller has sized. Reading: through struct
 * dn_bytes, which never passes its end; a read that would fails once and for
 * all (`bad`) and yields 0, so that a parser may check at its end.
 *
 * Varint: LEB128, 7 bits a byte, least significant first, at most 10 bytes.
 * Zigzag maps small negative numbers to small unsigned ones.
 */
#ifndef DN_COMMON_BYTES_H
#define DN_COMMON_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define DN_VARINT_MAX 10

static inline void dn_put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static inline void dn_put32(uint8_t *p, uint32_t v)
{
	dn_put16(p, (uint16_t)v);
	dn_put16(p + 2, (uint16_t)(v >> 16));
}

static inline void dn_put64(uint8_t *p, uint64_t v)
{
	dn_put32(p, (uint32_t)v);
	dn_put32(p + 4, (uint32_t)(v >> 32));
}

static inline uint16_t dn_get16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t dn_get32(const uint8_t *p)
{
	return dn_get16(p) | (uint32_t)dn_get16(p + 2) << 16;
}

static inline uint64_t dn_get64(const uint8_t *p)
{
	return dn_get32(p) | (uint64_t)dn_get32(p + 4) << 32;
}

static inline uint64_t dn_zigzag(int64_t v)
{
	return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}

static inline int64_t dn_unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

/* Writes v at p (DN_VARINT_MAX bytes of room), returns the byte after it. */
static inline uint8_t *dn_put_varint(uint8_t *p, uint64_t v)
{
	while (v >= 0x80) {
		*p++ = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	*p++ = (uint8_t)v;
	return p;
}

struct dn_bytes {
	const uint8_t *p;
	const uint8_t *end;
	bool bad;
};

static inline struct dn_bytes dn_bytes_of(const void *p, size_t len)
{
	/* NULL + 0 is not defined */
	return (struct dn_bytes){ p, len ? (const uint8_t *)p + len : p, false };
}

static inline size_t dn_bytes_left(const struct dn_bytes *b)
{
	return (size_t)(b->end - b->p);
}

/* Skips n bytes and returns where they begin, or NULL. */
static inline const uint8_t *dn_take(struct dn_bytes *b, size_t n)
{
	const uint8_t *p = b->p;

	if (b->bad || n > dn_bytes_left(b)) {
		b->bad = true;
		return NULL;
	}
	b->p += n;
	return p;
}

/* Reads a varint. More than 64 bits of value is bad input, not wrapped. */
static inline uint64_t dn_get_varint(struct dn_bytes *b)
{
	uint64_t v = 0;
	unsigned shift = 0;
	const uint8_t *p = b->p;

	if (p < b->end && *p < 0x80) {	/* nearly all of them */
		b->p = p + 1;
		return *p;
	}
	for (; p < b->end && shift < 64; shift += 7) {
		uint8_t c = *p++;

		if (shift == 63 && c > 1)
			break;
		v |= (uint64_t)(c & 0x7f) << shift;
		if (c < 0x80) {
			b->p = p;
			return v;
		}
	}
	b->bad = true;
	b->p = b->end;
	return 0;
}

#endif
