/*
 * say.c - one line on standard error.
 */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>

#define LINE 4096

void dn_say(const char *fmt, ...)
{
	char line[LINE], out[4 * LINE];
	size_t n = 0;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	for (const unsigned char *p = (unsigned char *)line; *p; p++)
		n += (size_t)snprintf(out + n, sizeof(out) - n, *p < 0x20 || *p == 0x7f ? "\\x%02x" : "%c", *p);
	out[n] = 0;
	fprintf(stderr, "denet-record: %s\n", out);
}
