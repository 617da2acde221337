/*
 * say.c - errors, remarks and progress on stderr; safe printing.
 */
#include "say.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "human.h"
#include "utf8.h"

#define NAME "denet-analyze"
#define FIRST_NS UINT64_C(1000000000)	/* nothing is shown before */
#define EVERY_NS UINT64_C(200000000)

/* --- bytes of strangers -------------------------------------------------- */

static unsigned code_point(const unsigned char *p, unsigned n)
{
	unsigned c = n == 1 ? p[0] : p[0] & (0x7fu >> n);

	for (unsigned i = 1; i < n; i++)
		c = c << 6 | (p[i] & 0x3f);
	return c;
}

/* Controls, and what a terminal or an editor shows as something else: line and
 * paragraph separators, marks that turn the direction of writing. */
static bool prints(unsigned c)
{
	if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		return false;
	if (c >= 0x200b && c <= 0x200f)
		return false;
	if (c >= 0x2028 && c <= 0x202e)
		return false;
	return !(c >= 0x2060 && c <= 0x206f) && c != 0xfeff;
}

/* One character of p into out (at most 16 bytes): what it looks like. Returns
 * the bytes of p it used; *n bytes of out, *columns columns. */
static size_t step(const char *p, size_t len, char out[17], size_t *n, size_t *columns)
{
	unsigned bytes = dn_utf8_sequence(p, len);

	*n = 0;
	if (bytes && prints(code_point((const unsigned char *)p, bytes))) {
		memcpy(out, p, bytes);
		*n = bytes;
		*columns = 1;
		return bytes;
	}
	if (!bytes)
		bytes = 1;
	for (unsigned i = 0; i < bytes; i++)
		*n += (size_t)sprintf(out + *n, "\\x%02x", (unsigned char)p[i]);
	*columns = *n;
	return bytes;
}

size_t dn_put_safe(FILE *f, const char *p, size_t len)
{
	size_t columns = 0, n, w;
	char out[17];

	for (size_t i = 0; i < len; columns += w) {
		i += step(p + i, len - i, out, &n, &w);
		fwrite(out, 1, n, f);
	}
	return columns;
}

size_t dn_safe(char *buf, size_t cap, const char *p, size_t len, size_t columns)
{
	size_t used = 0, at = 0, n, w, dots_used = 0, dots_at = 0;
	char out[17];

	for (size_t i = 0; i < len;) {
		i += step(p + i, len - i, out, &n, &w);
		if (used + w > columns || at + n + 4 > cap) {
			/* Go back to the last place that leaves room for dots. */
			strcpy(buf + dots_at, columns >= 3 ? "..." : "");
			return dots_used + (columns >= 3 ? 3 : 0);
		}
		memcpy(buf + at, out, n);
		at += n;
		used += w;
		if (used + 3 <= columns) {
			dots_used = used;
			dots_at = at;
		}
	}
	buf[at] = 0;
	return used;
}

/* --- sentences ----------------------------------------------------------- */

/* A progress line may stand there. */
static void clear_line(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

void dn_error(const char *what, const char *subject, const char *why, const char *hint)
{
	clear_line();
	fprintf(stderr, NAME ": cannot %s", what);
	if (subject) {
		putc(' ', stderr);
		dn_put_safe(stderr, subject, strlen(subject));
	}
	fputs(": ", stderr);
	dn_put_safe(stderr, why, strlen(why));
	fputs(hint ? ". " : ".", stderr);
	if (hint)
		fprintf(stderr, "%s.", hint);
	putc('\n', stderr);
}

void dn_remark(const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	clear_line();
	fputs(NAME ": ", stderr);
	dn_put_safe(stderr, text, strlen(text));
	putc('\n', stderr);
}

/* --- progress ------------------------------------------------------------ */

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void dn_progress_begin(struct dn_progress *p, const char *what, bool quiet)
{
	*p = (struct dn_progress){ .what = what, .on = !quiet && isatty(STDERR_FILENO) };
	if (p->on)
		p->begun = p->last = now();
}

void dn_progress_at(struct dn_progress *p, uint64_t done, uint64_t whole, uint64_t calls)
{
	char part[DN_HUMAN_SIZE], count[DN_HUMAN_SIZE], rate[DN_HUMAN_SIZE], what[64];
	uint64_t t;

	if (!p->on)
		return;
	t = now();
	if (t - p->begun < FIRST_NS || (p->shown && t - p->last < EVERY_NS))
		return;
	dn_safe(what, sizeof(what), p->what, strlen(p->what), 36);
	dn_human_percent(part, sizeof(part), done, whole);
	dn_human_count(count, sizeof(count), calls);
	dn_human_rate(rate, sizeof(rate), calls, t - p->begun);
	fprintf(stderr, "\r\033[K%s  %s  %s calls  %s", what, part, count, rate);
	fflush(stderr);
	p->last = t;
	p->shown = true;
}

void dn_progress_end(struct dn_progress *p)
{
	if (p->shown)
		clear_line();
	p->on = false;
}
