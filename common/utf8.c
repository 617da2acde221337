/*
 * utf8.c - well-formed UTF-8 (The Unicode Standard, table 3-7).
 */
#include "utf8.h"

#include <stdint.h>
#include <string.h>

unsigned dn_utf8_sequence(const char *p, size_t len)
{
	const uint8_t *b = (const uint8_t *)p;
	uint8_t lo = 0x80, hi = 0xbf;	/* of the second byte */
	unsigned n;

	if (b[0] < 0x80)
		return 1;
	if (b[0] >= 0xc2 && b[0] <= 0xdf)
		n = 2;
	else if (b[0] >= 0xe0 && b[0] <= 0xef)
		n = 3;
	else if (b[0] >= 0xf0 && b[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if (b[0] == 0xe0)
		lo = 0xa0;
	else if (b[0] == 0xed)
		hi = 0x9f;
	else if (b[0] == 0xf0)
		lo = 0x90;
	else if (b[0] == 0xf4)
		hi = 0x8f;
	if (n > len || b[1] < lo || b[1] > hi)
		return 0;
	for (unsigned i = 2; i < n; i++)
		if ((b[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

bool dn_utf8_text(const char *p, size_t len)
{
	size_t i = 0;

	while (i < len) {
		uint64_t eight;
		unsigned n;

		/* Eight bytes at a time while they are ASCII without NUL. */
		if (len - i >= 8) {
			memcpy(&eight, p + i, 8);
			if (!(eight & UINT64_C(0x8080808080808080)) &&
			    !((eight - UINT64_C(0x0101010101010101)) &
			      UINT64_C(0x8080808080808080))) {
				i += 8;
				continue;
			}
		}
		n = p[i] ? dn_utf8_sequence(p + i, len - i) : 0;
		if (!n)
			return false;
		i += n;
	}
	return true;
}
