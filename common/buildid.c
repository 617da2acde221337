/*
 * buildid.c - a walk over notes (elf(5), "Notes"), and the path made of what it finds.
 */
#include "buildid.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"

#define NOTE_HEADER 12
#define NOTE_BUILD_ID 3		/* NT_GNU_BUILD_ID */

static uint32_t word(const uint8_t *p, bool big)
{
	return big ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] :
		     dn_get32(p);
}

bool dn_build_id_find(const void *p, size_t len, size_t align, bool big, struct dn_build_id *id)
{
	const uint64_t mask = align == 8 ? 7 : 3;
	const uint8_t *note = p;
	uint64_t at = 0;	/* sums of it and two 32-bit numbers cannot wrap */

	memset(id, 0, sizeof(*id));
	while (at + NOTE_HEADER <= len) {
		uint32_t namesz = word(note + at, big), descsz = word(note + at + 4, big);
		uint32_t type = word(note + at + 8, big);
		uint64_t desc = (at + NOTE_HEADER + namesz + mask) & ~mask;

		if (desc + descsz > len)
			break;
		if (type == NOTE_BUILD_ID && namesz == 4 && !memcmp(note + at + NOTE_HEADER, "GNU", 4) &&
		    descsz && descsz <= DN_BUILD_ID_MAX) {
			memcpy(id->byte, note + desc, descsz);
			id->len = (uint8_t)descsz;
			return true;
		}
		at = (desc + descsz + mask) & ~mask;
	}
	return false;
}

bool dn_build_id_same(const struct dn_build_id *a, const struct dn_build_id *b)
{
	return a->len && a->len == b->len && !memcmp(a->byte, b->byte, a->len);
}

void dn_build_id_hex(const struct dn_build_id *id, char hex[2 * DN_BUILD_ID_MAX + 1])
{
	hex[0] = 0;
	for (unsigned i = 0; i < id->len; i++)
		snprintf(hex + 2 * i, 3, "%02x", id->byte[i]);
}

/* Of a hexadecimal digit, or 16. */
static unsigned digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (unsigned)(at - digits) : 16;
}

bool dn_build_id_parse(const char *hex, size_t len, struct dn_build_id *id)
{
	memset(id, 0, sizeof(*id));
	if (!len || len % 2 || len > 2 * DN_BUILD_ID_MAX)
		return false;
	for (size_t i = 0; i < len; i += 2) {
		unsigned high = digit(hex[i]), low = digit(hex[i + 1]);

		if (high > 15 || low > 15)
			return false;
		id->byte[i / 2] = (uint8_t)(high << 4 | low);
	}
	id->len = (uint8_t)(len / 2);
	return true;
}

int dn_build_id_path(char *path, size_t size, const char *dir, const struct dn_build_id *id)
{
	char hex[2 * DN_BUILD_ID_MAX + 1];
	int n;

	if (id->len < 2)
		return -ENODATA;
	dn_build_id_hex(id, hex);
	n = snprintf(path, size, "%s/.build-id/%.2s/%s.debug", dir, hex, hex + 2);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}
