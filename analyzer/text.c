/*
 * text.c - a text that grows; see text.h.
 */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void dn_text_free(struct dn_text *t)
{
	free(t->p);
	memset(t, 0, sizeof(*t));
}

void dn_text_reset(struct dn_text *t)
{
	t->len = 0;
	t->failed = false;
	if (t->p)
		t->p[0] = '\0';
}

/* Room for `more` bytes and the NUL after them. */
static bool reserve(struct dn_text *t, size_t more)
{
	size_t need = t->len + more + 1, cap = t->cap ? t->cap : 256;
	char *p;

	if (t->failed || more > (size_t)-1 / 4)
		return t->failed = true, false;
	if (need <= t->cap)
		return true;
	while (cap < need)
		cap *= 2;
	p = realloc(t->p, cap);
	if (!p)
		return t->failed = true, false;
	t->p = p;
	t->cap = cap;
	return true;
}

void dn_text_bytes(struct dn_text *t, const char *p, size_t len)
{
	if (len == 0 || !reserve(t, len))
		return;
	memcpy(t->p + t->len, p, len);
	t->len += len;
	t->p[t->len] = '\0';
}

void dn_text_char(struct dn_text *t, char c)
{
	dn_text_bytes(t, &c, 1);
}

void dn_text_add(struct dn_text *t, const char *s)
{
	dn_text_bytes(t, s, strlen(s));
}

void dn_text_addf(struct dn_text *t, const char *format, ...)
{
	va_list ap;
	int n;

	/* Most pieces are a number: try the room at hand before measuring. */
	if (!reserve(t, 32))
		return;
	va_start(ap, format);
	n = vsnprintf(t->p + t->len, t->cap - t->len, format, ap);
	va_end(ap);
	if (n < 0) {
		t->failed = true;
	} else if ((size_t)n < t->cap - t->len) {
		t->len += (size_t)n;
	} else if (reserve(t, (size_t)n)) {
		va_start(ap, format);
		vsnprintf(t->p + t->len, t->cap - t->len, format, ap);
		va_end(ap);
		t->len += (size_t)n;
	}
}

void dn_text_pad(struct dn_text *t, size_t column)
{
	size_t n = t->len < column ? column - t->len : 0;

	if (n == 0 || !reserve(t, n))
		return;
	memset(t->p + t->len, ' ', n);
	t->len += n;
	t->p[t->len] = '\0';
}

/* marks: characters beside the backslash that do not stand for themselves. */
static void put_escaped(struct dn_text *t, const char *p, size_t len, const char *marks)
{
	const char *end = p + len;

	while (p < end) {
		const char *run = p;
		unsigned char c;

		while (p < end && *p >= ' ' && *p <= '~' && *p != marks[0] && *p != marks[1] &&
		       *p != '\\')
			p++;
		dn_text_bytes(t, run, (size_t)(p - run));
		if (p == end)
			break;
		c = (unsigned char)*p++;
		if (c == '"' || c == '\\')
			dn_text_addf(t, "\\%c", c);
		else if (c >= '\t' && c <= '\r')
			dn_text_addf(t, "\\%c", "tnvfr"[c - '\t']);
		else	/* all digits where one follows that would count as a fourth */
			dn_text_addf(t, p < end && *p >= '0' && *p <= '7' ? "\\%03o" : "\\%o", c);
	}
}

void dn_text_quote(struct dn_text *t, const char *p, size_t len)
{
	dn_text_char(t, '"');
	put_escaped(t, p, len, "\"");
	dn_text_char(t, '"');
}

void dn_text_angle(struct dn_text *t, const char *p, size_t len)
{
	put_escaped(t, p, len, "<>");
}
