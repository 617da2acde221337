/*
 * shell_quote.c - an argument list as one line that a POSIX shell reads back.
 *
 * An argument of harmless bytes stands bare; any other stands in single
 * quotes, inside which only the single quote itself is special.
 */
#include "shell_quote.h"

#include <stdbool.h>
#include <string.h>

struct line {
	char *out;
	size_t cap, len;	/* len counts past cap */
};

static void put(struct line *l, const char *p, size_t n)
{
	if (l->len < l->cap)
		memcpy(l->out + l->len, p, n < l->cap - l->len ? n : l->cap - l->len);
	l->len += n;
}

static bool bare(const char *p, size_t n)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789_@%+=:,./-";

	for (size_t i = 0; i < n; i++)
		if (!memchr(safe, p[i], sizeof(safe) - 1))
			return false;
	return n > 0;
}

static void put_quoted(struct line *l, const char *p, size_t n)
{
	put(l, "'", 1);
	while (n) {
		const char *q = memchr(p, '\'', n);
		size_t k = q ? (size_t)(q - p) : n;

		put(l, p, k);
		if (!q)
			break;
		put(l, "'\\''", 4);
		p += k + 1;
		n -= k + 1;
	}
	put(l, "'", 1);
}

size_t dn_shell_quote(const char *argv, size_t len, char *out, size_t cap)
{
	struct line l = { .out = out, .cap = cap };
	size_t i = 0;

	while (i < len) {
		const char *end = memchr(argv + i, '\0', len - i);
		size_t n = end ? (size_t)(end - (argv + i)) : len - i;

		if (i)
			put(&l, " ", 1);
		if (bare(argv + i, n))
			put(&l, argv + i, n);
		else
			put_quoted(&l, argv + i, n);
		i += n + 1;
	}
	return l.len;
}
