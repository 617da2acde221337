/*
 * page.c - laying out text reports.
 */
#include "page.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "human.h"
#include "query.h"
#include "say.h"

#define BOLD "\033[1m"
#define DIM "\033[2m"
#define BLUE "\033[34m"
#define PLAIN "\033[0m"

#define CELL_MAX 256

static void colored(struct dn_page *p, const char *color, const char *text)
{
	if (p->color)
		fprintf(p->out, "%s%s" PLAIN, color, text);
	else
		fputs(text, p->out);
}

void dn_page_heading(struct dn_page *p, const char *title)
{
	putc('\n', p->out);
	colored(p, BOLD, title);
	putc('\n', p->out);
}

/* Columns of n bytes of UTF-8, one a character. */
static size_t columns_of(const char *p, size_t n)
{
	size_t columns = 0;

	for (size_t i = 0; i < n; i++)
		columns += ((unsigned char)p[i] & 0xc0) != 0x80;
	return columns;
}

/* Words from column `indent` on, the cursor being there. */
static void wrap(struct dn_page *p, size_t indent, const char *text)
{
	size_t at = indent, cap = 4 * strlen(text) + 8;
	char *buf = malloc(cap), *word, *next;
	bool fresh = true;

	if (!buf)
		return;
	dn_safe(buf, cap, text, strlen(text), cap);
	for (word = buf; *word; word = next) {
		size_t n = strcspn(word, " "), w = columns_of(word, n);

		next = word + n + strspn(word + n, " ");
		if (!fresh && at + 1 + w > DN_PAGE_WIDTH) {
			fprintf(p->out, "\n%*s", (int)indent, "");
			at = indent;
			fresh = true;
		}
		if (!fresh)
			putc(' ', p->out);
		fwrite(word, 1, n, p->out);
		at += w + !fresh;
		fresh = false;
	}
	putc('\n', p->out);
	free(buf);
}

void dn_page_wrap(struct dn_page *p, const char *first, const char *text)
{
	fputs(first, p->out);
	wrap(p, strlen(first), text);
}

void dn_page_field(struct dn_page *p, const char *label, const char *text)
{
	fputs("  ", p->out);
	colored(p, DIM, label);
	fprintf(p->out, "%*s", (int)(10 - strlen(label)), "");
	wrap(p, 12, text);
}

/* --- tables -------------------------------------------------------------- */

static bool is_left(enum dn_show show)
{
	return show == DN_SHOW_TEXT || show == DN_SHOW_BAR;
}

/* What a cell shows, in buf; the columns it takes. */
static size_t cell(const struct dn_query *q, int i, const struct dn_col *c, char *buf, size_t cap)
{
	int64_t v = dn_query_int(q, i);
	uint64_t u = v < 0 ? 0 : (uint64_t)v;
	const char *text;
	size_t len;
	double share;

	*buf = 0;
	if (dn_query_null(q, i)) {
		strcpy(buf, is_left(c->show) ? "" : "-");
		return strlen(buf);
	}
	switch (c->show) {
	case DN_SHOW_TEXT:
		text = dn_query_text(q, i, &len);
		return dn_safe(buf, cap, text, len, (size_t)c->width);
	case DN_SHOW_INT:
		snprintf(buf, cap, "%" PRId64, v);
		break;
	case DN_SHOW_COUNT:
		if (u)
			dn_human_count(buf, cap, u);
		break;
	case DN_SHOW_NS:
		dn_human_ns(buf, cap, u);
		break;
	case DN_SHOW_BYTES:
		dn_human_bytes(buf, cap, u);
		break;
	case DN_SHOW_SHARE:
		dn_human_percent(buf, cap, (uint64_t)(dn_query_real(q, i) * 1e9 + 0.5), 1000000000);
		break;
	case DN_SHOW_BAR:
		share = dn_query_real(q, i);
		if (share > 0 && share <= 1)
			len = (size_t)(share * c->width + 0.5);
		else
			len = 0;
		memset(buf, '#', len);
		buf[len] = 0;
		break;
	}
	return strlen(buf);
}

/* A line that is put together cell by cell; blanks wait until something
 * follows them, so that no line ends in any. */
struct row {
	struct dn_page *p;
	int blanks;
};

static void put_cell(struct row *r, const struct dn_col *c, const char *text, size_t width)
{
	int pad = (int)width < c->width ? c->width - (int)width : 0;

	r->blanks += 2;
	if (!is_left(c->show))
		r->blanks += pad;
	if (*text) {
		fprintf(r->p->out, "%*s", r->blanks, "");
		r->blanks = 0;
		if (c->show == DN_SHOW_BAR)
			colored(r->p, BLUE, text);
		else
			fputs(text, r->p->out);
	}
	if (is_left(c->show))
		r->blanks += pad;
}

static void put_titles(struct dn_page *p, const struct dn_table *t)
{
	struct row r = { p, 0 };

	if (p->color)
		fputs(DIM, p->out);
	for (size_t i = 0; i < t->ncol; i++) {
		struct dn_col c = t->col[i];

		if (c.show == DN_SHOW_BAR)
			c.show = DN_SHOW_TEXT;
		put_cell(&r, &c, c.title, strlen(c.title));
	}
	fputs(p->color ? PLAIN "\n" : "\n", p->out);
}

int dn_page_table(struct dn_page *p, struct dn_db *db, int64_t trace, const struct dn_table *t)
{
	struct dn_query *q = dn_query_new(db, t->sql);
	char buf[CELL_MAX * 4];
	bool any = false;
	int ret;

	if (!q)
		return -EIO;
	dn_query_bind(q, 1, trace);
	while ((ret = dn_query_step(q)) > 0) {
		struct row r = { p, 0 };

		if (!any) {
			dn_page_heading(p, t->title);
			put_titles(p, t);
		}
		any = true;
		for (size_t i = 0; i < t->ncol; i++) {
			size_t w = cell(q, (int)i, &t->col[i], buf, sizeof(buf));

			put_cell(&r, &t->col[i], buf, w);
		}
		putc('\n', p->out);
	}
	dn_query_free(q);
	return ret;
}
